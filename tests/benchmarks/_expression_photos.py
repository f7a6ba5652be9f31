"""Press photographs with expression labels, person-disjoint halves of them, and what the product reads off each."""

import csv
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from analytics import face
from analytics.face import rules
from analytics.face.engines import of_scores
from analytics.face.words import BASIC
from kiosk import models
from kiosk.errors import BadModel
from kiosk.models import OpenNetwork
from kiosk.recording import Recording, Track
from kiosk.signals import UNIT_CHANNELS
from sensors.face.crop import Square, cut
from sensors.face.expressions import Networks
from sensors.face.seen import Pixels, Points
from sensors.face.units import Units

Floats = NDArray[np.float64]

TOLD = ("neutral", "happiness", "surprise", "anger", "sadness")
"""The classes with enough photographs."""
FACEAPI, MINI = "faceapi_expression", "mini_xception"
OFFSETS = 0.1, 0.2
"""By which mini_XCEPTION's own programme widens a detector's box to each side: 20 and 40 pixels of some 200."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A labelled photograph."""

    path: Path
    expression: str
    person: str

    @property
    def half(self) -> int:
        """0: the half on which choices were made; 1: the other. No person is in both."""
        return hashlib.sha256(self.person.encode()).digest()[0] % 2


@dataclass(frozen=True, slots=True)
class Read:
    """What the product reads off a photograph, and what else is compared. Probabilities are of `TOLD`."""

    photo: Photo
    units: Floats
    scores: Floats
    turned: float
    """0 for a frontal face, 1 where the nose is over an eye's outer corner."""
    answers: dict[str, Floats]


def photos(folder: Path) -> Iterator[Photo]:
    """All that are labelled with one of `TOLD`."""
    place = folder / "face" / "lfw_expressions"
    with (place / "labels.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["emotion"] in TOLD:
                yield Photo(place / "images" / row["image"], row["emotion"], row["person"])


def installed(folder: Path, into: Path) -> Path:
    """The networks kept beside the recordings and those that KIOSK_MODELS adds, installed in a folder."""
    more = os.environ.get("KIOSK_MODELS")
    for place in (folder.parent / "models", *((Path(more),) if more else ())):
        for file in sorted(place.rglob("*.onnx")):
            try:
                models.add(file, into)
            except BadModel:
                continue  # another purpose, or another version
    return into


def readings(folder: Path, into: Path, limit: int | None = None) -> tuple[list[Read], int]:
    """What each photograph gives, and in how many no face was found."""
    from sensors.face.detect import BlazeFace
    from sensors.face.following import Following
    from sensors.face.mesh import MeshNetwork

    detector, network = BlazeFace(), MeshNetwork()
    networks = Networks(into)
    naive = {name: models.open_network(name, into) for name in (FACEAPI, MINI) if name in networks.names}
    found, missing = [], 0
    for photo in list(photos(folder))[:limit]:
        picture = cv2.imread(str(photo.path))
        if picture is None:
            missing += 1
            continue
        pixels = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
        faces = Following(detector, network).faces(pixels)
        if not faces:
            missing += 1
            continue
        points = max((each.points for each in faces), key=lambda each: float(np.ptp(each[:, 1])))
        units = Units(still=True).measure(points)
        if units is None:
            missing += 1
            continue
        scores = networks.scores(pixels, points)
        answers = _answers(units, scores, networks.channels)
        for name, opened in naive.items():
            answers[f"{name}, plain"] = _plain(opened, pixels, points)
        found.append(Read(photo, units.astype(np.float64), scores.astype(np.float64), _turned(points), answers))
    network.close()
    detector.close()
    return found, missing


def _answers(units: NDArray[np.float32], scores: NDArray[np.float32], channels: tuple[str, ...]) -> dict[str, Floats]:
    chosen = [BASIC.index(name) for name in TOLD]
    answers = {"rules on landmarks": rules.expressions(units[None].astype(np.float64))[0, chosen]}
    for engine in of_scores(channels, scores[None].astype(np.float64)):
        answers[engine.name] = engine.probabilities[0, chosen]
    at = np.zeros(1, np.int64)
    recording = Recording(
        (
            Track("face_units", "camera", UNIT_CHANNELS, None, at, units[None]),
            *((Track("face_scores", "camera", channels, None, at, scores[None]),) if channels else ()),
        )
    )
    said = {each.finding.measure: each.finding.value for each in face.answers(recording, "camera")}
    answers["together"] = np.array([said[f"face_{name}"] for name in TOLD], dtype=np.float64)
    return answers


def _plain(opened: OpenNetwork, pixels: Pixels, points: Points) -> Floats:
    """A network as its own programme uses it: one crop, the face's box as it stands, nothing turned upright."""
    entry = opened.network.inputs[0]
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    width, height = (high - low).tolist()
    x, y = ((low + high) / 2).tolist()
    if entry.order == "grey":
        wide, tall = width * (1 + 2 * OFFSETS[0]), height * (1 + 2 * OFFSETS[1])
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        rows = slice(max(0, int(y - tall / 2)), int(y + tall / 2))
        columns = slice(max(0, int(x - wide / 2)), int(x + wide / 2))
        crop = cv2.resize(grey[rows, columns], (entry.shape[1], entry.shape[2]))[..., None]
    else:
        crop = cut(pixels, Square(x, y, max(width, height), 0.0), entry.shape[1]).pixels
        # padded with black to a square, as its programme does
        margin = round(entry.shape[1] * (1 - min(width, height) / max(width, height)) / 2)
        if margin and width < height:
            crop[:, :margin] = crop[:, -margin:] = 0
        elif margin:
            crop[:margin] = crop[-margin:] = 0
    told = opened.run(entry.pixels(np.asarray(crop, np.uint8))[None])[0][0]
    return np.array([told[opened.network.labels.index(name)] for name in TOLD], dtype=np.float64)


def _turned(points: Points) -> float:
    right, left, nose = points[33, 0], points[263, 0], points[4, 0]
    return abs(2.0 * float((nose - right) / (left - right)) - 1.0)
