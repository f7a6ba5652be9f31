"""Trains the network of `analytics.rppg.neural` on simulated pulses and writes it as ONNX.

A temporal convolutional network (Bai, Kolter & Koltun 2018, arXiv:1803.01271), here looking to both sides: residual
blocks of dilated convolutions, 37,000 weights. Its goal is the pulse of unit deviation itself (mean square, so that it
stays small where it is unsure, and flat where there is no pulse) and its shape over every four seconds (negative
Pearson correlation; Yu, Li & Zhao 2019, arXiv:1905.02419).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analytics.rppg.neural import FEATURES, features
from analytics.training.disturbances import disturbed
from kiosk import models

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float64]
Weights = NDArray[np.float32]

OWN = "rppg_own"
"""Its row in models.toml says what goes in and comes out; its checksum is nobody's yet."""
OPSET = 17
CHANNELS = 32
KERNEL = 5
DILATIONS = (1, 2, 4, 8, 16, 32)
BATCH = 32
LENGTH = 480
"""Samples of an example: 16 s."""
SHAPE = 128
"""Samples within which the shape of the pulse counts: 4.3 s, three heart beats or more."""
LIFELESS = 0.15
"""Share of examples without a pulse."""
FASTEST = 3e-3
"""Highest learning rate; it rises over the first twentieth and then falls to nothing along a cosine."""
PER_MINUTE = 500
"""Batches that one core learns from in about a minute."""
PARITY = 1e-4
"""How far the written network may be from the trained one."""


@dataclass(frozen=True, slots=True)
class Pulses:
    """What to learn from: rows of one visitor each."""

    waves: Floats
    """(k, n) pulses at 30 Hz, systole up, without disturbance."""
    skins: Floats
    """(k, 3) mean red, green, blue of 0..255."""

    def __post_init__(self) -> None:
        rows, length = self.waves.shape
        if self.skins.shape != (rows, 3) or not rows or length < LENGTH:
            raise ValueError(f"pulses need rows of {LENGTH} samples or more, and a skin each")
        if not (np.isfinite(self.waves).all() and np.isfinite(self.skins).all()):
            raise ValueError("pulses must be finite")


@dataclass(frozen=True, slots=True)
class Trained:
    """The network, and how it came about."""

    onnx: bytes
    losses: tuple[float, ...]
    """Of each batch: 2 is nothing learnt."""
    weights: int


def train(pulses: Pulses, *, batches: int, seed: int = 0, told: Callable[[int, float], None] | None = None) -> Trained:
    """Learn from so many batches. One thread; the same seed gives the same network on the same kind of processor."""
    import torch

    if batches < 1:
        raise ValueError("nothing is learnt from no batch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = _network()
        rng = np.random.default_rng(seed)
        optimizer = torch.optim.AdamW(network.parameters(), lr=FASTEST, weight_decay=1e-4)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, FASTEST, total_steps=batches + 1, pct_start=0.05)
        losses = []
        for batch in range(batches):
            seen, goal = examples(pulses, rng)
            loss = _loss(network(torch.from_numpy(seen)), torch.from_numpy(goal))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
            if told is not None:
                told(batch + 1, losses[-1])
        layers = _layers(network)
        written = to_onnx(layers)
        _hold_to(network, written, examples(pulses, rng)[0])
    finally:
        torch.set_num_threads(before)
    return Trained(written, tuple(losses), sum(weight.size + bias.size for weight, bias in layers))


def examples(pulses: Pulses, rng: np.random.Generator) -> tuple[Weights, Weights]:
    """A batch: what the network sees (BATCH, FEATURES, LENGTH), and the pulse it should draw (BATCH, LENGTH)."""
    rows = rng.integers(0, len(pulses.waves), BATCH)
    starts = rng.integers(0, pulses.waves.shape[1] - LENGTH + 1, BATCH)
    waves = np.stack([pulses.waves[row, start : start + LENGTH] for row, start in zip(rows, starts, strict=True)])
    waves = waves - waves.mean(axis=1, keepdims=True)
    waves /= np.maximum(waves.std(axis=1, keepdims=True), 1e-9)
    waves *= (rng.random(BATCH) >= LIFELESS)[:, None]
    return features(disturbed(waves, pulses.skins[rows], rng)), waves.astype(np.float32)


