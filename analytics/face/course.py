"""Expressions over time: every picture's engines pooled, smoothed, and summed up over the session.

As published for the EmotiEffNets (Savchenko 2022, DOI 10.1109/TAFFC.2022.3188390; 2023, arXiv:2303.09162): frame-wise
probabilities are smoothed by a box filter and a video is told by their mean, standard deviation, minimum and maximum.
The mean is weighted by frame attention (Meng 2019, DOI 10.1109/ICIP.2019.8803603): here not learnt, but how frontal
the head is and how certain the engines are.
"""

from dataclasses import dataclass

import numpy as np

from analytics import concealment
from analytics.face import rules
from analytics.face.engines import Engine, of_rules, of_scores, pooled
from analytics.face.words import EXPRESSIONS, Floats, Times
from kiosk.messages import SECOND
from kiosk.recording import Track

SMOOTH = 1.0
"""Seconds of the box filter."""
NEAR = 0.5
"""Seconds around a picture that networks saw, whose action units are the rules' view of it."""
YAW, PITCH = 30.0, 25.0
"""Degrees from the front by which attention has fallen to 60 % (the width of a Gaussian)."""
LEAST_ATTENTION = 0.05
"""So that a session without one certain picture still has a mean."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a face showed at each time."""

    times: Times
    probabilities: Floats
    """(n, 8) of `EXPRESSIONS`."""
    axes: Floats
    """(n, 2): valence and arousal."""
    attention: Floats
    """What each picture counts in means: also how much time around it has no other."""
    frontal: Floats
    """0..1: how far each is from a profile."""
    agreement: Floats
    """Share of the engines' weights whose first choice is the pool's."""
    engines: tuple[str, ...]
    weight: float
    """Of all engines together: how much there is behind the answer."""
    axes_from: tuple[str, ...]
    """Engines behind valence and arousal; empty where they follow from the expressions."""
    known: float
    """0..1: how much of the time from the first to the last picture these pictures tell."""


def course(units: Track | None, scores: Track | None, motion: Track | None) -> Course | None:
    """The expressions of a session, or None where no engine ever saw a face."""
    engines: tuple[Engine, ...] = ()
    times = np.empty(0, dtype=np.int64)
    if scores is not None:
        samples = scores.samples.astype(np.float64)
        there = np.isfinite(samples).any(axis=1)
        engines = of_scores(scores.channels, samples[there])
        times = scores.times[there]
    if not engines or not len(times):
        if units is None:
            return None
        there = np.isfinite(units.samples).all(axis=1)
        times = units.times[there]
        basic = rules.expressions(units.samples[there].astype(np.float64))
        engines = (of_rules(basic),)
    elif units is not None:
        engines = (*engines, of_rules(_near(times, units)))
    together = pooled(engines)
    told = np.isfinite(together[:, 0])
    if not told.any():
        return None
    engines = tuple(
        Engine(each.name, each.weight, each.probabilities[told], None if each.axes is None else each.axes[told])
        for each in engines
    )
    times, together = times[told], together[told]
    frontal = _frontal(times, motion)
    left = concealment.left(times, int(times[0]), int(times[-1]))
    own = [each for each in engines if each.axes is not None]
    axes = _axes(own) if own else rules.valence_arousal(_basic(together))
    return Course(
        times=times,
        probabilities=_smooth(times, together),
        axes=_smooth(times, axes),
        attention=frontal * np.maximum(LEAST_ATTENTION, _certainty(together)) * left.weights * len(times),
        frontal=frontal,
        agreement=_agreement(engines, together),
        engines=tuple(each.name for each in engines),
        weight=sum(each.weight for each in engines),
        axes_from=tuple(each.name for each in own),
        known=left.known,
    )


@dataclass(frozen=True, slots=True)
class Summary:
    """One number over the session."""

    value: float
    """Mean by attention."""
    mean: float
    std: float
    low: float
    high: float


def summary(values: Floats, attention: Floats) -> Summary | None:
    """Of a course; None where it was never told."""
    there = np.isfinite(values)
    if not there.any():
        return None
    values, weights = values[there], attention[there]
    weights = weights if weights.sum() > 0 else np.ones(len(values))
    return Summary(
        float(weights @ values / weights.sum()),
        float(values.mean()),
        float(values.std()),
        float(values.min()),
        float(values.max()),
    )


def _basic(together: Floats) -> Floats:
    basic = together[:, :-1]
    return np.asarray(basic / basic.sum(axis=1, keepdims=True))


def _axes(engines: list[Engine]) -> Floats:
    axes = np.stack([each.axes for each in engines if each.axes is not None])
    return np.asarray(np.average(axes, axis=0, weights=[each.weight for each in engines]))


def _certainty(together: Floats) -> Floats:
    """1 for a single answer, 0 where all are as likely."""
    rows = np.nan_to_num(together)
    rows = rows / rows.sum(axis=1, keepdims=True)
    entropy = -(rows * np.log(np.maximum(rows, 1e-12))).sum(axis=1)
    return np.asarray(1.0 - entropy / np.log(len(EXPRESSIONS)))


def _agreement(engines: tuple[Engine, ...], together: Floats) -> Floats:
    best = np.argmax(together[:, :-1], axis=1)
    total, agreed = np.zeros(len(best)), np.zeros(len(best))
    for each in engines:
        says = np.isfinite(each.probabilities[:, 0])
        first = np.argmax(np.nan_to_num(each.probabilities[:, :-1]), axis=1)
        total += np.where(says, each.weight, 0.0)
        agreed += np.where(says & (first == best), each.weight, 0.0)
    return agreed / total


def _near(times: Times, units: Track) -> Floats:
    """The rules' view of the seconds around each time; NaN where no action units are near."""
    there = np.isfinite(units.samples).all(axis=1)
    at, basic = units.times[there], rules.expressions(units.samples[there].astype(np.float64))
    return _box(times, at, basic, NEAR)


def _smooth(times: Times, values: Floats) -> Floats:
    return _box(times, times, values, SMOOTH / 2.0)


def _box(times: Times, at: Times, values: Floats, reach: float) -> Floats:
    """Means of the values that lie within `reach` seconds of each time."""
    begin = np.searchsorted(at, times - round(reach * SECOND), side="left")
    end = np.searchsorted(at, times + round(reach * SECOND), side="right")
    good = np.isfinite(values)
    sums = np.vstack((np.zeros(values.shape[1]), np.cumsum(np.where(good, values, 0.0), axis=0)))
    counts = np.vstack((np.zeros(values.shape[1]), np.cumsum(good, axis=0)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((sums[end] - sums[begin]) / (counts[end] - counts[begin]))


def _frontal(times: Times, motion: Track | None) -> Floats:
    """From the head's pose where it is known, else 1."""
    if motion is None or not len(motion.times):
        return np.ones(len(times))
    yaw, pitch = motion.channel("yaw"), motion.channel("pitch")
    there = np.isfinite(yaw) & np.isfinite(pitch)
    if not there.any():
        return np.ones(len(times))
    at = motion.times[there]
    nearest = np.clip(np.searchsorted(at, times), 1, max(1, len(at) - 1))
    if len(at) > 1:
        nearest = np.where(times - at[nearest - 1] < at[nearest] - times, nearest - 1, nearest)
    else:
        nearest = np.zeros(len(times), dtype=np.intp)
    away = (yaw[there][nearest] / YAW) ** 2 + (pitch[there][nearest] / PITCH) ** 2
    return np.asarray(np.exp(-0.5 * away))
