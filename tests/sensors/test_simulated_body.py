"""The simulated visitor: one heart behind all signals, the same bits however one asks."""

import tracemalloc
from dataclasses import replace
from functools import cache
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal as sp

from kiosk.signals import SIGNALS
from sensors.drivers.simulated import Body, Person
from sensors.drivers.simulated.body import grid

Floats = NDArray[np.float64]

SIGNAL_NAMES = ("ecg", "ppg", "eeg", "respiration", "rgb", "face_motion", "face_units", "eda", "skin_temperature",
                "acceleration")  # fmt: skip
TROUBLED = Person(seed=5, ectopic_rate=8, motion_rate=6, motion_length=1.5, dropout_rate=20, leads=("II", "V1"),
                  ppg_channels=("infrared", "red"), eyes_closed=((2.0, 4.0),))  # fmt: skip


@cache
def whole(name: str) -> tuple[Floats, Floats]:
    """Irregular times over twelve seconds, and the signal asked for at once."""
    steps = np.random.default_rng(1).exponential(1 / 200, 2400)
    times = np.cumsum(steps)
    return times, Body(TROUBLED).sample(name, times)


def same_bits(a: Floats, b: Floats) -> bool:
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def band(x: Floats, rate: float, low: float, high: float) -> Floats:
    sos = sp.butter(3, [low, high], "bandpass", fs=rate, output="sos")
    return np.asarray(sp.sosfiltfilt(sos, x), dtype=np.float64)


def nearest(found: Floats, wanted: Floats) -> Floats:
    """Signed distance from each wanted time to the nearest found one."""
    return np.array([found[np.argmin(np.abs(found - t))] - t for t in wanted])


# --- the same bits however one asks


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(SIGNAL_NAMES), cuts=st.lists(st.integers(1, 2399), max_size=12, unique=True),
       order=st.randoms(use_true_random=False))  # fmt: skip
def test_pieces_in_any_order_are_the_whole_bit_for_bit(name: str, cuts: list[int], order: Random) -> None:
    times, wanted = whole(name)
    pieces = np.split(np.arange(times.size), sorted(cuts))
    body = Body(TROUBLED)
    got = np.empty_like(wanted)
    order.shuffle(pieces)
    for piece in pieces:
        got[piece] = body.sample(name, times[piece])
    assert same_bits(got, wanted)


@pytest.mark.parametrize("name", SIGNAL_NAMES)
def test_samples_one_by_one_are_the_whole_bit_for_bit(name: str) -> None:
    times, wanted = whole(name)
    body = Body(TROUBLED)
    some = np.arange(0, times.size, 7)
    assert same_bits(np.concatenate([body.sample(name, times[i : i + 1]) for i in some]), wanted[some])


@pytest.mark.parametrize("rate", [25, 29.97, 100, 125, 128, 250, 256, 360, 500, 1000])
@pytest.mark.parametrize("name", SIGNAL_NAMES)
def test_blocks_and_stretches_are_cut_from_the_same_signal(name: str, rate: float) -> None:
    body = Body(TROUBLED)
    count = int(5 * rate)
    wanted = Body(TROUBLED).sample(name, grid(rate, 0, count))
    blocks = np.concatenate([body.block(name, rate, second) for second in range(5)])
    assert same_bits(blocks[:count], wanted)
    step = max(int(rate / 10), 1)
    pieces = [body.stretch(name, rate, k, min(step, count - k)) for k in range(0, count, step)]
    assert same_bits(np.concatenate(pieces), wanted)


@pytest.mark.parametrize("name", SIGNAL_NAMES)
def test_an_hour_later_is_the_same_whether_one_waited_or_jumped(name: str) -> None:
    jumped, waited = Body(TROUBLED), Body(TROUBLED)
    for second in range(0, 3600, 97):
        waited.block(name, 100, second)
    assert same_bits(jumped.block(name, 100, 3600), waited.block(name, 100, 3600))


def test_other_signals_change_nothing() -> None:
    alone, beside = Body(TROUBLED), Body(TROUBLED)
    for name in SIGNAL_NAMES:
        beside.block(name, 50, 3)
    beside.truth(0, 600)
    assert same_bits(alone.block("ecg", 250, 1), beside.block("ecg", 250, 1))


