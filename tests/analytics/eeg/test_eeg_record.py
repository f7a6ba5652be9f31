"""A whole recording's EEG: its numbers, where they come from, and why there are none."""

import math

import numpy as np
import pytest
from mne.time_frequency import psd_array_welch

from analytics import eeg
from analytics.eeg.bands import LIMITS
from analytics.eeg.lids import Lids
from kiosk.measures import BANDS, MEASURES
from kiosk.messages import SECOND
from kiosk.recording import Track
from tests.analytics.eeg.brains import (
    EIGHT,
    POWERS,
    RATE,
    TEN_TWENTY,
    Floats,
    background,
    head,
    powers,
    reasons,
    rhythm,
    spindles,
    told,
    track,
    values,
)


def assert_same(found: dict[str, float | None], expected: dict[str, float | None]) -> None:
    assert {m for m, value in found.items() if value is None} == {m for m, v in expected.items() if v is None}
    for measure, value in found.items():
        assert value is None or value == pytest.approx(expected[measure], rel=1e-9), measure


@pytest.mark.parametrize("rate", [125.0, 160.0, 250.0, 500.0, 1000.0])
@pytest.mark.parametrize("channels", [1, 8])
def test_powers_are_those_of_mnes_spectra_to_two_percent(rate: float, channels: int) -> None:
    x = head(60.0, channels, rate)
    size = 2 * round(rate)
    density, found = psd_array_welch(
        x.T, rate, n_fft=size, n_per_seg=size, n_overlap=size // 2, window="hann", verbose="ERROR"
    )
    theirs = [
        np.trapezoid(density[:, inside].mean(axis=0), found[inside])
        for low, high in LIMITS.values()
        for inside in [(found >= low) & (found <= high)]
    ]
    assert powers(track(x, rate, EIGHT[:channels])) == pytest.approx(theirs, rel=0.02)


@pytest.mark.parametrize("rate", [125.0, 250.0, 1000.0])
def test_a_rhythm_adds_its_power_to_its_band_alone(rate: float) -> None:
    x = background(60, rate, 4, amplitude=3.0)
    before = powers(track(x, rate, EIGHT[:4]))
    after = powers(track(x + rhythm(60, rate, 10.5, 50.0), rate, EIGHT[:4]))
    assert after - before == pytest.approx([0, 0, 50.0, 0, 0], abs=1.0)


def test_shares_are_of_the_whole() -> None:
    found = values(track(head(), RATE, EIGHT))
    shares = [found[f"eeg_{band}_relative"] or 0.0 for band in BANDS]
    assert sum(shares) == pytest.approx(1.0)
    total = sum(found[measure] or 0.0 for measure in POWERS)
    assert shares[2] == pytest.approx((found["eeg_alpha"] or 0.0) / total)
    assert found["eeg_slowing"] == pytest.approx((found["eeg_theta"] or 0.0) / (found["eeg_alpha"] or 1.0))


def test_everything_is_told_of_eight_good_channels() -> None:
    answers = told(track(head(), RATE, EIGHT))
    absent = {measure for measure, each in answers.items() if each.finding.value is None}
    assert absent == {"eeg_eyes_contrast"}
    assert all(MEASURES[measure].possible(each.finding.value or 0.0) for measure, each in answers.items())
    assert all(each.finding.low is None is each.finding.high for each in answers.values())
    assert answers["eeg_alpha"].note == "mean of F3, Fz, F4, P3, Pz, P4, O1, O2"
    assert answers["eeg_alpha_peak"].finding.value == pytest.approx(10.0, abs=0.3)
    assert answers["eeg_alpha_peak"].note == "of Pz, P3, P4, O1, O2"
    assert answers["eeg_usable"].finding.value == 100.0


def test_the_same_recording_says_the_same_bit_for_bit() -> None:
    recording = track(head(), RATE, EIGHT)
    assert eeg.answers(recording) == eeg.answers(recording)


def test_polarity_and_the_order_of_channels_change_nothing() -> None:
    x = head()
    expected = values(track(x, RATE, EIGHT))
    assert_same(values(track(-x, RATE, EIGHT)), expected)
    assert_same(values(track(x[:, ::-1], RATE, EIGHT[::-1])), expected)


