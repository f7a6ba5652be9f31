"""EEG as it comes: the same whatever the chunks, near the final numbers, silent about what it cannot know."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.analyzer import Finding
from analytics.eeg import LiveEeg
from analytics.registry import LIVE_MEASURES
from kiosk.messages import SECOND
from kiosk.recording import Track
from tests.analytics.eeg.brains import Floats, background, blinks, rhythm, spindles, track, values

NAMES = ("F3", "Fz", "F4", "P3", "Pz", "P4", "O1", "O2")


def head(seconds: float, rate: float, channels: int = 8) -> Floats:
    return background(seconds, rate, channels) + spindles(seconds, rate, 10.0, 30.0)


def fed(recording: Track, size: int | None = None) -> list[Finding]:
    assert recording.rate
    live, found = LiveEeg(recording.rate, recording.channels), list[Finding]()
    step = size or len(recording.times)
    for begin in range(0, len(recording.times), step):
        found += live.feed(recording.times[begin : begin + step], recording.samples[begin : begin + step])
    return found


def of(findings: list[Finding], measure: str) -> list[float | None]:
    return [each.value for each in findings if each.measure == measure]


@given(sizes=st.lists(st.integers(0, 700), min_size=1, max_size=8).filter(any))
@settings(max_examples=25, deadline=None)
def test_how_the_stream_is_cut_changes_nothing(sizes: list[int]) -> None:
    x = head(12, 128.0) + blinks(12, 128.0, 2.0, 120.0)
    x[500:540] = np.nan
    recording = track(x, 128.0, NAMES)
    live, found, begin, turn = LiveEeg(128.0, NAMES), list[Finding](), 0, 0
    while begin < len(x):
        end = begin + sizes[turn % len(sizes)]
        found += live.feed(recording.times[begin:end], recording.samples[begin:end])
        begin, turn = end, turn + 1
    assert found == fed(recording)


@pytest.mark.parametrize("rate", [125.0, 250.0, 1000.0])
def test_there_is_an_answer_every_second_from_the_fourth(rate: float) -> None:
    found = fed(track(head(10, rate), rate, NAMES), 77)
    ends = sorted({each.end_ns for each in found})
    assert ends == [second * SECOND for second in range(4, 11)]
    assert all(each.end_ns - each.start_ns == 4 * SECOND for each in found)
    for end in ends:
        assert {each.measure for each in found if each.end_ns == end} == set(LIVE_MEASURES["eeg"])


@pytest.mark.parametrize("rate", [125.0, 250.0, 1000.0])
def test_the_mean_of_live_is_near_the_final(rate: float) -> None:
    recording = track(head(90, rate), rate, NAMES)
    final, found = values(recording), fed(recording)
    for measure in ("eeg_theta", "eeg_alpha", "eeg_beta", "eeg_gamma", "eeg_alpha_relative", "eeg_engagement"):
        live = [value for value in of(found, measure) if value is not None]
        assert len(live) > 80
        assert np.mean(live) == pytest.approx(final[measure], rel=0.08), measure
    peaks = [value for value in of(found, "eeg_alpha_peak") if value is not None]
    assert len(peaks) > 60
    assert np.median(peaks) == pytest.approx(10.0, abs=0.3)


def test_alpha_that_comes_is_seen_within_four_seconds() -> None:
    x = background(40, 250.0, 2)
    x[5000:] += rhythm(20, 250.0, 10.0, 200.0)
    alpha = of(fed(track(x, 250.0, ("O1", "O2"))), "eeg_alpha")
    before, after = alpha[:16], alpha[20:]
    assert None not in before
    assert None not in after
    assert min(value for value in after if value) > 5 * max(value for value in before if value)


def test_a_blink_costs_its_seconds_and_no_more() -> None:
    x = head(40, 250.0)
    x[5000:5080] += 300 * np.hanning(80)[:, None]
    found = fed(track(x, 250.0, NAMES))
    noisy = [each.end_ns // SECOND for each in found if each.measure == "eeg_alpha" and each.absent == "noisy"]
    assert noisy
    assert set(noisy) <= set(range(20, 26))


def test_a_bad_channel_is_left_out_after_a_while() -> None:
    x = head(40, 250.0)
    alone = of(fed(track(x[:, :7], 250.0, NAMES[:7])), "eeg_alpha")
    x[:, 7] = 40 * np.random.default_rng(0).standard_normal(len(x))
    assert of(fed(track(x, 250.0, NAMES)), "eeg_alpha")[10:] == pytest.approx(alone[10:])


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros((2000, 2)), "flat"),
        (np.full((2000, 2), np.nan), "not_delivered"),
        (np.full((2000, 2), 1e30), "flat"),
        (np.clip(head(8, 250.0, 2) * 50, -100, 100), "saturated"),
        (30 * np.random.default_rng(0).standard_normal((2000, 2)), "noisy"),
    ],
    ids=["zeros", "lost", "huge", "clipped", "white"],
)
def test_what_is_no_eeg_has_a_reason(samples: Floats, reason: str) -> None:
    found = fed(track(samples, 250.0, ("F3", "F4")))
    assert found
    assert {each.absent for each in found} == {reason}


def test_what_needs_missing_channels_is_absent_live_too() -> None:
    found = fed(track(head(10, 250.0, 1), 250.0, ("EEG",)))
    assert {each.absent for each in found if each.measure == "eeg_asymmetry"} == {"missing_channels"}
    assert None not in of(found, "eeg_alpha")
    nobody = fed(track(head(10, 250.0, 1), 250.0, ("ECG",)))
    assert {each.absent for each in nobody} == {"missing_channels"}


def test_a_reset_forgets_everything() -> None:
    recording = track(head(10, 250.0), 250.0, NAMES)
    live = LiveEeg(250.0, NAMES)
    first = live.feed(recording.times, recording.samples)
    live.reset()
    assert live.feed(recording.times, recording.samples) == first


def test_what_is_remembered_is_bounded() -> None:
    recording = track(head(120, 128.0, 2), 128.0, ("F3", "F4"))
    live = LiveEeg(128.0, ("F3", "F4"))
    for begin in range(0, len(recording.times), 64):
        live.feed(recording.times[begin : begin + 64], recording.samples[begin : begin + 64])
    assert len(live._cells) <= 30
    assert len(live._starts) == 4


def test_sixty_four_channels_are_read_against_their_mean() -> None:
    names = tuple(f"{row}{number}" for row in ("AF", "F", "FC", "C", "CP", "P", "PO") for number in "z12345")
    x = background(12, 250.0, len(names), shared=0.4)
    sway = 3 * background(12, 250.0, 1, seed=5, amplitude=10.0)
    alone, swaying = (of(fed(track(wave, 250.0, names)), "eeg_beta") for wave in (x, x + sway))
    assert alone == pytest.approx(swaying, rel=0.02)
