"""The functionals against voices whose truth is known, and against what needs no voice to be known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.signals import SIGNALS, VOICE_CHANNELS
from sensors.drivers.simulated.voice import VOWELS, Spoken, speech, vowel
from sensors.sound.frames import BESIDE, FRAMES, STRETCH
from sensors.sound.functionals import Voice
from sensors.sound.rates import RATE

PITCHES = (80, 110, 150, 200, 280, 400)


def rows(samples: NDArray[np.floating]) -> dict[str, NDArray[np.float64]]:
    """Each channel over the whole seconds of a sound."""
    voice = Voice()
    sound = np.concatenate([np.zeros(BESIDE), samples.astype(np.float64), np.zeros(BESIDE)])
    found = [voice.row(sound[k * RATE : k * RATE + STRETCH], 0.0) for k in range(len(samples) // RATE)]
    return dict(zip(VOICE_CHANNELS, np.array(found, np.float64).T, strict=True))


def held(made: Spoken, room: float = -85.0) -> dict[str, float]:
    """The channels of the first second of a vowel, after a second of room."""
    quiet = np.random.default_rng(0).normal(size=RATE) * 10 ** (room / 20)
    return {name: float(each[1]) for name, each in rows(np.concatenate([quiet, made.samples])).items()}


@pytest.mark.parametrize("f0", PITCHES)
@pytest.mark.parametrize("name", sorted(VOWELS))
def test_pitch_is_that_of_the_voice_within_half_a_percent(f0: int, name: str) -> None:
    found = held(vowel(1.2, f0=f0, formants=VOWELS[name], hnr=25, jitter=0.5, shimmer=3, seed=f0))
    assert found["voiced"] == 1
    for channel in ("f0_p20", "f0_p50", "f0_p80"):
        assert found[channel] == pytest.approx(f0, rel=0.015 if channel != "f0_p50" else 0.005)
    assert found["f0_mean"] == pytest.approx(12 * np.log2(f0 / 27.5), abs=0.1)


@pytest.mark.parametrize("f0", PITCHES)
def test_a_noisy_voice_keeps_its_octave(f0: int) -> None:
    found = held(vowel(1.2, f0=f0, hnr=10, jitter=1, shimmer=5, seed=f0))
    assert found["f0_p50"] == pytest.approx(f0, rel=0.02)


def test_a_rising_voice_rises_and_a_falling_one_falls() -> None:
    up, down = held(vowel(1.2, f0=110, f0_end=220)), held(vowel(1.2, f0=220, f0_end=110))
    assert up["f0_rise"] == pytest.approx(12 / 1.2, rel=0.1)
    assert np.isnan(up["f0_fall"])
    assert down["f0_fall"] == pytest.approx(-12 / 1.2, rel=0.1)


@pytest.mark.parametrize("jitter", [0.5, 2.0])
@pytest.mark.parametrize("f0", [90, 130, 200])
def test_jitter_is_that_of_the_periods_within_a_fifth(f0: int, jitter: float) -> None:
    found = [held(vowel(1.2, f0=f0, jitter=jitter, seed=seed))["jitter"] for seed in range(3)]
    truth = [vowel(1.2, f0=f0, jitter=jitter, seed=seed).jitter for seed in range(3)]
    assert np.mean(found) == pytest.approx(np.mean(truth), rel=0.2)


@pytest.mark.parametrize("f0", [90, 130, 200, 300])
def test_an_even_voice_has_hardly_any_jitter_or_shimmer(f0: int) -> None:
    found = held(vowel(1.2, f0=f0))
    assert found["jitter"] < 0.15
    assert found["shimmer"] < 0.5


@pytest.mark.parametrize("shimmer", [4.0, 8.0])
@pytest.mark.parametrize("f0", [90, 130, 200])
def test_shimmer_is_that_of_the_pulses_within_three_tenths(f0: int, shimmer: float) -> None:
    found = [held(vowel(1.2, f0=f0, shimmer=shimmer, seed=seed))["shimmer"] for seed in range(3)]
    truth = [vowel(1.2, f0=f0, shimmer=shimmer, seed=seed).shimmer for seed in range(3)]
    assert np.mean(found) == pytest.approx(np.mean(truth), rel=0.3)


@pytest.mark.parametrize("hnr", [5.0, 12.0, 20.0, 30.0])
@pytest.mark.parametrize("f0", [80, 140, 300])
def test_harmonics_to_noise_is_that_of_the_voice_within_two_decibels(f0: int, hnr: float) -> None:
    assert held(vowel(1.2, f0=f0, hnr=hnr, seed=3))["hnr"] == pytest.approx(hnr, abs=2.5 if hnr == 30 else 2.0)


@pytest.mark.parametrize("f0", [110, 220])
@pytest.mark.parametrize("name", sorted(VOWELS))
def test_formants_are_those_of_the_tract(f0: int, name: str) -> None:
    # women's and children's tracts are shorter by a seventh
    longer = 1.15 if f0 > 160 else 1.0
    truth = [each * longer for each in VOWELS[name]]
    found = held(vowel(1.2, f0=f0, formants=tuple(truth), hnr=25, jitter=0.5, shimmer=3))
    assert found["f1"] == pytest.approx(truth[0], abs=f0 / 3)  # between harmonics nobody knows better
    assert found["f2"] == pytest.approx(truth[1], rel=0.05)
    assert found["f3"] == pytest.approx(truth[2], rel=0.05)


def test_a_tenfold_voice_is_20_decibels_louder_and_otherwise_the_same() -> None:
    soft, loud = held(vowel(1.2, level=-40, hnr=30)), held(vowel(1.2, level=-20, hnr=30))
    for channel in ("level", "level_a", "peak", "loudness_p20", "loudness_p50", "loudness_p80"):
        assert loud[channel] - soft[channel] == pytest.approx(20, abs=0.05), channel
    for channel in ("f0_p50", "hnr", "f1", "alpha_ratio", "hammarberg", "emphasis", "h1_h2", "mfcc1", "mfcc7"):
        assert loud[channel] == pytest.approx(soft[channel], rel=0.01, abs=0.05), channel
    assert loud["level"] == pytest.approx(-20, abs=0.2)


def test_levels_of_tones_are_those_of_the_definition() -> None:
    seconds = np.arange(2 * RATE) / RATE
    found = rows(0.5 * np.sin(2 * np.pi * 1000 * seconds))
    assert found["level"][0] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert found["level_a"][0] == pytest.approx(found["level"][0], abs=0.02)
    assert found["peak"][0] == pytest.approx(20 * np.log10(0.5), abs=0.01)
    # IEC 61672-1, table 3
    for hertz, weight in ((63, -26.2), (125, -16.1), (250, -8.6), (500, -3.2), (2000, 1.2), (4000, 1.0)):
        tone = rows(0.5 * np.sin(2 * np.pi * hertz * seconds))
        assert tone["level_a"][0] - tone["level"][0] == pytest.approx(weight, abs=0.15)


def test_effort_tilts_the_spectrum_in_the_directions_that_are_known() -> None:
    chance = np.random.default_rng(1)
    relaxed = vowel(1.2, f0=120, hnr=30).samples.astype(np.float64)
    # a pressed voice has more above 1 kHz (Traunmueller & Eriksson 2000)
    pressed = relaxed + 6 * np.diff(relaxed, prepend=0.0)
    room = chance.normal(size=RATE) * 1e-5
    soft, strong = rows(np.concatenate([room, relaxed])), rows(np.concatenate([room, pressed]))
    assert strong["emphasis"][1] > soft["emphasis"][1] + 0.5
    assert strong["alpha_ratio"][1] < soft["alpha_ratio"][1] - 2
    assert strong["hammarberg"][1] < soft["hammarberg"][1] - 2
    assert strong["centroid"][1] > soft["centroid"][1]
    assert strong["slope_500_1500"][1] > soft["slope_500_1500"][1]


def test_without_a_voice_there_is_no_number_of_one() -> None:
    chance = np.random.default_rng(2)
    of_voice = [name for name in VOICE_CHANNELS if name.startswith(("f0_", "f1", "f2", "f3", "h1_"))]
    of_voice += ["jitter", "shimmer", "hnr", "emphasis", "alpha_ratio", "slope_0_500", "crossings"]
    for sound in (np.zeros(3 * RATE), chance.normal(size=3 * RATE) * 0.01, np.full(3 * RATE, 0.25)):
        found = rows(sound)
        assert (found["speech"] == 0).all()
        assert (found["voiced"] == 0).all()
        assert (found["syllables"] == 0).all()
        for name in (*of_voice, "loudness_p50", "mfcc1", "flux", "snr"):
            assert np.isnan(found[name]).all(), name
        for name in ("level", "level_a", "peak", "noise", "speech", "voiced"):
            assert np.isfinite(found[name]).all(), name


def test_a_steady_hum_becomes_the_room_and_no_speech() -> None:
    seconds = np.arange(14 * RATE) / RATE
    hum = sum(0.02 / k * np.sin(2 * np.pi * 100 * k * seconds) for k in range(1, 8))
    assert isinstance(hum, np.ndarray)
    assert rows(hum)["speech"].max() == 0


@pytest.mark.parametrize("rate", [2.5, 4.0, 6.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_syllables_and_pauses_are_counted_across_the_seconds(rate: float, seed: int) -> None:
    made = speech(15, rate=rate, pause=0.55, seed=seed)
    found = rows(made.samples)
    assert abs(found["syllables"].sum() - len(made.syllables)) <= 2
    assert found["pauses"].sum() == len(made.pauses)
    assert np.nansum(found["pause"]) == pytest.approx(sum(end - begin for begin, end in made.pauses), rel=0.15)
    assert (np.isfinite(found["pause"]) == (found["pauses"] > 0)).all()


def test_signal_to_noise_is_that_of_the_room() -> None:
    for noise in (-70.0, -55.0, -45.0):
        found = rows(speech(12, level=-25, noise=noise, seed=1).samples)
        assert np.nanmedian(found["snr"]) == pytest.approx(-25 - noise, abs=4)
        assert np.median(found["noise"][3:]) == pytest.approx(noise, abs=2)


def test_a_row_has_what_the_wire_takes_and_no_more() -> None:
    assert SIGNALS["voice_functionals"].channels == VOICE_CHANNELS
    assert len(VOICE_CHANNELS) == len(set(VOICE_CHANNELS)) <= 120
    assert 4 * len(VOICE_CHANNELS) + 4 <= SIGNALS["voice_functionals"].budget
    found = rows(speech(6, seed=2).samples)
    low, high = SIGNALS["voice_functionals"].low, SIGNALS["voice_functionals"].high
    for name, values in found.items():
        there = values[np.isfinite(values)]
        assert ((low <= there) & (there <= high)).all(), name
        assert not np.isinf(values).any(), name
    # everything that is defined occurs
    assert {name for name, values in found.items() if np.isnan(values).all()} == set()


def test_strange_sounds_give_numbers_or_none_and_no_error() -> None:
    chance = np.random.default_rng(7)
    click = np.zeros(2 * RATE)
    click[::4000] = 1
    square = np.sign(np.sin(2 * np.pi * 130 * np.arange(2 * RATE) / RATE))
    for sound in (
        click, square, 1e-7 * chance.normal(size=2 * RATE), 50 * chance.normal(size=2 * RATE),
        np.tile([1.0, -1.0], RATE), np.linspace(-1, 1, 2 * RATE), chance.choice([0.0, 1.0], 2 * RATE),
    ):  # fmt: skip
        for name, values in rows(sound).items():
            assert not np.isinf(values).any(), name


def test_frames_lie_in_their_second() -> None:
    # a click in the second before must not be in this second's levels
    sound = np.zeros(STRETCH)
    sound[100] = 1
    found = dict(zip(VOICE_CHANNELS, Voice().row(sound, 0.0), strict=True))
    assert found["level"] == -120
    assert FRAMES == 100
