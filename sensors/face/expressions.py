"""Expression networks: every one that is installed looks at the face in the crops that it was trained on.

A crop is upright and square, its side a multiple of the face's (the longer side of the landmarks' box). Each network
sees a few crops that differ as detectors' boxes do, and their mirror images; the answers' geometric mean is its own
(test-time augmentation, Krizhevsky 2012). Sides and shifts follow how each network was trained, and were compared on
one half of the people of the evaluation (`kiosk bench expression`; docs/face.md).
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk import models
from kiosk.errors import BadModel
from kiosk.measures import EXPRESSIONS
from kiosk.models import Input, Network, OpenNetwork
from kiosk.signals import SIGNALS
from sensors.face.crop import MARGIN, Square, around, cut
from sensors.face.seen import Numbers, Pixels, Points

_log = logging.getLogger(__name__)

AXES = ("valence", "arousal")
LEAST_EXPRESSIONS = 5
"""Of the catalogue's expressions among its labels make a network one that tells expressions."""
LEAST_SIDE = 20.0
"""Pixels of a face's longer side below which no network is asked."""
STEP = 0.1
"""What leaves is in tenths: of finer ones the small would tell people apart, by their logarithms (docs/face.md)."""
SURE = 1e-4
"""The least probability of a crop: one that is certain does not overrule the others."""


@dataclass(frozen=True, slots=True)
class View:
    """A crop: its side in faces, and how far its middle lies below the face's, in sides."""

    side: float
    down: float


_CLOSE: Final = (View(1.0, 0.03), View(1.1, 0.0), View(1.1, 0.06), View(1.2, 0.03))
"""A detector's box from the forehead to the chin, as the networks of face-api.js were trained on."""
_TALL: Final = (View(0.9, -0.09), View(0.95, -0.09), View(1.0, -0.06), View(1.05, -0.12))
"""As in FER2013: the brow high in the picture, little below the mouth."""
_BOX: Final = (View(1.05, 0.0),)
"""The detector's box as it is, as the EmotiEffNets were trained on."""
_VIEWS: Final = (("faceapi", _CLOSE), ("mini_xception", _TALL))


def views_of(name: str) -> tuple[View, ...]:
    """The crops that a network is shown."""
    return next((views for family, views in _VIEWS if name.startswith(family)), _BOX)


class Expression:
    """One network, from a picture with landmarks to probabilities in the order of its labels."""

    def __init__(self, opened: OpenNetwork, *, views: tuple[View, ...] | None = None) -> None:
        self.network = opened.network
        self._opened = opened
        self._views = views or views_of(opened.network.name)
        self._told = np.array([label in EXPRESSIONS for label in opened.network.labels])

    def scores(self, pixels: Pixels, points: Points) -> Numbers:
        """Probabilities, and valence and arousal where it has them; NaN where the face is too small."""
        entry = self.network.inputs[0]
        face = around(points)
        if not np.isfinite(face.side) or face.side / MARGIN < LEAST_SIDE:
            return np.full(len(self.network.labels), np.nan, np.float32)
        size = max(entry.shape)
        crops = [cut(pixels, _square(face, view), size).pixels for view in self._views]
        crops += [np.ascontiguousarray(crop[:, ::-1]) for crop in crops]
        return self.answer(self._run(_tensor(crops, entry)))

    def answer(self, rows: NDArray[np.float32]) -> Numbers:
        """One answer out of those to several crops."""
        values = np.asarray(rows, dtype=np.float64)
        told = values[:, self._told]
        if self.network.logits:
            told = np.exp(told - told.max(axis=1, keepdims=True))
        told = told / told.sum(axis=1, keepdims=True)
        together = np.exp(np.log(np.maximum(told, SURE)).mean(axis=0))
        out = np.clip(values.mean(axis=0), -1.0, 1.0)
        out[self._told] = together / together.sum()
        return np.asarray(out, np.float32)

    def _run(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        shape = self.network.inputs[0].shape
        if shape[0] == 1:
            return np.concatenate([self._opened.run(row[None])[0] for row in tensor])
        return self._opened.run(tensor)[0]


def _square(face: Square, view: View) -> Square:
    side = face.side / MARGIN * view.side
    down = view.down * side
    return replace(
        face, x=face.x - down * float(np.sin(face.turn)), y=face.y + down * float(np.cos(face.turn)), side=side
    )


def _tensor(crops: Iterable[Pixels], entry: Input) -> NDArray[np.float32]:
    rows = []
    for crop in crops:
        if entry.order == "grey":
            ordered: NDArray[np.uint8] = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)[..., None]
        else:
            ordered = crop[..., ::-1] if entry.order == "BGR" else crop
        row = entry.pixels(ordered)
        # colours are the axis that is no side of the picture
        rows.append(row.transpose(2, 0, 1) if entry.shape[1] in (1, 3) else row)
    return np.ascontiguousarray(np.stack(rows), np.float32)


class Networks:
    """All of them. They run inside `Observer.see`, on so many pictures a second; such a picture takes longer."""

    def __init__(self, folder: Path | None) -> None:
        self._expressions = tuple(Expression(opened) for opened in _opened(folder))
        self.channels = tuple(channel for each in self._expressions for channel in channels_of(each.network))

    @property
    def names(self) -> tuple[str, ...]:
        """Which ones, for provenance."""
        return tuple(each.network.name for each in self._expressions)

    def scores(self, pixels: Pixels, points: Points) -> Numbers:
        """Of `channels`, in tenths; empty without a network."""
        if not self._expressions:
            return np.empty(0, np.float32)
        told = np.concatenate([each.scores(pixels, points) for each in self._expressions])
        return np.asarray(STEP * np.round(told / STEP), np.float32)


def channels_of(network: Network) -> tuple[str, ...]:
    """What its scores are called on the wire."""
    return tuple(f"{network.name}.{label}" for label in network.labels)


def tells_expressions(network: Network) -> bool:
    """Whether a network is one of these, by its labels."""
    return sum(label in EXPRESSIONS for label in network.labels) >= LEAST_EXPRESSIONS and set(network.labels) <= {
        *EXPRESSIONS,
        *AXES,
    }


def _opened(folder: Path | None) -> list[OpenNetwork]:
    """Those whose files are there, as many as a stream has channels for; those with valence and arousal first."""
    room = SIGNALS["face_scores"].most_channels
    found: list[OpenNetwork] = []
    if folder is None:
        return found
    listed = [network for network in models.listed() if tells_expressions(network)]
    for network in sorted(listed, key=lambda each: not set(AXES) <= set(each.labels)):
        if models.status(network, folder) == "missing" or len(network.labels) > room:
            continue
        try:
            found.append(models.open_network(network.name, folder))
        except BadModel as error:
            _log.warning("%s", error)
            continue
        room -= len(network.labels)
    return found
