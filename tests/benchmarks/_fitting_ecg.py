"""Fitting the weights of evidence for R peaks: logistic regressions on some records, made harder in many known ways.

KIOSK_RECORDINGS=... kiosk bench accuracy --fit
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal
from scipy.optimize import minimize

from analytics.ecg import evidence, peaks
from analytics.ecg.candidates import Candidates, candidates
from tests.analytics.stress import bumps, electrode_motion, lasting, muscle, peak_to_peak, scaled
from tests.analytics.test_ecg_recordings import SEEN, mitbih

Floats = NDArray[np.float64]
Excerpt = tuple[Floats, Floats]
"""A wave and its beats, in seconds."""

SECONDS = 240.0
"""Of an excerpt."""
SEED, ROUNDS = 2026, 4
"""Where chance begins, and how often every way is gone, each time by other chances."""
NEAREST, AMBIGUOUS = 0.120, 0.150
"""Seconds from an annotated beat within which the strongest candidate is it, and within which no other is judged."""
RIDGE = 3e-5
"""Penalty on the squares of standardised weights."""
BEATS_PER_CASE = 300.0
"""Above so many candidates a case weighs by their square root."""
WEIGHTS = {"as it is": 6.0, "motion 6": 2.0, "motion 0": 2.0, "wide in turn": 1.5}
"""Of kinds that weigh other than 1."""
_COMPLEX = (0.10, 0.12)  # seconds around R that no change of tempo touches


@dataclass(frozen=True, slots=True)
class Case:
    """One wave with known beats."""

    kind: str
    record: str
    x: Floats
    rate: float
    truth: Floats


def cases(folder: Path, names: tuple[str, ...], seed: int, half: int) -> Iterator[Case]:
    """Each record as it is and in every way harder; of the real noise the first or the second half."""
    motion = np.array_split(electrode_motion(folder), 2)[half]
    for place, name in enumerate(names):
        x, rate, truth = mitbih(folder, name)
        x = x - np.median(x)
        rng = np.random.default_rng((seed, place))
        yield Case("as it is", name, x, rate, truth)
        for target in (125, 250):
            resampled = signal.resample_poly(x[: round(600 * rate)], 25, 25 * 360 // target)
            yield Case("resampled", name, resampled, float(target), truth[truth < 600])
        for level in (12, 6, 0):
            for start in (100.0, 900.0, 1500.0):
                part, beats = _cut(x, truth, rate, start)
                noise = lasting(motion, len(part), int(rng.integers(1_000_000)))
                yield Case(f"motion {level}", name, _noisy(part, scaled(noise, x, truth, rate, level)), rate, beats)
            part, beats = _cut(x, truth, rate, 300.0)
            noise = muscle(len(part), rate, int(rng.integers(1_000_000)))
            yield Case(f"muscle {level}", name, _noisy(part, scaled(noise, x, truth, rate, level)), rate, beats)
        size = peak_to_peak(x, truth, rate)
        for number, (kind, (part, beats)) in enumerate(_harder(x, truth, rate, size, rng)):
            # a wave of one record must be no more than one case in many
            yield Case(kind, f"{name}.{number}", part, rate, beats)


def _harder(
    x: Floats, truth: Floats, rate: float, size: float, rng: np.random.Generator
) -> Iterator[tuple[str, Excerpt]]:
    def cut(seconds: float = SECONDS) -> Excerpt:
        return _cut(x, truth, rate, float(rng.uniform(100.0, 1700.0 - seconds)), seconds)

    for most in (0.7, 1.0, 1.5, 3.0):
        part, beats = cut()
        steps = np.diff(beats, append=beats[-1] + float(np.median(np.diff(beats))))
        at = beats + np.clip(0.32 * np.sqrt(np.clip(steps, 0.3, 1.5)), 0.16, 0.40)
        height = size * rng.uniform(0.4, most) * rng.choice((-1, 1))
        yield "tall T", (bumps(part, rate, at, height, rng.uniform(0.035, 0.060)), beats)
    part, beats = cut()
    yield "tall P", (bumps(part, rate, beats - 0.17, size * rng.uniform(0.25, 0.45), rng.uniform(0.02, 0.03)), beats)
    for often in (0.15, 0.35):
        part, beats = cut()
        steps = np.diff(beats)
        before = np.flatnonzero((steps > 0.7) & (rng.random(len(steps)) < often))
        early = beats[before] + np.maximum(0.36, 0.5 * steps[before])
        yield "early", (_ventricular(part, rate, early, size, rng), np.sort(np.concatenate((beats, early))))
    for every in (1, 1, 2):
        part, beats = _in_tempo(*cut(150.0), rate, np.full(len(truth), rng.uniform(1.1, 1.6)))
        after = beats[:-1:every] + rng.uniform(0.40, 0.60)
        yield "wide in turn", (_ventricular(part, rate, after, size, rng), np.sort(np.concatenate((beats, after))))
    for _ in range(3):
        yield "runs", _with_runs(*cut(), rate, size, rng)
    for blur in (0.015, 0.025):
        part, beats = cut()
        yield "wide throughout", (ndimage.gaussian_filter1d(part, blur * rate), beats)
    part, beats = cut()
    yield "small", (0.15 * part + 0.008 * rng.standard_normal(len(part)), beats)
    yield "pauses", _with_pauses(*cut(200.0), rate, rng)
    part, beats = cut()
    spikes = np.rint((beats[beats > 0.1] - 0.06) * rate).astype(np.intp)
    part[spikes] += (height := size * rng.uniform(0.5, 2.0) * rng.choice((-1, 1)))
    part[spikes + 1] -= 0.3 * height
    yield "paced", (part, beats)
    part, beats = cut()
    seconds = np.arange(len(part)) / rate
    louder = np.repeat(np.arange(100) % 2 * 2.0 + 0.5, rng.integers(round(8 * rate), round(30 * rate), 100))
    yield "five times as high", (part * louder[: len(part)], beats)
    jumps = np.repeat(np.exp(rng.uniform(-0.8, 0.8, 400)), 10 + rng.exponential(20 * rate, 400).astype(np.intp))
    yield "jumps of height", (part * jumps[: len(part)], beats)
    fading = np.exp(-0.9 * (1.0 - np.cos(2 * np.pi * seconds / 40.0)))
    yield "fading", (part * fading, beats)
    hum = 0.25 * size * np.sin(2 * np.pi * rng.choice((50, 60)) * seconds)
    yield "hum and wander", (part + hum + 1.5 * np.sin(2 * np.pi * 0.3 * seconds), beats)
    for beats_per_minute in (38.0, 110.0, 150.0, 175.0, 200.0):
        steps = 60.0 / beats_per_minute * (1.0 + 0.03 * rng.standard_normal(len(truth)))
        yield "tempo", _in_tempo(*cut(), rate, steps)
    part, beats = cut()
    steps = np.exp(rng.normal(-0.25, 0.3, len(beats) - 1)) * np.diff(beats)
    yield "irregular", _in_tempo(part, beats, rate, np.maximum(steps, 0.3))


def _cut(x: Floats, truth: Floats, rate: float, start: float, seconds: float = SECONDS) -> Excerpt:
    begin = round(start * rate)
    inside = (truth >= start) & (truth < start + seconds)
    return x[begin : begin + round(seconds * rate)].copy(), truth[inside] - begin / rate


def _noisy(x: Floats, noise: Floats) -> Floats:
    """With noise from the thirtieth second on."""
    return x + np.where(np.arange(len(x)) < len(x) // 8, 0.0, noise)


def _ventricular(x: Floats, rate: float, at: Floats, size: float, rng: np.random.Generator) -> Floats:
    """With wide complexes of one shape, mostly with a T wave against them."""
    height, width = size * rng.uniform(0.7, 2.5) * rng.choice((-1, 1)), rng.uniform(0.016, 0.042)
    x = bumps(x, rate, at, height, width)
    if rng.random() < 0.7:
        x = bumps(x, rate, at + 2.6 * width, -rng.uniform(0.2, 0.7) * height, 1.2 * width)
    return bumps(x, rate, at + 0.30, -0.3 * height, 0.06) if rng.random() < 0.8 else x


def _in_tempo(x: Floats, truth: Floats, rate: float, steps: Floats) -> Excerpt:
    """With these intervals: the time between the complexes stretched or shortened."""
    before, after = (round(seconds * rate) for seconds in _COMPLEX)
    middles = np.rint(truth * rate).astype(np.intp)
    middles = middles[(middles > before) & (middles < len(x) - after)]
    parts, beats, have = [], [], 0
    for (here, following), step in zip(pairwise(middles.tolist()), steps.tolist(), strict=False):
        rest = x[here + after : following - before]
        wanted = max(2, round(step * rate) - before - after)
        if len(rest) > 2:
            rest = np.interp(np.linspace(0.0, len(rest) - 1.0, wanted), np.arange(len(rest)), rest)
        parts += [x[here - before : here + after], rest]
        beats.append((have + before) / rate)
        have += before + after + len(rest)
    return np.concatenate(parts), np.array(beats)


def _opened(x: Floats, truth: Floats, rate: float, every: int, seconds: Floats) -> tuple[Excerpt, Floats]:
    """With a line of so many seconds after each of some beats; and when these lines begin."""
    parts, beats, begins, last, grown = [], truth.copy(), [], 0, 0.0
    for beat, length in zip(truth[8:-1:every].tolist(), seconds.tolist(), strict=False):
        following = float(truth[np.searchsorted(truth, beat) + 1])
        place = round((beat + 0.62 * (following - beat)) * rate)
        line = np.linspace(x[place - 1], x[place], round(length * rate))
        parts += [x[last:place], line]
        begins.append(place / rate + grown)
        last, grown = place, grown + len(line) / rate
        beats[truth > beat] += len(line) / rate
    return (np.concatenate((*parts, x[last:])), beats), np.array(begins)


def _with_pauses(x: Floats, truth: Floats, rate: float, rng: np.random.Generator) -> Excerpt:
    """With P waves alone for some seconds."""
    lengths = rng.uniform(1.5, 5.0, len(truth))
    (x, beats), begins = _opened(x, truth, rate, 12, lengths)
    usual = float(np.median(np.diff(truth)))
    lines = zip(begins, lengths, strict=False)
    waves = np.concatenate([begin + np.arange(0.3, length - 0.2, usual) for begin, length in lines])
    return bumps(x, rate, waves, 0.12, 0.025) + 0.01 * rng.standard_normal(len(x)), beats


def _with_runs(x: Floats, truth: Floats, rate: float, size: float, rng: np.random.Generator) -> Excerpt:
    """With four to twelve wide beats in a row now and then."""
    counts = rng.integers(4, 13, len(truth))
    step = rng.uniform(0.33, 0.50)
    (x, beats), begins = _opened(x, truth, rate, 25, step * counts.astype(np.float64))
    run = np.concatenate([begin + step * np.arange(count) for begin, count in zip(begins, counts, strict=False)])
    return _ventricular(x, rate, run, size, rng), np.sort(np.concatenate((beats, run)))


@dataclass(frozen=True, slots=True)
class _Judged:
    """The candidates of a case: which of them are beats, and which are too near to one to say."""

    kind: str
    found: Candidates
    guess: NDArray[np.intp]
    beat: NDArray[np.bool_]
    clear: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of the candidates of a case, given a guess."""

    calm: Floats
    columns: list[Floats]


