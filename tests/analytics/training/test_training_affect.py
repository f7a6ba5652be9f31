"""Valence and arousal are learnt from ECG and EEG without knowing who or what is asked: the guards catch who does."""

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import savemat
from typer.testing import CliRunner

from analytics.affect import ECG_FEATURES, EEG_FEATURES, METHODS, AffectNetwork
from analytics.training.affect import pipelines, protocols, whole
from analytics.training.affect.pipelines import KINDS, Kind
from analytics.training.affect.protocols import PROTOCOLS, Leak, Protocol, Split, checked, peeks, probability, splits
from analytics.training.affect.table import SIGNALS, TARGETS, Table
from analytics.training.fusion.logistic import share
from kiosk import models
from kiosk.__main__ import app
from kiosk.commands.train import affect as command
from sensors.drivers.simulated import Body, Person
from tests.conftest import require

Floats = NDArray[np.float64]


def table(people: int = 6, films: int = 12, *, seed: int = 0, strength: float = 1.0, who: float = 0.0) -> Table:
    """Synthetic people: arousal moves the heart, valence the brain; `who` is how far people stand apart."""
    rng = np.random.default_rng(seed)
    rows = people * films
    persons, numbers = np.repeat(np.arange(people), films), np.tile(np.arange(films), people)
    valence, arousal = rng.integers(1, 6, rows).astype(np.float64), rng.integers(1, 6, rows).astype(np.float64)
    fixed = np.random.default_rng(5)
    to_heart, to_brain = fixed.standard_normal(len(ECG_FEATURES)), fixed.standard_normal(len(EEG_FEATURES))
    apart = who * rng.standard_normal((people, len(ECG_FEATURES)))[persons]
    ecg = strength * (arousal - 3.0)[:, None] * to_heart + rng.standard_normal((rows, len(ECG_FEATURES))) + apart
    eeg = strength * (valence - 3.0)[:, None] * to_brain + rng.standard_normal((rows, len(EEG_FEATURES)))
    return Table(persons, numbers, ecg, eeg, valence, arousal)


def kinds_here() -> tuple[Kind, ...]:
    return KINDS if find_spec("torch") else ("logistic", "svm")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_row_is_asked_once_and_nothing_is_on_both_sides(protocol: Protocol) -> None:
    some = table()
    found = checked(some, list(splits(some, protocol)), protocol)
    assert np.sum([split.asked for split in found], axis=0).tolist() == [1] * len(some.persons)
    for split in found:
        both = np.intersect1d(some.persons[split.learnt], some.persons[split.asked])
        assert len(both) == (0 if protocol == "people left out" else 1)


def test_splits_that_leak_are_caught() -> None:
    some = table(people=3, films=4)
    rng = np.random.default_rng(0)
    careless = rng.permutation(len(some.persons)) % 4
    with pytest.raises(Leak, match="is on both sides"):
        checked(some, [Split(careless != k, careless == k) for k in range(4)], "people left out")
    everybody = np.ones(len(some.persons), dtype=np.bool_)
    with pytest.raises(Leak, match="learnt from and asked"):
        checked(some, [Split(everybody, everybody)], "people left out")
    with pytest.raises(Leak, match="exactly once"):
        checked(some, list(splits(some, "people left out"))[1:], "people left out")
    # the same film twice, once on either side
    twice = replace(some, films=np.zeros(len(some.films), dtype=np.int64))
    halves = [Split(some.films % 2 == k, (some.films % 2 != k) & (some.persons < 9)) for k in range(2)]
    with pytest.raises(Leak, match="film 0 is on both sides"):
        checked(twice, halves, "within a person")


def honest(protocol: Protocol, kind: Kind = "logistic") -> Callable[[Table], Floats]:
    return lambda some: probability(some, "arousal", "ecg+eeg", kind, protocol)


