"""The evaluation of the stress index must not know what it is asked: guards against leaks."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from analytics import stress
from kiosk.messages import SECOND
from kiosk.recording import Track
from tests.benchmarks._stress import (
    REST,
    Floats,
    Labels,
    Person,
    Window,
    balanced_accuracy,
    brier,
    held_out,
    people,
    scored,
    windows,
)

TASKS = ((600, 960), (1250, 1900), (2200, 2330))
"""Seconds of stress, synthetic, as long as in the real protocol."""


def person(name: str = "P01", *, rise: float = 10.0, seed: int = 0) -> Person:
    """Synthetic: a wrist whose heart rate rises under stress."""
    generator = np.random.default_rng(seed)
    labels = np.zeros(3000, dtype=np.int64)
    for begin, end in TASKS:
        labels[begin:end] = 1
    wave = Track("ppg", "wrist", ("bvp",), 64.0, np.empty(0, np.int64), np.empty((0, 1), np.float32))
    return Person(
        name,
        labels,
        wave,
        70.0 + rise * labels + generator.normal(0.0, 3.0, 3000),
        np.full(12000, 2.0),
        generator.uniform(0.0, 0.1, 3000),
    )


def course(found: list[Window]) -> Floats:
    """The index of the scored windows, 0..1."""
    told = stress.course([window.stretch for window in found], rest_until_ns=REST[1] * SECOND)
    return np.array([each.finding.value for each in told], dtype=np.float64) / 100.0


def test_no_window_straddles_a_change_of_label_or_overlaps_another() -> None:
    someone = person()
    found = windows(someone, 60)
    for window in found:
        assert set(someone.labels[window.start : window.end]) == {window.label}
    edges = [(window.start, window.end) for window in found]
    assert edges == sorted(edges)
    assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(edges))


def test_rest_is_never_scored_and_nothing_scored_touches_it() -> None:
    found = windows(person(), 60)
    assert min(window.start for window in scored(found)) >= REST[1]
    assert [window.end <= REST[1] for window in found if window not in scored(found)] == [True] * 7
    assert {window.label for window in scored(found)} == {0, 1}


def test_a_task_that_begins_early_ends_the_rest() -> None:
    early = person()
    early.labels[300:600] = 1
    found = windows(early, 60)
    assert [window.start for window in found if window.start < REST[1]] == [120, 180, 240]
    assert {window.label for window in found if window.start < REST[1]} == {0}
    assert scored(found)[0].start == REST[1]


def test_a_window_says_the_same_whatever_surrounds_it() -> None:
    whole = person()
    other = replace(whole, pulse=whole.pulse.copy(), conductance=whole.conductance.copy())
    inside = windows(whole, 60)[20]
    other.pulse[: inside.start] = 140.0
    other.pulse[inside.end :] = 140.0
    other.conductance[: 4 * inside.start] = 9.0
    other.conductance[4 * inside.end :] = 9.0
    assert windows(other, 60, heart="device")[20].stretch == windows(whole, 60, heart="device")[20].stretch


def test_labels_of_what_is_scored_never_enter_the_index() -> None:
    someone = person()
    turned = replace(someone, labels=np.where(np.arange(3000) >= REST[1], 1 - someone.labels, someone.labels))
    mine, theirs = windows(someone, 60, heart="device"), windows(turned, 60, heart="device")
    assert [window.label for window in scored(mine)] == [1 - window.label for window in scored(theirs)]
    assert course(mine) == pytest.approx(course(theirs))


def test_a_rising_heart_rate_is_found_and_permuted_labels_are_chance() -> None:
    found = [windows(person(f"P{number:02d}", seed=number), 60, heart="device") for number in range(8)]
    index = np.concatenate([course(each) for each in found])
    labels = np.array([window.label for each in found for window in scored(each)])
    # 50 is the middle of rest: what is clearly above it is meant here
    said = index > 0.6
    assert balanced_accuracy(said, labels) > 0.95
    generator = np.random.default_rng(1)
    chance = [balanced_accuracy(said, generator.permutation(labels)) for _ in range(50)]
    assert np.mean(chance) == pytest.approx(0.5, abs=0.03)


@dataclass
class Spy:
    """A model that remembers what it learned from."""

    learned: list[Floats]

    def fit(self, features: Floats, labels: Labels) -> object:
        self.learned.append(features)
        return self

    def predict_proba(self, features: Floats) -> Floats:
        # the first column is the person: none may have been learned from
        assert not np.isin(features[:, 0], self.learned[-1][:, 0]).any()
        return np.full((len(features), 2), 0.5)


def table(*, persons: int = 10, rows: int = 40) -> tuple[NDArray[np.str_], Labels]:
    """Synthetic: people with very different shares of stress, so that who it is tells much about the label."""
    generator = np.random.default_rng(2)
    names = np.repeat([f"P{number:02d}" for number in range(persons)], rows)
    share = np.repeat(np.tile([0.1, 0.9], persons // 2), rows)
    return names, (generator.random(len(names)) < share).astype(np.int64)


def test_a_model_never_learns_from_the_person_that_it_is_asked_about() -> None:
    names, labels = table()
    numbers = np.unique(names, return_inverse=True)[1].astype(np.float64)[:, None]
    spy = Spy([])
    held_out(numbers, labels, names, spy)
    assert [len(np.unique(each)) for each in spy.learned] == [9] * 10


def test_scaler_and_threshold_come_from_the_others_alone() -> None:
    names, labels = table()
    features = np.arange(float(len(names)))[:, None]
    model = make_pipeline(StandardScaler(), LogisticRegression())
    _, threshold = held_out(features, labels, names, model)
    last = names == "P09"
    assert model.named_steps["standardscaler"].mean_ == pytest.approx(features[~last].mean())
    assert threshold[last] == pytest.approx(labels[~last].mean())


def test_knowing_who_it_is_profits_a_careless_split_and_not_this_one() -> None:
    names, labels = table()
    identity = (names[:, None] == np.unique(names)).astype(np.float64)
    careless = cross_val_predict(
        LogisticRegression(), identity, labels, cv=KFold(10, shuffle=True, random_state=0), method="predict_proba"
    )[:, 1]
    assert balanced_accuracy(careless > 0.5, labels) > 0.85
    probability, threshold = held_out(identity, labels, names, LogisticRegression())
    assert balanced_accuracy(probability > threshold, labels) <= 0.5
    assert brier(probability, labels) > 0.24


def test_scores_are_what_their_names_say() -> None:
    labels = np.array([1, 1, 0, 0, 0, 0])
    said = np.array([True, False, False, False, False, True])
    assert balanced_accuracy(said, labels) == pytest.approx((0.5 + 0.75) / 2)
    assert brier(np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.5]), labels) == pytest.approx(1.25 / 6)


def test_real_people_are_told_better_than_by_chance_and_not_with_permuted_labels(recordings: Path) -> None:
    found = [windows(each, 60, heart="device") for each in people(recordings / "stress" / "stress-predict")]
    for each in found:
        assert min(window.start for window in scored(each)) >= REST[1]
    index = np.concatenate([course(each) for each in found])
    labels = np.array([window.label for each in found for window in scored(each)])
    told = balanced_accuracy(index > 0.5, labels)
    generator = np.random.default_rng(3)
    chance = [balanced_accuracy(index > 0.5, generator.permutation(labels)) for _ in range(200)]
    assert told > max(chance)
    assert np.mean(chance) == pytest.approx(0.5, abs=0.01)
