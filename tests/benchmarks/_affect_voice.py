"""What the voice network is worth on speakers that it does not know. All figures are of real, acted recordings.

Families are judged with the same folds, two speakers held back at a time; the shipped one also with each speaker alone.
Quick: three speakers, one of them held back, hardly any disturbed versions.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from analytics.training.voice import OWN, SHAPE, Examples, Judged, Shape, Written, folds, judged, to_onnx
from analytics.training.voice.calibration import by_speakers, unweighted
from analytics.training.voice.disturbances import noisy, reverberant
from analytics.training.voice.examples import EMOTIONS, Floats
from analytics.training.voice.rowwise import Sums
from kiosk import models
from kiosk.commands.train.voice import VERSIONS, Utterance, disturbed, examples, folders, utterances
from sensors.sound.emotion import NETWORK, Emotions
from sensors.sound.mel import trimmed
from sensors.sound.rates import RATE

PAIRS = ((3, 8), (9, 10), (11, 12), (13, 14))
QUICK = (3, 8, 9)
STEPS = 500
"""Batches of a network over frames; more helped none of them on the first fold."""
SVM = 3.0
"""Cost of the support vector machine, with a kernel of .3 over the functionals' number: as published sets take it."""
NOISES = (20.0, 10.0, 5.0, 0.0)
DECAYS = (0.3, 0.6)
LETTERED = {1: 0, 3: 1, 4: 2, 5: 3, 6: 4, 7: 5}
"""Emotions of the English set that are also ours; calm and surprise are not."""

Judge = Callable[[Examples, Examples], Floats]


def run(folder: Path, *, quick: bool) -> None:
    """Print the tables."""
    found = utterances(folder / "voice")
    names = [each.name for each in folders(folder / "voice")]
    if quick:
        found = [each for each in found if each.speaker in QUICK][::2]
    known = examples(disturbed(found, 1 if quick else VERSIONS, 0), frames=True)
    _say(f"\nVoice, real: {len(found)} acted German utterances of {len({each.speaker for each in found})} speakers")
    _families(known, names, quick=quick)
    each = judged(known, SHAPE, groups=[(QUICK[0],)] if quick else None)
    _shipped(each, names)
    _int8(each, known, names)
    _noise(each, found)
    _across(known, folder / "voice" / "ravdess", quick=quick)
    _speed(found)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _families(known: Examples, names: list[str], *, quick: bool) -> None:
    groups = [(QUICK[0],)] if quick else PAIRS
    _say("\n| family | " + " | ".join(f"{name}: UAR (speakers drawn anew)" for name in names) + " | among its own |")
    _say("|---|" + "---|" * (len(names) + 1))
    for family, judge in _judges(steps=5 if quick else STEPS):
        logits = np.full((len(known), len(EMOTIONS)), np.nan)
        for fold in folds(known, groups):
            places = np.flatnonzero(fold.unknown)
            logits[places] = judge(known.of(fold.known), known.of(places))
        cells = []
        for corpus in range(len(names)):
            of = (known.corpora == corpus) & np.isfinite(logits[:, 0])
            cells.append(_cell(logits[of].argmax(axis=1), known.emotions[of], known.speakers[of]))
        of = (known.corpora == 0) & np.isfinite(logits[:, 0])
        classes = sorted(set(known.emotions[known.corpora == 0].tolist()))
        among = np.array(classes)[logits[of][:, classes].argmax(axis=1)]
        _say(f"| {family} | " + " | ".join(cells) + f" | {names[0]}: {unweighted(among, known.emotions[of]):.3f} |")


def _judges(*, steps: int) -> Iterable[tuple[str, Judge]]:
    def rowwise(shape: Shape) -> Judge:
        return lambda ours, theirs: Sums(ours, shape).solved().logits(theirs)

    yield "functionals, linear", rowwise(replace(SHAPE, landmarks=0, penalty=0.3))
    yield "functionals, SVM (scikit-learn)", _svm
    yield "functionals, kernel least squares (shipped)", rowwise(SHAPE)
    from analytics.training.voice import framewise, layers

    for title, make in (
        ("MFCC, 1-D CNN", layers.Cepstral),
        ("mel MobileNet, self-attention", layers.Mobile),
        ("mel and prosody, cross-attention", layers.Cross),
    ):
        yield title, lambda ours, theirs, make=make: framewise.trained(make, ours, steps=steps).logits(theirs)  # type: ignore[misc]


def _svm(ours: Examples, theirs: Examples) -> Floats:
    """Of utterances as recorded: a plain baseline."""
    from sklearn.svm import SVC

    clean = ours.of(~ours.disturbed)
    mean, scale = clean.functionals.mean(axis=0), clean.functionals.std(axis=0) + 1e-6
    made = SVC(C=SVM, gamma=0.3 / clean.functionals.shape[1], class_weight="balanced", decision_function_shape="ovr")
    made.fit(np.clip((clean.functionals - mean) / scale, -4, 4), clean.emotions)
    rows = made.decision_function(np.clip((theirs.functionals - mean) / scale, -4, 4))
    logits = np.full((len(theirs), len(EMOTIONS)), -1e3)
    logits[:, made.classes_] = rows
    return logits


def _cell(told: NDArray[np.int64], emotions: NDArray[np.int64], speakers: NDArray[np.int64]) -> str:
    low, high = by_speakers(told, emotions, speakers)
    return f"{unweighted(told, emotions):.3f} ({low:.2f} to {high:.2f})"


