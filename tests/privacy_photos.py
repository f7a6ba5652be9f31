"""People who were photographed several times, as stills before the observer and as visitors who sit there.

A sitting is one photograph as a visit would show it: placed anew - nearer or farther, to the side, tilted - so that the
photographer's framing is not taken for the person, then moved a little from picture to picture, with a sensor's noise.
Its face is at rest in whatever expression the photograph has. Photographs are grey: nothing here speaks of colour.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sensors.face.engines import finder
from sensors.face.seen import Face, Frame, Pixels, Points, Sight
from sensors.frames.file import still
from sensors.observer import Observer

MOST_OF_ONE = 4
"""Photographs of a person; some have eighty."""
SIDE = 320
"""Pixels of a sitting's pictures, each way."""
NEAREST, FARTHEST = 1.1, 0.7
"""Size of the photograph in a sitting's picture."""
TILT, ASIDE = 3.0, 0.05
"""Standard deviations of how a visitor sits: degrees, shares of the picture."""
UNREST = 0.35, 0.35, 0.14, 0.0014
"""Standard deviations of the steps from picture to picture: pixels across and down, degrees, size."""
NOISE = 2.0
"""Grey levels, standard deviation."""
_BLACK = np.zeros((48, 64, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Photo:
    """A labelled photograph."""

    path: Path
    person: str
    label: str
    number: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What was published of a photograph, and what an attacker must not have: kept for the controls."""

    photo: Photo
    sights: tuple[Sight, ...]
    pixels: Pixels
    points: Points


def photos(folder: Path, *, most: int = MOST_OF_ONE, people: int | None = None) -> list[Photo]:
    """Of people with at least two, as many of each at most; drawn, and the same every time."""
    place = folder / "face" / "lfw_expressions"
    by_person: dict[str, list[tuple[str, str]]] = {}
    with (place / "labels.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["origin"] == "lfw":
                by_person.setdefault(row["person"], []).append((row["image"], row["emotion"]))
    chance = np.random.default_rng(4)
    several = sorted(person for person, own in by_person.items() if len(own) > 1)
    chosen = sorted(chance.permutation(several)[:people].tolist())
    drawn = [
        (person, *by_person[person][index])
        for person in chosen
        for index in chance.permutation(len(by_person[person]))[:most].tolist()
    ]
    return [
        Photo(place / "images" / image, person, label, number) for number, (person, image, label) in enumerate(drawn)
    ]


class Watcher:
    """A finder for many people; each gets an observer of their own, as each visit does."""

    def __init__(self, models: Path | None, *, still: bool) -> None:
        self._finder, self._models, self._still = finder("auto", models), models, still
        self.name = self._finder.name
        self._faces: list[Face] = []

    def faces(self, pixels: Pixels) -> list[Face]:
        """As the finder says; kept for the controls."""
        self._faces = self._finder.faces(pixels)
        return self._faces

    def seen(self, photo: Photo, frames: Iterator[Frame]) -> Seen | None:
        """What is published of these pictures of a person; None where most show no face."""
        # nobody, and of another size: whoever was followed before is forgotten
        self._finder.faces(_BLACK)
        observer = Observer(models=self._models, look=self, still=self._still, scores_per_second=1.0)
        sights, last, points = [], _BLACK, None
        for frame in frames:
            sights.append(observer.see(frame))
            if self._faces:
                last, points = frame.pixels, max((face.points for face in self._faces), key=_height)
        there = [sight for sight in sights if np.isfinite(sight.rgb[0])]
        if points is None or len(there) <= len(sights) // 2:
            return None
        return Seen(photo, tuple(there), last, points)

    def close(self) -> None:
        """Give the networks' memory back."""
        self._finder.close()


def stills(chosen: list[Photo], models: Path | None) -> list[Seen]:
    """Each photograph as `kiosk analyze` sees it."""
    watcher = Watcher(models, still=True)
    seen = [watcher.seen(photo, iter([Frame(0, still(photo.path).pixels)])) for photo in chosen]
    watcher.close()
    return _several([each for each in seen if each is not None])


def sittings(chosen: list[Photo], models: Path | None, *, seconds: float = 2.0, rate: float = 10.0) -> list[Seen]:
    """Each photograph as a visit."""
    watcher = Watcher(models, still=False)
    seen = [watcher.seen(photo, _sitting(photo, round(seconds * rate), rate)) for photo in chosen]
    watcher.close()
    return _several([each for each in seen if each is not None])


def _sitting(photo: Photo, count: int, rate: float) -> Iterator[Frame]:
    picture = still(photo.path).pixels
    chance = np.random.default_rng((4, photo.number))
    size = float(np.exp(chance.uniform(np.log(FARTHEST), np.log(NEAREST))))
    tilt, (x, y) = chance.normal(0, TILT), chance.normal(0, ASIDE * SIDE, 2)
    middle = np.array([picture.shape[1], picture.shape[0]]) / 2
    walk = np.cumsum(chance.normal(size=(count, 4)) * UNREST, axis=0)
    for number, (across, down, turn, nearer) in enumerate(walk.tolist()):
        place = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), tilt + turn, size * (1 + nearer))
        place[:, 2] += SIDE / 2 - middle + (x + across, y + down)
        shown = cv2.warpAffine(picture, place, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
        noisy = shown + NOISE * chance.standard_normal((SIDE, SIDE, 1), np.float32)
        yield Frame(round(number / rate * 1e9), np.clip(noisy + 0.5, 0, 255).astype(np.uint8))


def who(seen: list[Seen]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The number of each one's person, and of the expression's label."""
    people = np.unique([each.photo.person for each in seen], return_inverse=True)[1]
    return people, np.unique([each.photo.label for each in seen], return_inverse=True)[1]


def _several(seen: list[Seen]) -> list[Seen]:
    """Of people who were seen twice."""
    names = [each.photo.person for each in seen]
    return [each for each in seen if names.count(each.photo.person) > 1]


def _height(points: NDArray[np.float32]) -> float:
    return float(np.ptp(points[:, 1]))
