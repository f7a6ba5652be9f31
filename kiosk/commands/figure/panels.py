"""What a figure shows, as numbers: everything is decided here, so that paper and page show the same."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from analytics.beats import Flags, Intervals, intervals
from analytics.session import FinalReading, Result
from kiosk.commands.figure.camera import Course, with_pulse
from kiosk.commands.figure.charts import Chart, charts
from kiosk.commands.figure.spectrum import Spectrum, spectrum
from kiosk.commands.figure.waves import Floats, Wave, envelope, heights, wave
from kiosk.measures import BANDS, MEASURES, VOICE_EMOTIONS
from kiosk.recording import Recording
from sensors.files.pictures import Portrait

MOST_INTERVALS = 10_000
"""Above so many a tachogram shows medians and an envelope, and a Poincare plot every so many pairs one."""
PAUSE = 4.0
"""Seconds: longer is no interval, where a source says nothing about its intervals."""
SAME = 0.002
"""Seconds within which two times are one beat's."""
ROWS = 13
BINS = 600
"""Of a long tachogram: each holds intervals enough for a median."""
KEY = {
    "heart_rate": "Heart rate", "mean_rr": "Mean interval", "sdnn": "SDNN", "rmssd": "RMSSD", "pnn50": "pNN50",
    "lf_power": "LF power", "hf_power": "HF power", "lf_hf": "LF/HF", "dfa_alpha1": "DFA α1",
    "sample_entropy": "Sample entropy", "stress_index": "√ stress index", "respiration_rate": "Respiration",
    "beats_corrected": "Corrected", "ectopic_burden": "Ectopic", "stress": "Stress", "sd1": "SD1", "sd2": "SD2",
    "face_valence": "Face: valence", "face_arousal": "Face: arousal", "face_neutral": "Face: neutral",
    "face_happiness": "Face: happiness", "face_sadness": "Face: sadness", "face_surprise": "Face: surprise",
    "face_anger": "Face: anger", "face_fear": "Face: fear", "face_disgust": "Face: disgust",
    "face_contempt": "Face: contempt",
    **{f"voice_{name}": f"Voice: {name}" for name in VOICE_EMOTIONS}, "voice_pitch": "Pitch",
    "speech_rate": "Speech rate", "speech_share": "Speech", "vocal_effort": "Vocal effort",
    **{f"eeg_{band}": f"EEG: {band}" for band in BANDS}, "eeg_alpha_peak": "Alpha peak",
    "eeg_asymmetry": "Alpha asymmetry", "eeg_engagement": "Engagement", "eeg_slowing": "Theta/alpha",
    "eeg_exponent": "Aperiodic exponent", "eeg_usable": "EEG usable",
}  # fmt: skip
"""Measures of the figure's table and their short names, the first ROWS that the recording answers."""
UNITS = {"1": "", "ms2": "ms²", "uV2": "µV²"}


class Mark(Enum):
    """What is known about a beat."""

    MEASURED = "beat"
    CORRECTED = "corrected"
    ECTOPIC = "ectopic"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one kind."""

    mark: Mark
    x: Floats
    y: Floats


@dataclass(frozen=True, slots=True)
class Tachogram:
    """Intervals over time, in milliseconds."""

    times: Floats
    values: Floats
    """One line: the intervals, or medians of bins."""
    low: Floats | None
    high: Floats | None
    points: tuple[Points, ...]
    """Intervals beside a beat that is not as measured."""
    removed: Floats
    """Times of beats that were taken out."""


@dataclass(frozen=True, slots=True)
class Poincare:
    """Each interval against the next, in milliseconds."""

    x: Floats
    y: Floats
    shown: int
    """One of so many pairs is drawn."""
    center: float
    sd1: float | None
    sd2: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    title: str
    value: str
    unit: str
    quality: str
    absent: bool


@dataclass(frozen=True, slots=True)
class Panels:
    """A figure's content; what a recording does not have is None."""

    title: str
    notes: tuple[str, ...]
    duration: float
    wave: Wave | None
    beats: tuple[Points, ...]
    """Within the wave's detail."""
    noted: tuple[Points, ...]
    """Beats of the whole recording that are not as measured, at height zero."""
    tachogram: Tachogram | None
    poincare: Poincare | None
    spectrum: Spectrum | None
    rows: tuple[Row, ...]
    course: Course | None
    charts: tuple[Chart, ...]
    portrait: Portrait | None


def panels(recording: Recording, result: Result, portrait: Portrait | None = None) -> Panels:
    """What to show of a recording and its result."""
    recording, course = with_pulse(recording)
    shown = wave(recording, result)
    marks = _marks(result)
    used = result.intervals or _between(np.asarray(result.beats))
    enough = len(used.values) > 2
    return Panels(
        title=", ".join(Path(name).name for name in recording.name.split(", ")),
        notes=_notes(recording, result),
        duration=recording.duration,
        wave=shown,
        beats=_in_detail(shown, marks) if shown else (),
        noted=tuple(Points(p.mark, p.x, np.zeros(len(p.x))) for p in marks if p.mark is not Mark.MEASURED),
        tachogram=_tachogram(used, marks) if enough else None,
        poincare=_poincare(used, result) if enough else None,
        spectrum=spectrum(used) if enough else None,
        rows=_rows(result),
        course=course,
        charts=charts(recording),
        portrait=portrait,
    )