def _shipped(each: Judged, names: list[str]) -> None:
    _say("\nThe shipped family, each speaker held back alone. Rows are what was played, columns what was told:")
    for corpus, name in enumerate(names):
        of = each.corpora == corpus
        classes = sorted(set(each.emotions[of].tolist()))
        among = f"; among its own {len(classes)} {each.recall(corpus, classes):.3f}" if len(classes) < 7 else ""
        _say(f"\n{name}: {_cell(each.told[of], each.emotions[of], each.speakers[of])}{among}\n")
        _say("| | " + " | ".join(EMOTIONS) + " |")
        _say("|---|" + "---|" * len(EMOTIONS))
        for emotion in classes:
            row = np.bincount(each.told[of][each.emotions[of] == emotion], minlength=len(EMOTIONS))
            _say(f"| {EMOTIONS[emotion]} | " + " | ".join(str(count) for count in row) + " |")
    before, after = each.beliefs()
    _say("\n| | Brier | log loss | expected calibration error |\n|---|---|---|---|")
    for title, belief in (("before", before), ("with a temperature from the training speakers", after)):
        _say(f"| {title} | {belief.brier:.3f} | {belief.log_loss:.3f} | {belief.error:.3f} |")


def _int8(each: Judged, known: Examples, names: list[str]) -> None:
    _say("\n| file | bytes | " + " | ".join(names) + " | furthest probability |\n|---|---|" + "---|" * (len(names) + 1))
    told: dict[bool, NDArray[np.float64]] = {}
    sizes: dict[bool, int] = {}
    for small in (False, True):
        rows = np.zeros((len(known), len(EMOTIONS)))
        for speakers, judge in each.judges:
            places = each.places[np.isin(each.speakers, speakers)]
            content = to_onnx(judge, float(each.temperatures[np.isin(each.speakers, speakers)][0]), small=small)
            rows[places] = Written(content).probabilities(known.of(places))
            sizes[small] = len(content)
        told[small] = rows[each.places]
    apart = np.abs(told[True] - told[False]).max()
    for small, title in ((False, "float32"), (True, "int8")):
        recalls = []
        for corpus in range(len(names)):
            of = each.corpora == corpus
            recalls.append(f"{unweighted(told[small][of].argmax(axis=1), each.emotions[of]):.3f}")
        _say(f"| {title} | {sizes[small]} | " + " | ".join(recalls) + f" | {apart if small else 0.0:.4f} |")


def _noise(each: Judged, found: list[Utterance]) -> None:
    """The corpus with all emotions, made worse: speakers stay unknown."""
    last = max(utterance.corpus for utterance in found)
    chosen = [utterance for utterance in found if utterance.corpus == last]
    others = [utterance.sound for utterance in found]
    _say("\n| condition (made) | UAR of 7 |\n|---|---|")
    conditions: list[tuple[str, Callable[[Floats, np.random.Generator], Floats]]] = [
        ("as recorded", lambda sound, _: sound),
        *((f"noise at {level:.0f} dB", lambda sound, rng, level=level: noisy(sound, level, rng, others))
          for level in NOISES),
        *((f"room of {decay} s", lambda sound, rng, decay=decay: reverberant(sound, decay, 1.0, rng))
          for decay in DECAYS),
    ]  # fmt: skip
    for title, worse in conditions:
        rng = np.random.default_rng(7)
        heard = examples((utterance, worse(utterance.sound, rng), True) for utterance in chosen)
        told = np.full(len(heard), -1)
        for speakers, judge in each.judges:
            of = np.isin(heard.speakers, speakers)
            told[of] = judge.logits(heard.of(of)).argmax(axis=1)
        there = told >= 0
        _say(f"| {title} | {unweighted(told[there], heard.emotions[there]):.3f} |")


def _across(known: Examples, folder: Path, *, quick: bool) -> None:
    """English actors, evaluated only."""
    files = sorted(folder.rglob("*.flac"))[:: 8 if quick else 1]
    english = []
    for file in files:
        parts = file.stem.split("-")
        emotion = LETTERED.get(int(parts[2]))
        if emotion is None:
            continue
        samples, rate = soundfile.read(file, dtype="float64", always_2d=True)
        common = int(np.gcd(rate, RATE))
        sound = trimmed(np.asarray(resample_poly(samples.mean(axis=1), RATE // common, rate // common)))
        english.append((Utterance(sound, int(parts[6]), emotion, 0), sound, False))
    heard = examples(english)
    logits = Sums(known, SHAPE).solved().logits(heard)
    _say("\n| English actors, never learnt from | chance | UAR |\n|---|---|---|")
    for classes in (range(4), range(6)):
        of = np.isin(heard.emotions, classes)
        told = logits[of][:, list(classes)].argmax(axis=1)
        cell = _cell(told, heard.emotions[of], heard.speakers[of])
        _say(f"| {', '.join(EMOTIONS[each] for each in classes)}: {int(of.sum())} | {1 / len(classes):.2f} | {cell} |")


def _speed(found: list[Utterance]) -> None:
    asked = Emotions(None)
    some = [utterance.sound.astype(np.float32) for utterance in found[::20]]
    asked.scores(some[0])
    begin = time.process_time()
    for sound in some:
        asked.scores(sound)
    spent = time.process_time() - begin
    seconds = sum(len(sound) for sound in some) / RATE
    _say(f"\n{1000 * spent / seconds:.1f} ms of one core for a second of speech, features and network together")
    _say(f"shipped: {NETWORK}, {models.known(NETWORK).size} bytes; an operator's own is {OWN}")
