"""The stress index on people it never saw, beside plain models, motion alone and no model: leave one person out.

KIOSK_RECORDINGS=... kiosk bench stress [--seconds 60] [--heart device]
"""

import argparse
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from analytics import stress
from kiosk.messages import SECOND
from tests.benchmarks._measuring import report
from tests.benchmarks._stress import (
    REST,
    Floats,
    Labels,
    Model,
    Window,
    balanced_accuracy,
    brier,
    held_out,
    people,
    scored,
    windows,
)

MEASURES = ("heart_rate", "rmssd", "eda_slope", "eda_peaks")
"""What the fitted models see: SDNN and Baevsky's index add nothing that RMSSD does not say."""
ANSWERED = (1.0, 0.8, 0.6, 0.4, 0.2)
TASKS = ("Stroop test", "interview", "hyperventilation")
PERMUTATIONS = 20


@dataclass(frozen=True, slots=True)
class Table:
    """A row per scored window."""

    persons: NDArray[np.str_]
    labels: Labels
    runs: NDArray[np.int64]
    """Which run of equal labels of its person: 0 rest, 1 first task, 2 rest ..."""
    motion: Floats
    raw: Floats
    """The measures as they are, NaN where absent."""
    deviations: Floats
    """The measures beside the person's own rest, 0 where absent."""
    index: Floats
    """0..1."""
    quality: Floats


@dataclass(frozen=True, slots=True)
class Claims:
    """What a model says of every row."""

    name: str
    probability: Floats
    threshold: Floats

    @property
    def said(self) -> NDArray[np.bool_]:
        """Whether it says stress."""
        return self.probability > self.threshold


def main() -> None:
    """Score everybody."""
    parser = argparse.ArgumentParser(prog="kiosk bench stress", description=__doc__)
    parser.add_argument("--seconds", type=int, nargs="+", default=[60, 120], help="length of a window")
    parser.add_argument("--heart", choices=["own", "device"], default="own", help="whose beats")
    asked = parser.parse_args()
    named = os.environ.get("KIOSK_RECORDINGS")
    if not named:
        sys.exit("KIOSK_RECORDINGS names no folder of real recordings")
    persons = people(Path(named) / "stress" / "stress-predict")
    for seconds in asked.seconds:
        table = tabled([windows(person, seconds, heart=asked.heart) for person in persons])
        index = Claims("index, as shipped (nothing fitted)", table.index, np.full(len(table.index), 0.5))
        plain = _fitted("logistic regression, raw measures", table, table.raw, _logistic)
        title = (
            f"real: Stress-Predict, {len(persons)} people, {asked.heart} heart, {seconds} s, {_counts(table.labels)}"
        )
        _models(title, table, index, plain)
        _persons(title, table, index, plain)
        _tasks(title, table, index)
        _abstention(title, table, index)
        _motion(title, table, index)


def tabled(persons: list[list[Window]]) -> Table:
    """The scored windows of everybody, each beside its own person's rest."""
    rows = [row for found in persons for row in _rows(found)]
    kept = [window for window, _, _ in rows]
    return Table(
        persons=np.array([window.person for window in kept]),
        labels=np.array([window.label for window in kept], dtype=np.int64),
        runs=np.array([run for _, _, run in rows], dtype=np.int64),
        motion=np.array([window.motion for window in kept]),
        raw=np.array([_raw(window.stretch.evidence) for window in kept]),
        deviations=np.array([_deviations(assessment) for _, assessment, _ in rows]),
        index=np.array([_value(assessment) for _, assessment, _ in rows]),
        quality=np.array([assessment.finding.quality or 0.0 for _, assessment, _ in rows]),
    )


def _rows(found: list[Window]) -> Iterator[tuple[Window, stress.Assessment, int]]:
    course = stress.course([window.stretch for window in found], rest_until_ns=REST[1] * SECOND)
    kept = scored(found)
    runs = np.cumsum([0, *(before.label != after.label for before, after in itertools.pairwise(kept))])
    # a person whose first rest leaves no window begins with the first task
    runs += kept[0].label
    yield from zip(kept, course, runs.tolist(), strict=True)


def _raw(evidence: stress.Evidence) -> list[float]:
    values = (
        evidence.heart_rate,
        evidence.rmssd,
        evidence.eda_slope,
        evidence.eda_peaks,
    )
    return [np.nan if value is None else value for value in values]


def _deviations(assessment: stress.Assessment) -> list[float]:
    found = {driver.measure: driver.z for driver in assessment.drivers}
    return [found.get(measure, 0.0) for measure in MEASURES]


def _value(assessment: stress.Assessment) -> float:
    """Where there is no index the even chance is what it says."""
    return 0.5 if assessment.finding.value is None else assessment.finding.value / 100.0


def _filled() -> SimpleImputer:
    """The others' median where a measure is absent."""
    return SimpleImputer(strategy="median", keep_empty_features=True)


def _logistic() -> Model:
    model: Model = make_pipeline(_filled(), StandardScaler(), LogisticRegression())
    return model


def _forest() -> Model:
    forest = RandomForestClassifier(300, min_samples_leaf=5, random_state=0)
    model: Model = make_pipeline(_filled(), forest)
    return model


