"""From a table to the network that is given out, and to what it and its rivals are worth."""

from collections.abc import Callable
from dataclasses import dataclass

from analytics.training.fusion import judging, network, rivals
from analytics.training.fusion.judging import Answers
from analytics.training.fusion.logistic import Platt
from analytics.training.fusion.network import STEPS, Learned
from analytics.training.fusion.rivals import Calibrated, Fit, Fusion
from analytics.training.fusion.table import Table
from analytics.training.fusion.written import held, to_onnx

GROUPS = 3
"""Groups of people that calibrate a network: a network takes a hundred times as long as a logistic model."""
ZERO, SUBSET = "zero-filled", "per subset"


@dataclass(frozen=True, slots=True)
class Made:
    """The network that is given out."""

    onnx: bytes
    learned: Learned
    platt: Platt


def made(table: Table, *, seed: int = 0, steps: int = STEPS) -> Made:
    """Learnt from everybody, calibrated on people left out in turn."""
    found = _network(imagine=True, seed=seed, steps=steps)(table)
    assert isinstance(found, Calibrated)
    assert isinstance(found.inner, Learned)
    content = to_onnx(found.inner, found.platt)
    held(found.inner, found.platt, content, table.seen)
    return Made(content, found.inner, found.platt)


def judged(table: Table, *, seed: int = 0, steps: int = STEPS, told: Callable[[str], None] | None = None) -> Answers:
    """The four ways on everybody, each person left out once."""
    return judging.answers(table, methods(seed=seed, steps=steps), told=told)


def methods(*, seed: int = 0, steps: int = STEPS) -> dict[str, Fit]:
    """Late fusion (the default), one network with zeros for what is missing, a model per subset, and imagination."""
    return {
        judging.LATE: rivals.with_calibration(rivals.late, groups=GROUPS),
        ZERO: _network(imagine=False, seed=seed, steps=steps),
        SUBSET: rivals.per_subset,
        judging.LEARNED: _network(imagine=True, seed=seed, steps=steps),
    }


def _network(*, imagine: bool, seed: int, steps: int) -> Fit:
    def fit(table: Table) -> Fusion:
        return network.train(table, imagine=imagine, steps=steps, seed=seed)

    return rivals.with_calibration(fit, groups=GROUPS)
