"""Breath of a whole record: the truth of simulated visitors, and nothing where nobody breathes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import signal

from analytics import respiration
from analytics.analyzer import Finding
from analytics.beats import Beats, Kind
from analytics.respiration import ecg as from_heart
from analytics.respiration.answer import Span, covered, windows, within
from analytics.respiration.rhythm import Rhythm
from analytics.respiration.voices import Family, Voice, timing, vote
from kiosk.recording import Track
from sensors.drivers.simulated import Body, Person
from tests.analytics.visitors import Floats, clock

RATE = 25.0
CALM = Person(seed=3, heart_rate=68, respiration_rate=14)
PACED = Person(seed=4, heart_rate=60, respiration_rate=6, respiration_variation=0.02)


def track(x: Floats, rate: float, kind: str = "respiration") -> Track:
    return Track(kind, "belt", ("a",), rate, clock(len(x), rate), x.astype(np.float32)[:, None])


def belt(person: Person, seconds: float, rate: float = RATE) -> Floats:
    return Body(person).respiration(np.arange(round(seconds * rate)) / rate)[:, 0]


def hearts(person: Person, seconds: float) -> tuple[Track, Beats, Track, Beats]:
    """A visitor's ECG and PPG at 125 Hz, each with its true beats."""
    body = Body(person)
    times, truth = np.arange(round(seconds * 125)) / 125.0, body.truth(0.0, seconds)
    kinds = np.array([Kind.ECTOPIC if kind == "V" else Kind.NORMAL for kind in truth.kinds], dtype=np.uint8)
    found = [
        Beats("a", at, np.ones(len(at) - 1, dtype=np.bool_), kinds[: len(at)], 0.002, 1.0, None, None)
        for at in (truth.beats, truth.pulses)
    ]
    return (track(body.ecg(times)[:, 0], 125.0, "ecg"), found[0], track(body.ppg(times)[:, 0], 125.0, "ppg"), found[1])


def breathless(seconds: float, seed: int) -> Iterator[tuple[str, Floats]]:
    """Signals at RATE that no breath made, each with the name of its generator."""
    rng = np.random.default_rng(seed)
    count = round(RATE * seconds)
    white = rng.standard_normal(count)
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    hertz[0] = hertz[1]
    spectrum = np.fft.rfft(white)
    for name, slope in (("white", 0.0), ("pink", 0.5), ("brown", 1.0), ("darker", 1.5)):
        yield name, np.fft.irfft(spectrum / hertz**slope, count)
    for low, high in ((0.05, 1.0), (0.1, 2.0)):
        band = signal.butter(2, [low, high], "band", fs=RATE, output="sos")
        yield f"{low} to {high} Hz", np.asarray(signal.sosfilt(band, white))
    moments = (np.cumsum(rng.exponential(3.0, count)) * RATE).astype(np.intp)
    moments = moments[moments < count]
    steps = np.zeros(count)
    steps[moments] = rng.standard_normal(len(moments))
    yield "steps", np.cumsum(steps)
    yield "clicks", 3 * steps + 0.01 * white
    yield "movements", np.convolve(steps, np.hanning(50), "same") + 0.01 * white
    yield "hum", np.sin(2 * np.pi * 50.03 * np.arange(count) / RATE)
    yield "the last bit", np.round(0.6 * white + 0.2)
    beat = np.cumsum(rng.uniform(64, 110) / 60 * (1 + 0.03 * np.convolve(white, np.ones(25) / 5, "same"))) / RATE
    yield "a heart under a belt", np.cos(2 * np.pi * beat) + 0.4 * np.cos(4 * np.pi * beat + 1) + 0.05 * white
    yield "nothing moves", np.full(count, 0.7)
    yield "nothing at all", np.full(count, np.nan)


@pytest.mark.parametrize("breath", [4.5, 6, 10, 14, 20, 30, 40, 55])
@pytest.mark.parametrize("rate", [25.0, 62.4725, 1000.0])
def test_a_belt_reads_what_the_visitor_breathes(breath: float, rate: float) -> None:
    person = Person(seed=1, respiration_rate=breath)
    true = Body(person).truth(0.0, 70.0).respiration_rate
    (finding,) = respiration.from_belt(track(belt(person, 70.0, rate), rate))
    assert finding.value == pytest.approx(true, rel=0.03)
    assert finding.absent is None
    assert finding.quality is not None
    assert 0.8 < finding.quality <= 1.0
    assert (finding.low, finding.high) == (None, None)


