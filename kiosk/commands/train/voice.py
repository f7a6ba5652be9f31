"""`kiosk train voice`: from folders of acted emotions to a network of how speech sounds."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from kiosk.commands.train.writing import needs, places, write

if TYPE_CHECKING:
    from analytics.training.voice import Examples

Floats = NDArray[np.float64]

NAMED = re.compile(r"(\d\d)[ab]\d\d([NFTWAEL])[a-z]?")
"""Speaker and emotion, as the Berlin database of emotional speech names its files (Burkhardt et al. 2005)."""
LETTERS = "NFTWAEL"
"""German initials in the order of the network's emotions."""
SUFFIXES = (".flac", ".wav", ".ogg")
VERSIONS = 12
"""Disturbed versions of each utterance..."""
LIGHT = 4
"""... of which one in so many is another throat and microphone only."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A file at 16 kHz, without the silence around it."""

    sound: Floats
    speaker: int
    emotion: int
    corpus: int


def voice(
    data: Annotated[Path, typer.Option(help="Folder with folders of files named as in EmoDB, such as 03a01Fa.flac.")],
    out: Annotated[Path, typer.Option(help="The ONNX file; int8 goes beside it as .int8.onnx, its card as .md.")],
    versions: Annotated[int, typer.Option(min=0, max=100, help="Disturbed versions of each utterance.")] = VERSIONS,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Train the voice network on acted emotions; the same data, versions and seed give the same network."""
    from rich.progress import track

    needs("onnx", "soundfile")
    # before the minutes, not after them
    card_file = places(out)
    from analytics.training import voice as training
    from analytics.training.voice import card

    found = utterances(data)
    if len({each.speaker for each in found}) < 2 or len({each.emotion for each in found}) < len(LETTERS):
        typer.echo(f"kiosk: {data} needs two speakers or more and each of the letters {', '.join(LETTERS)}", err=True)
        raise typer.Exit(2)
    drawn = disturbed(found, versions, seed)
    total = len(found) * (1 + versions)
    seen = examples(track(drawn, "listening", total=total, transient=True))
    typer.echo(f"{len(found)} utterances, {len(seen)} with disturbed versions; judging each speaker by the others")
    judged = training.judged(seen, training.SHAPE, seed=seed)
    trained = training.train(seen, seed=seed)
    corpora = folders(data)
    text = card.text(trained, judged, [each.name for each in corpora], versions=versions, seed=seed)
    write(out, trained.onnx)
    write(out.with_suffix(".int8.onnx"), trained.small)
    write(card_file, text.encode())
    typer.echo(text)
    typer.echo(f"{out}: {len(trained.onnx)} bytes; to use it: kiosk models add {out} --as {training.OWN}")


def folders(data: Path) -> list[Path]:
    """Those that hold files with such names, in order."""
    return sorted({file.parent for file in data.rglob("*") if _is_utterance(file)})


def utterances(data: Path) -> list[Utterance]:
    """Every file whose name says who and how, in order."""
    import soundfile
    from scipy.signal import resample_poly

    from sensors.sound.mel import trimmed
    from sensors.sound.rates import RATE

    found = []
    for corpus, folder in enumerate(folders(data)):
        for file in sorted(each for each in folder.iterdir() if _is_utterance(each)):
            named = NAMED.fullmatch(file.stem)
            assert named is not None
            samples, rate = soundfile.read(file, dtype="float64", always_2d=True)
            common = np.gcd(int(rate), RATE)
            sound = resample_poly(samples.mean(axis=1), RATE // common, int(rate) // common)
            found.append(Utterance(trimmed(sound), int(named[1]), LETTERS.index(named[2]), corpus))
    return found


def _is_utterance(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and NAMED.fullmatch(file.stem) is not None


def disturbed(found: Sequence[Utterance], versions: int, seed: int) -> Iterator[tuple[Utterance, Floats, bool]]:
    """Each utterance as it is, then made worse so often: the sound, and whether it was."""
    from analytics.training.voice.disturbances import disturbed as worse

    rng = np.random.default_rng([seed, 3])
    others = [each.sound for each in found]
    for each in found:
        yield each, each.sound, False
    for version in range(versions):
        for each in found:
            yield each, worse(each.sound, rng, others, light=version % LIGHT == 0), True


def examples(heard: Iterable[tuple[Utterance, Floats, bool]], *, frames: bool = False) -> "Examples":
    """What the sensor process shows networks of them; what is no speech any more is left out."""
    from analytics.training.voice.examples import STREAMS, Examples
    from sensors.sound.emotion import shown

    rows, streams, kept = [], [np.empty((0, STREAMS), np.float16)], []
    for utterance, sound, worse in heard:
        seen = shown(sound.astype(np.float32))
        if seen is None:
            continue
        rows.append(seen.functionals)
        if frames:
            streams.append(np.concatenate([seen.bands, seen.prosody, seen.cepstra]).T.astype(np.float16))
        kept.append((utterance.emotion, utterance.speaker, utterance.corpus, worse))
    lengths = [len(each) for each in streams[1:]] if frames else [0] * len(rows)
    emotions, speakers, corpora, disturbances = np.array(kept, np.int64).reshape(-1, 4).T
    return Examples(
        np.array(rows, np.float32),
        np.concatenate(streams),
        np.append(0, np.cumsum(lengths)).astype(np.int64),
        emotions,
        speakers,
        corpora,
        disturbances.astype(np.bool_),
    )
