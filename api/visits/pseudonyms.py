"""Pseudonyms: what people are called in the record, and the code with which a visitor comes back."""

import secrets

# no letters or digits that people confuse, and no vowels that make words
ALPHABET = "23456789BCDFGHJKLMNPQRSTVWXZ"
GROUPS, LENGTH = 3, 4


def make_pseudonym() -> str:
    """Twelve random characters in three groups: 57 bits, easy to read out."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(GROUPS))


def spelled(code: str) -> list[str]:
    """What a typed code may stand for: as it is, in capitals, and with the dashes that were left out."""
    letters = code.upper().replace("-", "")
    ways = [code, code.upper()]
    if len(letters) == GROUPS * LENGTH and set(letters) <= set(ALPHABET):
        ways.append("-".join(letters[first : first + LENGTH] for first in range(0, len(letters), LENGTH)))
    return list(dict.fromkeys(ways))