def test_long_times_are_the_same_as_short_ones() -> None:
    times = grid(1000, 0, 20_000)
    body = Body(TROUBLED)
    wanted = np.concatenate([body.ecg(part) for part in np.split(times, 100)])
    assert same_bits(Body(TROUBLED).ecg(times), wanted)


@pytest.mark.parametrize("name", SIGNAL_NAMES)
def test_the_same_seed_is_the_same_person_and_another_seed_another(name: str) -> None:
    first = Body(Person(seed=1)).block(name, 50, 7)
    assert same_bits(first, Body(Person(seed=1)).block(name, 50, 7))
    assert not np.array_equal(first, Body(Person(seed=2)).block(name, 50, 7))


def test_remembered_blocks_cannot_be_spoilt() -> None:
    block = Body(Person()).block("ecg", 250, 0)
    with pytest.raises(ValueError, match="read-only"):
        block[0] = 0.0


def test_minutes_cost_no_memory_of_samples() -> None:
    body = Body(Person())
    names = (("ecg", 250), ("ppg", 100), ("eeg", 250), ("rgb", 30))
    for second in range(40):
        for name, rate in names:
            body.block(name, rate, second)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for second in range(40, 160):
        for name, rate in names:
            body.block(name, rate, second)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    # 120 s of EEG alone are 2 MB; what is kept is blocks (replaced, but counted as new here) and beat times
    assert grown < 3_000_000
    assert len(body.truth(0, 160).beats) > 100


@pytest.mark.parametrize("times", [[-0.1, 0.0], [0.0, 0.0], [1.0, 0.5], [np.nan], [0.0, np.inf], [[0.0], [1.0]]])
def test_times_that_do_not_grow_from_zero_are_refused(times: list[float]) -> None:
    with pytest.raises(ValueError, match="times must be"):
        Body(Person()).ecg(times)


def test_no_times_give_no_samples() -> None:
    assert Body(Person()).ecg([]).shape == (0, 1)
    assert Body(Person()).stretch("rgb", 30, 10, 0).shape == (0, 20)


# --- one heart


@pytest.mark.parametrize("rate", [125, 250, 360, 500, 1000])
@pytest.mark.parametrize("heart_rate", [45.0, 75.0, 120.0, 180.0])
def test_the_top_of_r_is_within_half_a_sample_of_the_true_beat(rate: int, heart_rate: float) -> None:
    body = Body(Person(seed=3, heart_rate=heart_rate).undisturbed())
    x = body.ecg(grid(rate, 0, 60 * rate))[:, 0]
    beats = body.truth(0.5, 59.5).beats
    for beat in beats:
        near = np.arange(round((beat - 0.05) * rate), round((beat + 0.05) * rate))
        top = near[np.argmax(x[near])]
        assert abs(top - beat * rate) <= 0.5 + 0.06 * rate / 1000  # and 60 us for the flanks of Q, S and baseline


@pytest.mark.parametrize("seed", range(4))
def test_peaks_in_a_disturbed_ecg_are_the_true_beats(seed: int) -> None:
    person = Person.random(seed)
    body = Body(person)
    rate = 250
    x = body.ecg(grid(rate, 0, 60 * rate))[:, 0]
    found = sp.find_peaks(band(x, rate, 5, 30), height=0.3 * person.ecg_amplitude, distance=60)[0] / rate
    truth = body.truth(0.5, 59.5)
    assert np.max(np.abs(nearest(found, truth.beats))) < 0.008
    assert np.sum((found >= 0.5) & (found < 59.5)) == pytest.approx(truth.beats.size, abs=1)


@pytest.mark.parametrize("seed", range(4))
def test_feet_of_the_ppg_are_the_true_arrivals(seed: int) -> None:
    body = Body(replace(Person.random(seed), ectopic_rate=0.0).undisturbed())
    rate = 500
    x = body.ppg(grid(rate, 0, 40 * rate))[:, 0]
    truth = body.truth(2, 38)
    slope = np.gradient(x) * rate
    for arrival in truth.pulses:
        around = np.arange(int((arrival - 0.1) * rate), int((arrival + 0.15) * rate))
        steepest = around[np.argmax(slope[around])]
        valley = around[np.argmin(x[around[0] : steepest])]
        foot = steepest / rate - (x[steepest] - x[valley]) / slope[steepest]
        assert foot == pytest.approx(arrival, abs=0.008)


