"""Fusion: what a wrong modality can do, whether probabilities are what they say, the index of arousal on real people,
packets lost, and all subsets of four modalities. Computed, real and synthetic are never mixed in a table.
"""

import importlib.util
import math
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics import arousal, eeg, stress
from analytics.arousal import BRAIN, Signs
from analytics.face.words import BASIC
from analytics.fusion import Modality, Opinion, fused
from analytics.fusion.opinions import SHARPEST
from analytics.fusion.pool import Said, pooled, weight
from analytics.stress.reference import Against, with_own
from kiosk.measures import EXPRESSIONS
from kiosk.recording import Baseline
from sensors import files
from tests.benchmarks import _affect_loss
from tests.benchmarks._expression_photos import TOLD, installed, readings
from tests.benchmarks._measuring import report
from tests.benchmarks._stress import REST, Window, balanced_accuracy, people, scored, windows

Floats = NDArray[np.float64]

WRONG = (0.0, -0.25, -0.5, -0.75, -1.0)
"""What the wrong modality claims, of valence or arousal, where the others say so much:"""
RIGHT = 0.8
QUALITIES = (0.1, 0.5, 1.0)
BOASTS = 0.1
"""Standard deviation that the wrong one claims of itself in the table of what the bound is for."""
BINS = 10
SUBSETS = "tests.benchmarks._affect_subsets"


def run(folder: Path, *, quick: bool) -> None:
    """All tables."""
    _influence()
    _expressions()
    if (folder / "face" / "lfw_expressions").is_dir():
        _calibration(folder, quick=quick)
    if (folder / "stress" / "stress-predict").is_dir():
        _arousal(folder, quick=quick)
    if (folder / "eeg" / "eegmat").is_dir():
        _brains(folder, quick=quick)
    _affect_loss.run(folder, quick=quick)
    if importlib.util.find_spec(SUBSETS) is not None:
        importlib.import_module(SUBSETS).run(folder, quick=quick)


def _influence() -> None:
    """One number: as shipped, beside a plain mean and a mean by whatever precision each claims."""
    lines = []
    for others in (1, 2, 3, 4):
        for quality in QUALITIES:
            right = [Said(RIGHT, weight(0.8, 0.6, SHARPEST))] * others
            alone = pooled(right)
            assert alone is not None
            cells = []
            for claim in WRONG:
                found = pooled([*right, Said(claim, weight(quality, BOASTS, SHARPEST))])
                assert found is not None
                cells.append(f"{found.value:+.2f} ({found.spread:.2f}{', sure' if found.sure else ''})")
            plain = (others * RIGHT - 1.0) / (others + 1)
            boasting = [Said(RIGHT, 0.8 / 0.6**2)] * others
            naive = pooled([*boasting, Said(-1.0, quality / BOASTS**2)])
            assert naive is not None
            before = f"{alone.value:+.2f} ({alone.spread:.2f}{', sure' if alone.sure else ''})"
            lines.append((others, quality, before, *cells, f"{plain:+.2f}", f"{naive.value:+.2f}"))
    report(
        f"computed: {RIGHT:+.1f} from so many modalities (quality .8, SD .6) and a wrong one that claims SD {BOASTS}: "
        "value (SD); a sure rest is never turned",
        ("others", "its quality", "without it", *(f"claims {claim:+.2f}" for claim in WRONG), "plain mean at -1",
         "by claimed SD at -1"),
        lines,
    )  # fmt: skip


def _expressions() -> None:
    """The eight: a face of .85 happiness, and a voice that is sure of anger."""
    lines = []
    for certain in (0.125, 0.3, 0.5, 0.7, 0.9, 0.99):
        cells = []
        for quality in QUALITIES:
            found = fused(
                [_opinion(Modality.FACE, 0.8, "happiness", 0.85), _opinion(Modality.VOICE, quality, "anger", certain)]
            )
            assert found.emotions is not None
            odds = {each.name: each.probability for each in found.emotions.each}
            cells.append(f"{odds['happiness']:.2f} / {odds['anger']:.2f} ({found.emotions.first.evidence.spread:.2f})")
        lines.append((certain, *cells))
    report(
        "computed: face happiness .85, quality .8; a voice claims anger: fused happiness / anger (SD of the evidence)",
        ("voice: anger", *(f"its quality {quality}" for quality in QUALITIES)),
        lines,
    )


def _opinion(modality: Modality, quality: float, name: str, probability: float) -> Opinion:
    rest = (1.0 - probability) / (len(EXPRESSIONS) - 1)
    return Opinion(modality, quality, emotions=tuple(probability if each == name else rest for each in EXPRESSIONS))


def _calibration(folder: Path, *, quick: bool) -> None:
    """Of the face's probabilities as they enter, on photographs: reliability was set on one half of the people."""
    with tempfile.TemporaryDirectory() as into:
        read, _ = readings(folder, installed(folder, Path(into)), 80 if quick else None)
    lines = []
    for half, title in ((0, "choice made on"), (1, "held back")):
        mine = [each for each in read if each.photo.half == half]
        labels = np.array([TOLD.index(each.photo.expression) for each in mine])
        # of the five that the photographs are labelled with
        plain = np.array([each.answers["together"] / each.answers["together"].sum() for each in mine])
        ours = np.array([_entered(each.answers["together"]) for each in mine])
        for name, odds in (("as the engines say", plain), ("as it enters", ours)):
            lines.append((title, len(mine), name, *(f"{score:.3f}" for score in _scores(odds, labels))))
    report(
        "real: calibration of the face's five labelled expressions on press photographs",
        ("half of the people", "photographs", "probabilities", "log loss", "Brier", "calibration error (10 bins)"),
        lines,
    )


