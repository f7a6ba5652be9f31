"""The network that imagines what is missing, and the same without imagination.

Missing Modality Imagination Network (Zhao, Li & Jin 2021, doi:10.18653/v1/2021.acl-long.203): each modality has an
encoder; the embeddings of those that are there, zeros in place of the others, go through a cascade of residual
autoencoders (Tran et al. 2017, doi:10.1109/CVPR.2017.528) that imagines the missing embeddings forward, and a second
cascade imagines those that are there back from the imagined ones (cycle consistency). The codes of the forward cascade
say the class. Encoders are first trained on complete rows with a classifier; frozen copies of them say what is to be
imagined. Every row sees a new one of the fifteen patterns in every batch. All this is smaller here: 12 numbers come in.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analytics.fusion_learned import FEATURES, MODALITIES, Deviations
from analytics.training.fusion.logistic import SURE, prior
from analytics.training.fusion.table import BLOCKS, SUBSETS, Table, only

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float64]
Weights = NDArray[np.float32]

EMBEDDING = 8
"""Numbers per modality."""
HIDDEN, CODE = 16, 8
"""Of each autoencoder: in between, and in the middle."""
CASCADE = 3
"""Autoencoders in a row; five in the paper, on features a hundred times as many."""
CLASSIFIER = 16
DROPOUT = 0.3
"""Share of the codes that a batch does not see, while it learns."""
FORWARD, BACKWARD = 1.0, 1.0
"""Weights of the two imaginations beside the classification (the paper's equation 3 has one of each, too)."""
FIRST, STEPS = 200, 500
"""Batches of the encoders on complete rows, and of the whole on all patterns: fixed before anything was judged."""
BATCH = 256
RATE, DECAY = 3e-3, 1e-2
"""Of AdamW."""


@dataclass(frozen=True, slots=True)
class Layers:
    """A trained network as arrays, for numpy and ONNX alike."""

    encoders: tuple[tuple[Weights, Weights], ...]
    cascade: tuple[tuple[tuple[Weights, Weights], ...], ...]
    """Four layers of each autoencoder; empty where nothing is imagined."""
    classifier: tuple[tuple[Weights, Weights], ...]

    @property
    def size(self) -> int:
        """How many weights."""
        inside = [layer for block in self.cascade for layer in block]
        return sum(weight.size + bias.size for weight, bias in (*self.encoders, *inside, *self.classifier))

    def run(self, z: Floats, present: Floats) -> Floats:
        """The logit of each row."""
        embedded = np.concatenate(
            [
                np.tanh(_affine(z[:, block], layer)) * present[:, [place]]
                for place, (block, layer) in enumerate(zip(BLOCKS, self.encoders, strict=True))
            ],
            axis=1,
        )
        codes, sofar = [], embedded
        for one, two, three, four in self.cascade:
            code = _bent(_affine(_bent(_affine(sofar, one)), two))
            sofar = sofar + _affine(_bent(_affine(code, three)), four)
            codes.append(code)
        joint = np.concatenate(codes, axis=1) if codes else embedded
        return np.asarray(_affine(_bent(_affine(joint, self.classifier[0])), self.classifier[1])[:, 0], np.float64)


@dataclass(frozen=True, slots=True)
class Learned:
    """A network behind the signature of every fusion."""

    layers: Layers
    prior: float
    losses: tuple[float, ...] = ()

    def logit(self, seen: Deviations, subset: tuple[int, ...]) -> Floats:
        """It sees for itself what is there; where nothing is, the prior."""
        told = np.clip(self.layers.run(seen.z, seen.present.astype(np.float64)), -SURE, SURE)
        return np.where(seen.present.any(axis=1), told, self.prior)


def train(table: Table, *, imagine: bool = True, steps: int = STEPS, seed: int = 0) -> Learned:
    """One thread; the same seed gives the same network on the same kind of processor."""
    import torch

    if steps < 1 or len(np.unique(table.labels)) < 2:
        raise ValueError("nothing is learnt without steps, or from one label alone")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return _trained(table, imagine, steps, np.random.default_rng(seed))
    finally:
        torch.set_num_threads(before)


def _trained(table: Table, imagine: bool, steps: int, rng: np.random.Generator) -> Learned:
    import copy

    import torch
    from torch import nn

    encoders = nn.ModuleList(nn.Linear(block.stop - block.start, EMBEDDING) for block in BLOCKS)
    wide = EMBEDDING * len(MODALITIES)
    losses: list[float] = []

    def embedded(layers: "torch.nn.ModuleList", z: "torch.Tensor", present: "torch.Tensor") -> "torch.Tensor":
        parts = [torch.tanh(layer(z[:, block])) for block, layer in zip(BLOCKS, layers, strict=True)]
        return torch.cat(parts, dim=1) * present.repeat_interleave(EMBEDDING, dim=1)

    def batch(patterns: bool) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]":
        rows = rng.integers(0, len(table.labels), BATCH)
        whole = Deviations(table.seen.z[rows], table.seen.present[rows])
        kept = _patterns(BATCH, rng) if patterns else np.ones((BATCH, len(MODALITIES)), dtype=np.bool_)
        part = only(whole, kept)
        arrays = (whole.z, whole.present, part.z, part.present, table.labels[rows])
        all_z, all_present, z, present, labels = (torch.from_numpy(each.astype(np.float32)) for each in arrays)
        return all_z, all_present, z, present, labels

    def fit(module: "torch.nn.Module", count: int, loss_of: "object") -> None:
        optimizer = torch.optim.AdamW(module.parameters(), lr=RATE, weight_decay=DECAY)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, count)
        module.train()
        for _ in range(count):
            loss = loss_of()  # type: ignore[operator]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        module.eval()

    def head(size: int) -> "torch.nn.Sequential":
        return nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(size, CLASSIFIER), nn.ReLU(), nn.Linear(CLASSIFIER, 1))

    says = nn.functional.binary_cross_entropy_with_logits
    first = head(wide)

    def plain(patterns: bool) -> "torch.Tensor":
        *_, z, present, labels = batch(patterns)
        return says(first(embedded(encoders, z, present))[:, 0], labels)

    fit(nn.ModuleList([encoders, first]), max(1, steps * FIRST // STEPS), lambda: plain(False))
    if not imagine:
        fit(nn.ModuleList([encoders, first]), steps, lambda: plain(True))
        return Learned(Layers(_arrays(encoders), (), _arrays(first)), prior(table.labels), tuple(losses))

    frozen = copy.deepcopy(encoders).requires_grad_(False)

    def cascade() -> "torch.nn.ModuleList":
        """Halves in turn: to the code, and from it."""
        halves: list[nn.Module] = []
        for _ in range(CASCADE):
            halves.append(nn.Sequential(nn.Linear(wide, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CODE), nn.ReLU()))
            halves.append(nn.Sequential(nn.Linear(CODE, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, wide)))
        return nn.ModuleList(halves)

    def through(blocks: "torch.nn.ModuleList", start: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
        codes, sofar = [], start
        for down, up in zip(blocks[::2], blocks[1::2], strict=True):
            code = down(sofar)
            sofar = sofar + up(code)
            codes.append(code)
        return torch.cat(codes, dim=1), sofar

    forward, backward, last = cascade(), cascade(), head(CODE * CASCADE)

    def whole() -> "torch.Tensor":
        all_z, all_present, z, present, labels = batch(True)
        there = present.repeat_interleave(EMBEDDING, dim=1)
        # a sensor that failed by itself has nothing that could be imagined rightly
        missing = all_present.repeat_interleave(EMBEDDING, dim=1) - there
        target = embedded(frozen, all_z, all_present)
        codes, imagined = through(forward, embedded(encoders, z, present))
        _, back = through(backward, imagined * missing)
        ahead = _mean_square(imagined - target, missing)
        # where nothing was imagined, nothing leads back
        cycle = _mean_square(back - target, there * (missing.sum(dim=1, keepdim=True) > 0))
        return says(last(codes)[:, 0], labels) + FORWARD * ahead + BACKWARD * cycle

    fit(nn.ModuleList([encoders, forward, backward, last]), steps, whole)
    layers = _arrays(forward)
    blocks = tuple(layers[place : place + 4] for place in range(0, len(layers), 4))
    return Learned(Layers(_arrays(encoders), blocks, _arrays(last)), prior(table.labels), tuple(losses))


def _patterns(count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """One of the fifteen for each row."""
    table = np.zeros((len(SUBSETS), len(MODALITIES)), dtype=np.bool_)
    for row, subset in enumerate(SUBSETS):
        table[row, list(subset)] = True
    return table[rng.integers(0, len(SUBSETS), count)]


def _mean_square(off: "torch.Tensor", where: "torch.Tensor") -> "torch.Tensor":
    return (off.square() * where).sum() / where.sum().clamp(min=1.0)


def _arrays(module: "torch.nn.Module") -> tuple[tuple[Weights, Weights], ...]:
    """Weight and bias of each linear layer, in their order."""
    arrays = [np.ascontiguousarray(each.numpy(), dtype=np.float32) for each in module.state_dict().values()]
    return tuple(zip(arrays[::2], arrays[1::2], strict=True))


def _affine(x: Floats, layer: tuple[Weights, Weights]) -> Floats:
    return np.asarray(x @ layer[0].T.astype(np.float64) + layer[1])


def _bent(x: Floats) -> Floats:
    return np.maximum(x, 0.0)


assert len(FEATURES) == BLOCKS[-1].stop
