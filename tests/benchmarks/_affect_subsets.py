"""Four ways to fuse pulse, sweat, skin temperature and motion of a wrist, in all fifteen subsets, on people left out.

Real: Stress-Predict (Iqbal et al. 2022, doi:10.3390/s22218135), 10 people; 95 % intervals over resampled people. The
criterion by which the learned fusion would become the default was declared before anything was scored, and is printed.
"""

from pathlib import Path

from analytics.training.fusion import judging, whole
from analytics.training.fusion.card import NAMES, said
from analytics.training.fusion.judging import MEASURES, Answers
from analytics.training.fusion.table import Table
from kiosk.commands.train.fusion import HOP, table
from tests.benchmarks._measuring import report

QUICK_PEOPLE, QUICK_STEPS, QUICK_HOP = 4, 25, 120


def run(folder: Path, *, quick: bool) -> None:
    """About four minutes of one core; `quick` is a taste whose figures say nothing."""
    data = folder / "stress" / "stress-predict"
    if quick:
        learnt = table(data, hop=QUICK_HOP, most=QUICK_PEOPLE)
        found = whole.judged(learnt, steps=QUICK_STEPS)
    else:
        learnt = table(data, hop=HOP)
        found = whole.judged(learnt)
    tables(learnt, found, title("a taste of " if quick else "", learnt))


def title(before: str, learnt: Table) -> str:
    """What was measured."""
    stressed = int(learnt.labels.sum())
    return (
        f"real: {before}Stress-Predict, {len(learnt.names)} people, {stressed} windows of stress and "
        f"{len(learnt.labels) - stressed} of rest, each person left out"
    )


def tables(learnt: Table, found: Answers, heading: str) -> None:
    """A table per measure, calibration, and the verdict."""
    methods = list(found.probability)
    for place, measure in enumerate(MEASURES):
        rows = {method: judging.scores(found, method)[place] for method in methods}
        body = [(name, *(judging.interval(rows[each][row]).text for each in methods)) for row, name in NAMES.items()]
        means = (judging.interval(rows[each][:-1].mean(axis=0)).text for each in methods)
        report(f"{heading}: {measure}", ("there", *methods), [*body, ("mean of the 14 incomplete", *means)])
    report(
        f"{heading}: calibration over all subsets",
        ("method", "said", "answers", "mean said", "was so"),
        [
            (method, f"{low:.1f} .. {high:.1f}", count, f"{mean:.2f}", f"{true:.2f}")
            for method in methods
            for low, high, count, mean, true in judging.calibration(found, method)
        ],
    )
    missing = [
        (name, f"{int(there.sum())} of {len(there)}")
        for name, there in zip(("pulse", "sweat", "skin", "motion"), learnt.seen.present.T, strict=True)
    ]
    report(f"{heading}: windows in which a modality can be read", ("modality", "windows"), missing)
    report("the criterion", ("declared", "outcome"), [(judging.CRITERION, said(found))])