def test_asymmetry_is_of_the_first_pair_that_is_there() -> None:
    alpha = spindles(60, RATE, 10.0, 30.0)
    left, right = 1.0, np.sqrt(2.0)
    x = background(60, RATE, 4, amplitude=1.0) + alpha * np.array([left, right, right, left])
    answer = told(track(x, RATE, ("F3", "F4", "F7", "F8")))["eeg_asymmetry"]
    assert answer.finding.value == pytest.approx(math.log(2.0), abs=0.02)
    assert answer.finding.method.endswith("F4/F3")
    other = told(track(x[:, 2:], RATE, ("F7", "F8")))["eeg_asymmetry"]
    assert other.finding.value == pytest.approx(-math.log(2.0), abs=0.02)
    assert other.finding.method.endswith("F8/F7")


@pytest.mark.parametrize(
    ("channels", "missing"),
    [
        (("EEG",), {"eeg_asymmetry", "eeg_theta_beta"}),
        (("F3", "O1"), {"eeg_asymmetry"}),
        (("O1", "O2"), {"eeg_asymmetry", "eeg_theta_beta"}),
        (("Fp1-F7", "Fp2-F8"), {"eeg_asymmetry", "eeg_theta_beta"}),
        (("F7", "F8"), set()),
    ],
    ids=lambda value: "-".join(sorted(value)) or "none",
)
def test_what_needs_channels_that_are_missing_is_absent(channels: tuple[str, ...], missing: set[str]) -> None:
    answers = told(track(head(channels=len(channels)), RATE, channels))
    found = {measure for measure, each in answers.items() if each.finding.absent == "missing_channels"}
    assert found == missing
    assert answers["eeg_alpha"].finding.value is not None


def test_channels_that_are_no_brain_are_not_looked_at() -> None:
    x = head(channels=2)
    loud = 900.0 * rhythm(60, RATE, 1.2, 1.0)
    found = values(track(np.hstack((x, loud)), RATE, ("F3", "F4", "ECG")))
    assert_same(found, values(track(x, RATE, ("F3", "F4"))))
    assert reasons(track(loud, RATE, ("ECG",))) == {"missing_channels"}


def test_an_average_reference_takes_sixteen_good_electrodes() -> None:
    x = background(60, RATE, 19, shared=0.5)
    sway = 30.0 * background(60, RATE, 1, seed=77, amplitude=1.0)
    many = track(x + sway, RATE, TEN_TWENTY)
    assert "against the average of the scalp" in told(many)["eeg_alpha"].note
    # what all of them share is the reference's own
    assert powers(many) == pytest.approx(powers(track(x, RATE, TEN_TWENTY)), rel=5e-3)
    few = track((x + sway)[:, :15], RATE, TEN_TWENTY[:15])
    assert "average" not in told(few)["eeg_alpha"].note
    assert (powers(few) > 3 * powers(many)).all()
    broken = x + sway
    broken[:, :5] = 0.0
    left = told(track(broken, RATE, TEN_TWENTY))
    assert "average" not in left["eeg_alpha"].note
    assert left["eeg_alpha"].finding.value == pytest.approx(powers(track((x + sway)[:, 5:], RATE, TEN_TWENTY[5:]))[2])


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros((0, 2)), "too_short"),
        (np.zeros((2, 2)), "too_short"),
        (head(5.0, 2), "too_short"),
        (head(9.5, 2), "too_short"),
        (np.zeros((15_000, 2)), "flat"),
        (np.full((15_000, 2), 1.7), "flat"),
        (np.full((15_000, 2), 1e30), "flat"),
        (np.full((15_000, 2), np.nan), "not_delivered"),
        (np.clip(head(60.0, 2) * 50, -100, 100), "saturated"),
        (20 * np.random.default_rng(0).standard_normal((15_000, 2)), "noisy"),
        (head(60.0, 2) * 1e-6, "impossible"),
        (0.02 * np.random.default_rng(0).standard_normal((15_000, 2)), "flat"),
    ],
    ids=[
        "nothing",
        "two samples",
        "5 s",
        "9.5 s",
        "zeros",
        "constant",
        "huge",
        "lost",
        "clipped",
        "white",
        "volt",
        "amplifier",
    ],
)
def test_what_is_no_eeg_has_no_number(samples: Floats, reason: str) -> None:
    recording = track(samples, RATE, ("F3", "F4"))
    assert reasons(recording) == {reason}
    if reason == "impossible":
        assert "another unit" in told(recording)["eeg_alpha"].note


def test_ten_seconds_are_enough() -> None:
    assert None not in powers(track(head(10.5, 2), RATE, ("F3", "F4")))