@pytest.mark.parametrize("seed", range(4))
def test_the_same_beats_are_in_ppg_and_face(seed: int) -> None:
    person = replace(Person.random(seed), ectopic_rate=0.0, melanin=0.3)
    body = Body(person)
    truth = body.truth(3, 57)
    ppg = band(body.ppg(grid(100, 0, 6000))[:, 0], 100, 0.6, 5)
    green = -band(body.rgb(grid(60, 0, 3600))[:, 1], 60, 0.6, 5)
    for x, rate in ((ppg, 100), (green, 60)):
        peaks = sp.find_peaks(x, distance=0.4 * rate, prominence=float(np.std(x)))[0] / rate
        late = nearest(peaks, truth.pulses + 0.1)
        assert np.max(np.abs(late - np.median(late))) < 0.09
        inside = peaks[(peaks >= truth.pulses[0]) & (peaks < truth.pulses[-1] + 0.3)]
        assert inside.size == truth.pulses.size


def test_pulse_transit_is_what_the_dial_says_and_varies_slowly() -> None:
    truth = Body(Person(seed=1, pulse_transit=0.25, pulse_transit_variation=0.006)).truth(0, 300)
    transit = truth.pulses - truth.beats
    assert np.mean(transit) == pytest.approx(0.25, abs=0.003)
    assert 0.003 < np.std(transit) < 0.010
    assert np.max(np.abs(np.diff(transit))) < 0.012


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("heart_rate", [40.0, 60.0, 72.0, 100.0, 160.0])
def test_heart_rate_is_what_the_dial_says(heart_rate: float, seed: int) -> None:
    truth = Body(Person(seed=seed, heart_rate=heart_rate)).truth(0, 300)
    assert truth.heart_rate == pytest.approx(heart_rate, abs=0.4)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("sdnn", "rmssd", "heart_rate", "breath"),
    [(20, 15, 75, 15), (50, 42, 68, 14), (50, 25, 60, 12), (90, 80, 60, 13), (40, 24, 90, 18), (100, 100, 55, 15)],
)
def test_variability_reaches_its_target(sdnn: float, rmssd: float, heart_rate: float, breath: float, seed: int) -> None:
    person = Person(seed=seed, heart_rate=heart_rate, respiration_rate=breath).with_hrv(sdnn=sdnn, rmssd=rmssd)
    for start in (0, 300, 3000):
        truth = Body(person).truth(start, start + 300)
        assert truth.sdnn == pytest.approx(sdnn, rel=0.08)
        assert truth.rmssd == pytest.approx(rmssd, rel=0.08)


def test_variability_that_no_heart_could_have_is_refused() -> None:
    with pytest.raises(ValueError, match="rmssd can be"):
        Person().with_hrv(sdnn=20, rmssd=80)


def test_a_metronome_is_possible() -> None:
    truth = Body(Person(rsa_ms=0, mayer_ms=0, vlf_ms=0)).truth(0, 60)
    assert truth.sdnn == pytest.approx(0, abs=1e-6)
    assert truth.pnn50 == 0


def test_heart_rate_follows_a_profile_of_steps_and_ramps() -> None:
    step = Body(Person(heart_rate_profile=((0, 80), (60, 80), (60, 120)), rsa_ms=5, mayer_ms=5, vlf_ms=5))
    assert step.truth(0, 60).heart_rate == pytest.approx(80, abs=1)
    assert step.truth(61, 120).heart_rate == pytest.approx(120, abs=1)
    assert np.all(np.isfinite(step.truth(0, 120).beats))
    ramp = Body(Person(heart_rate_profile=((30, 60), (90, 120)), rsa_ms=5, mayer_ms=5, vlf_ms=5))
    assert ramp.truth(50, 70).heart_rate == pytest.approx(90, abs=2)
    assert ramp.truth(600, 660).heart_rate == pytest.approx(120, abs=1)