def reading(result: Result, measure: str) -> FinalReading | None:
    """The preferred reading of a measure, else the first."""
    found = [each for each in result.readings if each.measure == measure]
    return next((each for each in found if each.preferred), found[0] if found else None)


def _marks(result: Result) -> tuple[Points, ...]:
    beats, removed = np.asarray(result.beats), np.asarray(result.removed)
    ectopic = np.asarray(result.ectopic)
    corrected = np.zeros(len(beats), dtype=np.bool_)
    corrected[list(result.corrected)] = True
    # an ectopic beat is shown as such where it stood, whatever correction made of it
    sets = (
        (Mark.MEASURED, beats[~corrected & ~_near(beats, ectopic)]),
        (Mark.CORRECTED, beats[corrected]),
        (Mark.REMOVED, removed[~_near(removed, ectopic)]),
        (Mark.ECTOPIC, ectopic),
    )
    return tuple(Points(mark, times, np.zeros(len(times))) for mark, times in sets if len(times))


def _near(times: Floats, others: Floats) -> Flags:
    if not len(others) or not len(times):
        return np.zeros(len(times), dtype=np.bool_)
    others = np.sort(others)
    right = (
        np.clip(np.searchsorted(others, times), 1, len(others) - 1) if len(others) > 1 else np.zeros_like(times, int)
    )
    nearest = np.minimum(np.abs(others[right] - times), np.abs(others[np.maximum(right - 1, 0)] - times))
    near: Flags = nearest <= SAME
    return near


def _in_detail(shown: Wave, marks: tuple[Points, ...]) -> tuple[Points, ...]:
    start, end = shown.window
    found = []
    for points in marks:
        x = points.x[(points.x >= start) & (points.x <= end)]
        if len(x):
            found.append(Points(points.mark, x, heights(shown, x)))
    return tuple(found)


def _between(beats: Floats) -> Intervals:
    """Intervals of a source that says nothing about them: each beat to the next, but for pauses."""
    return intervals(beats, np.diff(beats) <= PAUSE)


def _tachogram(used: Intervals, marks: tuple[Points, ...]) -> Tachogram:
    values = 1000 * used.values
    begins = used.ends - used.values
    points = []
    for mark in marks:
        if mark.mark in (Mark.CORRECTED, Mark.ECTOPIC):
            beside = _near(used.ends, mark.x) | _near(begins, mark.x)
            points.append(Points(mark.mark, used.ends[beside], values[beside]))
    removed = next((each.x for each in marks if each.mark is Mark.REMOVED), np.empty(0))
    found = tuple(each for each in points if len(each.x))
    if len(values) <= MOST_INTERVALS:
        breaks = np.flatnonzero(~used.follows[1:]) + 1
        times, line = np.insert(used.ends, breaks, used.ends[breaks - 1]), np.insert(values, breaks, np.nan)
        return Tachogram(times, line, None, None, found, removed)
    times, low, high = envelope(used.ends, values, BINS)
    index = np.clip(np.searchsorted(times, used.ends), 0, len(times) - 1)
    order = np.argsort(index, kind="stable")
    middle = np.full(len(times), np.nan)
    for part in np.split(order, np.flatnonzero(np.diff(index[order])) + 1):
        middle[index[part[0]]] = np.median(values[part])
    return Tachogram(times, middle, low, high, found, removed)


def _poincare(used: Intervals, result: Result) -> Poincare | None:
    values = 1000 * used.values
    second = np.flatnonzero(used.follows[1:]) + 1
    if len(second) < 2:
        return None
    every = -(-len(second) // MOST_INTERVALS)
    some = second[::every]
    sd1, sd2 = reading(result, "sd1"), reading(result, "sd2")
    return Poincare(
        values[some - 1],
        values[some],
        every,
        float(values.mean()),
        sd1.value if sd1 else None,
        sd2.value if sd2 else None,
    )


def _rows(result: Result) -> tuple[Row, ...]:
    rows = []
    for name, title in KEY.items():
        found = reading(result, name)
        if found is None:
            continue
        measure = MEASURES[name]
        quality = "" if found.quality is None else f"{found.quality:.2f}"
        value = str(found.absent).replace("_", " ") if found.value is None else f"{found.value:z.{measure.decimals}f}"
        unit = "" if found.value is None else UNITS.get(measure.unit, measure.unit)
        rows.append(Row(title, value, unit, quality, found.value is None))
    causes = {row.value for row in rows}
    if len(rows) > 1 and len(causes) == 1 and rows[0].absent:
        return (Row("No values", causes.pop(), "", "", absent=True),)
    # what is absent gives way to what is there
    rows.sort(key=lambda row: row.absent)
    return tuple(rows[:ROWS])


def _notes(recording: Recording, result: Result) -> tuple[str, ...]:
    first = next((each for each in result.readings if each.preferred), None)
    notes = []
    if first is not None:
        notes.append(f"Source {result.source or first.source}; method {first.method}.")
    counts = (
        (len(result.beats), "beats"), (len(result.corrected), "corrected"), (len(result.removed), "removed"),
        (len(result.ectopic), "ectopic"),
    )  # fmt: skip
    told = ", ".join(f"{count} {what}" for count, what in counts if count)
    if told:
        notes.append(f"{told[0].upper()}{told[1:]}.")
    if recording.assumed:
        notes.append("Assumed: " + "; ".join(f"{what} {value}" for what, value in recording.assumed) + ".")
    return tuple(notes)
