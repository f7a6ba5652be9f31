"""What pages say in words. A kiosk screens, it does not diagnose: sentences state what was measured and no more."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from analytics.languages import capital
from api.dashboard import languages
from kiosk import wording
from kiosk.measures import BANDS, EXPRESSIONS, MEASURES, VOICE_EMOTIONS, Measure
from kiosk.signals import SIGNALS

CATALOGUES = languages.CATALOGUES


def _of(part: str, language: str) -> Mapping[str, str]:
    """A part of the words, by what stands behind it."""
    begin = f"words.{part}."
    found = {key.removeprefix(begin): text for key, text in CATALOGUES[language].items() if key.startswith(begin)}
    return MappingProxyType(found)


def _titles() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    folder = files("api.dashboard") / "titles"
    found = {each.name: tomllib.loads(each.read_text("utf-8")) for each in folder.iterdir()}
    return MappingProxyType({name.removesuffix(".toml"): told for name, told in found.items()})


_TITLES = _titles()
REASONS: Mapping[str, str] = _of("reason", wording.SOURCE)
SOURCES: Mapping[str, str] = _of("source", wording.SOURCE)
"""Where a number comes from, where the signal's name is not what people say."""


def measure_title(name: str, language: str) -> str:
    """What a measure is called; its name where it is none of ours."""
    known = MEASURES.get(name)
    return _TITLES.get(language, {}).get("measure", {}).get(name) or (known.title if known else name)


def signal_title(name: str, language: str) -> str:
    """What a signal is called."""
    known = SIGNALS.get(name)
    return _TITLES.get(language, {}).get("signal", {}).get(name) or (known.title if known else name)


def reason(absent: str, language: str) -> str:
    """Why there is no value, as a sentence; a device's own reason as it says it."""
    return CATALOGUES[language].get(f"words.reason.{absent}", absent)


def sources(language: str) -> Mapping[str, str]:
    """Where a number comes from, for a report: signals spelled out."""
    return {**_of("source", language), **_of("spelled", language)}


PERCENT = frozenset(f"eeg_{band}_relative" for band in BANDS)
"""Shares that people write in percent."""


@dataclass(frozen=True, slots=True)
class Line:
    """A measure on the live page: a bar where it is a share or lies about zero, else a number."""

    measure: Measure
    name: str
    beside: Measure | None = None
    """Written small after it."""

    @property
    def look(self) -> str:
        """`percent` or `share` from nothing to all, `axis` about zero, or `number`."""
        low, high = self.measure.low, self.measure.high
        if low == 0 and high == 1:
            return "percent" if self.measure.name in PERCENT else "share"
        return "axis" if low == -1 and high == 1 else "number"


@dataclass(frozen=True, slots=True)
class Group:
    """Measures that are read together: one section, not a screen full of numbers."""

    name: str
    title: str
    measures: tuple[str, ...]
    lines: tuple[Line, ...]
    """Those that are seen while they are measured; the others are for the results."""
    limits: str
    """What such readings cannot say."""
    mostly: str = ""
    """Before the likeliest of its emotions, where it has any."""
    about: str = ""
    """What its bars are, where their names do not say it."""

    @property
    def blocks(self) -> tuple[tuple[Line, ...], ...]:
        """Lines of one look stand together: shares, then what lies about zero, then numbers."""
        looks = ({"share", "percent"}, {"axis"}, {"number"})
        found = (tuple(line for line in self.lines if line.look in look) for look in looks)
        return tuple(lines for lines in found if lines)


def _named(*beginnings: str) -> tuple[str, ...]:
    return tuple(name for name in MEASURES if name.startswith(beginnings))


_FEELINGS = {"emotion": EXPRESSIONS, "face": EXPRESSIONS, "voice": VOICE_EMOTIONS}
_BRAIN = ("eeg_alpha_peak", "eeg_asymmetry", "eeg_engagement", "eeg_slowing")
_SPEECH = ("speech_share", "speech_rate", "speech_pause", "voice_pitch", "voice_pitch_range", "vocal_effort")
_MEASURES = {
    "affect": (*_named("emotion_"), "valence", "arousal", "physiological_arousal"),
    "face": (*_named("face_"), "blink_rate", "blink_duration", "perclos", "gaze_aversion", "yawns"),
    "voice": (*_named("voice_"), *_named("speech_"), "vocal_effort"),
    "brain": _named("eeg_"),
}