def _entered(answer: Floats) -> Floats:
    """The fused probabilities of the face alone, of the five."""
    known = dict(zip(TOLD, answer.tolist(), strict=True))
    others = [name for name in BASIC if name not in known]
    left = max(0.0, 1.0 - sum(known.values())) / len(others)
    emotions = tuple(None if name not in BASIC else known.get(name, left) for name in EXPRESSIONS)
    found = fused([Opinion(Modality.FACE, 0.7, emotions=emotions)]).emotions
    assert found is not None
    odds = {each.name: each.probability for each in found.each}
    five = np.array([odds[name] for name in TOLD])
    return np.asarray(five / five.sum())


def _scores(odds: Floats, labels: NDArray[np.intp]) -> tuple[float, float, float]:
    true = odds[np.arange(len(labels)), labels]
    first, right = odds.max(axis=1), odds.argmax(axis=1) == labels
    bins = np.minimum((first * BINS).astype(np.intp), BINS - 1)
    gaps = [
        abs(first[bins == each].mean() - right[bins == each].mean()) * (bins == each).mean() for each in np.unique(bins)
    ]
    return (
        float(-np.log(np.maximum(true, 1e-9)).mean()),
        float(((odds - np.eye(len(TOLD))[labels]) ** 2).sum(axis=1).mean()),
        float(sum(gaps)),
    )


def _arousal(folder: Path, *, quick: bool) -> None:
    """The index beside the recording's own beginning, in the windows of the stress benchmark."""
    lines, labels, values = [], [], []
    for person in people(folder / "stress" / "stress-predict")[: 3 if quick else None]:
        found = windows(person, 60, heart="device" if quick else "own")
        rest = stress.baselines([each.stretch.evidence for each in found if each.end <= REST[1]])
        told = [(each.label, value) for each in scored(found) if (value := _index(each, rest)) is not None]
        mine, index = np.array([label for label, _ in told]), np.array([value for _, value in told])
        labels.extend(mine.tolist())
        values.extend(index.tolist())
        stressed, calm = index[mine == 1], index[mine == 0]
        lines.append((person.name, len(mine), f"{stressed.mean():+.2f}", f"{calm.mean():+.2f}",
                      f"{_auc(stressed, calm):.2f}", f"{balanced_accuracy(index > 0.0, mine):.2f}"))  # fmt: skip
    every, all_labels = np.array(values), np.array(labels)
    lines.append(("all", len(every), f"{every[all_labels == 1].mean():+.2f}", f"{every[all_labels == 0].mean():+.2f}",
                  f"{_auc(every[all_labels == 1], every[all_labels == 0]):.2f}",
                  f"{balanced_accuracy(every > 0.0, all_labels):.2f}"))  # fmt: skip
    report(
        "real: physiological arousal in tasks and at rest (Stress-Predict, wrist; nothing fitted); labels of stress",
        ("person", "60 s windows", "mean in tasks", "mean at rest", "AUC", "balanced accuracy (above 0)"),
        lines,
    )


def _index(window: Window, rest: Iterable[Baseline]) -> float | None:
    of = window.stretch.evidence
    signs = Signs(of.heart_rate, of.rmssd, of.eda_slope, of.eda_peaks, quality=of.quality)
    return arousal.against_rest(
        signs, rest, start_ns=window.stretch.start_ns, end_ns=window.stretch.end_ns
    ).finding.value


def _auc(high: Floats, low: Floats) -> float:
    return float((np.sign(high[:, None] - low).mean() + 1.0) / 2.0)


def _brains(folder: Path, *, quick: bool) -> None:
    """What a brain alone would add: arithmetic beside the same person's rest."""
    lines = []
    for path in sorted((folder / "eeg" / "eegmat").glob("*_1.edf"))[: 3 if quick else None]:
        rest, task = (_of_brain(each) for each in (path, path.with_name(path.name.replace("_1.", "_2."))))
        baselines = [Baseline(name, value, 0.0, 1) for name, value in rest.items()]
        beside = with_own(Signs(**task), baselines, Against.REST)
        level = arousal.level(beside.comparisons)
        shares = {each.part.measure: share for each, share in arousal.contributions(beside.comparisons)}
        lines.append((path.stem[:-2], f"{level if level is not None else math.nan:+.2f}",
                      *(f"{shares.get(part.measure, math.nan):+.2f}" for part in BRAIN)))  # fmt: skip
    raised = sum(float(line[1]) > 0.0 for line in lines)
    report(
        f"real: level of the brain's signs under arithmetic beside own rest; raised in {raised} of {len(lines)} people",
        ("person", "level", *(part.measure for part in BRAIN)),
        lines,
    )


def _of_brain(path: Path) -> dict[str, float]:
    (track,) = files.read(path).of("eeg")
    found: Sequence[eeg.Answer] = tuple(eeg.answers(track))
    wanted = {part.measure for part in BRAIN}
    return {
        each.finding.measure: each.finding.value
        for each in found
        if each.finding.measure in wanted and each.finding.value is not None
    }
