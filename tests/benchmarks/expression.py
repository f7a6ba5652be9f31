"""Expressions on press photographs: each engine, each network used plainly, and all together; and whether a face can be
matched by what leaves the sensors.

KIOSK_RECORDINGS=... kiosk bench expression

Real photographs, evaluated only: nothing was trained on them. Choices (crops, weights of engines, how often landmarks
see a unit) were made on the first half of the people; the second half is the figure to quote.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from tests.benchmarks._expression_photos import TOLD, Floats, Read, installed, readings
from tests.benchmarks._measuring import report

DRAWS = 1000
MOST_OF_ONE = 4
"""Photographs of one person in the matching: some have eighty."""
TURNED = 0.25


def main() -> None:
    """Tables of recall, confusion and matching."""
    named = os.environ.get("KIOSK_RECORDINGS")
    if not named:
        sys.exit("KIOSK_RECORDINGS names no folder of real recordings")
    limit = int(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as into:
        begin = time.process_time()
        read, missing = readings(Path(named), installed(Path(named), Path(into)), limit)
    people = len({each.photo.person for each in read})
    seconds = time.process_time() - begin
    report(
        "real: press photographs",
        ("with a face", "people", "no face found", "CPU seconds"),
        [(len(read), people, missing, f"{seconds:.0f}")],
    )
    halves = [[each for each in read if each.photo.half == half] for half in (0, 1)]
    report(
        "real: mean recall of five expressions (unweighted), 95 % interval by drawing people",
        ("engine", "choices made on", "held back", "95 %", "both", "95 %"),
        [_row(name, halves, read) for name in read[0].answers],
    )
    for title, chosen in (("held back", halves[1]), ("both halves", read)):
        report(
            f"real: all engines together, {title}; photographs by label and answer",
            ("label", *TOLD, "recall"),
            _confusion(chosen),
        )
    report(
        "real: all engines together, by what can be told of a photograph (no labels of sex, age or skin)",
        ("group", "photographs", "mean recall"),
        _groups(read),
    )
    report(
        "real: is it the same person? AUC of the distance between two photographs (0.5: chance)",
        ("by", "all pairs", "pairs with the same label"),
        _matching(read),
    )


def _of(read: list[Read], name: str) -> tuple[Floats, Floats]:
    return (
        np.array([np.argmax(each.answers[name]) for each in read], dtype=np.float64),
        np.array([TOLD.index(each.photo.expression) for each in read], dtype=np.float64),
    )


def _recall(said: Floats, label: Floats) -> float:
    return float(np.mean([(said[label == each] == each).mean() for each in np.unique(label)]))


def _interval(read: list[Read], name: str) -> tuple[float, float]:
    """People are drawn, not photographs: those of one person resemble each other."""
    said, label = _of(read, name)
    people = np.unique([each.photo.person for each in read], return_inverse=True)[1]
    places = [np.flatnonzero(people == person) for person in range(people.max() + 1)]
    chance = np.random.default_rng(4)
    drawn = []
    for _ in range(DRAWS):
        rows = np.concatenate([places[person] for person in chance.integers(len(places), size=len(places))])
        drawn.append(_recall(said[rows], label[rows]))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def _row(name: str, halves: list[list[Read]], read: list[Read]) -> tuple[str, ...]:
    held, both = _interval(halves[1], name), _interval(read, name)
    return (
        name,
        f"{_recall(*_of(halves[0], name)):.3f}",
        f"{_recall(*_of(halves[1], name)):.3f}",
        f"{held[0]:.3f} .. {held[1]:.3f}",
        f"{_recall(*_of(read, name)):.3f}",
        f"{both[0]:.3f} .. {both[1]:.3f}",
    )


def _confusion(read: list[Read]) -> list[tuple[object, ...]]:
    said, label = _of(read, "together")
    counts = np.zeros((len(TOLD), len(TOLD)), dtype=np.intp)
    np.add.at(counts, (label.astype(np.intp), said.astype(np.intp)), 1)
    return [
        (name, *row.tolist(), f"{row[index] / max(1, row.sum()):.3f}")
        for index, (name, row) in enumerate(zip(TOLD, counts, strict=True))
    ]


def _groups(read: list[Read]) -> list[tuple[object, ...]]:
    often = {each.photo.person for each in read}
    counts = {person: sum(each.photo.person == person for each in read) for person in often}
    groups = {
        "head to the front": [each for each in read if each.turned <= TURNED],
        "head turned": [each for each in read if each.turned > TURNED],
        "people with one photograph": [each for each in read if counts[each.photo.person] == 1],
        "people with several": [each for each in read if counts[each.photo.person] > 1],
    }
    return [(name, len(chosen), f"{_recall(*_of(chosen, 'together')):.3f}") for name, chosen in groups.items()]


def _matching(read: list[Read]) -> list[tuple[object, ...]]:
    chance = np.random.default_rng(4)
    kept: list[Read] = []
    for person in sorted({each.photo.person for each in read}):
        own = [each for each in read if each.photo.person == person]
        if len(own) > 1:
            kept += [own[index] for index in chance.permutation(len(own))[:MOST_OF_ONE]]
    people = np.unique([each.photo.person for each in kept], return_inverse=True)[1]
    labels = np.array([TOLD.index(each.photo.expression) for each in kept])
    one, other = np.triu_indices(len(kept), 1)
    same, alike = people[one] == people[other], labels[one] == labels[other]
    rows: list[tuple[object, ...]] = [("the label alone", f"{_auc(alike.astype(np.float64), same):.3f}", "-")]
    for name, values in (
        ("action units", np.array([each.units for each in kept])),
        ("scores of networks", np.array([each.scores for each in kept])),
        ("logarithms of scores", np.log(np.array([np.maximum(each.scores, 0.0) for each in kept]) + 1e-3)),
        ("all of them", np.array([np.concatenate((each.units, each.scores)) for each in kept])),
    ):
        if not values.shape[1]:
            continue
        spread = values.std(axis=0)
        scaled = values[:, spread > 0] / spread[spread > 0]
        near = -((scaled[one] - scaled[other]) ** 2).sum(axis=1)
        rows.append((name, f"{_auc(near, same):.3f}", f"{_auc(near[alike], same[alike]):.3f}"))
    return rows


def _auc(near: Floats, same: np.typing.NDArray[np.bool_]) -> float:
    ranks, count = rankdata(near), int(same.sum())
    return float((ranks[same].sum() - count * (count + 1) / 2) / (count * (len(same) - count)))


if __name__ == "__main__":
    main()