def test_sinus_arrhythmia_follows_the_breath() -> None:
    truth = Body(Person(seed=2, rsa_ms=40, mayer_ms=3, vlf_ms=3)).truth(0, 300)
    unwrapped = np.unwrap(truth.respiration_phase)
    phase = (unwrapped[1:] + unwrapped[:-1]) / 2
    basis = np.column_stack([np.cos(phase), np.sin(phase), np.ones(phase.size)])
    rest = truth.rr - basis @ np.linalg.lstsq(basis, truth.rr, rcond=None)[0]
    assert np.var(rest) < 0.2 * np.var(truth.rr)


def test_beats_are_those_of_any_window() -> None:
    body = Body(TROUBLED)
    whole_window = body.truth(0, 120)
    parts = [body.truth(start, start + 7.5) for start in np.arange(0, 120, 7.5)]
    assert np.array_equal(np.concatenate([part.beats for part in parts]), whole_window.beats)
    assert sum((part.kinds for part in parts), ()) == whole_window.kinds
    assert np.allclose(np.concatenate([part.breaths for part in parts]), whole_window.breaths, atol=1e-9)


def test_figures_that_a_window_is_too_short_for_are_absent() -> None:
    body = Body(Person(heart_rate=60))
    beat = body.truth(10, 20).beats[0]
    truth = body.truth(beat - 0.05, beat + 0.05)
    assert (truth.beats.size, truth.heart_rate, truth.sdnn, truth.rmssd, truth.pnn50) == (1, None, None, None, None)


# --- premature beats


@pytest.mark.parametrize("rate", [1.0, 6.0, 15.0])
def test_premature_beats_come_as_often_as_the_dial_says(rate: float) -> None:
    kinds = Body(Person(seed=1, ectopic_rate=rate)).truth(0, 3600).kinds
    assert kinds.count("V") == pytest.approx(60 * rate, rel=0.25)
    assert "VV" not in "".join(kinds)


def test_a_premature_beat_is_early_and_its_pause_makes_up_for_it() -> None:
    truth = Body(Person(seed=1, ectopic_rate=6, rsa_ms=3, mayer_ms=3, vlf_ms=3)).truth(0, 600)
    gaps = np.diff(truth.beats)
    usual = np.median(truth.rr)
    for i in np.flatnonzero(np.array(truth.kinds[1:-1]) == "V") + 1:
        assert 0.5 * usual < gaps[i - 1] < 0.8 * usual
        assert gaps[i - 1] + gaps[i] == pytest.approx(2 * usual, rel=0.05)
    assert truth.sdnn is not None
    assert truth.sdnn < 10  # the normal intervals know nothing of them


def test_a_premature_beat_is_wide_in_the_ecg_and_weak_in_the_pulse() -> None:
    body = Body(Person(seed=1, ectopic_rate=5).undisturbed())
    truth = body.truth(5, 125)
    width: dict[str, list[float]] = {"N": [], "V": []}
    height: dict[str, list[float]] = {"N": [], "V": []}
    for beat, pulse, kind in zip(truth.beats, truth.pulses, truth.kinds, strict=True):
        near = body.ecg(np.arange(beat - 0.1, beat + 0.1, 0.001))[:, 0]
        width[kind].append(0.001 * np.sum(near > near.max() / 2))
        wave = body.ppg(np.arange(pulse, pulse + 0.2, 0.005))[:, 0]
        height[kind].append(wave.max() - wave[0])
    assert np.median(width["V"]) > 2.2 * np.median(width["N"])
    assert np.median(height["V"]) < 0.6 * np.median(height["N"])


# --- the signals look like what they are


def test_every_signal_has_the_channels_and_the_range_of_the_catalogue() -> None:
    body = Body(Person())
    for name in SIGNAL_NAMES:
        row = SIGNALS[name]
        x = body.sample(name, grid(50, 0, 1500))
        assert row.leaves
        assert row.accepts_channels(body.channels(name))
        assert x.shape == (1500, len(body.channels(name)))
        assert x.dtype == np.float64
        assert row.low <= x.min() <= x.max() <= row.high
        assert np.array_equal(x, getattr(body, name)(grid(50, 0, 1500)))


