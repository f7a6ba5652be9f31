"""Sound files: what is heard in them is what a microphone says, and what is no sound is refused with the reason."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from kiosk.errors import BadRecording
from kiosk.signals import VOICE_CHANNELS
from sensors import files
from sensors.drivers.simulated.voice import speech
from sensors.files import sound
from sensors.listener import FUNCTIONALS, Listener

SPOKEN = speech(3.5, seed=4).samples


def written(path: Path, samples: np.ndarray = SPOKEN, rate: int = 16_000, **options: str) -> Path:
    soundfile.write(path, samples, rate, **options)
    return path


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "A.WAV"])
def test_a_file_says_what_its_sound_says(tmp_path: Path, name: str) -> None:
    recording = files.read(written(tmp_path / name))
    [track] = recording.of(FUNCTIONALS)
    assert (track.device, track.rate, track.channels) == ("microphone", None, VOICE_CHANNELS)
    assert track.times.tolist() == [10**9, 2 * 10**9, 3 * 10**9]
    listener = Listener(None, 16_000)
    heard = listener.feed(SPOKEN, 0) + listener.finish()
    live = np.array([each.values for each in heard if each.signal == FUNCTIONALS])
    for channel in ("f0_p50", "level", "speech", "syllables"):
        place = VOICE_CHANNELS.index(channel)
        exact = 1e-3 if name.lower().endswith(("wav", "flac")) else 0.1
        assert track.samples[:, place] == pytest.approx(live[:, place], rel=exact, abs=exact, nan_ok=True), channel


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "DOUBLE", "ULAW"])
def test_however_samples_are_written_they_are_full_scale_one(tmp_path: Path, subtype: str) -> None:
    recording = sound.read(written(tmp_path / "a.wav", subtype=subtype))
    assert recording.tracks[0].channel("level")[1] == pytest.approx(20 * np.log10(SPOKEN[16_000:32_000].std()), abs=0.2)


def test_rates_and_channels_are_said(tmp_path: Path) -> None:
    for rate in (4_000, 44_100, 192_000):
        stereo = np.random.default_rng(1).normal(size=(rate * 2, 2)) * 0.1
        recording = sound.read(written(tmp_path / "a.wav", stereo, rate))
        assert len(recording.tracks[0].times) == 2
        assert recording.assumed == (("channels", "the mean of 2"),)


@pytest.mark.parametrize("kind", ["auto", "voice"])
def test_a_voice_is_asked_for_by_kind_or_known_by_its_suffix(tmp_path: Path, kind: str) -> None:
    assert files.read(written(tmp_path / "a.wav"), kind=kind).of(FUNCTIONALS)


def test_another_suffix_does_as_well_when_voice_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav").rename(tmp_path / "a.dat")
    assert files.read(path, kind="voice").of(FUNCTIONALS)


def test_in_a_folder_sound_is_a_recording(tmp_path: Path) -> None:
    path = written(tmp_path / "a.flac")
    assert files.find([tmp_path]).recordings == (path,)


def test_channel_and_rate_are_no_choices(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav")
    for options in ({"channel": "1"}, {"rate": 16_000.0}):
        with pytest.raises(BadRecording, match="leave out"):
            files.read(path, **options)


def test_what_is_cut_off_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    path = written(tmp_path / "a.flac", np.tile(SPOKEN, 4))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    recording = sound.read(path)
    assert 2 <= len(recording.tracks[0].times) < 13
    assert dict(recording.assumed)["end"].startswith("cut off")


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "empty"), (b"RIFF\x24\x00\x00\x00WAVE", "no sound that can be read"), (b"what is this", "no sound"),
        (b"\x00" * 5000, "no sound"),
    ],
    ids=["empty", "head", "text", "zeros"],
)  # fmt: skip
def test_what_is_no_sound_is_refused(tmp_path: Path, content: bytes, cause: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(BadRecording, match=cause):
        files.read(path)


def test_a_recording_lasts_as_long_as_its_sound(tmp_path: Path) -> None:
    one, other = (
        sound.read(written(tmp_path / f"{seconds}.wav", SPOKEN[: round(16_000 * seconds)])) for seconds in (1.6, 2.4)
    )
    assert (one.duration, other.duration) == (1.6, 2.4)
    assert files.join([one, other]).duration == 2.4


def test_a_word_too_short_for_the_network_is_refused_for_what_it_lacks(tmp_path: Path) -> None:
    hiss = np.random.default_rng(5).normal(size=12_000) * 1e-3
    with pytest.raises(BadRecording, match="too little speech for the voice network"):
        sound.read(written(tmp_path / "a.wav", hiss))


def test_sounds_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).normal(size=32_000) * 0.1
    broken = noise.copy()
    broken[500] = np.nan
    for samples, rate, options, cause in (
        (noise, 3_000, {}, "3000 Hz"), (noise, 200_000, {}, "200000 Hz"), (noise[:0], 16_000, {}, "no sound in it"),
        (noise[:3_000], 16_000, {}, "at least 0.3"), (np.zeros(32_000), 16_000, {}, "nothing to hear"),
        (broken, 16_000, {"subtype": "FLOAT"}, "no sound"), (noise * 1e6, 16_000, {"subtype": "FLOAT"}, "no sound"),
        (np.tile(noise[:, None], 40), 16_000, {}, "40 channels"),
    ):  # fmt: skip
        with pytest.raises(BadRecording, match=cause):
            sound.read(written(tmp_path / "a.wav", samples, rate, **options))
    aiff = written(tmp_path / "a.aiff", noise)
    with pytest.raises(BadRecording, match="AIFF: WAV, FLAC, OGG and MP3 are read"):
        sound.read(aiff)


def test_a_header_that_promises_days_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "LONGEST", 2.0)
    with pytest.raises(BadRecording, match="at most 2 are read"):
        sound.read(written(tmp_path / "a.wav"))


def test_real_speech_is_heard(recordings: Path, networks: Path) -> None:
    for path in sorted((recordings / "voice" / "emodb7").glob("*.flac"))[::60]:
        recording = files.read(path, models=networks)
        [functionals] = recording.of("voice_functionals")
        assert len(functionals.times) == 2
        assert 60 < np.nanmedian(functionals.channel("f0_p50")) < 500
        assert functionals.channel("speech").max() > 0.4
        assert all(len(track.times) == 1 for track in recording.of("voice_scores"))