@pytest.mark.parametrize("change", ["inverted", "clipped", "spiked", "wandering", "lost samples", "counts"])
def test_a_poor_belt_reads_the_same(change: str) -> None:
    x = belt(CALM, 64.0)
    rng = np.random.default_rng(0)
    changed = {
        "inverted": -x,
        "clipped": np.minimum(x, 0.2),
        "spiked": x + 40.0 * (rng.random(len(x)) < 0.002),
        "wandering": x + np.linspace(0.0, 6.0, len(x)) ** 1.5,
        "lost samples": np.where(rng.random(len(x)) < 0.05, np.nan, x),
        "counts": np.round(3.0 * x) + 2048.0,
    }[change]
    before = respiration.from_belt(track(x, RATE))[0].value
    assert respiration.from_belt(track(changed, RATE))[0].value == pytest.approx(before, abs=0.4)


def test_no_breath_is_told_of_what_does_not_breathe() -> None:
    """20 windows of 32 s and of 64 s each of 14 generators: 560 synthetic windows."""
    wrong: Counter[str] = Counter()
    reasons = set()
    for seed in range(20):
        for seconds in (32.0, 64.0):
            for name, x in breathless(seconds, seed):
                (finding,) = respiration.from_belt(track(x, RATE))
                wrong[name] += finding.value is not None
                reasons.add(finding.absent)
    assert sum(wrong.values()) <= 2, wrong
    assert reasons >= {"noisy", "flat", "not_delivered"}


def test_half_a_minute_is_the_least() -> None:
    assert respiration.from_belt(track(belt(CALM, 29.0), RATE))[0].absent == "too_short"
    assert respiration.from_belt(track(belt(CALM, 31.0), RATE))[0].value is not None
    ecg, beats, ppg, pulses = hearts(CALM, 29.0)
    assert respiration.from_ecg(ecg, beats, opinion=False).absent == "too_short"
    assert respiration.from_ppg(ppg, pulses).absent == "too_short"


def test_a_belt_that_is_too_slow_or_stuck_says_so() -> None:
    assert respiration.from_belt(track(belt(CALM, 60.0, 2.0), 2.0))[0].absent == "unsuitable_rate"
    x = belt(CALM, 60.0)
    stuck = np.minimum(x, np.percentile(x, 30.0))
    assert respiration.from_belt(track(stuck, RATE))[0].absent == "saturated"
    assert respiration.from_belt(track(np.empty(0), RATE))[0].absent == "too_short"


def test_a_gap_parts_a_belt_and_both_parts_count() -> None:
    whole = track(belt(CALM, 100.0), RATE)
    keep = (whole.seconds < 40) | (whole.seconds > 60)
    parted = Track("respiration", "belt", ("a",), RATE, whole.times[keep], whole.samples[keep])
    (finding,) = respiration.from_belt(parted)
    assert finding.value == pytest.approx(14.0, abs=0.6)
    assert finding.quality is not None
    assert finding.quality > 0.8


def test_the_better_channel_of_a_belt_is_read() -> None:
    x = belt(CALM, 60.0)
    noise = np.random.default_rng(1).standard_normal(len(x))
    both = Track("respiration", "belt", ("a", "b"), RATE, clock(len(x), RATE),
                 np.column_stack((noise, x)).astype(np.float32))  # fmt: skip
    (finding,) = respiration.from_belt(both)
    assert finding == respiration.from_belt(track(x, RATE))[0]


def test_breaths_begin_where_the_chest_begins_to_widen() -> None:
    person = replace(CALM, respiration_noise=0.05)
    truth = Body(person).truth(0.0, 120.0).breaths
    found = respiration.breaths(belt(person, 120.0), RATE)
    inner = truth[(truth > 3) & (truth < 117)]
    nearest = np.array([np.abs(found - each).min() for each in inner])
    assert nearest.max() < 0.4
    assert abs(len(found) - len(truth)) <= 1
    assert not len(respiration.breaths(np.random.default_rng(2).standard_normal(3000), RATE))


