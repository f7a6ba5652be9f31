"""Short windows and the five minutes around them: the cases in which a 95 % interval holds or does not."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from analytics import hrv
from analytics.beats import Floats, Intervals
from analytics.correction import correct
from analytics.doubt.jitter import deviate
from analytics.doubt.laws import LAWS
from analytics.doubt.traits import FIVE_MINUTES, differences
from tests.benchmarks._hearts import Heart, beats, from_times

STEP = 60.0
"""Seconds from one five minutes of a long recording to the next; they overlap."""
BLOCK = 600.0
"""Seconds of one heart that count as one observation where the doubt of a coverage is told."""
VALUES: Mapping[str, Callable[[Intervals], float | None]] = {
    "heart_rate": hrv.heart_rate,
    "mean_rr": hrv.mean_rr,
    "rmssd": hrv.rmssd,
    "sdnn": hrv.sdnn,
    "pnn50": hrv.pnn50,
    "sdsd": hrv.sdsd,
    "sd1": hrv.sd1,
    "sd2": hrv.sd2,
}
MOST_LOST = 0.10
"""Of a five-minute window: more without intervals, and it is no truth."""


@dataclass(frozen=True, slots=True)
class Case:
    """A window, what is known of it, and the series that has the true value."""

    block: str
    source: str
    placed: str
    seconds: float
    window: Intervals
    truth: Intervals
    precision: float = 0.0
    corrected: float = 0.0


def part(series: Intervals, start: float, end: float) -> Intervals:
    """The intervals that lie within."""
    inside = (series.ends - series.values >= start - 1e-6) & (series.ends <= end + 1e-6)
    follows = series.follows[inside]
    follows[:1] = False
    return Intervals(series.ends[inside], series.values[inside], follows)


def cases(heart: Heart, lengths: tuple[float, ...], *, seed: int, each: int = 1, step: float = STEP) -> Iterator[Case]:
    """Windows of these lengths in the middle and anywhere in each five minutes of a heart."""
    rng = np.random.default_rng((2026, seed))
    first, last = float(heart.series.ends[0] - heart.series.values[0]), float(heart.series.ends[-1])
    # published pieces are "five minutes" of whole beats: a second or two less
    for start in np.arange(first, max(last - FIVE_MINUTES, first) + 1.0, step):
        truth = part(heart.series, start, start + FIVE_MINUTES)
        if truth.values.sum() < (1.0 - MOST_LOST) * FIVE_MINUTES:
            continue
        for seconds in lengths:
            room = FIVE_MINUTES - seconds
            for place in (0.5, *rng.random(each)):
                window = part(heart.series, start + place * room, start + place * room + seconds)
                if window.values.sum() > (1.0 - MOST_LOST) * seconds - 2.0:
                    yield Case(
                        f"{heart.name}/{int((start - first) // BLOCK)}",
                        heart.source,
                        "centred" if place == 0.5 else "anywhere",
                        seconds,
                        window,
                        truth,
                    )


def jittered(case: Case, precision: float, seed: int) -> Case:
    """The same with beat times that err by so many seconds."""
    rng = np.random.default_rng((2026, seed))
    series = case.window
    starts = series.ends - series.values
    at_start, at_end = precision * rng.standard_normal((2, len(starts)))
    at_start[series.follows] = at_end[:-1][series.follows[1:]]
    window = Intervals(series.ends + at_end, series.values + at_end - at_start, series.follows)
    return replace(case, window=window, precision=precision)


def spoilt(case: Case, share: float, seed: int) -> Case:
    """The whole five minutes with beats missed, invented and early, and corrected."""
    rng = np.random.default_rng((2026, seed))
    clean = np.concatenate((case.truth.ends[:1] - case.truth.values[:1], case.truth.ends))
    times = _injected(clean, share, rng)
    mended = correct(beats(times))
    return replace(case, window=mended.intervals, truth=from_times(clean), corrected=mended.share)


def _injected(times: Floats, share: float, rng: np.random.Generator) -> Floats:
    chosen = rng.permutation(np.arange(3, len(times) - 3))[: round(share * len(times))]
    missed, extra, early = np.array_split(chosen, 3)
    times = times.copy()
    times[early] -= rng.uniform(0.2, 0.35, len(early)) * (times[early] - times[early - 1])
    added = times[extra] + rng.uniform(0.25, 0.75, len(extra)) * (times[extra + 1] - times[extra])
    return np.sort(np.concatenate((np.delete(times, missed), added)))


def value(measure: str, series: Intervals) -> float | None:
    """The measure as the product computes it."""
    return VALUES[measure](series)


def error(measure: str, case: Case) -> float | None:
    """The true value less the window's, in the unit of the measure's law."""
    true, seen = value(measure, case.truth), value(measure, case.window)
    if true is None or seen is None or (measure != "pnn50" and not min(true, seen) > 0):
        return None
    kind = LAWS[measure].kind
    if kind == "mean":
        return (true - seen) / (1000.0 * float(case.window.values.std(ddof=1)))
    if kind == "share":
        count = len(differences(case.window))
        return deviate(true / 100.0, count) - deviate(seen / 100.0, count)
    return float(np.log(true / seen))