@lru_cache
def groups(language: str) -> tuple[Group, ...]:
    """Measures that are read together, in a language."""
    said = CATALOGUES[language]

    def feelings(of: str) -> tuple[Line, ...]:
        # how the whole, the face or the voice appears, then where that lies between pleasant and not, calm and not
        own = "" if of == "emotion" else f"{of}_"
        names = {f"{of}_{name}": name for name in _FEELINGS[of]} | {f"{own}{name}": name for name in _AXES}
        return tuple(Line(MEASURES[name], capital(said[f"words.feeling.{word}"])) for name, word in names.items())

    def lines(names: tuple[str, ...]) -> tuple[Line, ...]:
        return tuple(Line(MEASURES[name], said[f"words.line.{name}"]) for name in names)

    bands = tuple(
        Line(MEASURES[f"eeg_{band}_relative"], capital(said[f"words.band.{band}"]), MEASURES[f"eeg_{band}"])
        for band in BANDS
    )
    shown = {
        "affect": feelings("emotion"),
        "face": feelings("face"),
        "voice": (*feelings("voice"), *lines(_SPEECH)),
        "brain": (*bands, *lines(_BRAIN)),
    }
    return tuple(
        Group(
            name,
            said[f"words.group.{name}.title"],
            _MEASURES[name],
            shown[name],
            said[f"words.group.{name}.limits"],
            said[f"words.group.{name}.mostly"],
            said[f"words.group.{name}.about"],
        )
        for name in shown
    )


_AXES = ("valence", "arousal")
GROUPS = groups(wording.SOURCE)
BY_NAME: Mapping[str, Group] = MappingProxyType({group.name: group for group in GROUPS})
STATES: tuple[str, ...] = tuple(_of("state", wording.SOURCE))
"""What a session in the list is doing, `words.state.NAME`. A closed one is complete or partial."""
SILENT = timedelta(seconds=30)
"""An open session of which nothing was heard for so long is not called live."""


def unit(ucum: str, language: str | None = None) -> str:
    """A UCUM unit as people write it: in this language, or the request's."""
    return CATALOGUES[language or languages.language()].get(f"words.unit.{ucum}", ucum)


def state_of(state: str, outcome: str | None, last_seen: datetime, now: datetime) -> str:
    """Which of STATES a session is in."""
    if state == "open":
        return "live" if now - last_seen < SILENT else "silent"
    return outcome or state


def duration(seconds: float) -> str:
    """Hours only where there are any: 2:05, 1:02:05."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _written(measure: Measure, language: str) -> Mapping[str, object]:
    """How a value is written: what it is multiplied by, its unit and its decimals."""
    if measure.name in PERCENT:
        return {"times": 100, "unit": "%", "decimals": max(0, measure.decimals - 2)}
    return {"times": 1, "unit": unit(measure.unit, language), "decimals": measure.decimals}


def _group(group: Group) -> Mapping[str, object]:
    lines = [
        {
            "measure": line.measure.name,
            "name": line.name,
            "look": line.look,
            "beside": line.beside.name if line.beside else None,
        }
        for line in group.lines
    ]
    return {
        "name": group.name,
        "title": group.title,
        "measures": list(group.measures),
        "lines": lines,
        "limits": group.limits,
        "mostly": group.mostly,
        "about": group.about,
    }


@lru_cache
def _catalogue(language: str) -> Mapping[str, object]:
    return {
        "measures": {
            m.name: {"title": measure_title(m.name, language), **_written(m, language)} for m in MEASURES.values()
        },
        "signals": {
            s.name: {"title": signal_title(s.name, language), "unit": unit(s.unit, language)}
            for s in SIGNALS.values()
            if s.leaves
        },
        "reasons": dict(_of("reason", language)),
        "sources": dict(_of("source", language)),
        "short": dict(_of("short", language)),
        "groups": [_group(group) for group in groups(language)],
        "states": dict(_of("state", language)),
        "silent": SILENT.total_seconds(),
    }


def catalogue() -> Mapping[str, object]:
    """What scripts need of the words in the request's language, so that these have one home."""
    return _catalogue(languages.language())
