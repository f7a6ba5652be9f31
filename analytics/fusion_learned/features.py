"""What each of four modalities says in one window: the same numbers for training and use."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics import filters, stress
from analytics.correction import correct
from analytics.hrv.findings import UNSURE, findings
from analytics.ppg import record
from kiosk.messages import SECOND
from kiosk.recording import Recording, Track

Floats = NDArray[np.float64]
Modality = Literal["pulse", "sweat", "skin", "motion"]

MODALITIES: tuple[Modality, ...] = ("pulse", "sweat", "skin", "motion")
WINDOW = 60
"""Seconds of a window: what RMSSD and SDNN and a drift of skin conductance need."""
ENOUGH = 30.0
"""Seconds of finite samples below which a modality is not there (as for `stress.per_minute`)."""
SIGNALS: dict[Modality, str] = {"pulse": "ppg", "sweat": "eda", "skin": "skin_temperature", "motion": "acceleration"}
PULSE_BAND = (0.5, 6.0)
"""Hertz in which the pulse's height is read: the band of `analytics.ppg.wave`."""
BEAT = 2.0
"""Seconds of a piece whose range is one pulse height: longer than the slowest interval of a heart at rest."""
_TINY = 1e-6
_SKIN = (15.0, 42.0)  # degrees, as in analytics.skin


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of a window."""

    name: str
    modality: Modality
    usual: float
    """How much it varies from one rest to the next in one person (SD on its scale): a prior of ours, fixed before any
    training and no norm; those of heart rate, variability, drift and responses are the stress index's."""


FEATURES = (
    Feature("heart_rate", "pulse", 4.0),
    Feature("ln_rmssd", "pulse", 0.25),
    Feature("ln_sdnn", "pulse", 0.25),
    Feature("ln_pulse_height", "pulse", 0.3),
    Feature("ln_conductance", "sweat", 0.2),
    Feature("conductance_drift", "sweat", 10.0),
    Feature("conductance_responses", "sweat", 2.0),
    Feature("temperature", "skin", 0.5),
    Feature("temperature_drift", "skin", 0.1),
    Feature("ln_motion", "motion", 0.5),
    Feature("ln_motion_peak", "motion", 0.5),
    Feature("stillness", "motion", 0.2),
)
"""In the order in which a network sees them; those of a modality stand together, in the order of MODALITIES."""
STILL = 0.01
"""g of standard deviation in a second below which an arm is at rest: a few times the sensor's own noise."""


@dataclass(frozen=True, slots=True)
class Signals:
    """The tracks of one visit; None is a sensor that is not there."""

    pulse: Track | None = None
    sweat: Track | None = None
    skin: Track | None = None
    motion: Track | None = None

    @classmethod
    def of(cls, recording: Recording) -> "Signals":
        """The first regular track of each signal."""
        first = {
            modality: next((track for track in recording.of(signal) if track.rate is not None), None)
            for modality, signal in SIGNALS.items()
        }
        return cls(first["pulse"], first["sweat"], first["skin"], first["motion"])

    def track(self, modality: Modality) -> Track | None:
        """That of one modality."""
        return {"pulse": self.pulse, "sweat": self.sweat, "skin": self.skin, "motion": self.motion}[modality]


def places(modality: Modality) -> slice:
    """Where a modality's features stand."""
    at = [place for place, feature in enumerate(FEATURES) if feature.modality == modality]
    return slice(at[0], at[-1] + 1)


def values(signals: Signals, start_ns: int, end_ns: int) -> Floats:
    """All features of a window in their order, NaN where absent; nothing outside the window is looked at."""
    found = np.full(len(FEATURES), np.nan)
    for modality in MODALITIES:
        track = signals.track(modality)
        part = track.between(start_ns, end_ns) if track is not None else None
        if part is not None and _enough(part):
            found[places(modality)] = _READ[modality](part, start_ns, end_ns)
    return found


def _enough(part: Track) -> bool:
    finite = int(np.isfinite(part.samples).all(axis=1).sum())
    return part.rate is not None and finite >= ENOUGH * part.rate


def _pulse(part: Track, start_ns: int, end_ns: int) -> list[float]:
    beats = record.beats(part, vote=False)
    if beats.signal_quality < UNSURE:
        # a pulse that cannot be read is a sensor that is not there, and no sign of stress
        return [np.nan] * 4
    found = {
        each.measure: each.value
        for each in findings(correct(beats), start_ns=start_ns, end_ns=end_ns, quality=beats.signal_quality)
    }
    rate, rmssd, sdnn = (found[measure] for measure in ("heart_rate", "rmssd", "sdnn"))
    return [
        np.nan if rate is None else rate,
        np.nan if rmssd is None else _ln(rmssd),
        np.nan if sdnn is None else _ln(sdnn),
        _height(part),
    ]


def _height(part: Track) -> float:
    """Of the usual pulse: vessels in the skin narrow under stress."""
    assert part.rate is not None
    size = round(BEAT * part.rate)
    heights = []
    for segment in part.segments():
        x = segment.samples[:, 0].astype(np.float64)
        if len(x) >= 2 * size and np.isfinite(x).all():
            wave = filters.zero_phase(filters.band_pass(part.rate, *PULSE_BAND), x - np.median(x))
            heights += np.ptp(wave[: len(wave) // size * size].reshape(-1, size), axis=1).tolist()
    height = float(np.median(heights)) if heights else 0.0
    return _ln(height) if height > 0 else np.nan


def _sweat(part: Track, start_ns: int, end_ns: int) -> list[float]:
    assert part.rate is not None
    found = stress.electrodermal(_grid(part, start_ns, end_ns), part.rate)
    numbers = (None if found.level is None else _ln(found.level), found.drift, found.peaks)
    return [np.nan if number is None else number for number in numbers]


def _skin(part: Track, start_ns: int, end_ns: int) -> list[float]:
    assert part.rate is not None
    x = _grid(part, start_ns, end_ns)
    x[(x < _SKIN[0]) | (x > _SKIN[1])] = np.nan
    drift = stress.per_minute(x, part.rate)
    return [np.nan, np.nan] if drift is None else [float(np.nanmedian(x)), drift]


def _motion(part: Track, start_ns: int, end_ns: int) -> list[float]:
    assert part.rate is not None
    size = max(2, round(part.rate))
    strength = np.linalg.norm(part.samples.astype(np.float64), axis=1)
    strength = strength[np.isfinite(strength)]
    seconds = strength[: len(strength) // size * size].reshape(-1, size).std(axis=1)
    return [_ln(float(seconds.mean())), _ln(float(np.quantile(seconds, 0.9))), float((seconds < STILL).mean())]


def _grid(part: Track, start_ns: int, end_ns: int) -> Floats:
    """The first channel on its grid, NaN where samples are missing."""
    assert part.rate is not None
    grid = np.full(round((end_ns - start_ns) / SECOND * part.rate), np.nan)
    at = np.rint((part.times - start_ns) / SECOND * part.rate).astype(np.intp)
    inside = at < len(grid)
    grid[at[inside]] = part.samples[inside, 0]
    return grid


def _ln(value: float) -> float:
    return float(np.log(max(value, _TINY)))


_READ: dict[Modality, Callable[[Track, int, int], list[float]]] = {
    "pulse": _pulse,
    "sweat": _sweat,
    "skin": _skin,
    "motion": _motion,
}
