"""Nothing of what is said leaves the sensor process: neither sound, nor numbers that sound can be made of again."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from pystoi import stoi
from scipy.signal import resample_poly

from kiosk.bus import MemoryBus
from kiosk.messages import check
from kiosk.models import OpenNetwork
from kiosk.signals import SIGNALS, VOICE_CHANNELS
from sensors.drivers.microphone.devices import microphone
from sensors.listener import FUNCTIONALS, SCORES, Listener
from sensors.sound import functionals
from sensors.sound.cepstrum import cepstra
from sensors.sound.functionals import Voice
from sensors.sound.pitch import Pitch, pitch
from sensors.sound.spectra import Spectra
from tests import privacy_visit
from tests.conftest import require
from tests.privacy_traces import Trace, found
from tests.privacy_visit import Told, seconds, told
from tests.privacy_vocoder import from_frames, from_rows, nothing

Floats = NDArray[np.float64]
RATE = 16_000
INTELLIGIBLE, NOT = 0.5, 0.3
"""What the control must exceed, and what everything published must stay below.

The short-time objective intelligibility (STOI: Taal et al. 2011, doi:10.1109/TASL.2011.2114881) clips what it judges to
what was said, and so gives .4 to .55 to a plain buzz or tone, which tells nothing. So three things are asked: of the
guesses that come and go as speech does, STOI is below the bound; no guess at all is above a sound that tells nothing;
and the extended measure (ESTOI: Jensen & Taal 2016, doi:10.1109/TASLP.2016.2585878), which does not clip and gives 0 to
such sounds, is below the bound for the best guess of all."""
SENTENCES = (
    "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. "
    "It is easy to tell the depth of a well. These days a chicken leg is a rare dish."
)
"""Harvard sentences (IEEE 1969, doi:10.1109/TAU.1969.1162058)."""


@dataclass(frozen=True)
class Rebuilt:
    """Intelligibility of speech that was rebuilt."""

    control: float
    """STOI and ESTOI, the lesser, of what was rebuilt from frames."""
    typical: float
    """STOI of a guess from the rows that sounds like speech: the middle one."""
    best: float
    """STOI of the best guess, chosen with the true speech."""
    nothing: float
    """STOI of the best sound that tells nothing."""
    extended: float
    """ESTOI of the best guess."""


def rebuilt(sound: Floats, models: Path | None) -> Rebuilt:
    """What an attacker makes of everything that is published of a sound."""
    sound = sound[: len(sound) // RATE * RATE]
    listener = Listener(models, RATE)
    heard = listener.feed(sound.astype(np.float32), 0) + listener.finish()
    rows = np.array([each.values for each in heard if each.signal == FUNCTIONALS], np.float64)
    assert len(rows) == len(sound) // RATE
    assert {each.signal for each in heard} <= {FUNCTIONALS, SCORES}
    control, guesses = from_frames(sound), list(from_rows(rows))
    plain = [stoi(sound, guess, RATE) for guess in guesses]
    return Rebuilt(
        control=min(stoi(sound, control, RATE), stoi(sound, control, RATE, extended=True)),
        typical=float(np.median(plain[1:])),
        best=max(plain),
        nothing=max(stoi(sound, each, RATE) for each in nothing(len(sound))),
        extended=max(stoi(sound, guess, RATE, extended=True) for guess in guesses),
    )


def understood(attack: Rebuilt) -> bool:
    """Whether anything could be understood of it."""
    return attack.typical >= NOT or attack.best >= attack.nothing + 0.05 or attack.extended >= NOT


@pytest.mark.parametrize("voice", ["en", "de", "ru"])
def test_nothing_can_be_understood_of_what_is_rebuilt_of_spoken_sentences(voice: str, tmp_path: Path) -> None:
    espeak = shutil.which("espeak-ng")
    require(espeak, "espeak-ng")
    subprocess.run(["espeak-ng", "-v", voice, "-w", str(tmp_path / "a.wav"), SENTENCES], check=True)
    sound, rate = soundfile.read(tmp_path / "a.wav")
    attack = rebuilt(resample_poly(sound, RATE, rate), None)
    assert attack.control > INTELLIGIBLE
    assert not understood(attack), attack


def test_nothing_can_be_understood_of_what_is_rebuilt_of_real_speech(recordings: Path, networks: Path) -> None:
    files = sorted((recordings / "voice" / "emodb4").glob("*.flac"))
    # long enough for three rows at least; several speakers, all of the sentence's emotions
    chosen = [path for path in files if soundfile.info(path).duration > 3][::9]
    assert len({path.name[:2] for path in chosen}) >= 4
    for path in chosen[:4]:
        attack = rebuilt(soundfile.read(path)[0], networks)
        assert attack.control > INTELLIGIBLE, path.name
        assert not understood(attack), (path.name, attack)


def test_the_measure_tells_speech_from_other_speech(tmp_path: Path) -> None:
    require(shutil.which("espeak-ng"), "espeak-ng")
    sounds = []
    for number, words in enumerate((SENTENCES, "Four hours of steady work faced us. " * 4)):
        subprocess.run(["espeak-ng", "-v", "en", "-w", str(tmp_path / f"{number}.wav"), words], check=True)
        sound, rate = soundfile.read(tmp_path / f"{number}.wav")
        sounds.append(resample_poly(sound, RATE, rate)[: 8 * RATE])
    same, other = sounds
    assert stoi(same, same + 0.001, RATE, extended=True) > 0.95
    assert abs(stoi(same, other[: len(same)], RATE, extended=True)) < 0.1
    assert all(abs(stoi(same, each, RATE, extended=True)) < 0.1 for each in nothing(len(same)))
    # the attack works where it may: a control from frames that are held for 50 ms is understood still
    slow = from_frames(same, every=5)
    assert stoi(same, slow, RATE, extended=True) > INTELLIGIBLE > NOT


# --- is sound anywhere?


class Noted:
    """What went through the sensor process and must stay there."""

    def __init__(self) -> None:
        self.sounds: list[Floats] = []
        self.frames: list[Floats] = []
        self.tensors: list[NDArray[np.float32]] = []


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Noted:
    made = Noted()
    row, run = Voice.row, OpenNetwork.run

    def seen_row(voice: Voice, stretch: Floats, clipped: float) -> NDArray[np.float32]:
        made.sounds.append(stretch.copy())
        return row(voice, stretch, clipped)

    def seen_run(network: OpenNetwork, *inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        outputs = run(network, *inputs)
        made.tensors += [np.asarray(each, np.float32) for each in inputs if each.size > 1]
        return outputs

    def seen_cepstra(of: Spectra) -> Floats:
        made.frames.append(cepstra(of))
        return made.frames[-1]

    def seen_pitch(stretch: Floats) -> Pitch:
        tracked = pitch(stretch)
        made.frames.append(tracked.hertz[tracked.voiced][None])
        return tracked

    monkeypatch.setattr(Voice, "row", seen_row)
    monkeypatch.setattr(OpenNetwork, "run", seen_run)
    monkeypatch.setattr(functionals, "cepstra", seen_cepstra)
    monkeypatch.setattr(functionals, "pitch", seen_pitch)
    return made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "data"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setenv("TMPDIR", str(place))
    return place


@pytest.fixture
def models(request: pytest.FixtureRequest) -> Path | None:
    """The networks, where they are kept beside the recordings."""
    return request.getfixturevalue("networks") if os.environ.get("KIOSK_RECORDINGS") else None


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A few seconds of speech at a rate that is not the listener's."""
    require(shutil.which("espeak-ng"), "espeak-ng")
    subprocess.run(["espeak-ng", "-v", "en", "-w", str(tmp_path / "clip.wav"), SENTENCES[:80]], check=True)
    return tmp_path / "clip.wav"