def test_r_and_t_have_the_heights_of_the_dials_and_swapped_electrodes_turn_them_over() -> None:
    person = Person(seed=1, heart_rate=60, ecg_amplitude=1.5, t_height=0.4).undisturbed()
    body, swapped = Body(person), Body(replace(person, inverted=True))
    for beat in body.truth(1, 30).beats:
        assert body.ecg([beat])[0, 0] == pytest.approx(1.5, rel=0.08)
        assert body.ecg(np.arange(beat + 0.15, beat + 0.45, 0.004)).max() == pytest.approx(0.4, rel=0.15)
        assert swapped.ecg([beat])[0, 0] == -body.ecg([beat])[0, 0]


def test_the_limb_leads_obey_einthoven_and_goldberger() -> None:
    leads = ("I", "II", "III", "aVR", "aVL", "aVF")
    x = Body(Person(leads=leads, ectopic_rate=5).undisturbed()).ecg(grid(250, 0, 5000))
    one, two, three, right, left, foot = x.T
    np.testing.assert_allclose(one + three, two, atol=1e-12)
    np.testing.assert_allclose(right, -(one + two) / 2, atol=1e-12)
    np.testing.assert_allclose(left, (one - three) / 2, atol=1e-12)
    np.testing.assert_allclose(foot, (two + three) / 2, atol=1e-12)


def test_the_belt_shows_the_true_breaths() -> None:
    body = Body(Person(seed=4, respiration_rate=16))
    truth = body.truth(5, 295)
    x = body.respiration(grid(25, 0, 7500))[:, 0]
    valleys = sp.find_peaks(-x, distance=40, prominence=0.8)[0] / 25
    assert truth.respiration_rate == pytest.approx(16, abs=0.5)
    assert np.max(np.abs(nearest(valleys, truth.breaths))) < 0.4
    assert np.sum((valleys >= 5) & (valleys < 295)) == pytest.approx(truth.breaths.size, abs=1)


def test_blood_changes_the_colours_along_its_vector_and_dark_skin_shows_it_less() -> None:
    person = Person(seed=1, melanin=0.1).undisturbed()
    shares = []
    for melanin in (0.1, 0.9):
        x = Body(replace(person, melanin=melanin, head_motion=0)).rgb(grid(30, 0, 900))[:, :3]
        shares.append(np.std(x / x.mean(axis=0), axis=0))
    np.testing.assert_allclose(shares[0] / np.linalg.norm(shares[0]), [0.333, 0.776, 0.534], atol=0.005)
    assert shares[1][1] < 0.6 * shares[0][1]


def test_camera_noise_falls_with_the_number_of_pixels() -> None:
    quiet = replace(Person(seed=1).undisturbed(), pixel_noise=3.0, rgb_amplitude=0.0)
    x = Body(quiet).rgb(grid(30, 0, 900))
    column = Body(quiet).channels("rgb").index
    whole_noise, chin_noise = np.std(x[:, column("whole_g")]), np.std(x[:, column("chin_g")])
    ratio = np.sqrt(x[:, column("whole_pixels")].mean() / x[:, column("chin_pixels")].mean())
    assert chin_noise / whole_noise == pytest.approx(ratio, rel=0.1)


def test_closed_eyes_bring_alpha_at_the_back_of_the_head() -> None:
    person = Person(seed=2, eyes_closed=((60, 120),), alpha_frequency=9.5)
    body = Body(person)
    back, front = body.channels("eeg").index("Oz"), body.channels("eeg").index("Fz")
    spectra = []
    for start in (0, 62):
        f, p = sp.welch(body.eeg(start + grid(250, 0, 250 * 56)), 250, nperseg=1000, axis=0)
        spectra.append(p[(f >= 7) & (f <= 13)])
    assert spectra[1][:, back].sum() > 8 * spectra[0][:, back].sum()
    assert spectra[1][:, back].sum() > 3 * spectra[1][:, front].sum()
    assert np.arange(7, 13.01, 0.25)[spectra[1][:, back].argmax()] == pytest.approx(9.5, abs=0.6)


def test_an_oximeter_could_read_its_oxygen_from_red_and_infrared() -> None:
    x = Body(Person(spo2=94.0, ppg_channels=("red", "infrared")).undisturbed()).ppg(grid(100, 0, 1000))
    assert 110 - 25 * np.std(x[:, 0]) / np.std(x[:, 1]) == pytest.approx(94.0, abs=0.01)


# --- what goes wrong


