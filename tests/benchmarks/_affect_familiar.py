"""How alike sounds are to what the voice network learnt from: the number that lowers quality, or keeps it silent.

Real speakers are asked of landmarks without that speaker; what is synthetic says so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from analytics.training.voice import SHAPE, Examples
from analytics.training.voice.examples import Floats
from analytics.training.voice.rowwise import Sums
from analytics.voice.words import FAMILIAR, STRANGE
from kiosk.commands.train.voice import disturbed, examples, utterances
from sensors.drivers.simulated.voice import speech
from sensors.sound.emotion import LEAST_FAMILIAR, Emotions
from sensors.sound.rates import RATE

SEED = 5
PITCHES = (100.0, 130.0, 180.0, 220.0)


def run(folder: Path, *, quick: bool) -> None:
    """Print the table."""
    import soundfile

    found = utterances(folder / "voice")[:: 8 if quick else 1]
    clean = examples((each, each.sound, False) for each in found)
    # the first version is another throat in a quiet room, the second one has all the rest
    worse = examples(islice(disturbed(found, 2, SEED), 2 * len(found), None))
    asked = Emotions(None)

    def english() -> Iterator[Floats]:
        for file in sorted((folder / "voice" / "ravdess").rglob("*.flac"))[:: 8 if quick else 1]:
            samples, rate = soundfile.read(file, dtype="float64", always_2d=True)
            common = int(np.gcd(rate, RATE))
            yield np.asarray(resample_poly(samples.mean(axis=1), RATE // common, rate // common))

    _say("\n| sound | asked | 1 % | 5 % | middle | 95 % | no answer | quality halved or less |")
    _say("|---|---|---|---|---|---|---|---|")
    _row("real: German actors, speaker held back", _held_back(clean, clean))
    _row("real, disturbed: the same with noise to 0 dB, rooms, telephones", _held_back(clean, worse))
    _row("real: English actors", _answered(asked, english()))
    _row("synthetic: our simulator's voice", _answered(asked, _simulated()))
    _row("synthetic: chords, melodies, beeps, white noise", _answered(asked, _no_voices()))


def _held_back(known: Examples, asked: Examples) -> Floats:
    """The greatest likeness of each, to utterances of the others."""
    found = np.empty(len(asked.emotions))
    for speaker in np.unique(asked.speakers):
        others = replace(SHAPE, landmarks=int((known.speakers != speaker).sum()))
        judge = Sums(known.of(known.speakers != speaker), others).solved()
        mine = asked.speakers == speaker
        found[mine] = judge.likeness(asked.functionals[mine]).max(axis=1)
    return found


def _answered(asked: Emotions, sounds: Iterable[Floats]) -> Floats:
    """Of the shipped network; NaN where it says nothing. Sounds without a voiced frame are none of its business."""
    return np.array([asked.scores(sound.astype(np.float32))[-1] for sound in sounds], np.float64)


def _simulated() -> Iterator[Floats]:
    for pitch in PITCHES:
        said = speech(40.0, f0=pitch, seed=round(pitch)).samples.astype(np.float64)
        yield from (said[begin : begin + 4 * RATE] for begin in range(0, len(said) - 4 * RATE, 2 * RATE))


def _no_voices() -> Iterator[Floats]:
    rng = np.random.default_rng(SEED)
    at = np.arange(4 * RATE) / RATE
    for _ in range(15):
        hum: Floats = rng.normal(0, 0.002, len(at))
        yield hum + 0.1 * np.sum([np.sin(2 * np.pi * each * at) for each in rng.uniform(100, 2000, 4)], axis=0)
        yield hum + 0.2 * np.sign(np.sin(2 * np.pi * rng.uniform(80, 300) * at)) * (np.sin(6 * np.pi * at) > 0)
        yield hum + _melody(rng, at)
        yield rng.normal(0, 0.1, len(at))


def _melody(rng: np.random.Generator, at: Floats) -> Floats:
    steps = 220 * 2 ** (rng.integers(0, 24, 16) / 12)
    note = np.minimum((at * 4).astype(np.int64), 15)
    return np.asarray(0.3 * np.sin(2 * np.pi * steps[note] * at) * np.exp(-6 * (at * 4 % 1) / 4))


def _row(what: str, likeness: NDArray[np.float64]) -> None:
    told = np.isfinite(likeness) & (likeness >= LEAST_FAMILIAR)
    quality = np.clip((likeness[told] - STRANGE) / (FAMILIAR - STRANGE), 0, 1)
    seen = likeness[np.isfinite(likeness)]
    cells = [f"{each:.2f}" for each in np.quantile(seen, [0.01, 0.05, 0.5, 0.95])] if len(seen) else ["-"] * 4
    silent, poor = len(likeness) - int(told.sum()), int((quality <= 0.5).sum())
    _say(f"| {what} | {len(likeness)} | {' | '.join(cells)} | {silent} | {poor} |")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201
