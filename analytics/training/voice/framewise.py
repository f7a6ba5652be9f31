"""Trains a network over frames: pieces of utterances, masked and mixed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analytics.training.voice.examples import BANDS, CEPSTRA, EMOTIONS, PROSODY, Examples, Features, importance

if TYPE_CHECKING:
    import torch

FRAMES = 150
"""Of a piece: 1.5 s; a shorter utterance is repeated."""
BATCH = 32
FASTEST = 2e-3
DECAY = 1e-2
MIXED = 0.3
"""Of the beta distribution from which two examples' shares are drawn (mixup: Zhang et al. 2018, arXiv:1710.09412)."""
SOFT = 0.1
"""Label smoothing: what actors play is not always what listeners hear."""
MASKED_FRAMES, MASKED_CHANNELS = 20, 6
"""Most frames, and channels, of a mask (SpecAugment: Park et al. 2019, doi:10.21437/Interspeech.2019-2680)."""
_EDGES = {"bands": (0, BANDS), "prosody": (BANDS, BANDS + PROSODY), "cepstra": (BANDS + PROSODY, -1)}
_EDGES["cepstra"] = (BANDS + PROSODY, BANDS + PROSODY + CEPSTRA)


@dataclass(frozen=True, slots=True)
class Framewise:
    """A trained network over frames."""

    network: "torch.nn.Module"
    inputs: tuple[str, ...]

    def logits(self, examples: Examples) -> NDArray[np.float64]:
        """(k, emotions)."""
        import torch

        with torch.no_grad():
            rows = [
                self.network(*_split(torch.from_numpy(examples.streams(place)), self.inputs)).numpy()[0]
                for place in range(len(examples))
            ]
        return np.array(rows, dtype=np.float64).reshape(len(examples), len(EMOTIONS))


def trained(make: type["torch.nn.Module"], examples: Examples, *, steps: int, seed: int = 0) -> Framewise:
    """Learns in so many steps; one thread, the same seed gives the same network on the same kind of processor."""
    import torch
    from torch.nn.functional import log_softmax

    inputs: tuple[str, ...] = make.inputs  # type: ignore[attr-defined]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            rng = np.random.default_rng(seed)
            network = make().train()
            optimizer = torch.optim.AdamW(network.parameters(), lr=FASTEST, weight_decay=DECAY)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, FASTEST, total_steps=steps + 1, pct_start=0.15)
            weights = importance(examples)
            weights /= weights.sum()
            for _ in range(steps):
                chosen = rng.choice(len(examples), BATCH, p=weights)
                seen, goal = _mixed(_pieces(examples, chosen, rng), examples.emotions[chosen], rng)
                told = log_softmax(network(*_split(torch.from_numpy(seen), inputs)), dim=1)
                loss = -(torch.from_numpy(goal) * told).sum(dim=1).mean()
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
                torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
                optimizer.step()
                schedule.step()
    finally:
        torch.set_num_threads(before)
    return Framewise(network.eval(), inputs)


def _pieces(examples: Examples, chosen: NDArray[np.int64], rng: np.random.Generator) -> Features:
    lengths = examples.begins[chosen + 1] - examples.begins[chosen]
    starts = (rng.random(len(chosen)) * np.maximum(1, lengths - FRAMES + 1)).astype(np.int64)
    places = (starts[:, None] + np.arange(FRAMES)) % lengths[:, None] + examples.begins[chosen][:, None]
    pieces = examples.frames[places].astype(np.float32).transpose(0, 2, 1)
    frames, channels = np.arange(FRAMES), np.arange(pieces.shape[1])
    for _ in range(2):
        begin, size = rng.integers(0, FRAMES, (len(chosen), 1)), rng.integers(0, MASKED_FRAMES, (len(chosen), 1))
        pieces *= ~((frames >= begin) & (frames < begin + size))[:, None, :]
    begin = rng.integers(0, pieces.shape[1], (len(chosen), 1))
    pieces *= ~((channels >= begin) & (channels < begin + MASKED_CHANNELS))[:, :, None]
    return np.ascontiguousarray(pieces)


def _mixed(pieces: Features, emotions: NDArray[np.int64], rng: np.random.Generator) -> tuple[Features, Features]:
    share = np.float32(rng.beta(MIXED, MIXED))
    other = rng.permutation(len(pieces))
    goal = np.eye(len(EMOTIONS), dtype=np.float32)[emotions]
    goal = share * goal + (1 - share) * goal[other]
    return share * pieces + (1 - share) * pieces[other], (1 - SOFT) * goal + np.float32(SOFT / len(EMOTIONS))


def _split(streams: "torch.Tensor", inputs: tuple[str, ...]) -> tuple["torch.Tensor", ...]:
    return tuple(streams[:, slice(*_EDGES[name])] for name in inputs)
