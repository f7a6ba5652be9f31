"""Which signal a channel is, by the name and the unit that its file gives it."""

import re
from dataclasses import dataclass

LONGEST = 100
"""Characters of a name that are looked at: damaged files have cells of megabytes."""
_UNITS = {
    "v": "V", "mv": "mV", "uv": "uV", "nv": "nV", "volt": "V", "volts": "V", "millivolt": "mV", "microvolt": "uV",
    "millivolts": "mV", "microvolts": "uV", "nanovolt": "nV", "nanovolts": "nV",
    "us": "uS", "microsiemens": "uS", "siemens": "S", "ms": "ms", "msec": "ms", "s": "s", "sec": "s", "secs": "s",
    "seconds": "s", "second": "s", "milliseconds": "ms", "millisecond": "ms", "usec": "us", "microseconds": "us",
    "ns": "ns", "nanoseconds": "ns", "c": "Cel", "cel": "Cel", "degc": "Cel", "celsius": "Cel", "f": "degF",
    "g": "g", "mg": "mg", "m/s2": "m/s2", "m/s^2": "m/s2", "m/s²": "m/s2", "hz": "Hz", "bpm": "/min",
}  # fmt: skip
# one unit of the file, in the signal's own
_FACTORS: dict[str, dict[str, float]] = {
    "ecg": {"V": 1e3, "mV": 1.0, "uV": 1e-3, "nV": 1e-6},
    "eeg": {"V": 1e6, "mV": 1e3, "uV": 1.0, "nV": 1e-3},
    "eda": {"uS": 1.0, "S": 1e6, "us": 1.0},
    "skin_temperature": {"Cel": 1.0},
    "acceleration": {"g": 1.0, "mg": 1e-3, "m/s2": 1 / 9.80665},
}

