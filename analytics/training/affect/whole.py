"""From a table to the network that an operator installs, and its card."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.affect import ECG_FEATURES, EEG_FEATURES, NETWORK
from analytics.training.affect.pipelines import KINDS, Head, Kind, Scorer, calibrated_head
from analytics.training.affect.protocols import PROTOCOLS, Protocol, Score, probability, score, thresholds
from analytics.training.affect.table import SIGNALS, TARGETS, Signals, Table, Target
from analytics.training.fusion.logistic import share
from kiosk import models

Floats = NDArray[np.float64]

OPSET = 17
PARITY = 1e-4
"""How far the written network may be from the trained one."""
SHIPPED: Kind = "logistic"
"""Which of KINDS is written: fixed, so that nobody chooses after seeing the figures; the card shows all."""
FEWEST = 4
"""People below whom nothing is learnt of people."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the card."""

    target: Target
    signals: Signals
    kind: Kind
    protocol: Protocol
    score: Score


def made(table: Table, *, kind: Kind = SHIPPED, seed: int = 0) -> bytes:
    """Six models - two targets by ECG, EEG and both - in one ONNX file, calibrated on people left out in turn."""
    if len(np.unique(table.persons)) < FEWEST:
        raise ValueError(f"at least {FEWEST} people are needed")
    for target in TARGETS:
        if len(np.unique(table.labels(target))) < 2:
            raise ValueError(f"nobody's {target} is both high and low")
    heads = [
        calibrated_head(kind, table.features(signals), table.labels(target), table.persons, seed=seed)
        for target in TARGETS
        for signals in SIGNALS
    ]
    content = to_onnx([head.scorer for head in heads])
    _hold_to(heads, content, table)
    return content


def figures(table: Table, *, kinds: tuple[Kind, ...] = KINDS, seed: int = 0) -> list[Figure]:
    """Both protocols side by side."""
    return [
        Figure(
            target, signals, kind, protocol,
            score(
                table, target, probability(table, target, signals, kind, protocol, seed=seed),
                thresholds(table, target, protocol),
            ),
        )
        for target in TARGETS
        for signals in SIGNALS
        for kind in kinds
        for protocol in PROTOCOLS
    ]  # fmt: skip


def to_onnx(heads: list[Scorer]) -> bytes:
    """By hand, so that equal weights are equal bytes."""
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes, kept, said = [helper.make_node("Concat", ["ecg", "eeg"], ["ecg+eeg"], axis=1)], [], []
    for number, head in enumerate(heads):
        source: str = SIGNALS[number % len(SIGNALS)]
        for place, (weight, bias) in enumerate(head.layers):
            name = f"layer{number}_{place}"
            for part, values in (("weight", weight), ("bias", bias)):
                kept.append(numpy_helper.from_array(values.astype(np.float32), f"{name}_{part}"))
            nodes.append(helper.make_node("Gemm", [source, f"{name}_weight", f"{name}_bias"], [name], transB=1))
            source = name
            if place + 1 < len(head.layers):
                source = f"bent{number}_{place}"
                nodes.append(helper.make_node("Relu", [name], [source]))
        said.append(source)
    nodes.append(helper.make_node("Concat", said, ["logits"], axis=1))
    nodes.append(helper.make_node("Sigmoid", ["logits"], ["affect"]))
    graph = helper.make_graph(
        nodes,
        NETWORK,
        [
            helper.make_tensor_value_info("ecg", TensorProto.FLOAT, ["rows", len(ECG_FEATURES)]),
            helper.make_tensor_value_info("eeg", TensorProto.FLOAT, ["rows", len(EEG_FEATURES)]),
        ],
        [helper.make_tensor_value_info("affect", TensorProto.FLOAT, ["rows", len(heads)])],
        kept,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="health-kiosk"
    )
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _hold_to(heads: list[Head], content: bytes, table: Table) -> None:
    (theirs,) = models.open_bytes(models.known(NETWORK), content).run(
        table.features("ecg").astype(np.float32), table.features("eeg").astype(np.float32)
    )
    for column, head in enumerate(heads):
        ours = share(head.logit(table.features(SIGNALS[column % len(SIGNALS)])))
        if not np.allclose(ours, theirs[:, column], rtol=0.0, atol=PARITY):
            raise RuntimeError(f"the written network is off by {np.abs(ours - theirs[:, column]).max():.1e}")


def card(table: Table, content: bytes, found: list[Figure], *, source: str, seed: int) -> str:
    """Markdown."""
    rows = [
        f"| {each.target} | {each.signals} | {each.kind} | {each.protocol} | {each.score.balanced_accuracy:.3f} "
        f"| {each.score.f1:.3f} | {each.score.brier:.3f} | {each.score.people} |"
        for each in found
    ]
    people = len(np.unique(table.persons))
    return (
        f"""# Valence and arousal from ECG and EEG: `{NETWORK}`

- sha256 `{hashlib.sha256(content).hexdigest()}`, {len(content)} bytes, ONNX
- Made by `kiosk train affect --seed {seed}` from {source}: {people} people, {len(table.persons)} rows
- Licence: yours, within the terms of the recordings that it learnt from
- In: {len(ECG_FEATURES)} features of the ECG and {len(EEG_FEATURES)} of the EEG, less those of the rest before. Out: \
probability of high valence by ECG, EEG and both, then of high arousal likewise ({SHIPPED} models)
- High is a rating above 3 of 5. Probabilities are calibrated on people left out in turn
- "People left out" is what a kiosk can do with a stranger; "within a person" knows the same person's other films
- Features that one person's rest and film do not show count as unchanged

Scores are means over the people who rated both high and low; 0.5 is chance for balanced accuracy. A film is said to be
high where its probability is above the share of high ratings among what was learnt from.

| target | signals | model | protocol | balanced accuracy | F1 | Brier | people |
|---|---|---|---|---|---|---|---|
"""
        + "\n".join(rows)
        + "\n"
    )