@pytest.mark.parametrize(("breath", "heart"), [(6, 60), (10, 68), (14, 68), (20, 80), (30, 100)])
def test_an_ecg_tells_what_the_visitor_breathes(breath: float, heart: float) -> None:
    person = Person(seed=2, respiration_rate=breath, heart_rate=heart)
    ecg, beats, _, _ = hearts(person, 96.0)
    finding = respiration.from_ecg(ecg, beats, opinion=False)
    assert finding.value == pytest.approx(Body(person).truth(0.0, 96.0).respiration_rate, rel=0.06)


@pytest.mark.parametrize(("breath", "heart"), [(14, 68), (20, 80), (30, 100)])
def test_a_ppg_tells_what_the_visitor_breathes(breath: float, heart: float) -> None:
    person = Person(seed=2, respiration_rate=breath, heart_rate=heart, mayer_ms=5, vlf_ms=10)
    _, _, ppg, pulses = hearts(person, 96.0)
    finding = respiration.from_ppg(ppg, pulses)
    assert finding.value == pytest.approx(Body(person).truth(0.0, 96.0).respiration_rate, rel=0.06)


def test_ectopic_beats_do_not_hide_the_breath() -> None:
    ecg, beats, _, _ = hearts(replace(CALM, ectopic_rate=5), 96.0)
    assert np.count_nonzero(beats.kinds == Kind.ECTOPIC) >= 4
    assert respiration.from_ecg(ecg, beats, opinion=False).value == pytest.approx(14.0, abs=0.8)


@pytest.mark.parametrize("seed", range(3))
def test_a_breath_too_fast_for_the_beats_is_absent_and_not_a_slower_one(seed: int) -> None:
    ecg, beats, ppg, pulses = hearts(Person(seed=seed, heart_rate=60, respiration_rate=40), 96.0)
    assert respiration.from_ecg(ecg, beats, opinion=False).absent == "noisy"
    assert respiration.from_ppg(ppg, pulses).absent == "noisy"


def test_intervals_of_chance_tell_no_breath() -> None:
    """30 series of 64 s whose intervals and heights are noise, on a wave that does not move: synthetic."""
    told = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        times = np.cumsum(rng.normal(0.85, 0.03, 80))
        line = 0.002 * rng.standard_normal(70 * 125)
        for at, height in zip(times, rng.normal(1.0, 0.05, 80), strict=True):
            place = round(at * 125)
            line[place - 2 : place + 3] += (
                height * np.array([0.3, 0.8, 1.0, 0.8, 0.3])[: len(line[place - 2 : place + 3])]
            )
        beats = Beats("a", times, np.ones(79, dtype=np.bool_), np.zeros(80, dtype=np.uint8), 0.002, 1.0, None, None)
        told += respiration.from_ecg(track(line, 125.0, "ecg"), beats, opinion=False).value is not None
    assert told <= 1


def voice(family: Family, rate: float, strength: float = 0.9) -> Voice:
    return Voice(family, Rhythm(rate, strength, 8))


def test_pressure_waves_are_no_slow_breath_unless_all_say_so() -> None:
    limit = 30.0
    assert vote([voice("timing", 6.0)], limit) == "noisy"
    assert vote([voice("timing", 6.0), voice("pulse", 6.1)], limit) == "noisy"
    assert vote([voice("timing", 6.0), voice("opinion", 6.0)], limit) == "noisy"
    everybody = vote([voice("timing", 6.0), voice("pulse", 6.1), voice("level", 6.2)], limit)
    chest = vote([voice("timing", 6.0), voice("complex", 6.2)], limit)
    assert not isinstance(everybody, str)
    assert not isinstance(chest, str)
    assert everybody.rate == pytest.approx(6.1)
    assert chest.rate == pytest.approx(6.1)