def _network() -> "torch.nn.Module":
    from torch import nn

    class Block(nn.Module):
        def __init__(self, dilation: int) -> None:
            super().__init__()
            reach = dilation * (KERNEL // 2)
            self.wide = nn.Conv1d(CHANNELS, CHANNELS, KERNEL, dilation=dilation, padding=reach)
            self.mix = nn.Conv1d(CHANNELS, CHANNELS, 1)

        def forward(self, x: "torch.Tensor") -> "torch.Tensor":
            return x + self.mix(nn.functional.relu(self.wide(x)))  # type: ignore[no-any-return, unused-ignore]

    return nn.Sequential(
        nn.Conv1d(FEATURES, CHANNELS, KERNEL, padding=KERNEL // 2),
        *(Block(dilation) for dilation in DILATIONS),
        nn.Conv1d(CHANNELS, 1, 1),
    )


def _layers(network: "torch.nn.Module") -> list[tuple[Weights, Weights]]:
    """Weight and bias of each convolution, in the order in which they are written: first, two per block, last."""
    arrays = [np.ascontiguousarray(tensor.numpy(), dtype=np.float32) for tensor in network.state_dict().values()]
    return list(zip(arrays[::2], arrays[1::2], strict=True))


def _loss(drawn: "torch.Tensor", goal: "torch.Tensor") -> "torch.Tensor":
    drawn = drawn[:, 0]
    alive = goal.abs().amax(dim=1) > 0
    far = (drawn - goal).square().mean()
    ours, theirs = (rows[alive].unfold(1, SHAPE, SHAPE // 2) for rows in (drawn, goal))
    ours, theirs = (piece - piece.mean(dim=-1, keepdim=True) for piece in (ours, theirs))
    alike = (ours * theirs).sum(-1) / ((ours.square().sum(-1) * theirs.square().sum(-1)).sqrt() + 1e-6)
    return far + (1.0 - alike).mean()


def to_onnx(layers: list[tuple[Weights, Weights]]) -> bytes:
    """The network's file, for any number of examples of any length. By hand, so that equal weights are equal bytes."""
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes, kept = [], []

    def convolution(source: str, number: int, dilation: int, target: str) -> None:
        weight, bias = layers[number]
        reach = dilation * (weight.shape[2] // 2)
        for name, values in ((f"weight{number}", weight), (f"bias{number}", bias)):
            kept.append(numpy_helper.from_array(values, name))
        nodes.append(
            helper.make_node(
                "Conv",
                [source, f"weight{number}", f"bias{number}"],
                [target],
                kernel_shape=[weight.shape[2]],
                dilations=[dilation],
                pads=[reach, reach],
            )
        )

    convolution("features", 0, 1, "x0")
    for block, dilation in enumerate(DILATIONS):
        convolution(f"x{block}", 2 * block + 1, dilation, f"wide{block}")
        nodes.append(helper.make_node("Relu", [f"wide{block}"], [f"bent{block}"]))
        convolution(f"bent{block}", 2 * block + 2, 1, f"mix{block}")
        nodes.append(helper.make_node("Add", [f"x{block}", f"mix{block}"], [f"x{block + 1}"]))
    convolution(f"x{len(DILATIONS)}", len(layers) - 1, 1, "pulse")
    graph = helper.make_graph(
        nodes,
        "rppg_tcn",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["examples", FEATURES, "samples"])],
        [helper.make_tensor_value_info("pulse", TensorProto.FLOAT, ["examples", 1, "samples"])],
        kept,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="health-kiosk"
    )
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _hold_to(network: "torch.nn.Module", written: bytes, seen: Weights) -> None:
    """Both draw the same pulse, also of another length than they were trained with; else nothing is written."""
    import torch

    for part in (seen, seen[:3, :, : LENGTH // 3], np.tile(seen[:1], (1, 1, 4))):
        with torch.no_grad():
            ours = network(torch.from_numpy(np.ascontiguousarray(part))).numpy()
        (theirs,) = models.open_bytes(models.known(OWN), written).run(part)
        if not np.allclose(ours, theirs, rtol=0.0, atol=PARITY):
            raise RuntimeError(f"the written network is off by {float(np.abs(ours - theirs).max()):.1e}")


def batches(minutes: float) -> int:
    """How many batches fit into so many minutes of one core."""
    return max(1, round(minutes * PER_MINUTE))
