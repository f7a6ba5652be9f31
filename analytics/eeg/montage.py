"""Where a channel's electrode sits, by its name.

Names of the 10-20 and 10-10 systems (Jasper 1958; Acharya et al. 2016, doi:10.1097/WNP.0000000000000316) in any case,
with the older T3 to T6, with what a recorder writes before and behind them. A channel between two electrodes is at no
place; one whose name says nothing is EEG all the same, of an unknown place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["scalp", "bipolar", "unknown", "eye", "other"]

_NUMBERS: Mapping[str, int] = MappingProxyType(
    {"Fp": 2, "AF": 10, "F": 10, "FT": 10, "FC": 6, "T": 10, "C": 6, "TP": 10, "CP": 6, "P": 10, "PO": 10, "O": 2,
     "I": 2, "N": 0}
)  # fmt: skip
"""Rows of the 10-10 system, and the highest number in each."""
_LOWEST: Mapping[str, int] = MappingProxyType({"FT": 7, "T": 7, "TP": 7})
_MIDDLE_LESS = ("FT", "T", "TP")
_OLDER: Mapping[str, str] = MappingProxyType({"t3": "T7", "t4": "T8", "t5": "P7", "t6": "P8"})
ELECTRODES: tuple[str, ...] = tuple(
    f"{row}{number}"
    for row, most in _NUMBERS.items()
    for number in (*([] if row in _MIDDLE_LESS else ["z"]), *range(_LOWEST.get(row, 1), most + 1))
)
_KNOWN: Mapping[str, str] = MappingProxyType({name.lower(): name for name in ELECTRODES} | dict(_OLDER))
_ONE = r"([a-z]{1,2}z|[a-z]{1,2}\d{1,2})"
_REFERENCE = r"(?:[am][12]|a1a2|m1m2|a1\+a2|m1\+m2|ref|reference|avg|avr|av|car|le|lm|gnd|common|nose|x|\d{1,2})"
_ALONE = re.compile(rf"{_ONE}(?:[-_ :/]*\(?{_REFERENCE}\)?)?")
_PAIR = re.compile(rf"{_ONE}[-_ :/]+{_ONE}")
_EYE = re.compile(r".*(?:eog|heo|veo|loc|roc).*")
_OTHER = re.compile(
    r"(?:a[12]|m[12])(?:[-_ ].*)?|.*(?:ecg|ekg|emg|ppg|gsr|eda|resp|trig|stim|stat|mark|event|acc|gyro|temp|battery|"
    r"counter|time|annot|mastoid|earlobe).*|sti.*"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, and where it is."""

    channel: str
    electrode: str | None
    kind: Kind

    @property
    def brain(self) -> bool:
        """Whether it is EEG."""
        return self.kind in ("scalp", "bipolar", "unknown")


def place(channel: str) -> Place:
    """What a channel's name says."""
    plain = re.sub(r"^eeg[-_ :]+", "", channel.strip().lower()).strip(" .'\"_-")
    if (found := _ALONE.fullmatch(plain)) and found[1] in _KNOWN:
        return Place(channel, _KNOWN[found[1]], "scalp")
    if (found := _PAIR.fullmatch(plain)) and found[1] in _KNOWN and found[2] in _KNOWN:
        return Place(channel, None, "bipolar")
    if _EYE.fullmatch(plain):
        return Place(channel, None, "eye")
    if _OTHER.fullmatch(plain):
        return Place(channel, None, "other")
    return Place(channel, None, "unknown")


def places(channels: tuple[str, ...]) -> tuple[Place, ...]:
    """All of them."""
    return tuple(place(channel) for channel in channels)


def scalp(found: tuple[Place, ...]) -> NDArray[np.bool_]:
    """Which channels are of one electrode, against a reference that others have, too."""
    return np.array([each.kind == "scalp" for each in found], dtype=np.bool_)


def at(found: tuple[Place, ...], electrodes: tuple[str, ...]) -> list[int]:
    """The channels of these electrodes, in the order of the electrodes; the first of several of one."""
    first = {each.electrode: number for number, each in reversed(list(enumerate(found))) if each.electrode}
    return [first[name] for name in electrodes if name in first]


FRONTAL = tuple(name for name in ELECTRODES if re.fullmatch(r"F[z1-8]", name))
"""The F row, where theta/beta is read when Fz is missing."""
POSTERIOR = tuple(name for name in ELECTRODES if re.fullmatch(r"(?:PO|O|P)(?:z|\d{1,2})|Iz", name))
"""Where alpha is largest."""
FOREHEAD = (("Fp1", "Fp2", "Fpz"), ("AF7", "AF8"), ("AF3", "AF4", "AFz"))
"""Above the eyes, nearest first: where a blink is largest."""
PAIRS = (("F3", "F4"), ("F7", "F8"), ("Fp1", "Fp2"))
"""Left and right, in the order in which they are taken for the asymmetry."""
VERTEX = ("Cz", "Pz", "P3", "P4")
"""Sites of Pope et al. 1995."""
