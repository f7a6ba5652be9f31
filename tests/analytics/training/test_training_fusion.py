"""The learned fusion learns, imagines, is judged on people it never saw, and says the same once it is written."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from analytics.fusion_learned import FEATURES, MODALITIES, Deviations, LearnedFusion
from analytics.training.fusion import card, judging, logistic, network, rivals, whole
from analytics.training.fusion.table import OWNERS, SUBSETS, Table, only, with_subset
from kiosk import models
from kiosk.__main__ import app
from kiosk.commands.train import fusion as command
from kiosk.errors import BadRecording
from tests.conftest import require

Floats = NDArray[np.float64]
EVERYTHING = (0, 1, 2, 3)
STEPS = 60


def table(people: int = 8, rows: int = 60, *, seed: int = 0, strength: float = 1.0) -> Table:
    """Synthetic: one hidden state moves all four modalities of every person, each with noise of its own."""
    rng = np.random.default_rng(seed)
    count = people * rows
    labels = (rng.random(count) < 0.4).astype(np.float64)
    mixing = np.random.default_rng(99).uniform(0.5, 1.5, len(FEATURES))
    z = strength * (2.0 * labels - 1.0)[:, None] * mixing + rng.standard_normal((count, len(FEATURES)))
    present = np.ones((count, len(MODALITIES)), dtype=np.bool_)
    present[:, 0] = rng.random(count) < 0.7
    names = np.repeat([f"P{number:02d}" for number in range(people)], rows)
    seen = Deviations(np.clip(z, -5.0, 5.0), np.ones_like(present))
    return Table(names, labels, only(seen, present))


@pytest.fixture
def torch() -> None:
    require(find_spec("torch"), "torch")


@pytest.fixture(scope="module")
def made() -> whole.Made:
    require(find_spec("torch"), "torch")
    return whole.made(table(), seed=3, steps=STEPS)


def test_there_are_fifteen_subsets_and_the_last_is_everything() -> None:
    assert len(set(SUBSETS)) == 15
    assert SUBSETS[-1] == EVERYTHING


def test_what_is_not_there_is_nothing_to_anybody() -> None:
    some = table()
    for subset in SUBSETS:
        seen = with_subset(some.seen, subset)
        away = ~np.isin(OWNERS, subset)
        assert not seen.z[:, away].any()
        assert not seen.present[:, [place for place in range(4) if place not in subset]].any()


def test_the_network_learns_and_says_the_same_once_it_is_written(made: whole.Made) -> None:
    assert np.mean(made.learned.losses[-10:]) < np.mean(made.learned.losses[-STEPS : 10 - STEPS])
    opened = LearnedFusion(models.open_bytes(models.known("fusion_own"), made.onnx))
    other = table(seed=7)
    for subset in SUBSETS:
        seen = with_subset(other.seen, subset)
        there = seen.present.any(axis=1)
        ours = logistic.share(made.platt.logit(made.learned.logit(seen, subset)))
        assert np.allclose(opened.probability(seen)[there], ours[there], atol=1e-4)
        assert np.isnan(opened.probability(seen)[~there]).all()


def test_more_modalities_tell_more_about_people_it_never_saw(made: whole.Made) -> None:
    opened = LearnedFusion(models.open_bytes(models.known("fusion_own"), made.onnx))
    other = table(seed=11, strength=0.4)
    right = [
        float(np.mean((opened.probability(with_subset(other.seen, subset)) > 0.5) == (other.labels > 0)))
        for subset in ((3,), (2, 3), EVERYTHING)
    ]
    assert right[0] > 0.6
    assert right[2] > right[0]


def test_its_file_is_small_and_takes_any_number_of_windows(made: whole.Made) -> None:
    assert len(made.onnx) < 300_000
    opened = LearnedFusion(models.open_bytes(models.known("fusion_own"), made.onnx))
    for count in (0, 1, 500):
        seen = Deviations(np.zeros((count, len(FEATURES))), np.ones((count, 4), dtype=np.bool_))
        assert opened.probability(seen).shape == (count,)


def test_a_window_is_told_by_itself_whatever_is_asked_with_it(made: whole.Made) -> None:
    opened = LearnedFusion(models.open_bytes(models.known("fusion_own"), made.onnx))
    seen = table(seed=5).seen
    alone = [float(opened.probability(Deviations(seen.z[[row]], seen.present[[row]]))[0]) for row in range(10)]
    assert opened.probability(seen)[:10] == pytest.approx(alone, abs=1e-6)


def test_the_same_seed_learns_the_same_and_leaves_torch_alone(torch: None) -> None:
    import torch as library

    library.manual_seed(1)
    expected = library.rand(3)
    library.manual_seed(1)
    threads = library.get_num_threads()
    some = table(people=4, rows=20)
    first, again, other = (network.train(some, steps=5, seed=seed) for seed in (5, 5, 6))
    assert first.losses == again.losses
    assert first.losses != other.losses
    assert library.equal(library.rand(3), expected)
    assert library.get_num_threads() == threads


def test_nothing_to_learn_from_is_refused(torch: None) -> None:
    some = table(people=3, rows=10)
    with pytest.raises(ValueError, match="one label"):
        network.train(replace(some, labels=np.zeros(30)), steps=2)
    with pytest.raises(ValueError, match="steps"):
        network.train(some, steps=0)


@pytest.mark.parametrize("damage", ["nan", "label", "width"])
def test_rows_that_make_no_sense_are_refused(damage: str) -> None:
    some = table(people=2, rows=5)
    z, labels = some.seen.z.copy(), some.labels.copy()
    if damage == "nan":
        z[0, 0] = np.nan
    elif damage == "label":
        labels[0] = 2.0
    else:
        z = z[:, 1:]
    with pytest.raises(ValueError, match="row"):
        Table(some.persons, labels, Deviations(z, some.seen.present))


class Spy:
    """A fusion that knows who it learnt from, and may not meet them again."""

    def __init__(self, known: Table) -> None:
        self.names, self.rows = set(known.names), {tuple(row) for row in known.seen.z.tolist()}

    def logit(self, seen: Deviations, subset: tuple[int, ...]) -> Floats:
        assert subset != EVERYTHING or not {tuple(row) for row in seen.z.tolist()} & self.rows
        return np.zeros(len(seen.z))


def test_nobody_who_is_asked_was_learnt_from() -> None:
    learnt: list[Spy] = []

    def fit(known: Table) -> Spy:
        learnt.append(Spy(known))
        return learnt[-1]

    some = table(people=5, rows=10)
    found = judging.answers(some, {"spy": fit})
    assert [len(each.names) for each in learnt] == [4] * 5
    for name, each in zip(some.names, learnt, strict=True):
        assert name not in each.names
    assert np.isfinite(found.probability["spy"]).all()
    learnt.clear()
    rivals.with_calibration(fit, groups=3)(some)
    assert [len(each.names) for each in learnt] == [3, 3, 4, 5]


def test_late_fusion_is_calibrated_and_grows_surer_with_what_agrees() -> None:
    known = rivals.with_calibration(rivals.late)(table(seed=1, strength=0.3))
    z = np.full((1, len(FEATURES)), 1.0)
    present = np.ones((1, 4), dtype=np.bool_)
    told = [float(known.logit(with_subset(Deviations(z, present), subset), subset)[0]) for subset in SUBSETS]
    assert told[-1] > max(told[:4])
    other = table(seed=2, people=20, strength=0.3)
    said = logistic.share(known.logit(other.seen, EVERYTHING))
    here = (said > 0.2) & (said < 0.8)
    assert abs(float(said[here].mean() - other.labels[here].mean())) < 0.1


@pytest.mark.parametrize("learn", [rivals.late, rivals.per_subset], ids=["late", "per subset"])
def test_a_modality_that_nobody_shows_tells_the_prior(learn: rivals.Fit) -> None:
    some = table(people=4, rows=30)
    blind = replace(some, seen=with_subset(some.seen, (1, 2, 3)))
    known = learn(blind)
    for subset in SUBSETS:
        told = known.logit(with_subset(some.seen, subset), subset)
        assert np.isfinite(told).all()
        if subset == (0,):
            assert logistic.share(told) == pytest.approx(some.labels.mean(), abs=0.01)


def test_newtons_logistic_regression_agrees_with_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    some = table(seed=4, strength=0.3)
    ours = logistic.fitted(some.seen.z, some.labels)
    scaler = StandardScaler().fit(some.seen.z)
    theirs = LogisticRegression(tol=1e-10, max_iter=1000).fit(scaler.transform(some.seen.z), some.labels)
    assert ours.logit(some.seen.z) == pytest.approx(
        np.clip(theirs.decision_function(scaler.transform(some.seen.z)), -12, 12), abs=1e-3
    )


def test_calibration_never_turns_an_answer_round() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(200) < 0.3).astype(np.float64)
    turned = logistic.calibrated(-3.0 * (2.0 * labels - 1.0), labels)
    assert turned.slope == 0.0
    assert logistic.share(turned.logit(np.array([5.0])))[0] == pytest.approx(labels.mean(), abs=0.01)


def test_scores_are_what_their_names_say() -> None:
    from sklearn.metrics import balanced_accuracy_score, brier_score_loss, log_loss, roc_auc_score

    rng = np.random.default_rng(2)
    labels = (rng.random(100) < 0.4).astype(np.float64)
    probability = np.clip(rng.random(100).round(1), 0.05, 0.95)
    accuracy, auc, brier, loss = judging.measured(probability, labels, np.full(100, 0.4))
    assert accuracy == pytest.approx(balanced_accuracy_score(labels, probability > 0.4))
    assert auc == pytest.approx(roc_auc_score(labels, probability))
    assert brier == pytest.approx(brier_score_loss(labels, probability))
    assert loss == pytest.approx(log_loss(labels, probability))


def answered(gain: float, *, spoilt: int | None = None) -> judging.Answers:
    """Synthetic answers: the learned fusion is surer of the truth by `gain`, but in one subset."""
    some = table(people=10, rows=40)
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((len(SUBSETS), len(some.labels)))
    sure = (2.0 * some.labels - 1.0)[None]
    learned = sure * np.where(np.arange(len(SUBSETS))[:, None] == spoilt, -1.0, 0.5 + gain) + noise
    said = {judging.LATE: logistic.share(0.5 * sure + noise), judging.LEARNED: logistic.share(learned)}
    return judging.Answers(some, {**said, whole.ZERO: said[judging.LATE]}, np.full(len(some.labels), 0.4))


def test_the_criterion_wants_better_and_nowhere_worse() -> None:
    better = judging.verdict(answered(0.5), card.NAMES)
    assert better.becomes_default
    assert better.gain.high < 0.0
    assert not judging.verdict(answered(0.0), card.NAMES).becomes_default
    assert not judging.verdict(answered(-0.4), card.NAMES).becomes_default
    spoilt = judging.verdict(answered(0.5, spoilt=3), card.NAMES)
    assert not spoilt.becomes_default
    assert any(each.startswith(f"{card.NAMES[3]}:") for each in spoilt.worse)


def test_the_card_tells_the_verdict_and_whose_recordings_they_are(made: whole.Made) -> None:
    text = card.text(made, table(), answered(0.5), seed=3, steps=STEPS, source="nobody's, CC0")
    assert "nobody's, CC0" in text
    assert "It becomes the default." in text
    assert text.count("| pulse + sweat |") == len(judging.MEASURES)
    assert "whose, and under which licence, was not said" in card.text(made, table(), None, seed=3, steps=STEPS)


def test_labels_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="cannot be read"):
        command.labelled(tmp_path)
    file = tmp_path / "labels.csv"
    for text, match in (
        ("", "nobody"),
        ("a,b\n1,2\n", "columns"),
        ("Participant,Time(sec),Label\n2,100,0\n2,101,7\n", "0 or 1"),
        ("Participant,Time(sec),Label\n2,100,0\n2,105,1\n", "every second"),
        ("Participant,Time(sec),Label\n2,100,nan\n", "columns"),
    ):
        file.write_text(text)
        with pytest.raises(BadRecording, match=match):
            command.labelled(tmp_path)
    file.write_text("Participant,Time(sec),Label\n2,100,0\n2,101,1\n")
    assert {number: (first, marks.tolist()) for number, (first, marks) in command.labelled(tmp_path).items()} == {
        2: (100.0, [0, 1])
    }


def test_real_windows_lie_after_the_rest_and_within_one_label(recordings: Path) -> None:
    folder = recordings / "stress" / "stress-predict"
    origin, marks = command.labelled(folder)[6]
    changes = np.flatnonzero(np.diff(marks)) + 1
    short = marks[: changes[1] + 130]
    seen, labels = command.person(folder / "raw" / "S06", origin, short, hop=600)
    # one window in each run of equal labels after second 540
    assert labels.tolist() == [0.0, 1.0, 0.0][-len(labels) :]
    assert seen.present[:, 1:].all()
    turned = np.where(np.arange(len(short)) >= 540, 1 - short, short)
    if turned[539] == turned[540]:
        pytest.fail("the labels did not turn", pytrace=False)
    again, opposite = command.person(folder / "raw" / "S06", origin, turned, hop=600)
    assert opposite[-2:].tolist() == [0.0, 1.0]
    assert again.z[-2:] == pytest.approx(seen.z[-2:])


def wristbands(folder: Path, people: int = 3) -> Path:
    """Folders as an Empatica E4 writes them: skin that sweats under stress, and all else at rest. Synthetic."""
    seconds, begin = 780, 1_600_000_000
    rows = ["Participant,HR,respr,Time(sec),Label"]
    for number in range(2, 2 + people):
        rng = np.random.default_rng(number)
        own = folder / "raw" / f"S{number:02d}"
        own.mkdir(parents=True)
        stressed = np.arange(seconds) >= 660
        rows += [f"{number},70,12,{begin + 5 + at},{int(stressed[at])}" for at in range(seconds - 5)]
        at = np.arange(seconds * 64) / 64
        level = 2.0 + np.cumsum(np.where(np.repeat(stressed, 4), 0.004, 0.0)) + 0.01 * rng.standard_normal(seconds * 4)
        columns = {
            "BVP": (64, 100.0 * np.sin(2 * np.pi * 1.2 * at) + rng.standard_normal(len(at))),
            "EDA": (4, level),
            "TEMP": (4, 33.0 + 0.01 * rng.standard_normal(seconds * 4)),
            "ACC": (32, np.rint(rng.normal([0, 0, 64], 1.0, (seconds * 32, 3)))),
        }
        for name, (rate, values) in columns.items():
            table = values.reshape(seconds * rate, -1)
            head = [f"{begin:.2f}"] * table.shape[1], [f"{rate:.6f}"] * table.shape[1]
            with (own / f"{name}.csv").open("w") as file:
                file.writelines(", ".join(line) + "\n" for line in head)
                np.savetxt(file, table, fmt="%.6f", delimiter=",")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_the_command_makes_a_network_that_can_be_installed(tmp_path: Path) -> None:
    require(find_spec("torch") and find_spec("onnx"), "torch, onnx")
    data, out = wristbands(tmp_path / "data"), tmp_path / "made" / "own.onnx"
    arguments = ["train", "fusion", "--data", str(data), "--out", str(out), "--steps", "3", "--no-judge"]
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 0, ran.output
    assert "Learnt from 3 people" in out.with_suffix(".md").read_text()
    models.add(out, tmp_path / "models", name="fusion_own")
    assert LearnedFusion.installed(tmp_path / "models", "fusion_own").probability(table(people=1).seen).shape == (60,)
    found = command.table(data)
    drift = [each.name for each in FEATURES].index("conductance_drift")
    assert found.seen.z[found.labels == 1, drift].min() > found.seen.z[found.labels == 0, drift].max()
    assert found.seen.present.all()
    # the labels begin five seconds after the sensors
    assert len(found.labels) == 3 * (3 + 2)


def test_the_command_ends_with_a_reason_and_writes_nothing(tmp_path: Path) -> None:
    require(find_spec("torch") and find_spec("onnx"), "torch, onnx")
    data, out = wristbands(tmp_path / "data", people=1), tmp_path / "own.onnx"
    (data / "raw" / "S02" / "EDA.csv").unlink()
    ran = CliRunner().invoke(app, ["train", "fusion", "--data", str(data), "--out", str(out)])
    assert ran.exit_code == 2
    assert "EDA.csv: there is no such file" in ran.output.replace("\n", " ").replace("  ", " ")
    assert not out.exists()
    ran = CliRunner().invoke(app, ["train", "fusion", "--data", str(data), "--out", str(data)])
    assert ran.exit_code == 2