_ELECTRODE = r"(?:fp|af|ft|fc|f|tp|t|cp|c|po|p|o)(?:z|\d{1,2})|iz|nz"
_REFERENCE = r"(?:[-_ /]?(?:[am][12]|ref|avg|av|le|gnd|cz|\(?a1\+a2\)?))?"
_LEAD = (
    r"i{1,3}|av[rlf]|-av[rlf]|v\d{0,2}r?|v[xyz]|mv\d{0,2}|ml?i{1,3}|ml(?:i{2,3}|[1-6])|mcl\d?|cm[1-6]"
    r"|cs12|cc5|cb5|d[1-4]"
)
# the first that matches; the order settles what could be two things
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("rr", r"(?:rr|rri|nn|nni|ibi|ppi)[ _-]?(?:s|ms|ints?|intervals?)?|r-r|(?:beat )?intervals?"),
    ("ecg", r".*(?:ecg|ekg).*"),
    ("eeg", r".*eeg.*"),
    ("ppg", r".*(?:ppg|pleth|bvp|pulse ?ox).*|pulse(?: wave)?|red|green|blue|r|g|b|ir|infrared"),
    (
        "respiration",
        r"(?:.*[ _-])?(?:resp(?!iration ?rate|r)\w*|rsp|rip|breath\w*|thorax|thoracic|abdo\w*|belt)(?:[ _-].*)?",
    ),
    ("eda", r"(?:.*[ _-])?(?:eda|gsr|scl|skin conductance|electrodermal.*)"),
    ("skin_temperature", r"(?:.*[ _-])?(?:temp|temperature)"),
    ("acceleration", r"acc(?:eleration|el|elerometer)?[ _-]?[xyz]?|[xyz]"),
    ("eeg", rf"(?:{_ELECTRODE}){_REFERENCE}|(?:{_ELECTRODE})-(?:{_ELECTRODE})"),
    ("ecg", rf"(?:lead[ _-]?)?(?:{_LEAD})"),
)
_COMPILED = tuple((signal, re.compile(pattern)) for signal, pattern in _PATTERNS)
# words that no wave has: rates and values computed by the device
_COMPUTED = re.compile(r".*\b(?:rate|quality|label|bpm|spo2 ?%|index|id|fs|hz)\b.*")
# waves that are none of our signals, whatever their shape looks like
_OTHERS = re.compile(
    r"(?:.* )?(?:pcg|abp|art|bp|nibp|pap|cvp|icp|uc|emg|eog|co2|etco2|flow|snore|sound|lux|light)(?: .*)?"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A channel's name taken apart."""

    title: str
    unit: str


def take_apart(name: str) -> Name:
    """`ECG [mV]`, `ecg (mV)` and `ecg_mV` are ECG in mV."""
    name = name[:LONGEST].strip().strip("'\"").strip()
    bracket = re.fullmatch(r"(.*?)\s*[\[(]\s*([^\])]{1,20}?)\s*[\])]", name)
    if bracket and bracket[1]:
        return Name(bracket[1], unit(bracket[2]) or bracket[2])
    tail = re.fullmatch(r"(.*[A-Za-z0-9])_([A-Za-zµμ]{1,12})", name)
    # `ecg_v`, but not `acc_g`: one letter is a unit only where it cannot be an axis or a colour
    if tail and unit(tail[2]) and tail[2].lower() not in ("g", "f", "c"):
        return Name(tail[1], unit(tail[2]))
    return Name(name, "")


def unit(text: str) -> str:
    """A unit's one spelling; empty where it is none that we know."""
    plain = text.strip().lower().replace("µ", "u").replace("μ", "u").replace("°", "deg")
    return _UNITS.get(plain, "")


def signal_of(name: str, unit_text: str = "") -> str | None:
    """The signal that a channel of this name and unit is, or None."""
    plain = " ".join(name[:LONGEST].lower().strip(" .'\"").split())
    if not plain or _COMPUTED.fullmatch(plain.replace("_", " ")):
        return None
    for signal, pattern in _COMPILED:
        if pattern.fullmatch(plain) and _fits(signal, unit_text):
            return signal
    return None


def is_other(name: str) -> bool:
    """Whether a channel says that it is something that no signal of ours is."""
    plain = " ".join(name[:LONGEST].lower().replace("_", " ").strip(" .'\"").split())
    return _COMPUTED.fullmatch(plain) is not None or _OTHERS.fullmatch(plain) is not None


def _fits(signal: str, unit_text: str) -> bool:
    """Whether a signal can be in this unit: an `I` in mmHg is no lead, a `V` in m/s no voltage."""
    if not unit_text or signal not in _FACTORS:
        return True
    known = unit(unit_text)
    if known:
        return known in _FACTORS[signal]
    return unit_text.lower() in ("adu", "nu", "au", "a.u.", "counts", "1", "-", "raw", "units")


def factor(signal: str, unit_text: str) -> float | None:
    """What to multiply with to come to the signal's own unit; None where the unit does not say."""
    if signal not in _FACTORS:
        return 1.0
    return _FACTORS[signal].get(unit(unit_text))


def label(name: str, signal: str) -> str:
    """A channel's name as analysis and screens know it: without the signal's own, at most 32 characters."""
    plain = "".join(c for c in name if c.isprintable()).strip().strip("'\"").rstrip(". ")
    short = re.sub(r"^(?:EEG|ECG|EKG)[ _.:-]+", "", plain, flags=re.IGNORECASE)
    return (short or plain or signal)[:32].strip() or signal


def hint(stem: str) -> str | None:
    """The signal that a file's name speaks of."""
    for word in re.split(r"[^a-z]+", stem.lower()):
        for kind, words in _HINTS.items():
            if word in words:
                return kind
    return None


_HINTS = {
    "ecg": ("ecg", "ekg"),
    "eeg": ("eeg",),
    "ppg": ("ppg", "bvp", "pleth"),
    "rr": ("rr", "rri", "nn", "nni", "ibi"),
    "respiration": ("resp", "rsp", "respiration", "breath"),
    "eda": ("eda", "gsr"),
    "skin_temperature": ("temp", "temperature"),
    "acceleration": ("acc", "accelerometer"),
}