def _judged(case: Case) -> _Judged:
    found = candidates(case.x, case.rate)
    strength = found.low.energy + found.high.energy
    beat, near = (np.zeros(len(found.times), dtype=np.bool_) for _ in range(2))
    for moment in case.truth.tolist():
        begin, end = np.searchsorted(found.times, (moment - NEAREST, moment + NEAREST))
        if end > begin:
            beat[begin + int(np.argmax(strength[begin:end]))] = True
        begin, end = np.searchsorted(found.times, (moment - AMBIGUOUS, moment + AMBIGUOUS))
        near[begin:end] = True
    return _Judged(case.kind, found, evidence.seeds(found), beat, beat | ~near)


def _regressed(judged: list[_Judged], columns: list[Seen]) -> Floats:
    """The weights in noise and what calm adds, a row each."""
    rows = np.concatenate([_both(seen)[each.clear] for each, seen in zip(judged, columns, strict=True)])
    beat = np.concatenate([each.beat[each.clear] for each in judged])
    counts = [int(each.clear.sum()) for each in judged]
    each_weighs = [
        WEIGHTS.get(each.kind, 1.0) / max(BEATS_PER_CASE, n) ** 0.5 for each, n in zip(judged, counts, strict=True)
    ]
    weight = np.repeat(each_weighs, counts)
    weight /= weight.sum()
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    design = np.column_stack((np.ones(len(rows)), (rows - mean) / spread))
    sign = np.where(beat, 1.0, -1.0)

    def loss(values: Floats) -> tuple[float, Floats]:
        odds = sign * (design @ values)
        slope = -weight * sign / (1.0 + np.exp(np.clip(odds, -500.0, 500.0)))
        penalty = RIDGE * values
        penalty[0] = 0.0
        return float(weight @ np.logaddexp(0.0, -odds) + 0.5 * penalty @ values), slope @ design + penalty

    found = minimize(
        loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B", options={"gtol": 1e-8, "ftol": 1e-12}
    ).x
    slopes = found[1:] / spread
    return np.concatenate(([found[0] - float(slopes @ mean)], slopes)).reshape(2, -1).round(3)


