"""Stress-labelled wrist recordings (Stress-Predict, Iqbal et al. 2022, doi:10.3390/s22218135) as windows, and scores.

The same seconds are everybody's baseline: REST, or what of it lies before the first task. They are never scored, nor is
anything before them. Scored windows lie within one run of equal labels. The wrist's skin temperature is left out: skin
answers to stress at the fingers (Vinkers et al. 2013, doi:10.3109/10253890.2013.807243).
"""

import csv
import gzip
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from analytics import stress
from analytics.correction import correct
from analytics.hrv import findings
from analytics.ppg import record
from kiosk.messages import SECOND
from kiosk.recording import Track

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

REST = (120, 540)
"""Seconds of a recording that are its person's baseline: the protocol begins with ten minutes of rest."""
PULSE_RATE = 64

Heart = Literal["own", "device"]
"""Whose heart rate: ours, of the pulse wave, with variability; or the device's own, alone."""


@dataclass(frozen=True, slots=True)
class Person:
    """One wrist for an hour; times in seconds since the first label."""

    name: str
    labels: Labels
    """Per second: 1 in a stress task."""
    wave: Track
    """Pulse wave at the wrist."""
    pulse: Floats
    """The device's heart rate per second, NaN where it has none."""
    conductance: Floats
    """Of skin, in microsiemens: 4 Hz, from the first label on."""
    motion: Floats
    """Standard deviation of acceleration in g, per second."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one person with one label."""

    person: str
    start: int
    end: int
    label: int
    motion: float
    """Mean, in g."""
    stretch: stress.Stretch


def people(folder: Path) -> list[Person]:
    """Everybody in the folder, in the order of their numbers."""
    seconds: dict[int, list[tuple[float, int]]] = {}
    with gzip.open(folder / "labels.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            seconds.setdefault(int(row["Participant"]), []).append((float(row["Time(sec)"]), int(row["Label"])))
    return [_person(folder / "raw" / f"S{number:02d}", rows) for number, rows in sorted(seconds.items())]


def windows(person: Person, seconds: int, *, heart: Heart = "own") -> list[Window]:
    """Rest first, then what is scored: as many whole windows as fit into each run of equal labels, side by side.

    Each is analysed as if it were a recording of its own: nothing is filtered, found or corrected across its ends.
    """
    changes = np.flatnonzero(np.diff(person.labels)) + 1
    edges = [0, *changes.tolist(), len(person.labels)]
    rest = (REST[0], min(REST[1], edges[1]))
    bounds = [rest, *((max(begin, REST[1]), end) for begin, end in itertools.pairwise(edges))]
    return [
        _window(person, start, start + seconds, heart)
        for begin, end in bounds
        for start in range(begin, end - seconds + 1, seconds)
    ]


def scored(found: Sequence[Window]) -> list[Window]:
    """Those after the rest."""
    return [window for window in found if window.start >= REST[1]]


def _window(person: Person, start: int, end: int, heart: Heart) -> Window:
    skin = stress.electrodermal(person.conductance[4 * start : 4 * end], 4.0)
    beats = _of_wave(person.wave, start, end) if heart == "own" else _of_device(person.pulse[start:end])
    evidence = replace(
        beats,
        eda_slope=skin.drift,
        eda_peaks=skin.peaks,
        quality=(beats.quality + skin.usable) / 2,
    )
    return Window(
        person.name,
        start,
        end,
        int(person.labels[start]),
        float(np.nanmean(person.motion[start:end])),
        stress.Stretch(start * SECOND, end * SECOND, evidence),
    )


def _of_wave(wave: Track, start: int, end: int) -> stress.Evidence:
    begin_ns, end_ns = start * SECOND, end * SECOND
    beats = record.beats(wave.between(begin_ns, end_ns), vote=False)
    quality = beats.signal_quality
    found = {
        each.measure: each.value for each in findings(correct(beats), start_ns=begin_ns, end_ns=end_ns, quality=quality)
    }
    return stress.Evidence(
        heart_rate=found["heart_rate"],
        rmssd=found["rmssd"],
        sdnn=found["sdnn"],
        stress_index=found["stress_index"],
        quality=quality,
    )


def _of_device(pulse: Floats) -> stress.Evidence:
    there = np.isfinite(pulse)
    return stress.Evidence(heart_rate=float(pulse[there].mean()) if there.any() else None, quality=float(there.mean()))


def _person(folder: Path, rows: list[tuple[float, int]]) -> Person:
    origin, seconds = rows[0][0], len(rows)
    wave = _series(folder, "BVP", origin, seconds, PULSE_RATE)
    there = np.flatnonzero(np.isfinite(wave[:, 0]))
    times = (there * (SECOND // PULSE_RATE)).astype(np.int64)
    acceleration = np.linalg.norm(_series(folder, "ACC", origin, seconds, 32), axis=1) / 64.0
    return Person(
        folder.name,
        np.array([label for _, label in rows], dtype=np.int64),
        Track("ppg", "wrist", ("bvp",), float(PULSE_RATE), times, wave[there].astype(np.float32)),
        _series(folder, "HR", origin, seconds, 1)[:, 0],
        _series(folder, "EDA", origin, seconds, 4)[:, 0],
        acceleration.reshape(-1, 32).std(axis=1),
    )


def _series(folder: Path, name: str, origin: float, seconds: int, rate: int) -> Floats:
    """Samples from the origin on, `rate` a second, NaN where the device has none."""
    begin, found = _numbers(folder, name)
    stated, samples = found[0, 0], found[1:]
    if stated != rate:
        raise ValueError(f"{folder.name}: {name} has {stated} Hz")
    series = np.full((seconds * rate, samples.shape[1]), np.nan)
    lead = round((origin - begin) * rate)
    part = samples[max(0, lead) :][: len(series) - max(0, -lead)]
    series[max(0, -lead) :][: len(part)] = part
    return series


def _numbers(folder: Path, name: str) -> tuple[float, Floats]:
    """When a file begins (UNIX seconds), and its lines after the first."""
    plain = folder / f"{name}.csv"
    text = plain.read_text() if plain.exists() else gzip.decompress((folder / f"{name}.csv.gz").read_bytes()).decode()
    head, _, body = text.partition("\n")
    return float(head.split(",")[0]), np.loadtxt(io.StringIO(body), delimiter=",", ndmin=2)


class Model(Protocol):
    """What scikit-learn's classifiers have."""

    def fit(self, features: Floats, labels: Labels) -> object:
        """Learn."""
        ...

    def predict_proba(self, features: Floats) -> Floats:
        """A column per label."""
        ...


def held_out(features: Floats, labels: Labels, persons: NDArray[np.str_], model: Model) -> tuple[Floats, Floats]:
    """For each row the probability of stress and the threshold, from a model fitted on all other people alone.

    The threshold is the share of stress among those others, as the classes are unequal.
    """
    probability, threshold = np.empty(len(labels)), np.empty(len(labels))
    for person in np.unique(persons):
        mine = persons == person
        model.fit(features[~mine], labels[~mine])
        probability[mine] = model.predict_proba(features[mine])[:, 1]
        threshold[mine] = labels[~mine].mean()
    return probability, threshold


def balanced_accuracy(said: NDArray[np.bool_], labels: Labels) -> float:
    """Mean of the shares of stress and of rest that are called so."""
    return float(np.mean([(said[labels == label] == bool(label)).mean() for label in np.unique(labels)]))


def brier(probability: Floats, labels: Labels) -> float:
    """Mean squared error of a probability."""
    return float(np.mean((probability - labels) ** 2))
