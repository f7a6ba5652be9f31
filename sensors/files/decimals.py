"""Plain decimal numbers out of text, many at once: what Python's float() gives, at a fraction of its time.

A number of at most 15 digits is its digits as a whole number, exact in a float64, divided by a power of ten that is
exact too; one division rounds correctly (Clinger 1990, doi:10.1145/93542.93557).
"""

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

MOST_DIGITS = 15
LONGEST = MOST_DIGITS + 2
"""Characters of a number: its digits, a sign and a point."""
PIECE = 1 << 18
"""Characters that are looked at together: what is made of them stays in the processor's cache."""
_NEWLINE, _MINUS, _PLUS, _POINT, _ZERO = (ord(character) for character in "\n-+.0")


def columns(text: str, begin: int, width: int, *, delimiter: str) -> NDArray[np.float64] | None:
    """The rows from a place in a text on; None unless every line is so many plain numbers and nothing else."""
    end = len(text)
    while end > begin and text[end - 1].isspace():
        end -= 1
    values = np.empty((text.count("\n", begin, end) + 1, width))
    row, at = 0, begin
    while at < end:
        stop = end if end - at <= PIECE else text.rfind("\n", at, at + PIECE)
        if stop < 0:
            return None
        try:
            piece = (text[at:stop] + "\n").encode("ascii")
        except UnicodeEncodeError:
            return None
        numbers = _numbers(np.frombuffer(piece, np.uint8), width, ord(delimiter) if delimiter else _NEWLINE)
        if numbers is None:
            return None
        values[row : row + len(numbers)] = numbers
        row, at = row + len(numbers), stop + 1
    return values if row == len(values) else None


def _numbers(text: Bytes, width: int, delimiter: int) -> NDArray[np.float64] | None:
    """The rows of whole lines."""
    ends = np.flatnonzero((text == _NEWLINE) | (text == delimiter))
    closes = text[ends] == _NEWLINE
    if len(ends) % width or np.count_nonzero(closes) * width != len(ends) or not closes[width - 1 :: width].all():
        return None
    lengths = np.diff(ends, prepend=-1) - 1
    longest = int(lengths.max())
    if int(lengths.min()) < 1 or longest > LONGEST:
        return None
    first = text[ends - lengths]
    signed = (first == _MINUS) | (first == _PLUS)
    whole = np.zeros(len(ends), np.int64)
    digits = np.zeros(len(ends), np.int8)
    places = np.zeros(len(ends), np.int8)
    points = np.zeros(len(ends), np.int8)
    for behind in range(longest, 0, -1):
        inside = lengths >= behind
        # where a number is shorter, some character of the one before it, which does not count
        character = text[np.maximum(ends - behind, 0)]
        digit = character - np.uint8(_ZERO)
        counts = inside & (digit < 10)
        whole = np.where(counts, whole * 10 + digit, whole)
        digits += counts
        point = inside & (character == _POINT)
        points += point
        places[point] = behind - 1
    if (digits + points + signed != lengths).any() or not 0 < digits.min() <= digits.max() <= MOST_DIGITS:
        return None
    if points.max() > 1:
        return None
    made = whole / 10.0 ** np.arange(MOST_DIGITS + 1)[places]
    np.negative(made, out=made, where=first == _MINUS)
    return made.reshape(-1, width)
