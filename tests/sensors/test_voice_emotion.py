"""The voice network that is shipped, from sound to probabilities: what it says, and what it declines to say."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from analytics.voice.words import STRANGE
from kiosk import models
from kiosk.measures import VOICE_EMOTIONS
from kiosk.signals import SIGNALS
from sensors.drivers.simulated.voice import speech
from sensors.sound.emotion import HOP, INPUTS, LEAST, LONGEST, NETWORK, Emotions, channels_of, shown, tells_voice
from sensors.sound.emotion.contour import contour
from sensors.sound.emotion.descriptors import NAMES, described
from sensors.sound.emotion.summary import LENGTH
from sensors.sound.mel import BANDS, CEPSTRA, cepstra, framed, levelled, trimmed
from sensors.sound.rates import RATE

Samples = NDArray[np.float32]


def spoken(seconds: float, *, hertz: float = 130.0, seed: int = 0) -> Samples:
    """The simulator's voice: vowels in syllables, just alike enough to speech to be answered."""
    said = speech(seconds + 0.2, f0=hertz, seed=seed, pause=0.05, phrase=seconds).samples
    return said[round(0.05 * RATE) :][: round(seconds * RATE)]


@pytest.fixture(scope="module")
def emotions() -> Emotions:
    return Emotions(None)


def test_the_shipped_network_is_there_and_tells_what_the_catalogue_knows(emotions: Emotions) -> None:
    network = models.known(NETWORK)
    assert network.shipped
    assert tells_voice(network)
    assert emotions.channels == channels_of(network)
    assert emotions.channels[0] == "voice_net.neutral"
    assert set(network.labels) <= set(VOICE_EMOTIONS)
    assert len(emotions.channels) <= SIGNALS["voice_scores"].most_channels
    assert network.size < 1_500_000


def test_networks_of_faces_are_not_asked_about_voices() -> None:
    told = {network.name for network in models.listed() if tells_voice(network)}
    assert told == {"voice_net", "voice_own"}


def test_speech_gives_probabilities(emotions: Emotions) -> None:
    row = emotions.scores(spoken(2.0))
    assert row.dtype == np.float32
    assert row.shape == (len(emotions.channels),)
    assert emotions.channels[-1] == "voice_net.familiarity"
    assert row[:-1].sum() == pytest.approx(1.0, abs=1e-5)
    assert (row >= 0).all()


def test_real_voices_are_familiar_synthetic_ones_less_so_and_what_is_no_voice_has_no_answer(
    emotions: Emotions, recordings: Path
) -> None:
    rng = np.random.default_rng(7)
    files = sorted((recordings / "voice" / "ravdess").rglob("*.flac"))
    # English, which it never heard
    real = [emotions.scores(heard(file))[-1] for file in rng.permutation(np.array(files, object))[:20]]
    assert np.median(real) > 0.7
    assert min(real) > STRANGE
    assert emotions.scores(spoken(4.0, hertz=200.0))[-1] < 0.6
    at = np.arange(4 * RATE) / RATE
    tones = [sum(0.05 * np.sin(2 * np.pi * each * at) for each in rng.uniform(100, 2000, 4)) for _ in range(5)]
    for sound in [*tones, 0.1 * rng.standard_normal(4 * RATE)]:
        assert np.isnan(emotions.scores(np.asarray(sound, np.float32))).all()


def heard(file: Path) -> Samples:
    samples, rate = soundfile.read(file, dtype="float64", always_2d=True)
    common = np.gcd(int(rate), RATE)
    return np.asarray(resample_poly(samples.mean(axis=1), RATE // common, int(rate) // common), np.float32)


def test_the_same_sound_gives_the_same_row(emotions: Emotions) -> None:
    assert (emotions.scores(spoken(3.0)) == Emotions(None).scores(spoken(3.0))).all()


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(2 * RATE), np.full(2 * RATE, 0.3), np.zeros(0), spoken(0.5 * LEAST), np.full(2 * RATE, np.nan),
        np.append(spoken(2.0), np.inf), 1e-6 * spoken(2.0),
    ],
    ids=["silence", "constant", "empty", "short", "nan", "infinite", "faint"],
)  # fmt: skip
def test_what_is_no_speech_has_no_answer(emotions: Emotions, sound: Samples) -> None:
    row = emotions.scores(sound.astype(np.float32))
    assert row.shape == (len(emotions.channels),)
    assert np.isnan(row).all()