@pytest.mark.parametrize("name", SIGNAL_NAMES)
def test_lost_samples_are_nan_and_no_others(name: str) -> None:
    body = Body(Person(seed=3, dropout_rate=10, dropout_length=0.8))
    times = grid(50, 0, 3000)
    lost = np.zeros(times.size, dtype=bool)
    gaps = [(start, end) for signal, start, end in body.truth(0, 60).dropouts if signal == name]
    for start, end in gaps:
        lost |= (times >= start) & (times < end)
    assert 4 <= len(gaps) <= 20
    assert np.array_equal(np.isnan(body.sample(name, times)).any(axis=1), lost)
    assert np.array_equal(np.isnan(body.sample(name, times)).all(axis=1), lost)


@pytest.mark.parametrize("name", ["ecg", "ppg", "eeg", "respiration", "rgb", "acceleration"])
def test_movements_spoil_the_signals_while_they_last(name: str) -> None:
    still, moving = Body(Person(seed=3)), Body(Person(seed=3, motion_rate=4))
    times = grid(50, 0, 6000)
    change = np.abs(moving.sample(name, times) - still.sample(name, times)).max(axis=1)
    inside = np.zeros(times.size, dtype=bool)
    for start, end in moving.truth(0, 120).motion:
        inside |= (times >= start) & (times < end)
    assert inside.any()
    assert np.all(change[~inside] == 0)
    assert np.median(change[inside]) > 0
    assert len(still.truth(0, 120).motion) == 0


def test_mains_hum_has_the_frequency_of_the_country() -> None:
    for hertz in (50.0, 60.0):
        x = Body(Person(ecg_mains=0.1, mains_frequency=hertz)).ecg(grid(500, 0, 5000))[:, 0]
        f, p = sp.welch(x, 500, nperseg=2500)
        assert f[f > 40][p[f > 40].argmax()] == pytest.approx(hertz, abs=0.2)


# --- the person


@pytest.mark.parametrize("seed", [*range(40), 410, 530])  # the last two breathe slowly for their pulse
def test_a_random_person_is_plausible(seed: int) -> None:
    person = Person.random(seed)
    body = Body(person)
    pressure = body.blood_pressure(60.0)
    assert 90 < pressure.systolic < 175
    assert 50 < pressure.diastolic < pressure.mean < pressure.systolic - 20
    assert 92 <= body.spo2(60.0) <= 100
    assert 35.5 < body.temperature(60.0) < 37.6
    assert 35 < body.weight() < 140
    assert 145 < body.height() < 200
    assert 40 < person.heart_rate < 100
    truth = body.truth(0, 300)
    assert truth.sdnn is not None
    assert 12 < truth.sdnn < 120
    assert truth.rr.min() > 0.45


def test_age_and_sex_can_be_given_and_age_lowers_variability() -> None:
    young, old = Person.random(9, age=25, sex="female"), Person.random(9, age=75, sex="female")
    assert (young.age, young.sex) == (25, "female")
    assert (young.heart_rate, young.melanin) == (old.heart_rate, old.melanin)
    assert young.rsa_ms > 1.2 * old.rsa_ms


def test_spot_values_drift_but_belong_to_the_seed() -> None:
    body = Body(Person(seed=1))
    readings = [body.blood_pressure(t).systolic for t in np.arange(0, 300, 5.0)]
    assert 1 < np.std(readings) < 6
    assert body.blood_pressure(100.0) == Body(Person(seed=1)).blood_pressure(100.0)
    assert body.spo2(1.0) != body.spo2(100.0)


def test_dials_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="heart rate"):
        Person(heart_rate=10)
    with pytest.raises(ValueError, match="order of time"):
        Person(heart_rate_profile=((60, 80), (0, 120)))
    with pytest.raises(ValueError, match="melanin"):
        Person(melanin=2)
    with pytest.raises(ValueError, match="dropout_rate"):
        Person(dropout_rate=-1)
    with pytest.raises(ValueError, match="ecg_white"):
        Person(ecg_white=float("nan"))
    with pytest.raises(ValueError, match="no such lead"):
        Body(Person(leads=("X",))).channels("ecg")
    with pytest.raises(ValueError, match="no signal"):
        Body(Person()).channels("audio")
    with pytest.raises(ValueError, match="window"):
        Body(Person()).truth(5, 5)