def leaky(some: Table) -> Floats:
    """What is often published: everything is standardised at once, and only then divided."""
    features = some.features("ecg+eeg")
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    sign, told = 2.0 * some.labels("arousal") - 1.0, np.empty(len(some.persons))
    for split in splits(some, "people left out"):
        # a ridge regression: what is standardised again on its own rows would forget the leak
        x = features[split.learnt]
        weights = np.linalg.solve(x.T @ x + 10.0 * np.eye(x.shape[1]), x.T @ sign[split.learnt])
        told[split.asked] = share(features[split.asked] @ weights)
    return told


def leaky_by_person(some: Table) -> Floats:
    """The subtler one: each person's rows, those asked among them, by their own mean."""
    features = some.features("ecg+eeg").copy()
    for person in np.unique(some.persons):
        mine = some.persons == person
        features[mine] -= features[mine].mean(axis=0)
    labels, told = some.labels("arousal"), np.empty(len(some.persons))
    for split in splits(some, "people left out"):
        known = pipelines.fit("logistic", features[split.learnt], labels[split.learnt])
        told[split.asked] = share(known.score(features[split.asked]))
    return told


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_said_of_a_film_does_not_hang_on_films_asked_with_it(protocol: Protocol) -> None:
    some = table(people=4, films=12, strength=0.2)
    assert not peeks(honest(protocol), some, protocol)
    assert not peeks(honest(protocol, "svm"), some, protocol)


@pytest.mark.parametrize("evaluate", [leaky, leaky_by_person], ids=["of all", "of each person"])
def test_normalisation_with_test_windows_is_caught(evaluate: Callable[[Table], Floats]) -> None:
    assert peeks(evaluate, table(people=4, films=8, strength=0.2), "people left out")


def test_knowing_who_it_is_profits_a_careless_split_and_not_this_one() -> None:
    """People who rate differently and are told apart: without anything else to know, a stranger stays a stranger."""
    rng = np.random.default_rng(3)
    some = table(people=8, films=18, strength=0.0, who=5.0)
    high = np.tile([0.1, 0.9], 4)[some.persons]
    some = replace(some, arousal=np.where(rng.random(len(high)) < high, 5.0, 1.0))
    features, labels = some.features("ecg"), some.labels("arousal")
    careless = np.empty(len(labels))
    folds = rng.permutation(len(labels)) % 6
    for fold in range(6):
        known = pipelines.fit("logistic", features[folds != fold], labels[folds != fold])
        careless[folds == fold] = known.score(features[folds == fold])
    assert np.mean((careless > 0) == (labels > 0)) > 0.8
    told = probability(some, "arousal", "ecg", "logistic", "people left out")
    assert np.mean((told > 0.5) == (labels > 0)) < 0.65


@pytest.mark.parametrize("kind", kinds_here())
def test_each_pipeline_finds_what_is_there_in_people_it_never_saw(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "STEPS", 40)
    some = table(people=4 if kind == "network" else 8, films=24)
    arousal = {
        signals: protocols.score(
            some,
            "arousal",
            probability(some, "arousal", signals, kind, "people left out"),
            protocols.thresholds(some, "arousal", "people left out"),
        ).balanced_accuracy
        for signals in ("ecg", "eeg")
    }
    assert arousal["ecg"] > 0.85
    # nothing of arousal is in this brain
    assert arousal["eeg"] == pytest.approx(0.5, abs=0.2)


def test_permuted_ratings_are_chance() -> None:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(6):
        some = table(people=8, films=16)
        some = replace(some, valence=rng.permutation(some.valence))
        told = probability(some, "valence", "eeg", "logistic", "people left out")
        limit = protocols.thresholds(some, "valence", "people left out")
        found.append(protocols.score(some, "valence", told, limit).balanced_accuracy)
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_the_support_vector_machine_agrees_with_scikit_learn() -> None:
    from sklearn.svm import LinearSVC

    some = table(people=4, films=18)
    features, labels = some.features("eeg"), some.labels("valence")
    ours = pipelines.fit("svm", features, labels).score(features)
    x = (features - features.mean(axis=0)) / features.std(axis=0)
    theirs = LinearSVC(C=pipelines.COST, dual=False, tol=1e-10, intercept_scaling=1e3).fit(x, labels)
    assert ours == pytest.approx(theirs.decision_function(x), abs=5e-3)


