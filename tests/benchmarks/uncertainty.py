"""Whether the 95 % interval of an HRV value holds the five-minute value of the same state, and what it costs.

KIOSK_RECORDINGS=... kiosk bench uncertainty          coverage and mean interval score, real and simulated apart
KIOSK_RECORDINGS=... kiosk bench uncertainty --fit    the constants of analytics/doubt/laws.py anew
"""

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from scipy.stats import chi2

from analytics.beats import Floats
from analytics.doubt import interval
from analytics.doubt.laws import LAWS
from analytics.doubt.traits import FIVE_MINUTES, differences
from tests.benchmarks._fitting import laws
from tests.benchmarks._hearts import Heart, real, simulated, visitor
from tests.benchmarks._measuring import report
from tests.benchmarks._windows import Case, cases, jittered, part, spoilt, value

LENGTHS = (30.0, 60.0, 120.0)
ERRORS = (0.002, 0.005, 0.0075, 0.015)
"""Seconds that beat times are made to err by."""
SHARES = (0.01, 0.02, 0.04)
"""Of the beats, missed, invented or early."""
FRESH = 200
"""Simulated hearts of each model, none of which was fitted on."""
RESAMPLED = 200
MISS = 2.0 / 0.05
"""What a unit of missing costs in the interval score (Gneiting & Raftery 2007, eq. 43, alpha 0.05)."""

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One interval and the truth."""

    block: str
    hit: bool
    score: float
    width: float


def main() -> None:
    """Fit, or report."""
    named = os.environ.get("KIOSK_RECORDINGS")
    if not named:
        sys.exit("KIOSK_RECORDINGS names no folder of real recordings")
    folder = Path(named)
    if "--fit" in sys.argv[1:]:
        console = Console(width=1000, highlight=False)
        for line in laws(folder):
            console.print(line, markup=False)
        return
    held = [heart for heart in real(folder) if not heart.fitted]
    fresh = [simulated(seed) for seed in range(10_000, 10_000 + FRESH)]
    visitors = [visitor(seed) for seed in range(FRESH)]
    groups = [(f"real: {source}", [heart for heart in held if heart.source == source])
              for source in dict.fromkeys(heart.source for heart in held)]  # fmt: skip
    steady = [heart for heart in held if heart.source != "exercise"]
    short = [
        ("real: rest, daily life", _windows(steady, LENGTHS)),
        *((name, _windows(hearts, LENGTHS)) for name, hearts in groups),
        ("simulated: model", _windows(fresh, LENGTHS, step=600.0)),
        ("simulated: visitor", _windows(visitors, LENGTHS, step=600.0)),
    ]
    report("Shorter than five minutes", _head(LENGTHS), _lines(short, LENGTHS))
    placed = [
        (f"{name}, {place}", [case for case in given if case.placed == place])
        for name, given in short[:1]
        for place in ("centred", "anywhere")
    ]
    report("Where the window lies in its five minutes", _head(LENGTHS), _lines(placed, LENGTHS))
    report("Naive intervals: independent beats", _head(LENGTHS), _naive(short))
    whole = {"real": _windows(steady, (FIVE_MINUTES,), each=0, step=300.0),
             "simulated": _windows(fresh, (FIVE_MINUTES,), each=0, step=600.0)}  # fmt: skip
    by_error = [
        (f"{name}: {1000 * error:g} ms injected", [jittered(case, error, at) for at, case in enumerate(given)])
        for name, given in whole.items()
        for error in ERRORS
    ]
    report("Five minutes, beat times that err", _head((FIVE_MINUTES,)), _lines(by_error, (FIVE_MINUTES,)))
    unbroken = {name: [case for case in given if case.truth.follows[1:].all()] for name, given in whole.items()}
    by_share = [
        (f"{name}: {share:.0%} injected", [spoilt(case, share, at) for at, case in enumerate(given)])
        for name, given in unbroken.items()
        for share in SHARES
    ]
    report("Five minutes, beats corrected", _head((FIVE_MINUTES,)), _lines(by_share, (FIVE_MINUTES,)))
    both = [
        (name, [jittered(case, 0.005, at) for at, case in enumerate(given)]) for name, given in (short[0], short[-2])
    ]
    report("Shorter, and beat times that err by 5 ms", _head(LENGTHS), _lines(both, LENGTHS))
    report("For information: the next five minutes, against these five minutes' own value", NEXT, _neighbours(held))


def _head(lengths: tuple[float, ...]) -> tuple[str, ...]:
    cells = ((f"{seconds:g} s: coverage % ± SE", "score / width") for seconds in lengths)
    return ("source", "measure", "blocks", *(each for pair in cells for each in pair))


NEXT = ("source", "measure", "pairs", "median change %", "95th percentile of change %")


def _windows(hearts: Iterable[Heart], lengths: tuple[float, ...], *, each: int = 1, step: float = 60.0) -> list[Case]:
    return [case for at, heart in enumerate(hearts) for case in cases(heart, lengths, seed=at, each=each, step=step)]


def _ours(measure: str, case: Case) -> Pair | None:
    seen = value(measure, case.window)
    if seen is None:
        return None
    return interval(measure, seen, case.window, precision=case.precision, corrected=case.corrected, span=case.seconds)


def outcome(measure: str, case: Case, given: Pair) -> Outcome | None:
    """What an interval was worth; its score in the unit of the measure."""
    true = value(measure, case.truth)
    if true is None:
        return None
    low, high = given
    # a value is its own interval where there is no doubt, up to rounding
    missed = max(low - true, true - high, 0.0)
    return Outcome(case.block, missed <= 1e-9 * max(true, 1.0), high - low + MISS * missed, high - low)


def coverage(outcomes: list[Outcome]) -> Pair:
    """Share of hits and its standard error, blocks of a heart counting as one observation."""
    hits = np.array([each.hit for each in outcomes], np.float64)
    share = float(hits.mean())
    off: defaultdict[str, float] = defaultdict(float)
    for each, hit in zip(outcomes, hits, strict=True):
        off[each.block] += hit - share
    return share, float(np.sqrt(sum(each**2 for each in off.values()))) / len(hits)


def _lines(groups: Iterable[tuple[str, list[Case]]], lengths: tuple[float, ...]) -> Iterator[tuple[object, ...]]:
    for name, given in groups:
        for measure in LAWS:
            yield (name, measure, *_row(measure, given, lengths, _ours))


def _row(
    measure: str, given: list[Case], lengths: tuple[float, ...], method: Callable[[str, Case], Pair | None]
) -> Iterator[str]:
    blocks = 0
    cells: list[str] = []
    for seconds in lengths:
        those = [case for case in given if case.seconds == seconds]
        bounds = [method(measure, case) for case in those]
        outcomes = [
            found
            for case, pair in zip(those, bounds, strict=True)
            if pair is not None and (found := outcome(measure, case, pair)) is not None
        ]
        if not outcomes:
            cells += ["-", "-"]
            continue
        share, error = coverage(outcomes)
        blocks = max(blocks, len({each.block for each in outcomes}))
        none = f" ({bounds.count(None)} none)" if None in bounds else ""
        cells += [
            f"{100 * share:.1f} ± {100 * error:.1f}{none}",
            f"{np.mean([each.score for each in outcomes]):.3g} / {np.mean([each.width for each in outcomes]):.3g}",
        ]
    yield str(blocks)
    yield from cells


def _naive(groups: list[tuple[str, list[Case]]]) -> Iterator[tuple[object, ...]]:
    for name, given in groups:
        if name in (groups[0][0], "simulated: model"):
            for measure in ("mean_rr", "rmssd", "sdnn", "pnn50"):
                yield (f"{name}, bootstrap", measure, *_row(measure, given, LENGTHS, bootstrap))
            yield (f"{name}, chi-square", "sdnn", *_row("sdnn", given, LENGTHS, chi_square))


def bootstrap(measure: str, case: Case) -> Pair:
    """Percentiles over resampled intervals, or differences, as if each were independent of the others."""
    rng = np.random.default_rng(0)
    series = case.window
    given = differences(series) if measure in ("rmssd", "pnn50") else series.values
    drawn = 1000.0 * given[rng.integers(0, len(given), (RESAMPLED, len(given)))]
    found: Floats
    if measure == "mean_rr":
        found = drawn.mean(axis=1)
    elif measure == "sdnn":
        found = drawn.std(axis=1, ddof=1)
    elif measure == "rmssd":
        found = np.sqrt(np.mean(drawn**2, axis=1))
    else:
        found = 100.0 * np.mean(np.abs(drawn) > 50.0, axis=1)
    low, high = np.percentile(found, (2.5, 97.5))
    return float(low), float(high)


def chi_square(_: str, case: Case) -> Pair:
    """The textbook interval of a standard deviation, as if intervals were independent and normal."""
    free = len(case.window.values) - 1
    deviation = 1000.0 * float(case.window.values.std(ddof=1))
    low, high = (deviation * float(np.sqrt(free / chi2.ppf(tail, free))) for tail in (0.975, 0.025))
    return low, high


def _neighbours(hearts: Iterable[Heart]) -> Iterator[tuple[object, ...]]:
    changes: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for heart in hearts:
        for case in cases(heart, (FIVE_MINUTES,), seed=0, each=0, step=FIVE_MINUTES):
            start = float(case.truth.ends[0] - case.truth.values[0])
            following = part(heart.series, start + FIVE_MINUTES, start + 2.0 * FIVE_MINUTES)
            if following.values.sum() < 0.9 * FIVE_MINUTES:
                continue
            pair = replace(case, truth=following)
            for measure in LAWS:
                here, there = value(measure, pair.window), value(measure, pair.truth)
                if here and there:
                    changes[heart.source, measure].append(100.0 * abs(there / here - 1.0))
    for (source, measure), found in changes.items():
        middle, most = np.percentile(found, (50, 95))
        yield f"real: {source}", measure, len(found), f"{middle:.1f}", f"{most:.1f}"


if __name__ == "__main__":
    main()
