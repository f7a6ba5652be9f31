"""Names from files, before they reach a terminal or a figure: they may be called anything."""

import unicodedata


def printable(text: str) -> str:
    """The text without control characters, which terminals obey and SVG forbids."""
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(each) == "Cc" else each for each in text)
