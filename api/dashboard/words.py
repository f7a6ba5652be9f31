"""What pages say in words. A kiosk screens, it does not diagnose: sentences state what was measured and no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from kiosk.measures import BANDS, EXPRESSIONS, MEASURES, VOICE_EMOTIONS, Measure, Reason
from kiosk.signals import SIGNALS

REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        "too_short": "There is not enough signal for this value.",
        "noisy": "The signal is too disturbed to be read.",
        "flat": "The sensor delivers a flat line. Is it attached?",
        "saturated": "The signal exceeds the sensor's range.",
        "unsuitable_rate": "The signal was recorded too slowly for this value.",
        "impossible": "The computed value is physically impossible and was discarded.",
        "no_face": "No face is in the camera's view.",
        "no_trained_model": "No trained network is installed for this value.",
        "not_delivered": "Part of the recording was not delivered.",
        "analysis_failed": "The analysis of this recording failed.",
        "too_many_corrected": "Too many beats had to be corrected for this value to mean anything.",
        "irregular": "The rhythm is irregular: its variability says nothing about strain or recovery.",
        "insufficient": "There is too little evidence for a statement.",
        "no_reference": "There is nothing to compare with: no earlier sessions, and no norms for this age and sex.",
        "too_dark": "The face is too dark for the camera. More light would help.",
        "moving": "The head moved too much. Please hold still.",
        "too_far": "The face is too far from the camera. Please come closer.",
        "no_speech": "Nobody spoke.",
        "too_quiet": "The voice was too quiet. Please speak up, or come closer to the microphone.",
        "unfamiliar": "It did not sound like the speech that the network learnt from.",
        "missing_channels": "The channels that this value needs were not recorded.",
        "not_present": "There is none to be measured.",
    }
)
SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "face_motion": "camera (head and chest)",
        "face_scores": "camera (networks)",
        "face_units": "camera (landmarks)",
        "fusion": "what there is of face, voice and body",
        "rgb": "camera",
        "voice_functionals": "microphone",
        "voice_scores": "microphone (network)",
    }
)
"""Where a number comes from, where the signal's name is not what people say."""


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


def _feelings(of: str, names: tuple[str, ...]) -> tuple[Line, ...]:
    return tuple(Line(MEASURES[f"{of}_{name}"], name.capitalize()) for name in names)


def _lines(**named: str) -> tuple[Line, ...]:
    return tuple(Line(MEASURES[measure], name) for measure, name in named.items())


GROUPS = (
    Group(
        "affect",
        "All together",
        (*_named("emotion_"), "valence", "arousal", "physiological_arousal"),
        (*_feelings("emotion", EXPRESSIONS), *_lines(valence="Valence", arousal="Arousal")),
        "An estimate from what there is of face, voice and body, of how somebody appears. It is not a finding.",
        "Appears mostly",
    ),
    Group(
        "face",
        "Face",
        (*_named("face_"), "blink_rate", "blink_duration", "perclos", "gaze_aversion", "yawns"),
        (*_feelings("face", EXPRESSIONS), *_lines(face_valence="Valence", face_arousal="Arousal")),
        "An estimate of what the face shows, not of what a person feels. Light, glasses, beard, age and custom change "
        "it; it is not a finding.",
        "Shows mostly",
    ),
    Group(
        "voice",
        "Voice",
        (*_named("voice_"), *_named("speech_"), "vocal_effort"),
        (
            *_feelings("voice", VOICE_EMOTIONS),
            *_lines(
                voice_valence="Valence", voice_arousal="Arousal", speech_share="Time spoken",
                speech_rate="Syllables while speaking", speech_pause="Mean pause", voice_pitch="Pitch",
                voice_pitch_range="Range of pitch", vocal_effort="Vocal effort",
            ),
        ),
        "An estimate of how the voice sounds, learned from actors who spoke German, not of what a person feels. "
        "Language, age, a cold and the room change it; it is not a finding.",
        "Sounds mostly",
    ),
    Group(
        "brain",
        "Brain",
        _named("eeg_"),
        (
            *(
                Line(MEASURES[f"eeg_{band}_relative"], band.capitalize(), MEASURES[f"eeg_{band}"])
                for band in BANDS
            ),
            *_lines(
                eeg_alpha_peak="Alpha peak", eeg_asymmetry="Frontal alpha asymmetry",
                eeg_engagement="Engagement, β/(α+θ)", eeg_slowing="Slowing, θ/α",
            ),
        ),
        "A description of these minutes, which blinks, muscles, drowsiness and the place of the electrodes change. "
        "It finds no disease and excludes none.",
        about="Each band's share of the power, and its power",
    ),
)  # fmt: skip
BY_NAME: Mapping[str, Group] = MappingProxyType({group.name: group for group in GROUPS})
STATES: Mapping[str, str] = MappingProxyType(
    {
        "live": "Live now",
        "silent": "Open, silent",
        "ended": "Ended",
        "complete": "Closed, complete",
        "partial": "Closed, partial",
    }
)
"""What a session in the list is doing. A closed one is complete or partial."""
SILENT = timedelta(seconds=30)
"""An open session of which nothing was heard for so long is not called live."""
UNITS: Mapping[str, str] = MappingProxyType(
    {
        "1": "",
        "mm[Hg]": "mmHg",
        "Cel": "°C",
        "Cel/min": "°C/min",
        "ms2": "ms²",
        "uV": "µV",
        "uV2": "µV²",
        "uS": "µS",
        "{semitone}": "semitones",
        "{nat}": "nats",
    }
)
"""How people write a UCUM unit, where that differs."""


def unit(ucum: str) -> str:
    """A unit as people write it."""
    return UNITS.get(ucum, ucum)


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


def _written(measure: Measure) -> Mapping[str, object]:
    """How a value is written: what it is multiplied by, its unit and its decimals."""
    if measure.name in PERCENT:
        return {"times": 100, "unit": "%", "decimals": max(0, measure.decimals - 2)}
    return {"times": 1, "unit": unit(measure.unit), "decimals": measure.decimals}


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


def catalogue() -> Mapping[str, object]:
    """What scripts need of the words, so that these have one home."""
    return {
        "measures": {m.name: {"title": m.title, **_written(m)} for m in MEASURES.values()},
        "signals": {s.name: {"title": s.title, "unit": unit(s.unit)} for s in SIGNALS.values() if s.leaves},
        "reasons": dict(REASONS),
        "sources": dict(SOURCES),
        "groups": [_group(group) for group in GROUPS],
        "states": dict(STATES),
        "silent": SILENT.total_seconds(),
    }