def traces(noted: Noted, clip: Path) -> list[Trace]:
    """Runs of samples, frames and tensors, in the ways in which they could have been written."""
    wanted = []
    pcm, _ = soundfile.read(clip, dtype="int16")
    for begin in range(8_000, len(pcm) - 64, 9_973):
        run = pcm[begin : begin + 12]
        if len(np.unique(run)) < 8:
            continue
        wanted += [Trace("samples, 16 bits", run.tobytes()), Trace("samples, 16 bits", run.astype(">i2").tobytes())]
        wanted += [
            Trace("samples as decimals", each.join(map(str, run.tolist())).encode()) for each in (",", ", ", " ")
        ]
        for kind in ("<f4", "<f8"):
            wanted.append(Trace("samples, floating", (run[:6] / 32768).astype(kind).tobytes()))
    for stretch in noted.sounds:
        for begin in range(900, len(stretch) - 8, 2_311):
            run = stretch[begin : begin + 4]
            if np.abs(run).min() > 1e-4:
                wanted += [Trace("samples at 16 kHz", run.astype(kind).tobytes()) for kind in ("<f4", "<f8")]
                wanted.append(Trace("samples at 16 kHz as decimals", f"{run[0]:.9f}"[:9].encode() + b""))
    for what, rows in (("a frame", noted.frames), ("a network's input", noted.tensors)):
        for row in rows[:: max(1, len(rows) // 60)]:
            flat = np.asarray(row, np.float64).ravel()
            for begin in sorted({0, len(flat) // 2 // 4 * 4}):
                piece = flat[begin : begin + 4]
                if len(np.unique(piece)) == 4 and np.isfinite(piece).all() and np.abs(piece).min() > 1e-3:
                    wanted += [Trace(what, piece.astype(kind).tobytes()) for kind in ("<f4", "<f8")]
    heads = (b"RIFF", b"WAVEfmt ", b"fLaC\x00\x00\x00\x22", b"OggS\x00\x02", b"OpusHead", b"ID3\x03\x00\x00")
    wanted += [Trace("header of a sound file", each) for each in heads if len(each) >= 6]
    # a run of digits that is a time or a count is no sample: nine that agree by chance are one in a thousand million
    return list({trace.needle: trace for trace in wanted if len(trace.needle) >= 8}.values())


async def visited(clip: Path, folder: Path, models: Path | None, monkeypatch: pytest.MonkeyPatch) -> Told:
    # the visit of the pictures, with another device in it
    monkeypatch.setattr(privacy_visit, "camera", lambda where, looker: microphone(where, models=models))
    return await told(clip, folder, [MemoryBus()] * 3, lambda: None)  # type: ignore[arg-type, return-value]


@pytest.mark.timeout(120)
async def test_no_sound_no_frame_and_no_networks_input_is_anywhere_after_a_visit(
    clip: Path, folder: Path, noted: Noted, models: Path | None, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    left = await visited(clip, folder, models, monkeypatch)
    said = capfd.readouterr()
    places = {**left.places, "terminal": (said.out + said.err).encode()}
    assert len(noted.sounds) >= 4
    assert {chunk.name for chunk in left.chunks} <= {FUNCTIONALS, SCORES}
    assert sum(chunk.count for chunk in left.chunks if chunk.name == FUNCTIONALS) >= 4
    assert all(len(places[each]) > 1_500 for each in ("bus", "outbox, row by row", "database, row by row"))
    for chunk in left.chunks:
        assert chunk.samples in places["samples on the bus"]
        assert SIGNALS[chunk.name].leaves
        check(chunk)
    looked_for = traces(noted, clip)
    kinds = {trace.what for trace in looked_for}
    assert {"samples, 16 bits", "samples, floating", "samples at 16 kHz", "a frame", "header of a sound file"} <= kinds
    assert ("a network's input" in kinds) == bool(noted.tensors)
    assert found(looked_for, places) == set()
    rows = [chunk for chunk in left.chunks if chunk.name == FUNCTIONALS]
    whole = sum(len(chunk.samples) + len(chunk.offsets or b"") for chunk in rows)
    assert whole <= SIGNALS[FUNCTIONALS].budget * (seconds(rows) + 1)


@pytest.mark.timeout(120)
async def test_leaks_that_are_planted_are_found(
    clip: Path, folder: Path, noted: Noted, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Voice.row

    def leaky(voice: Voice, stretch: Floats, clipped: float) -> NDArray[np.float32]:
        made = row(voice, stretch, clipped)
        made[40:80] = stretch[900 + 2_311 : 940 + 2_311]
        if voice.name and not (folder / "kept.pcm").exists():
            pcm, _ = soundfile.read(clip, dtype="int16")
            (folder / "kept.pcm").write_bytes(pcm.tobytes())
        return made

    monkeypatch.setattr(Voice, "row", leaky)
    left = await visited(clip, folder, None, monkeypatch)
    caught = found(traces(noted, clip), left.places)
    assert ("samples, 16 bits", "file kept.pcm") in caught
    assert {where for what, where in caught if what == "samples at 16 kHz"} >= {
        "samples on the bus", "outbox, row by row", "database, row by row",
    }  # fmt: skip


def test_rows_follow_each_other_and_never_overlap() -> None:
    """Windows that overlap would differ by what is in one of them alone, which is shorter than a second."""
    sound = np.random.default_rng(1).normal(size=5 * RATE).astype(np.float32) * 0.1
    listener = Listener(None, RATE)
    heard = [each for each in listener.feed(sound, 0) + listener.finish() if each.signal == FUNCTIONALS]
    assert np.diff([each.time for each in heard]).min() >= 1_000_000_000
    assert len(VOICE_CHANNELS) == len(heard[0].values)
