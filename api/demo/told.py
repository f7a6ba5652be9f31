"""A day's numbers in the form that an analysis gives them.

A template is what the real analysis says of a simulated recording: methods, sources, windows, qualities, intervals and
what is absent, and why. The invented numbers take the place of its own; stress, arousal, valence and emotions are then
made of them by the real functions, against the person's real earlier sessions.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from analytics import answers
from analytics.analyzer import Finding
from analytics.answers import Told
from analytics.session import FinalReading
from analytics.sources import Source, ranked, sources
from api.demo.course import Body
from api.store.results import Found
from kiosk.measures import MEASURES
from kiosk.messages import SECOND
from kiosk.recording import Context, Recording

NOISY = 0.04
"""Share of visits in which a sensor gave nothing that could be used."""
SOURCE_ERROR: Mapping[str, float] = {"heart_rate": 0.006, "mean_rr": 0.006, "respiration_rate": 0.03}
"""By which one source differs from another, as a share; ours, for a picture of two sources that agree."""
OTHER_ERROR = 0.05
MADE = ("stress", "physiological_arousal", "arousal", "valence")
"""What the real functions make of the rest, with everything that begins with `emotion_`."""


@dataclass(frozen=True, slots=True)
class Template:
    """What an analysis said of a simulated recording."""

    protocol: str
    seconds: float
    recording: Recording
    best: Source | None
    readings: tuple[FinalReading, ...]

    @classmethod
    def of(cls, protocol: str, recording: Recording, readings: Iterable[FinalReading]) -> "Template":
        """From a recording and what was found in it."""
        best = next(iter(ranked(sources(recording, Context(), correct=True, vote=False))), None)
        return cls(protocol, recording.duration, recording, best, tuple(readings))

    def value(self, measure: str) -> float | None:
        """What it said itself, preferred source."""
        return next((each.value for each in self.readings if each.measure == measure and each.preferred), None)


def told(template: Template, body: Body, context: Context, rng: np.random.Generator) -> list[Found]:
    """Readings of a revision: the preferred one of each measure first."""
    known = modelled(template, body, rng)
    heard = dict.fromkeys(each.source for each in template.readings if each.source != "face_units")
    noisy = {source for source in heard if rng.random() < NOISY}
    shift = float(rng.normal(0.0, 0.03))
    said = []
    for each in template.readings:
        if (each.measure in MADE or each.measure.startswith("emotion_")) and each.absent != "no_trained_model":
            continue
        finding = _finding(each, known, rng, shift)
        if each.source in noisy and finding.value is not None:
            finding = replace(finding, value=None, low=None, high=None, quality=0.1, absent="noisy")
        said.append(Told(each.source, finding))
    said += answers.of_stress(said, template.best, context, template.recording)
    said += answers.of_affect(said, context, template.recording)
    chosen = answers.preferred(said)
    order = {measure: place for place, measure in enumerate(MEASURES)}
    rows = [_found(each, preferred=chosen[each.finding.measure] is each) for each in said]
    return sorted(rows, key=lambda row: (order[row.measure], not row.preferred))


def modelled(template: Template, body: Body, rng: np.random.Generator) -> dict[str, float]:
    """The measures that follow from how somebody is."""
    interval = 60_000.0 / body.heart_rate
    rmssd, sdnn = body.rmssd, max(body.sdnn, 0.72 * body.rmssd)
    sd1 = rmssd / math.sqrt(2.0)
    sd2 = math.sqrt(max(2.0 * sdnn**2 - sd1**2, sd1**2 * 0.3))
    found = {
        "heart_rate": body.heart_rate,
        "mean_rr": interval,
        "sdnn": sdnn,
        "rmssd": rmssd,
        "sdsd": 1.003 * rmssd,
        "sd1": sd1,
        "sd2": sd2,
        "sd_ratio": sd2 / sd1,
        "cvnn": 100.0 * sdnn / interval,
        # differences of neighbours taken as normal
        "pnn50": 200.0 * float(ndtr(-50.0 / rmssd)),
        "pnn20": 200.0 * float(ndtr(-20.0 / rmssd)),
        "respiration_rate": body.respiration_rate,
        "ectopic_burden": 0.0,
        "pauses": 0.0,
        "beats_corrected": max(0.0, float(rng.exponential(0.4)) - 0.3),
        "yawns": float(rng.poisson(1.6 * body.tired)),
    }
    for measure, share in (("total_power", sdnn), ("vlf_power", sdnn), ("lf_power", sdnn), ("hf_power", rmssd)):
        its, own = template.value("rmssd" if measure == "hf_power" else "sdnn"), template.value(measure)
        if its and own:
            found[measure] = own * (share / its) ** 2 * math.exp(0.25 * rng.standard_normal())
    if "lf_power" in found and "hf_power" in found:
        low, high = found["lf_power"], found["hf_power"]
        found |= {"lf_hf": low / high, "lf_nu": 100.0 * low / (low + high), "hf_nu": 100.0 * high / (low + high)}
    its, own = template.value("sdnn"), template.value("stress_index")
    if its and own:
        found["stress_index"] = own * (its / sdnn) ** 0.8
    for measure, factor in (
        ("eda_peaks", body.sweat),
        ("blink_rate", 1.0 + 0.5 * body.tired),
        ("perclos", 1.0 + 2.0 * body.tired),
        ("face_happiness", 1.6 - 1.2 * body.tired),
        ("face_sadness", 0.9 + 2.4 * body.tired),
    ):
        own = template.value(measure)
        if own is not None:
            found[measure] = own * factor * math.exp(0.2 * rng.standard_normal())
    if template.value("face_valence") is not None:
        found["face_valence"] = 0.18 - 0.55 * body.tired + 0.10 * rng.standard_normal()
    return found


def _finding(each: FinalReading, known: Mapping[str, float], rng: np.random.Generator, shift: float) -> Finding:
    """The template's reading with the invented value in it."""
    start, end = round(each.start * SECOND), round(each.end * SECOND)
    quality = each.quality
    if quality is not None and quality > 0.3:
        quality = float(np.clip(quality - abs(shift) - 0.04 * rng.exponential(), 0.3, 1.0))
    if each.value is None:
        return Finding(each.measure, None, each.method, start, end, quality=quality, absent=each.absent)
    value = known.get(each.measure)
    if value is None:
        value = each.value * math.exp(0.12 * rng.standard_normal())
        value += 0.5 * float(rng.standard_normal()) if each.measure == "eda_slope" else 0.0
    if not each.preferred:
        value *= math.exp(SOURCE_ERROR.get(each.measure, OTHER_ERROR) * rng.standard_normal())
    measure = MEASURES[each.measure]
    if each.measure in ("irregular_rhythm", "eeg_usable") or (each.value == 0.0 and each.measure not in known):
        value = each.value
    # scores of a face are shares
    value = min(max(value, measure.low), measure.high)
    scale = value / each.value if each.value else 1.0
    low, high = each.low, each.high
    if low is not None and high is not None:
        low, high = sorted((low * scale, high * scale))
        if each.measure.startswith("pnn"):
            low, high = max(0.0, low), min(100.0, high)
        # a product rounds: what stood at an end may lie a hair beyond it
        low, high = min(low, value), max(high, value)
    return Finding(each.measure, value, each.method, start, end, low, high, quality)


def _found(each: Told, *, preferred: bool) -> Found:
    finding = each.finding
    return Found(
        measure=finding.measure,
        value=finding.value,
        low=finding.low,
        high=finding.high,
        quality=finding.quality,
        absent=finding.absent,
        source=each.source,
        scope="recording",
        method=finding.method,
        preferred=preferred,
        start_ns=finding.start_ns,
        end_ns=finding.end_ns,
        note=each.note,
        note_ru=each.russian,
    )