def _both(seen: Seen) -> Floats:
    """What is seen, and the same in calm; the constant of noise is no column."""
    table = np.column_stack((np.ones(len(seen.calm)), *seen.columns))
    return np.column_stack((table, seen.calm[:, None] * table))[:, 1:]


def fitted(folder: Path) -> tuple[Floats, Floats]:
    """FIRST and SECOND of `analytics.ecg.evidence`, from the records SEEN and the first half of the real noise."""
    judged = [_judged(case) for seed in range(SEED, SEED + ROUNDS) for case in cases(folder, SEEN, seed, 0)
              if seed == SEED or case.kind not in ("as it is", "resampled")]  # fmt: skip
    judged = [each for each in judged if len(each.guess)]
    seen, again = [], []
    for each in judged:
        level = evidence.levels(each.found, each.guess)
        seen.append(Seen(level.calm, evidence.heights(each.found, each.guess, level)))
    first = _regressed(judged, seen)
    for each, before in zip(judged, seen, strict=True):
        odds = evidence.log_odds(first, before.calm, before.columns)
        beats = peaks.likely(each.found, odds)
        level = evidence.levels(each.found, beats)
        columns = evidence.heights(each.found, beats, level) + evidence.matches(each.found, beats, odds, level)
        again.append(Seen(level.calm, columns))
    return first, _regressed(judged, again)
