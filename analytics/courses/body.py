"""How strain and arousal went: stretches of a minute beside the recording's own first one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analytics import arousal, hrv, skin, stress
from analytics.arousal import Signs
from analytics.courses.course import Course, begins
from analytics.hrv.findings import CORRECTED, CORRECTED_RATE
from analytics.hrv.windows import COVERED, part
from analytics.sources import Source, named
from analytics.stress.index import Stretch
from kiosk.messages import SECOND
from kiosk.recording import Baseline, Recording

WINDOW = 60.0
"""Seconds of a stretch: RMSSD of a minute stands for five (Munoz et al. 2015, doi:10.1371/journal.pone.0138921), and
skin conductance answers about twice in it at rest."""
EVERY = 2.0
"""Hops from one stretch to the next."""
METHOD_STRESS, METHOD_AROUSAL = "weighted-deviation-1+own-first-minute", "weighted-deviation-index-1+own-first-minute"


@dataclass(frozen=True, slots=True)
class Minute:
    """What was measured of the body in one stretch."""

    begin: float
    signs: Signs


def minutes(recording: Recording, best: Source | None, courses: Sequence[Course], step: float) -> list[Minute]:
    """Stretches of a minute, the first of which is what the others are held against; none in less than two minutes."""
    conductance = [(x, track.rate, float(track.seconds[0])) for track, _ in named(recording, "eda")
                   if (x := skin.grid(track)) is not None and track.rate]  # fmt: skip
    spans = [(best.start, best.end)] if best is not None and best.absent is None else []
    spans += [(start, start + len(x) / rate) for x, rate, start in conductance[:1]]
    if not spans or max(end for _, end in spans) - min(start for start, _ in spans) < 2 * WINDOW:
        return []
    at = begins(min(start for start, _ in spans), max(end for _, end in spans), WINDOW, EVERY * step)
    found = []
    for begin in at.tolist():
        signs = _of_heart(best, begin) if best is not None and best.absent is None else Signs()
        for x, rate, start in conductance[:1]:
            first = max(0, round((begin - start) * rate))
            told = stress.electrodermal(x[first : first + round(WINDOW * rate)], rate)
            signs = replace(signs, eda_slope=told.drift, eda_peaks=told.peaks)
        signs = replace(
            signs,
            respiration_rate=_mean(courses, "respiration_rate", begin),
            eeg_engagement=_mean(courses, "eeg_engagement", begin),
            eeg_alpha_relative=_mean(courses, "eeg_alpha_relative", begin),
        )
        found.append(Minute(begin, signs))
    return found


def rest(found: Sequence[Minute]) -> list[Baseline]:
    """The first stretch, as what is usual."""
    return [Baseline(part.measure, value, 0.0, 1) for part, value in found[0].signs.measured()] if found else []


def of_body(found: Sequence[Minute], source: str) -> Iterator[Course]:
    """Stress and physiological arousal of every stretch after the first."""
    if not found:
        return
    until = found[0].begin + WINDOW
    later = [each for each in found if each.begin >= until - 1e-6]
    usual = rest(found)
    stretches = [
        Stretch(round(each.begin * SECOND), round((each.begin + WINDOW) * SECOND), _evidence(each.signs))
        for each in (found[0], *later)
    ]
    strains = [each.finding.value for each in stress.course(stretches, rest_until_ns=round(until * SECOND))]
    aroused = [
        arousal.against_rest(each.signs, usual, start_ns=0, end_ns=round(WINDOW * SECOND)).finding.value
        for each in later
    ]
    middles = np.array([each.begin + WINDOW / 2 for each in later])
    for measure, method, told in (
        ("stress", METHOD_STRESS, strains),
        ("physiological_arousal", METHOD_AROUSAL, aroused),
    ):
        values = np.array([np.nan if each is None else each for each in told], dtype=np.float64)
        if np.isfinite(values).any():
            yield Course(measure, source, method, WINDOW, middles, values)


def _evidence(signs: Signs) -> stress.Evidence:
    return stress.Evidence(
        heart_rate=signs.heart_rate,
        rmssd=signs.rmssd,
        eda_slope=signs.eda_slope,
        eda_peaks=signs.eda_peaks,
        respiration_rate=signs.respiration_rate,
    )


def _of_heart(source: Source, begin: float) -> Signs:
    intervals, mended = source.corrected.intervals, source.corrected
    first, last = np.searchsorted(intervals.ends, (begin, begin + WINDOW), side="right").tolist()
    inside = part(intervals, first, last)
    if inside.values.sum() < COVERED * WINDOW:
        return Signs()
    near = (mended.times > begin) & (mended.times <= begin + WINDOW)
    touched = int(np.count_nonzero(mended.changes[near]))
    touched += int(np.count_nonzero((mended.removed > begin) & (mended.removed <= begin + WINDOW)))
    share = touched / max(1, len(inside.values))
    return Signs(
        heart_rate=hrv.heart_rate(inside) if share <= CORRECTED_RATE else None,
        rmssd=hrv.rmssd(inside) if share <= CORRECTED and not source.irregular else None,
    )


def _mean(courses: Sequence[Course], measure: str, begin: float) -> float | None:
    """Of the first source that has it: its values whose middles lie in the stretch."""
    for each in courses:
        if each.measure == measure:
            inside = each.values[(each.times >= begin) & (each.times <= begin + WINDOW)]
            good = inside[np.isfinite(inside)]
            return float(good.mean()) if len(good) else None
    return None
