"""The networks over frames, small enough for one core: a CNN over cepstra, a MobileNet with self-attention over mel
bands, and two streams that attend to each other. Each takes (batch, channels, frames) of any length.

CNN over cepstra: after Issa, Demirci & Yazici 2020 (doi:10.1016/j.bspc.2020.101894). Inverted residuals: MobileNetV2
(Sandler et al. 2018, doi:10.1109/CVPR.2018.00474). Attentive statistics: Okabe et al. 2018
(doi:10.21437/Interspeech.2018-993). Cross-attention of streams: after Tsai et al. 2019 (doi:10.18653/v1/P19-1656).
"""

import torch
from torch import Tensor, nn

from analytics.training.voice.examples import BANDS, CEPSTRA, EMOTIONS, PROSODY

COUNT = len(EMOTIONS)
LOST = 0.3
"""Share of the numbers before the last layer that are dropped in training; of channels between layers, a third."""


def _conv(before: int, after: int, size: int, step: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(before, after, size, step, size // 2, bias=False), nn.BatchNorm1d(after), nn.ReLU(), nn.Dropout(0.1)
    )


class Pool(nn.Module):
    """Mean and deviation over frames, each by how much it is attended to."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Conv1d(channels, 32, 1), nn.Tanh(), nn.Conv1d(32, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        weights = torch.softmax(self.score(x), dim=-1)
        mean = (x * weights).sum(dim=-1)
        spread = (x * x * weights).sum(dim=-1) - mean * mean
        return torch.cat([mean, torch.sqrt(torch.clamp(spread, min=1e-5))], dim=1)


class Attention(nn.Module):
    """Frames of one stream look at those of another (or their own) and add what they find; one head."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(channels, channels) for _ in range(3))
        self.norm = nn.LayerNorm(channels)
        self.scale = channels**-0.5

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        ours, theirs = x.transpose(1, 2), other.transpose(1, 2)
        weights = torch.softmax(self.query(ours) @ self.key(theirs).transpose(1, 2) * self.scale, dim=-1)
        found: Tensor = self.norm(ours + weights @ self.value(theirs))
        return found.transpose(1, 2)


class Cepstral(nn.Module):
    """1-D CNN over MFCC and their slopes."""

    inputs = ("cepstra",)

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv(CEPSTRA, 48, 5, 2), _conv(48, 64, 5, 2), _conv(64, 96, 3), Pool(96))
        self.head = nn.Sequential(nn.Dropout(LOST), nn.Linear(192, COUNT))

    def forward(self, cepstra: Tensor) -> Tensor:
        found: Tensor = self.head(self.body(cepstra))
        return found


class Inverted(nn.Module):
    """Wide inside, separable in time and frequency."""

    def __init__(self, before: int, after: int, step: tuple[int, int]) -> None:
        super().__init__()
        wide = 3 * before
        self.stays = before == after and step == (1, 1)
        self.body = nn.Sequential(
            nn.Conv2d(before, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
            nn.Conv2d(wide, wide, 3, step, 1, groups=wide, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
            nn.Conv2d(wide, after, 1, bias=False), nn.BatchNorm2d(after),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.body(x)
        return x + found if self.stays else found


class Mobile(nn.Module):
    """MobileNet over mel bands, then self-attention over what is left of the frames."""

    inputs = ("bands",)

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU6(),
            Inverted(12, 20, (2, 2)), Inverted(20, 20, (1, 1)), Inverted(20, 32, (2, 1)),
        )  # fmt: skip
        self.flat = _conv(32 * BANDS // 8, 64, 1)
        self.look, self.pool = Attention(64), Pool(64)
        self.head = nn.Sequential(nn.Dropout(LOST), nn.Linear(128, COUNT))

    def forward(self, bands: Tensor) -> Tensor:
        x = self.flat(self.body(bands.unsqueeze(1)).flatten(1, 2))
        found: Tensor = self.head(self.pool(self.look(x, x)))
        return found


class Cross(nn.Module):
    """Mel bands and prosody, each stream attending to the other."""

    inputs = ("bands", "prosody")

    def __init__(self) -> None:
        super().__init__()
        self.spectrum = nn.Sequential(_conv(BANDS, 48, 5, 2), _conv(48, 48, 5, 2))
        self.melody = nn.Sequential(_conv(PROSODY, 48, 5, 2), _conv(48, 48, 5, 2))
        self.first, self.second, self.pool = Attention(48), Attention(48), Pool(96)
        self.head = nn.Sequential(nn.Dropout(LOST), nn.Linear(192, COUNT))

    def forward(self, bands: Tensor, prosody: Tensor) -> Tensor:
        spectrum, melody = self.spectrum(bands), self.melody(prosody)
        both = torch.cat([self.first(spectrum, melody), self.second(melody, spectrum)], dim=1)
        found: Tensor = self.head(self.pool(both))
        return found