def test_silence_and_zeros_around_speech_tell_nothing(emotions: Emotions) -> None:
    alone = spoken(1.6)
    padded = np.concatenate([np.zeros(RATE // 4, np.float32), alone, np.zeros(RATE, np.float32)])
    assert emotions.scores(padded) == pytest.approx(emotions.scores(alone), abs=0.08)


@pytest.mark.parametrize("gain", [0.02, 0.3, 3.0])
def test_how_loud_it_was_recorded_tells_nothing(emotions: Emotions, gain: float) -> None:
    sound = spoken(2.5)
    assert emotions.scores((gain * sound).astype(np.float32)) == pytest.approx(emotions.scores(sound), abs=0.02)


def test_only_the_last_seconds_are_heard(emotions: Emotions) -> None:
    last = spoken(LONGEST, seed=1)
    before = spoken(3.0, hertz=300.0, seed=2)
    assert (emotions.scores(np.concatenate([before, last])) == emotions.scores(last)).all()
    assert HOP < LONGEST


def test_noise_and_music_are_no_confident_emotion(emotions: Emotions) -> None:
    rng = np.random.default_rng(3)
    at = np.arange(3 * RATE) / RATE
    white = 0.1 * rng.standard_normal(3 * RATE)
    pink = np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.arange(3 * RATE // 2 + 1) + 1.0), 3 * RATE)
    chord = sum(0.05 * np.sin(2 * np.pi * hertz * at) for hertz in (261.6, 329.6, 392.0))
    for sound in (white, pink / np.abs(pink).max(), chord):
        row = emotions.scores(np.asarray(sound, np.float32))
        assert np.isnan(row).all() or row.max() < 0.9


def test_a_damaged_file_of_the_folder_is_left_out(tmp_path: Path) -> None:
    (tmp_path / models.known("voice_own").file).write_bytes(b"no network")
    assert Emotions(tmp_path).channels == Emotions(None).channels


def test_what_networks_are_shown() -> None:
    seen = shown(spoken(2.0))
    assert seen is not None
    assert seen.functionals.shape == (LENGTH,)
    frames = seen.bands.shape[1]
    assert seen.bands.shape == (BANDS, frames)
    assert seen.cepstra.shape == (2 * CEPSTRA, frames)
    for name in INPUTS:
        assert np.isfinite(seen.named(name)).all()
        assert seen.named(name).dtype == np.float32


@pytest.mark.parametrize("hertz", [90.0, 140.0, 220.0, 380.0])
def test_pitch_is_that_of_the_pulses(hertz: float) -> None:
    at = np.arange(RATE) / RATE
    sound = sum(np.sin(2 * np.pi * number * hertz * at) / number for number in range(1, 12))
    found, harmonic = contour(np.asarray(sound), 90)
    assert np.median(found) == pytest.approx(hertz, rel=0.01)
    assert np.median(harmonic) > 0.95


def test_white_noise_is_not_voiced() -> None:
    found, _ = contour(np.random.default_rng(0).standard_normal(RATE), 90)
    assert (found > 0).mean() < 0.1


def test_a_tone_sits_in_its_formant_and_its_band() -> None:
    at = np.arange(RATE) / RATE
    low = described(levelled(np.sin(2 * np.pi * 300 * at)))
    high = described(levelled(np.sin(2 * np.pi * 3000 * at)))
    for of, kilohertz in ((low, 0.3), (high, 3.0)):
        assert np.median(of.rows[:, NAMES.index("centroid")]) == pytest.approx(kilohertz, abs=0.1)
    assert (
        np.median(low.rows[:, NAMES.index("alpha_ratio")])
        > 20
        > -20
        > np.median(high.rows[:, NAMES.index("alpha_ratio")])
    )
    assert low.logs.mean(axis=0).argmax() < high.logs.mean(axis=0).argmax()


def test_cepstra_do_not_know_the_level() -> None:
    logs = np.random.default_rng(1).standard_normal((5, BANDS))
    assert cepstra(logs + 3.0) == pytest.approx(cepstra(logs))


def test_trimming_keeps_speech_and_levelling_brings_it_to_one_level() -> None:
    sound = spoken(1.0).astype(np.float64)
    assert abs(len(trimmed(np.concatenate([np.zeros(8000), sound, np.zeros(16000)]))) - len(trimmed(sound))) < 1440
    assert levelled(0.01 * sound) == pytest.approx(levelled(sound), abs=1e-3)
    assert framed(np.ones(10)).shape == (1, 400)