def test_one_rating_alone_teaches_its_prior() -> None:
    known = pipelines.fit("logistic", np.random.default_rng(0).standard_normal((9, 3)), np.ones(9))
    assert share(known.score(np.zeros((1, 3))))[0] == pytest.approx(9.5 / 10.0)


def test_a_person_who_rates_all_films_alike_is_not_scored() -> None:
    some = table(people=4)
    told = np.full(len(some.persons), 0.6)
    dull = replace(some, valence=np.where(some.persons == 0, 5.0, some.valence))
    half = np.full(len(told), 0.5)
    assert protocols.score(dull, "valence", told, half).people == 3
    with pytest.raises(ValueError, match="nobody"):
        protocols.score(replace(some, valence=np.full(len(told), 5.0)), "valence", told, half)


def test_scores_are_what_their_names_say() -> None:
    from sklearn.metrics import balanced_accuracy_score, brier_score_loss, f1_score

    some = table(people=1, films=40)
    told = np.random.default_rng(0).random(40)
    labels, limit = some.labels("valence"), np.full(40, 0.3)
    found = protocols.score(some, "valence", told, limit)
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, told > 0.3))
    assert found.f1 == pytest.approx(f1_score(labels, told > 0.3))
    assert found.brier == pytest.approx(brier_score_loss(labels, told))


def test_the_threshold_is_the_share_among_what_was_learnt_from() -> None:
    some = table(people=3, films=6)
    some = replace(some, valence=np.where(some.persons == 0, 5.0, 1.0))
    limit = protocols.thresholds(some, "valence", "people left out")
    assert limit[some.persons == 0].tolist() == [0.0] * 6
    assert limit[some.persons == 1].tolist() == [0.5] * 6


def test_the_file_says_what_was_learnt_with_either_signal_or_both() -> None:
    require(find_spec("onnx"), "onnx")
    some = table(people=8, films=16)
    content = whole.made(some)
    assert whole.made(some) == content
    network = AffectNetwork(models.open_bytes(models.known("affect_own"), content))
    row = int(np.argmax(some.arousal + some.valence))
    low = int(np.argmin(some.arousal + some.valence))
    for ecg, eeg, method in ((True, True, 2), (True, False, 0), (False, True, 1)):
        high, calm = (network(some.ecg[at] if ecg else None, some.eeg[at] if eeg else None) for at in (row, low))
        assert high.method == calm.method == METHODS[method]
        assert high.arousal is not None
        assert calm.arousal is not None
        assert high.valence is not None
        assert calm.valence is not None
        if ecg:
            assert high.arousal > 0.0 > calm.arousal
        if eeg:
            assert high.valence > 0.0 > calm.valence