def _fitted(name: str, table: Table, features: Floats, made: Callable[[], Model]) -> Claims:
    return Claims(name, *held_out(features, table.labels, table.persons, made()))


def _models(title: str, table: Table, index: Claims, plain: Claims) -> None:
    logit = np.log(table.index / (1.0 - table.index))[:, None]
    share = held_out(np.zeros((len(table.labels), 1)), table.labels, table.persons, _logistic())[1]
    rows = [
        Claims("always rest, with the others' share of stress", share, np.ones(len(share))),
        Claims("always stress, with the others' share of stress", share, np.zeros(len(share))),
        _fitted("motion alone, logistic regression", table, table.motion[:, None], _logistic),
        plain,
        _fitted("random forest, raw measures", table, table.raw, _forest),
        _fitted("logistic regression, deviations from own rest", table, table.deviations, _logistic),
        index,
        _fitted("index, calibrated on the others", table, logit, _logistic),
    ]
    report(
        f"{title}: leave one person out",
        ("model", "balanced accuracy", "mean of people", "Brier"),
        [*(_scores(table, claims) for claims in rows), _by_chance(table)],
    )


def _scores(table: Table, claims: Claims) -> tuple[str, ...]:
    alone = [balanced_accuracy(claims.said[mine], table.labels[mine]) for mine in _each(table)]
    pooled = balanced_accuracy(claims.said, table.labels)
    return claims.name, f"{pooled:.3f}", f"{np.mean(alone):.3f}", f"{brier(claims.probability, table.labels):.3f}"


def _by_chance(table: Table) -> tuple[str, ...]:
    """The index against labels that were drawn anew within each person."""
    generator = np.random.default_rng(0)
    found = []
    for _ in range(PERMUTATIONS):
        labels = table.labels.copy()
        for mine in _each(table):
            labels[mine] = generator.permutation(labels[mine])
        found.append((balanced_accuracy(table.index > 0.5, labels), brier(table.index, labels)))
    accuracy, error = np.mean(found, axis=0)
    return f"index, labels permuted ({PERMUTATIONS} times)", f"{accuracy:.3f}", "", f"{error:.3f}"


def _persons(title: str, table: Table, index: Claims, plain: Claims) -> None:
    rows = []
    for mine in _each(table):
        labels, said = table.labels[mine], index.said[mine]
        rows.append(
            (
                str(table.persons[mine][0]),
                f"{np.count_nonzero(np.isfinite(table.raw[mine, 0]))} of {len(labels)}",
                f"{np.count_nonzero(said & (labels == 1))} of {np.count_nonzero(labels == 1)}",
                f"{np.count_nonzero(~said & (labels == 0))} of {np.count_nonzero(labels == 0)}",
                f"{balanced_accuracy(said, labels):.2f}",
                f"{roc_auc_score(labels, table.index[mine]):.2f}",
                f"{balanced_accuracy(plain.said[mine], labels):.2f}",
            )
        )
    head = (
        "person",
        "with heart rate",
        "stress called stress",
        "rest called rest",
        "balanced accuracy",
        "AUC",
        plain.name,
    )
    report(f"{title}: the index, person by person", head, rows)


def _tasks(title: str, table: Table, index: Claims) -> None:
    rows = []
    for number, name in enumerate(("rest, first ten minutes", TASKS[0], "rest", TASKS[1], "rest", TASKS[2], "rest")):
        here = table.runs == number
        called = np.count_nonzero(index.said[here])
        rows.append((name, np.count_nonzero(here), called, f"{100 * table.index[here].mean():.0f}"))
    report(f"{title}: the index, task by task", ("task", "windows", "called stress", "mean index"), rows)


def _abstention(title: str, table: Table, index: Claims) -> None:
    rows = []
    for answered in ANSWERED:
        cells = [f"{100 * answered:.0f} %"]
        for order in (table.quality, np.abs(table.index - 0.5)):
            kept = np.argsort(-order, kind="stable")[: round(answered * len(order))]
            cells += [
                f"{balanced_accuracy(index.said[kept], table.labels[kept]):.3f}",
                f"{brier(table.index[kept], table.labels[kept]):.3f}",
            ]
        rows.append(cells)
    head = ("answered", "best quality first", "Brier", "furthest from 50 first", "Brier")
    report(f"{title}: the index, abstaining", head, rows)


def _motion(title: str, table: Table, index: Claims) -> None:
    moved = table.motion > np.median(table.motion)
    rows = [
        (name, _counts(table.labels[here]), f"{balanced_accuracy(index.said[here], table.labels[here]):.3f}")
        for name, here in (("calmer half", ~moved), ("half with more motion", moved))
    ]
    alone = [float(np.corrcoef(table.index[mine], table.motion[mine])[0, 1]) for mine in _each(table)]
    rows.append(("correlation of index and motion within a person", "", f"{np.mean(alone):.2f}"))
    report(f"{title}: motion", ("windows", "", "balanced accuracy"), rows)


def _each(table: Table) -> Iterator[NDArray[np.bool_]]:
    return (table.persons == person for person in np.unique(table.persons))


def _counts(labels: Labels) -> str:
    return f"{np.count_nonzero(labels == 1)} of stress, {np.count_nonzero(labels == 0)} of rest"


if __name__ == "__main__":
    main()
