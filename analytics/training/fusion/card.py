"""The card of the learned fusion: what it is, what it learnt from, what it is worth beside its rivals."""

import hashlib
import textwrap

from analytics.fusion_learned import FEATURES, MODALITIES
from analytics.training.fusion.judging import (
    CRITERION,
    LATE,
    LEARNED,
    MEASURES,
    Answers,
    calibration,
    interval,
    scores,
    verdict,
)
from analytics.training.fusion.table import SUBSETS, Table
from analytics.training.fusion.whole import ZERO, Made

NAMES = {place: " + ".join(MODALITIES[each] for each in subset) for place, subset in enumerate(SUBSETS)}
"""The subsets in words."""


def text(made: Made, table: Table, found: Answers | None, *, seed: int, steps: int, source: str = "") -> str:
    """Markdown."""
    stressed = int(table.labels.sum())
    head = f"""# Stress from whatever is there of {", ".join(MODALITIES)}: the network of `analytics.fusion_learned`

- sha256 `{hashlib.sha256(made.onnx).hexdigest()}`, {len(made.onnx)} bytes, {made.learned.layers.size} weights, ONNX
- Made by `kiosk train fusion --seed {seed} --steps {steps}`
- Learnt from {len(table.names)} people, {stressed} windows of stress and {len(table.labels) - stressed} of rest, \
overlapping by half
- Recordings: {source or "whose, and under which licence, was not said"}
- In: {len(FEATURES)} features of a window of 60 s as deviations from the same person's first rest, and which modalities
  are there. Out: the probability of a stress task, calibrated on people left out in turn
- Not known: how it does on any other device, place, task or length of rest than these. It is an option
- Motion also tells that somebody speaks or types: what it says may be the task and not the stress
"""
    return head + ("" if found is None else "\n" + judged(found))


def judged(found: Answers) -> str:
    """The criterion, all subsets by all methods, calibration."""
    methods = list(found.probability)
    parts = ["Real figures; small numbers. " + CRITERION, said(found)]
    for place, measure in enumerate(MEASURES):
        rows = {method: scores(found, method)[place] for method in methods}
        lines = [f"| {measure} | " + " | ".join(methods) + " |", "|---|" + "---|" * len(methods)]
        for row, name in NAMES.items():
            lines.append(f"| {name} | " + " | ".join(interval(rows[each][row]).text for each in methods) + " |")
        means = (interval(rows[each][:-1].mean(axis=0)).text for each in methods)
        lines.append("| mean of the 14 with something missing | " + " | ".join(means) + " |")
        parts.append("\n".join(lines))
    lines = ["| said | " + " | ".join(methods) + " |", "|---|" + "---|" * len(methods)]
    bins = {method: {(low, high): rest for low, high, *rest in calibration(found, method)} for method in methods}
    for edges in sorted({edge for each in bins.values() for edge in each}):
        cells = [
            f"{here[1]:.2f} said, {here[2]:.2f} so, of {here[0]}" if (here := bins[each].get(edges)) else "none"
            for each in methods
        ]
        lines.append(f"| {edges[0]:.1f} .. {edges[1]:.1f} | " + " | ".join(cells) + " |")
    return "\n\n".join([*(textwrap.fill(each, 118) for each in parts[:2]), *parts[2:], "\n".join(lines)]) + "\n"


def said(found: Answers) -> str:
    """The criterion's verdict, and whether imagination itself does anything."""
    told = verdict(found, NAMES)
    worse = "; ".join(told.worse) or "nowhere"
    outcome = "It becomes the default." if told.becomes_default else "It does not become the default."
    apart = {
        other: interval((scores(found, LEARNED) - scores(found, other))[3, :-1].mean(axis=0)).text
        for other in (LATE, ZERO)
    }
    return (
        f"Worse than late fusion: {worse}. Mean log loss over the 14 subsets, learned less late fusion: {apart[LATE]}. "
        f"{outcome} Learned less the same network with zeros instead of imagination: {apart[ZERO]}."
    )
