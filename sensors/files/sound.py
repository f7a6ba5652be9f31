"""Sound files -> Recording, through the listener that stands behind the microphone: a file says what a microphone says.

Sound stays here. What the recording holds are the signals that may leave, as the driver would have sent them.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import BadRecording, DriverFailed
from kiosk.messages import SECOND
from kiosk.recording import Recording, Track
from kiosk.signals import VOICE_CHANNELS
from sensors.files.source import bad

if TYPE_CHECKING:
    from sensors.listener import Heard

log = logging.getLogger(__name__)

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3")
"""What libsndfile reads; MPEG-4 (.m4a) it does not."""
FORMATS = ("WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "MPEG")
"""What the content must be, whatever the name says."""
MOST_BYTES = 4 * 1024**3
"""Of a file, which is read piece by piece."""
LONGEST = 6 * 3600.0
"""Seconds; a visit lasts minutes."""
SHORTEST = 0.3
"""Seconds below which nothing can be said of a voice."""
PIECE = 1.0
"""Seconds that are read at once."""
LOUDEST = 1e3
"""Full scales: floating-point samples beyond that are no sound."""
DEVICE = "microphone"
FUNCTIONALS, SCORES = "voice_functionals", "voice_scores"


def read(path: Path, *, models: Path | None = None) -> Recording:
    """What is heard in a sound file. `models` is the folder of installed networks, where those are to be asked."""
    from sensors.listener import Listener  # networks are opened: not for those who only list files

    heard: list[Heard] = []
    assumed: list[tuple[str, str]] = []
    taken, loudest, listener, promised = 0, 0.0, None, 0
    try:
        with Opened(path) as sound:
            listener = Listener(models, sound.rate)
            promised = sound.count
            for piece in sound.pieces(PIECE):
                heard += listener.feed(piece, round(taken * SECOND / sound.rate))
                taken += len(piece)
                loudest = max(loudest, float(np.abs(piece).max()))
                if taken > LONGEST * sound.rate:
                    raise bad(path, f"lasts more than {LONGEST:.0f} s")
            heard += listener.finish()
            if taken < SHORTEST * sound.rate:
                raise bad(path, f"{taken / sound.rate:.2f} s of sound, at least {SHORTEST:g} are needed")
            if sound.channels > 1:
                assumed.append(("channels", f"the mean of {sound.channels}"))
            assumed += [] if taken >= promised else [("end", f"cut off: {taken / sound.rate:.1f} s are there")]
    except DriverFailed as error:
        raise bad(path, str(error)) from None
    if loudest == 0:
        raise bad(path, "there is nothing to hear in it")
    tracks = [_track(FUNCTIONALS, VOICE_CHANNELS, heard), _track(SCORES, listener.score_channels, heard)]
    there = tuple(track for track in tracks if track is not None)
    if not there:
        asked = "too little speech for the voice network" if listener.score_channels else "no voice network to ask"
        raise bad(path, f"{taken / listener.rate:.2f} s of sound: less than a second, and {asked}")
    return Recording(there, str(path), None, tuple(assumed), span=(0, round(taken * SECOND / listener.rate)))


class Opened:
    """A sound file, open and checked; BadRecording says what is wrong with it."""

    def __init__(self, path: Path) -> None:
        import soundfile

        from sensors.sound.rates import LEAST_RATE, MOST_RATE

        self._path = path
        try:
            self._file = soundfile.SoundFile(str(path))
        except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
            raise bad(path, f"is no sound that can be read ({_said(error)})") from None
        self.rate, self.channels = int(self._file.samplerate), int(self._file.channels)
        self.count = int(self._file.frames)
        """Samples of a channel that it says it has."""
        try:
            self._check(LEAST_RATE, MOST_RATE)
        except BadRecording:
            self._file.close()
            raise

    def _check(self, least: int, most: int) -> None:
        from sensors.listener import MOST_CHANNELS

        if self._file.format not in FORMATS:
            raise bad(self._path, f"is {self._file.format}: WAV, FLAC, OGG and MP3 are read")
        if not least <= self.rate <= most:
            raise bad(self._path, f"is sampled at {self.rate} Hz; {least} to {most} can be used")
        if not 1 <= self.channels <= MOST_CHANNELS:
            raise bad(self._path, f"has {self.channels} channels, at most {MOST_CHANNELS} are read")
        if self.count == 0:
            raise bad(self._path, "there is no sound in it")
        # a broken header may promise any number: then what is there is counted
        if LONGEST * self.rate < self.count < 2**62:
            raise bad(self._path, f"lasts {self.count / self.rate:.0f} s, at most {LONGEST:.0f} are read")

    def pieces(self, seconds: float) -> Iterator[NDArray[np.float32]]:
        """Its samples, a column for each channel."""
        import soundfile

        size = max(1, round(seconds * self.rate))
        while True:
            try:
                piece = self._file.read(size, dtype="float32", always_2d=True)
            except (soundfile.LibsndfileError, RuntimeError) as error:
                # what lies before the damage is sound all the same
                log.warning("%s: damaged, what lies before is used (%s)", self._path.name, _said(error))
                return
            if not len(piece):
                return
            if not np.isfinite(piece).all() or np.abs(piece).max() > LOUDEST:
                raise bad(self._path, "has samples that are no sound")
            yield piece

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _said(error: Exception) -> str:
    """What the library says, without the path that it repeats."""
    return str(getattr(error, "error_string", "") or type(error).__name__).rstrip(".")[:120]


def _track(signal: str, channels: tuple[str, ...], heard: "list[Heard]") -> Track | None:
    rows = [each for each in heard if each.signal == signal]
    if not rows:
        return None
    times = np.array([each.time for each in rows], np.int64) // 1000 * 1000
    return Track(signal, DEVICE, channels, None, times, np.vstack([each.values for each in rows]))
