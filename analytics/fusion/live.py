"""What all modalities say together while the visitor sits there: once a second at most, of the latest live findings.

The body is compared with the session's own first minute: a live analysis knows nobody's earlier sessions.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from analytics import arousal
from analytics.analyzer import Finding
from analytics.concealment import TAU
from analytics.fusion.opinions import Modality, Opinion
from analytics.fusion.record import UNKNOWN_QUALITY, Heard, bodily, expressive, of_body, tells
from analytics.fusion.together import Axis, fused
from analytics.registry import FUSED
from analytics.stress.reference import Against, with_own
from kiosk.messages import SECOND
from kiosk.recording import Baseline

METHOD = "late-fusion-live-1"
OLDEST = 10
"""Seconds for which a finding is kept when nothing follows; until then it counts for less and less (`TAU`)."""
REST = 60
"""Seconds from the first finding on whose mean is what is usual for the rest of the session."""
LEAST = 20
"""Findings of a measure that make a mean."""
MOST = 400
"""Findings remembered: twelve streams of some thirty measures."""
PREFERRED: Mapping[str, int] = {"ecg": 3, "rr": 3, "ppg": 2, "face_scores": 2, "voice_scores": 2, "respiration": 3}
"""Signals that are asked first where several tell a measure; 1 for the others."""


class Fuser:
    """The latest findings of one session, and what they say together. Bounded; without a clock."""

    def __init__(self) -> None:
        self._heard: dict[tuple[str, str, str], Finding] = {}
        self._usual: dict[tuple[str, str], tuple[int, float]] = {}
        """By measure and signal: a poor camera's heart rate is not what is usual for an ECG's."""
        self._first: int | None = None
        self._second = 0
        self._told: frozenset[str] = frozenset()

    def feed(self, signal: str, device: str, findings: Iterable[Finding]) -> list[Finding]:
        """What is told together in each second that these findings complete."""
        told = []
        for each in findings:
            if not tells(each.measure):
                continue
            second = each.end_ns // SECOND
            if self._first is None:
                self._first, self._second = each.end_ns, second
            if second > self._second:
                # of the findings before this one: no chunking of its stream can change what a second told
                told += self._together()
                self._second = second
            self._hear(signal, device, each)
        return told

    def _hear(self, signal: str, device: str, finding: Finding) -> None:
        key = (finding.measure, signal, device)
        known = self._heard.pop(key, None)
        if known is not None and known.end_ns > finding.end_ns:
            finding = known  # late
        self._heard[key] = finding
        if len(self._heard) > MOST:
            del self._heard[next(iter(self._heard))]
        value = finding.value
        if value is not None and finding.measure in arousal.MEASURED and self._first is not None:
            count, mean = self._usual.get((finding.measure, signal), (0, 0.0))
            if finding.end_ns - self._first <= REST * SECOND:
                self._usual[finding.measure, signal] = (count + 1, mean + (value - mean) / (count + 1))

    def _together(self) -> list[Finding]:
        now = max((each.end_ns for each in self._heard.values()), default=0)
        there = self._latest(now)
        found = fused(self._opinions(there, now))
        start = min((each.finding.start_ns for each in there.values()), default=now)
        values: dict[str, tuple[float | None, float]] = {}
        for name, axis in (("arousal", found.arousal), ("valence", found.valence)):
            if axis is not None:
                values[name] = _value(axis)
        if found.emotions is not None:
            quality = found.emotions.quality
            values |= {f"emotion_{each.name}": (each.probability, quality) for each in found.emotions.each}
        told = []
        for measure in FUSED:
            value, quality = values.get(measure, (None, 0.0))
            if value is not None:
                told.append(Finding(measure, value, METHOD, start, now, quality=quality))
            elif measure in self._told:
                # once, so that no screen keeps what nobody tells any more
                told.append(Finding(measure, None, METHOD, start, now, absent="insufficient"))
        self._told = frozenset(each.measure for each in told if each.value is not None)
        return told

    def _latest(self, now: int) -> dict[str, Heard]:
        """One finding of each measure: of the preferred signal, the newest, not too old."""
        chosen: dict[str, tuple[tuple[int, int, str], Heard]] = {}
        for (measure, signal, device), finding in self._heard.items():
            if finding.value is None or now - finding.end_ns > OLDEST * SECOND:
                continue
            rank = (PREFERRED.get(signal, 1), finding.end_ns, device)
            if measure not in chosen or rank > chosen[measure][0]:
                chosen[measure] = (rank, Heard(signal, finding))
        return {measure: heard for measure, (_, heard) in chosen.items()}

    def _opinions(self, there: Mapping[str, Heard], now: int) -> Sequence[Opinion]:
        found = [_shown(modality, there, now) for modality in (Modality.FACE, Modality.VOICE)]
        opinions = [each for each in found if each is not None]
        if self._first is not None and now - self._first > REST * SECOND:
            # one stretch of rest: how much a measure varies from one to the next is the prior's
            usual = {name: self._usual.get((name, each.source), (0, 0.0)) for name, each in there.items()}
            rest = [Baseline(name, mean, 0.0, 1) for name, (count, mean) in usual.items() if count >= LEAST]
            signs = of_body(there)
            quality = dict.fromkeys((Modality.HEART, Modality.SKIN, Modality.BRAIN), signs.quality)
            opinions += bodily(with_own(signs, rest, Against.REST), quality, {})
        return opinions


def _shown(modality: Modality, there: Mapping[str, Heard], now: int) -> Opinion | None:
    values = {name: each.finding.value for name, each in there.items() if name.startswith(f"{modality.value}_")}
    known = {name: value for name, value in values.items() if value is not None}
    if not known:
        return None
    # what live findings of expressions tell of quality is a voice's familiarity at most: one half for all else
    told = min(1.0 if (quality := there[name].finding.quality) is None else quality for name in known)
    age = (now - max(there[name].finding.end_ns for name in known)) / SECOND
    return expressive(modality, known, told * UNKNOWN_QUALITY * math.exp(-age / TAU))


def _value(axis: Axis) -> tuple[float | None, float]:
    return (None if axis.split else axis.pooled.value), axis.quality
