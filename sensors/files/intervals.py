"""Beat-to-beat intervals as text: seconds or milliseconds, separated by lines, blanks or commas."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sensors.files.content import Assumed, Content, consecutive
from sensors.files.source import bad, check_span

SUFFIXES = (".rr", ".rri", ".ibi", ".nn", ".nni", ".hrm")
MOST = 5_000_000
"""Intervals in a file: forty days at 87 beats a minute."""
_POSSIBLE = (0.1, 10.0)
"""Seconds that `rr` in the catalogue can be; a file whose typical interval is outside holds no intervals."""
_PAUSE = 3600.0
"""Seconds between two beats above which a number is none of the intervals: some files begin with the time of day."""
_HUGE = 1e12
"""No interval in any unit is as long, and sums of such numbers stay finite."""
_SECTION = re.compile(r"^\[HRData\]\s*$(.*?)(?=^\[|\Z)", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[0-9],\d{2,}", re.ASCII)


def read(path: Path, text: str) -> Content:
    """The intervals of a text that is nothing but intervals."""
    values = _values(path, text)
    lengths, assumed = in_seconds(path, values, "")
    return Content(intervals=consecutive(lengths), assumed=assumed)


def looks_like(text: str) -> bool:
    """Whether a text that does not say so is a list of intervals: plausible lengths that go up and down with breath."""
    if "[HRData]" in text[:10_000]:
        return True
    sample = _body(text)[:20_000]
    if len(sample) == 20_000:
        sample = sample[: max(sample.rfind(" "), sample.rfind("\n"), sample.rfind(",")) + 1]
    tokens = _tokens(sample)
    if len(tokens) < 5 or not all(_NUMBER.fullmatch(token) for token in tokens):
        return False
    return plausible(np.array([float(token) for token in tokens]))


def plausible(values: NDArray[np.float64]) -> bool:
    """Whether numbers without a name behave as intervals do. A wave at the same heights is smooth, or dwells."""
    if len(values) < 5 or not (np.abs(values) < _HUGE).all():
        return False
    middle = float(np.median(values))
    scale = 1.0 if 0.3 <= middle <= 1.7 else 1e-3
    if not 0.3 <= middle * scale <= 1.7:
        return False
    if scale == 1e-3 and (values < 10).any():
        return False
    if (values * scale > _PAUSE).any():
        return False
    low, high = np.percentile(values, (5, 95))
    if low < 0.5 * middle or high > 2 * middle:
        return False
    steps = np.sign(np.diff(values))
    turns = (steps[1:] * steps[:-1] < 0).mean() if len(steps) > 1 else 0.0
    return bool(turns >= 0.2)


def in_seconds(path: Path, values: NDArray[np.float64], unit: str) -> tuple[NDArray[np.float64], Assumed]:
    """Intervals in seconds; the unit from their size where nothing names it."""
    if len(values) < 2:
        raise bad(path, "has fewer than two intervals")
    if len(values) > MOST:
        raise bad(path, f"{len(values)} intervals, at most {MOST} are read")
    if not (usual := np.abs(values) < _HUGE).all():
        row = int(np.argmin(usual))
        raise bad(path, f"interval {row + 1} is {values[row]:g}: that is no interval")
    if (values <= 0).any():
        row = int(np.argmax(values <= 0))
        raise bad(path, f"interval {row + 1} is {values[row]:g}: an interval is above zero")
    middle = float(np.median(values))
    assumed: Assumed = ()
    if unit not in ("s", "ms"):
        unit = "s" if middle < _POSSIBLE[1] else "ms"
        assumed = (("unit", unit),)
    lengths = values if unit == "s" else values / 1000
    if not _POSSIBLE[0] <= float(np.median(lengths)) <= _POSSIBLE[1]:
        raise bad(path, f"holds no beat intervals: a typical value is {middle:g} {unit}")
    check_span(path, float(lengths.sum()))
    return lengths, assumed


def _values(path: Path, text: str) -> NDArray[np.float64]:
    tokens = _tokens(_body(text))
    if tokens and not _NUMBER.fullmatch(tokens[0]) and re.fullmatch(r"[A-Za-z][\w()/-]*", tokens[0]):
        tokens = tokens[1:]  # a header of one word
    if not tokens:
        raise bad(path, "has no intervals")
    if len(tokens) > MOST:
        raise bad(path, f"{len(tokens)} intervals, at most {MOST} are read")
    for i, token in enumerate(tokens):
        if not _NUMBER.fullmatch(token):
            raise bad(path, f"interval {i + 1} is no number: {token[:40]!r}")
    return np.array([float(token) for token in tokens])


def _body(text: str) -> str:
    """The text without comments; of a Polar file, the section with the intervals."""
    section = _SECTION.search(text)
    if section:
        return section[1]
    return re.sub(r"^\s*(?:#|%|//).*$", "", text, flags=re.MULTILINE)


def _tokens(text: str) -> list[str]:
    tokens = re.split(r"[\s;]+", text.strip())
    # 0,812 0,790: a comma within every number and one digit before it is a decimal comma
    if tokens and all(_DECIMAL_COMMA.fullmatch(token) for token in tokens):
        return [token.replace(",", ".") for token in tokens]
    return [token for token in re.split(r"[\s;,]+", text.strip()) if token]