def test_voices_that_differ_say_nothing_together() -> None:
    assert vote([voice("timing", 12.0), voice("pulse", 18.0)], 30.0) == "noisy"
    assert vote([], 30.0) == "noisy"
    agreed = vote([voice("timing", 18.0), voice("pulse", 18.4), voice("level", 11.0, 0.4)], 30.0)
    assert not isinstance(agreed, str)
    assert agreed.rate == pytest.approx(18.2)
    # agreement is quality
    alike = vote([voice("timing", 18.0), voice("pulse", 18.4)], 30.0)
    assert not isinstance(alike, str)
    assert agreed.quality < alike.quality


def test_a_second_opinion_that_fails_is_only_a_missing_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    import neurokit2

    ecg, beats, _, _ = hearts(CALM, 48.0)
    asked = []

    def refuse(*_: object, **__: object) -> None:
        asked.append(True)
        raise ValueError("not today")

    monkeypatch.setattr(neurokit2, "ecg_rsp", refuse)
    assert respiration.from_ecg(ecg, beats) == respiration.from_ecg(ecg, beats, opinion=False)
    assert asked
    monkeypatch.undo()
    theirs = from_heart.neurokit(timing(beats))
    assert theirs is not None
    assert theirs.family == "opinion"


def found(value: float | None, quality: float | None = None, absent: str | None = None) -> Finding:
    return Finding("respiration_rate", value, "m", 5, 9, quality=quality, absent=absent)  # type: ignore[arg-type]


def test_sources_that_agree_are_one_number_and_others_none() -> None:
    agreed = respiration.fused([found(15.0, 0.9), found(15.8, 0.3), found(None, absent="too_short")])
    assert agreed.value == pytest.approx(15.2)
    assert agreed.quality == pytest.approx((0.9**2 + 0.3**2) / 1.2)
    assert respiration.fused([found(15.0, 0.6), found(22.0, 0.5)]).absent == "noisy"
    # a poor source does not silence a good one, and costs it quality
    outvoted = respiration.fused([found(15.0, 0.9), found(22.0, 0.2)])
    assert outvoted.value == 15.0
    assert outvoted.quality is not None
    assert outvoted.quality < 0.9
    assert respiration.fused([found(None, absent="noisy"), found(None, absent="noisy")]).absent == "noisy"
    assert respiration.fused([]).absent == "not_delivered"


@pytest.mark.parametrize(
    ("spans", "share"),
    [([(0.0, 300.0)], 1.1), ([(5.0, 100.0), (102.5, 103.0), (110.0, 400.0)], 1.1), ([(0.0, 86_400.0)], 0.3), ([], 0.0)],
)
def test_what_windows_see_is_all_of_a_visit_and_some_of_a_day(spans: list[Span], share: float) -> None:
    seen = covered(spans, 4.0)
    assert all(end < begin for (_, end), (begin, _) in pairwise(seen))
    for begin, end in chain(*windows(spans)):
        assert any(first <= begin - 4.0 and end + 4.0 <= last for first, last in seen)
    assert sum(end - begin for begin, end in seen) <= share * sum(end - begin for begin, end in spans)
    moments = np.arange(-20.0, 500.0, 0.7)
    assert within(moments, seen).tolist() == [any(first <= at < last for first, last in seen) for at in moments]


@settings(max_examples=30, deadline=None)
@given(
    x=arrays.arrays(np.float32, st.integers(0, 500), elements=st.floats(width=32, allow_nan=True, allow_infinity=True)),
    rate=st.sampled_from([0.5, 5.0, 12.5, 62.4725]),
)
def test_any_samples_give_a_number_or_a_reason(x: Floats, rate: float) -> None:
    wave = track(x.astype(np.float64), rate)
    steps = np.arange(0.5, len(x) / rate, 0.8)
    beats = Beats("a", steps, np.ones(max(0, len(steps) - 1), dtype=np.bool_), np.zeros(len(steps), dtype=np.uint8),
                  0.002, 1.0, None, None)  # fmt: skip
    findings = [*respiration.from_belt(wave), respiration.from_ppg(wave, beats)]
    findings.append(respiration.from_ecg(wave, beats, opinion=False))
    findings.append(respiration.fused(findings))
    for finding in findings:
        assert (finding.value is None) != (finding.absent is None)
        assert finding.value is None or 4.0 <= finding.value <= 60.0