def test_raw_counts_have_ratios_and_no_powers() -> None:
    expected = told(track(head(channels=2), RATE, ("F3", "F4")))
    answers = told(track(20 * head(channels=2), RATE, ("F3", "F4")))
    assert answers["eeg_alpha"].finding.absent == "impossible"
    assert "too much for EEG" in answers["eeg_alpha"].note
    assert answers["eeg_activity"].finding.absent == answers["eeg_alpha_entropy"].finding.absent == "impossible"
    for measure in ("eeg_alpha_relative", "eeg_slowing", "eeg_asymmetry", "eeg_mobility"):
        assert answers[measure].finding.value == pytest.approx(expected[measure].finding.value, rel=1e-4, abs=1e-6)


def test_a_rate_that_does_not_carry_a_band_is_said() -> None:
    slow = told(track(head(60.0, 2, 64.0), 64.0, ("F3", "F4")))
    assert slow["eeg_gamma"].finding.absent == slow["eeg_beta"].finding.absent == "unsuitable_rate"
    assert slow["eeg_theta_beta"].finding.absent == slow["eeg_engagement"].finding.absent == "unsuitable_rate"
    assert slow["eeg_alpha"].finding.value is not None
    assert reasons(track(head(60.0, 2, 40.0), 40.0, ("F3", "F4"))) == {"unsuitable_rate"}
    own_times = track(head(60.0, 2), RATE, ("F3", "F4"))
    assert reasons(Track("eeg", "cap", ("F3", "F4"), None, own_times.times, own_times.samples)) == {"unsuitable_rate"}


def test_sixty_four_channels_are_read() -> None:
    names = tuple(f"E{number}" for number in range(1, 65))
    assert values(track(head(20.0, 64), RATE, names))["eeg_alpha"] == pytest.approx(
        values(track(head(20.0, 8), RATE, EIGHT))["eeg_alpha"], rel=0.1
    )


def test_eyes_closed_over_open_takes_to_know_when() -> None:
    x = background(80, RATE, 8)
    alpha = spindles(80, RATE, 10.0, 40.0)
    alpha[round(40 * RATE) :] *= np.sqrt(0.25)
    recording = track(x + alpha, RATE, EIGHT)
    lids = (Lids(0, 40 * SECOND, closed=True), Lids(40 * SECOND, 80 * SECOND, closed=False))
    contrast = {each.finding.measure: each.finding for each in eeg.answers(recording, lids)}["eeg_eyes_contrast"]
    halves = recording.part(0, 10_000), recording.part(10_000, 20_000)
    assert contrast.value == pytest.approx(eeg.eyes_contrast(*halves), rel=0.1)
    assert 1.8 < (contrast.value or 0.0) < 4.0
    assert told(recording)["eeg_eyes_contrast"].finding.absent == "no_reference"
    short = (Lids(0, 40 * SECOND, closed=True), Lids(40 * SECOND, 45 * SECOND, closed=False))
    findings = {each.finding.measure: each.finding for each in eeg.answers(recording, short)}
    assert findings["eeg_eyes_contrast"].absent == "insufficient"
    assert eeg.eyes_contrast(halves[0], halves[1].part(0, 500)) is None


def test_the_figures_have_what_the_answers_have() -> None:
    recording = track(head(), RATE, EIGHT)
    found, drawn = eeg.spectrum(recording), eeg.course(recording)
    assert found is not None
    assert drawn is not None
    assert found.channels == EIGHT
    assert found.power.shape == (8, len(found.frequencies))
    assert found.background is not None
    assert found.background.shape == found.frequencies.shape
    alpha = (found.frequencies >= 9) & (found.frequencies <= 11)
    assert (found.power.mean(axis=0)[alpha] > found.background[alpha]).all()
    assert drawn.bands == BANDS
    assert drawn.times[0] == 1.0
    assert np.diff(drawn.times) == pytest.approx(1.0)
    assert drawn.powers.mean(axis=0) == pytest.approx(powers(recording))
    nothing = track(np.zeros((5000, 2)), RATE, ("F3", "F4"))
    assert eeg.spectrum(nothing) is None is eeg.course(nothing)


def test_a_share_says_which_bands_the_rate_left_out() -> None:
    slow = told(track(head(60.0, 2, 72.0), 72.0, ("F3", "F4")))
    assert slow["eeg_alpha_relative"].note.startswith("without gamma; mean of F3, F4")
    slower = told(track(head(60.0, 2, 60.0), 60.0, ("F3", "F4")))
    assert slower["eeg_alpha_relative"].note.startswith("without beta and gamma")
    assert sum(slower[f"eeg_{band}_relative"].finding.value or 0.0 for band in BANDS) == pytest.approx(1.0)