@pytest.mark.parametrize("kind", kinds_here())
def test_every_pipeline_can_be_written(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    require(find_spec("onnx"), "onnx")
    monkeypatch.setattr(pipelines, "STEPS", 5)
    assert len(whole.made(table(people=4, films=6), kind=kind)) < 300_000


def test_too_few_people_or_ratings_are_refused() -> None:
    with pytest.raises(ValueError, match="people"):
        whole.made(table(people=3))
    some = table(people=5)
    with pytest.raises(ValueError, match="valence"):
        whole.made(replace(some, valence=np.full(len(some.persons), 4.0)))
    with pytest.raises(ValueError, match="features"):
        replace(some, ecg=some.ecg[:, 1:])


def test_the_card_puts_both_protocols_side_by_side() -> None:
    require(find_spec("onnx"), "onnx")
    some = table(people=4, films=12)
    found = whole.figures(some, kinds=("logistic",))
    assert len(found) == len(TARGETS) * len(SIGNALS) * len(PROTOCOLS)
    text = whole.card(some, b"", found, source="a test", seed=0)
    assert text.count("| people left out |") == text.count("| within a person |") == len(TARGETS) * len(SIGNALS)


def films(folder: Path, people: int = 4, count: int = 3) -> Path:
    """A file of DREAMER's layout, of simulated people whose heart is faster where they rate high."""
    rng = np.random.default_rng(0)

    def cells(parts: list[object], *, row: bool = False) -> NDArray[np.object_]:
        held = np.empty((1, len(parts)) if row else (len(parts), 1), dtype=object)
        for place, part in enumerate(parts):
            held[(0, place) if row else (place, 0)] = part
        return held

    def one(number: int) -> dict[str, object]:
        ratings = rng.permutation([5.0, 1.0] * count)[:count]
        ratings[:2] = 5.0, 1.0

        def heart(rate: float) -> Floats:
            person = replace(Person.random(number).undisturbed(), heart_rate=rate)
            return 2000.0 + 300.0 * np.repeat(Body(person).ecg(np.arange(36 * 256) / 256)[:, :1], 2, axis=1)

        def brain() -> Floats:
            return 4200.0 + 10.0 * rng.standard_normal((36 * 128, 14))

        return {
            "EEG": {
                "baseline": cells([brain() for _ in range(count)]),
                "stimuli": cells([brain() for _ in range(count)]),
            },
            "ECG": {
                "baseline": cells([heart(65.0) for _ in range(count)]),
                "stimuli": cells([heart(65.0 + 4.0 * (each - 1.0)) for each in ratings]),
            },
            **{f"Score{what}": ratings[:, None] for what in ("Valence", "Arousal", "Dominance")},
        }

    path = folder / "DREAMER.mat"
    savemat(path, {"DREAMER": {"Data": cells([one(k) for k in range(people)], row=True)}}, do_compression=True)
    return path


def test_the_command_makes_a_network_that_can_be_installed(tmp_path: Path) -> None:
    require(find_spec("torch") and find_spec("onnx"), "torch, onnx")
    path, out = films(tmp_path), tmp_path / "made" / "affect.onnx"
    ran = CliRunner().invoke(app, ["train", "affect", "--data", str(path), "--out", str(out), "--no-judge"])
    assert ran.exit_code == 0, ran.output
    assert "4 people, 12 rows" in out.with_suffix(".md").read_text()
    models.add(out, tmp_path / "models", name="affect_own")
    network = AffectNetwork.installed(tmp_path / "models")
    assert network is not None
    some = command.table(path)
    assert np.isfinite(some.ecg[:, 0]).all()
    assert np.isfinite(some.eeg).all()
    high, low = (some.ecg[some.arousal == rating].mean(axis=0) for rating in (5.0, 1.0))
    assert high[0] - low[0] == pytest.approx(16.0, abs=4.0)
    told = [network(features, None).arousal for features in (high, low)]
    assert told[0] is not None
    assert told[1] is not None
    assert told[0] > told[1]


@pytest.mark.parametrize("case", ["absent", "no mat", "one person"])
def test_the_command_ends_with_a_reason_and_writes_nothing(case: str, tmp_path: Path) -> None:
    require(find_spec("torch") and find_spec("onnx"), "torch, onnx")
    path, out = tmp_path / "DREAMER.mat", tmp_path / "affect.onnx"
    if case == "no mat":
        path.write_text("hello")
    elif case == "one person":
        films(tmp_path, people=1, count=2)
    ran = CliRunner().invoke(app, ["train", "affect", "--data", str(path), "--out", str(out)])
    assert ran.exit_code == 2
    assert "kiosk: " in ran.output
    assert not out.exists()
