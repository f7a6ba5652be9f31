"""Every measure of heart rate variability of one window - or why there is none."""

from collections.abc import Callable
from dataclasses import dataclass

from analytics.analyzer import Finding
from analytics.beats import Corrected, Intervals
from analytics.hrv import nonlinear, spectrum, time_domain
from analytics.hrv.spectrum import Power
from kiosk.measures import MEASURES, Reason
from kiosk.messages import SECOND

UNSURE = 0.5
"""Quality below which there is no number: where two detectors agree on fewer than half of the beats, nobody knows."""
FILLED = 0.9
"""Share of a measure's shortest window that usable intervals must fill: what is before the first beat is none."""
CORRECTED = 0.03
"""Share of corrected beats above which there is nothing that rests on differences or order (docs/methods.md has the
errors behind it)..."""
CORRECTED_SPREAD = 0.05
"""... nothing that rests on the spread of the intervals..."""
CORRECTED_RATE = 0.20
"""... and no mean rate either."""
CORRECTION = "lipponen-2019-1"
"""How beats were corrected, as it stands in a method."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A measure, its shortest window, and how it is had."""

    measure: str
    value: Callable[[Intervals, Power | None], float | None]
    method: str
    seconds: float
    beats: int = 2
    corrected: float = CORRECTED


def _of(function: Callable[[Intervals], float | None]) -> Callable[[Intervals, Power | None], float | None]:
    return lambda intervals, _: function(intervals)


def _from(function: Callable[[Power], float | None]) -> Callable[[Intervals, Power | None], float | None]:
    return lambda _, power: None if power is None else function(power)


TASK_FORCE = "task-force-1996"

_ROWS = (
    _Row("heart_rate", _of(time_domain.heart_rate), "mean-interval-1", 10, corrected=CORRECTED_RATE),
    _Row("mean_rr", _of(time_domain.mean_rr), TASK_FORCE, 10, corrected=CORRECTED_RATE),
    _Row("sdnn", _of(time_domain.sdnn), TASK_FORCE, 60, corrected=CORRECTED_SPREAD),
    _Row("rmssd", _of(time_domain.rmssd), TASK_FORCE, 30),
    _Row("pnn50", _of(time_domain.pnn50), TASK_FORCE, 60),
    _Row("sdsd", _of(time_domain.sdsd), TASK_FORCE, 30),
    _Row("pnn20", _of(time_domain.pnn20), "mietus-2002", 60),
    _Row("cvnn", _of(time_domain.cvnn), TASK_FORCE, 60, corrected=CORRECTED_SPREAD),
    _Row("triangular_index", _of(time_domain.triangular_index), TASK_FORCE, 300, corrected=CORRECTED_SPREAD),
    _Row("total_power", _from(lambda power: power.total), "", 300),
    _Row("vlf_power", _from(lambda power: power.vlf), "", 300),
    _Row("lf_power", _from(lambda power: power.lf), "", 120),
    _Row("hf_power", _from(lambda power: power.hf), "", 60),
    _Row("lf_nu", _from(lambda power: power.lf_nu), "", 120),
    _Row("hf_nu", _from(lambda power: power.hf_nu), "", 120),
    _Row("lf_hf", _from(lambda power: power.lf_hf), "", 120),
    _Row("sd1", _of(nonlinear.sd1), "brennan-2001", 30),
    _Row("sd2", _of(nonlinear.sd2), "brennan-2001", 60, corrected=CORRECTED_SPREAD),
    _Row("sd_ratio", _of(nonlinear.sd_ratio), "brennan-2001", 60),
    _Row("dfa_alpha1", _of(nonlinear.dfa_alpha1), "peng-1995", 120, 200),
    _Row("sample_entropy", _of(nonlinear.sample_entropy), "richman-2000", 120, 200),
    _Row("stress_index", _of(nonlinear.stress_index), "baevsky-2017", 60, 100, corrected=CORRECTED_SPREAD),
)
"""In the order in which they are told. A method that is left out here is the spectrum's."""

MEASURED = (*(row.measure for row in _ROWS), "beats_corrected")
"""The measures that `findings` answers, in their order."""


def findings(
    corrected: Corrected, *, start_ns: int, end_ns: int, quality: float | None, correction: bool = True
) -> list[Finding]:
    """Every measure of the window from start to end, in order, and the share of beats that were corrected.

    Absent is "too_short" below the measure's shortest window, "too_many_corrected" above the share that it
    bears, "noisy" where the quality is below one half or the usable intervals of a window that is long enough are not.
    """
    intervals = corrected.intervals
    power = spectrum.power(intervals)
    span = (end_ns - start_ns) / SECOND
    by = f"{CORRECTION}+" if correction else ""
    found = []
    for row in _ROWS:
        absent = _absent(row, intervals, corrected.share, span, quality)
        value = None if absent else row.value(intervals, power)
        if value is None:
            # long enough, and yet without an answer: equal intervals have no entropy
            absent = absent or "insufficient"
        elif not MEASURES[row.measure].possible(value):
            absent, value = "impossible", None
        method = by + (row.method or _spectral(power))
        found.append(Finding(row.measure, value, method, start_ns, end_ns, quality=quality, absent=absent))
    counted = 100.0 * corrected.share if len(corrected.times) > 1 else None
    short: Reason | None = "too_short" if counted is None else None
    share = Finding(
        "beats_corrected",
        counted,
        CORRECTION if correction else "none",
        start_ns,
        end_ns,
        quality=quality,
        absent=short,
    )
    return [*found, share]


def _absent(row: _Row, intervals: Intervals, share: float, span: float, quality: float | None) -> Reason | None:
    enough = FILLED * row.seconds
    if span < enough:
        return "too_short"
    if share > row.corrected:
        return "too_many_corrected"
    if quality is not None and quality < UNSURE:
        return "noisy"
    if intervals.values.sum() < enough:
        return "noisy"
    return "too_short" if len(intervals.values) < row.beats else None


def _spectral(power: Power | None) -> str:
    """How the spectrum was had, and of how many windows it is the mean."""
    if power is None:
        return "spectrum"
    name = power.method.replace("welch", "welch-1967+smoothness-priors-2002").replace("scargle", "scargle-1982")
    return name if power.windows == 1 else f"{name}+mean-of-{power.windows}"
