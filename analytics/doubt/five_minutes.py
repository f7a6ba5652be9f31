"""The 95 % interval of an HRV value, for the five-minute value of the same state.

Three sources: a window shorter than five minutes, the error of beat times, corrected beats. Each says how far the
five-minute value may lie below and above, in the unit of the measure's law; independent as they are, their squares add.
The law of the window, exp(coefficients . traits) to either side, minimises the mean interval score (Gneiting & Raftery
2007, doi:10.1198/016214506000001437) of 97 %, so that hearts not fitted on have 95; being positive, it keeps the value
inside its interval. How it was fitted and where it holds: docs/uncertainty.md.
"""

from math import exp, hypot

import numpy as np
from scipy.special import ndtr

from analytics.beats import Floats, Intervals
from analytics.doubt.jitter import Jitter, deviate, filtered, of_mean, of_root_mean_square, of_share
from analytics.doubt.laws import LAWS, RANGE, Law
from analytics.doubt.traits import FIVE_MINUTES, LEAST_BEATS, differences, traits
from kiosk.measures import MEASURES

LONGEST = 330.0
"""Seconds: beyond, a value is of more than five minutes, and its interval another question."""
WHOLE = 0.99
"""Of five minutes: what is missing less is a beat or two at the ends."""
NOTHING = 1e-6
"""Seconds of standard deviation that are none: only rounding makes them."""
LEAST_USED = 0.85
"""Of the shortest window: what must be usable of it."""


def interval(
    measure: str, value: float, series: Intervals, *, precision: float, corrected: float, span: float
) -> tuple[float, float] | None:
    """(low, high) in catalogue units, or None where no interval was validated.

    `series` is what the value was computed from, `precision` the SD of a beat time's error in seconds, `corrected` the
    share of beats corrected, `span` the seconds of signal. Always low <= value <= high.
    """
    law = LAWS.get(measure)
    if law is None or not MEASURES[measure].possible(value) or not _answerable(law, series, precision, corrected, span):
        return None
    mean = float(series.values.mean())
    seconds = min(span, float(series.values.sum()) + mean)
    if seconds < LEAST_USED * law.shortest:
        return None
    below = above = 0.0
    if seconds < WHOLE * FIVE_MINUTES:
        seen = traits(series, seconds)
        if seen is None:
            return None
        below, above = _reach(law.below, seen), _reach(law.above, seen)
    repair_below, repair_above, power = law.repair
    repair = corrected**power
    jitter = _jitter(law, series, precision)
    down = jitter.bias + hypot(below, jitter.below, repair_below * repair)
    # the bias is taken off no other source: so the value stays inside, and beat times that err more never narrow it
    up = hypot(above, max(jitter.above - jitter.bias, 0.0), repair_above * repair)
    low, high = _bounds(law, value, down, up, series)
    possible = MEASURES[measure]
    return max(0.0 if jitter.lost else low, possible.low), min(high, possible.high)


def _reach(coefficients: tuple[float, ...], seen: Floats) -> float:
    """How far the window's law reaches, in its unit; traits beyond what was fitted count as its border."""
    return exp(float(np.dot(coefficients, np.clip(seen, *RANGE))))


def _answerable(law: Law, series: Intervals, precision: float, corrected: float, span: float) -> bool:
    """Whether all is as it was where the interval was validated. What is not a number is not."""
    if not (
        law.shortest <= span <= LONGEST and 0 <= precision <= law.coarsest and 0 <= corrected <= law.most_corrected
    ):
        return False
    values = series.values
    if len(values) < LEAST_BEATS or not (np.isfinite(values) & (values > 0)).all():
        return False
    if float(values.std()) <= NOTHING or len(differences(series)) < LEAST_BEATS:
        return False
    # where what is squared does not vary at all, an error of it has no law
    varied = (
        law.kind == "mean" or np.abs(filtered("rmssd" if law.kind == "share" else law.kind, series)).max() > NOTHING
    )
    return bool(varied)


def _jitter(law: Law, series: Intervals, precision: float) -> Jitter:
    if law.kind == "mean":
        return of_mean(series, precision)
    if law.kind == "share":
        return of_share(series, precision)
    return of_root_mean_square(law.kind, series, precision)


def _bounds(law: Law, value: float, down: float, up: float, series: Intervals) -> tuple[float, float]:
    if law.kind == "mean":
        unit = float(series.values.std(ddof=1) / series.values.mean())
        longer, shorter = 1.0 + up * unit, max(1.0 - down * unit, 1e-3)
        return (value / longer, value / shorter) if law.inverse else (value * shorter, value * longer)
    if law.kind == "share":
        share, count = value / 100.0, len(differences(series))
        here = deviate(share, count)
        # as a difference, so that no doubt at all gives the value itself
        low, high = (share + float(ndtr(here + way) - ndtr(here)) for way in (-down, up))
        # less than half a case is none, or all
        return (0.0 if low * count < 0.5 else 100.0 * low), (100.0 if (1.0 - high) * count < 0.5 else 100.0 * high)
    return value * exp(-down), value * exp(up)
