"""Faces followed from picture to picture: a detector is asked now and then, the landmarks each time in their square.

Squares and detector are ours, so that a small face far away, a face at the picture's edge and a face among others get
the same treatment, and so that the square - and with it the landmarks - keeps still while the face does.
"""

from typing import Protocol

import numpy as np

from sensors.face.crop import Square, around, overlap
from sensors.face.detect import SAME, Detector
from sensors.face.seen import Face, Pixels, Points

MOST_FACES = 3
"""A kiosk has one visitor and perhaps company; every further face costs as much again."""
DETECT_EVERY = 15
"""Pictures between two looks around while a face is followed."""
IDLE_EVERY = 3
"""Pictures between two looks around while nobody is there: a tenth of a second is soon enough to be seen."""
NOISE = 0.003
"""Change of a square (shares of its side) that is half followed: smaller ones are mostly the landmarks' own trembling,
which a square that repeats it would feed on; larger ones are the face."""


class LandmarkNetwork(Protocol):
    """Finds the landmarks of the one face in an upright square."""

    @property
    def name(self) -> str:
        """For provenance."""
        ...

    def points(self, pixels: Pixels, square: Square) -> Points | None:
        """The landmarks, in pixels of the picture; None where the square shows no face."""
        ...

    def close(self) -> None:
        """Give its memory back."""
        ...


class Following:
    """Faces and their landmarks, followed from picture to picture."""

    def __init__(self, detector: Detector, network: LandmarkNetwork, *, most_faces: int = MOST_FACES) -> None:
        self._detector = detector
        self._network = network
        self._most = most_faces
        self._followed: list[Square] = []
        self._until_look = 0
        self._shape: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Engine and version."""
        return f"{self._network.name}+{self._detector.name}"

    def faces(self, pixels: Pixels) -> list[Face]:
        """All faces in view, the largest few."""
        if pixels.shape != self._shape:
            self._shape, self._followed, self._until_look = pixels.shape, [], 0
        found = self._follow(pixels, self._followed)
        if self._until_look <= 0 or (self._followed and not found):
            self._until_look = DETECT_EVERY
            new = [
                square
                for square in self._detector.squares(pixels)
                if all(overlap(square, known) < SAME for known, _ in found)
            ]
            new.sort(key=lambda square: -square.side)
            # a detector's square is a rough one: where the face is in it is asked first, then what it looks like
            rough = self._follow(pixels, new[: self._most - len(found)], known=found)
            found = found + self._follow(pixels, [square for square, _ in rough], known=found)
            if not found:
                self._until_look = IDLE_EVERY
        self._until_look -= 1
        self._followed = [square for square, _ in found]
        return [face for _, face in found]

    def close(self) -> None:
        """Give its memory back."""
        self._network.close()
        self._detector.close()

    def _follow(
        self, pixels: Pixels, squares: list[Square], known: list[tuple[Square, Face]] | None = None
    ) -> list[tuple[Square, Face]]:
        found: list[tuple[Square, Face]] = []
        for square in squares:
            points = self._network.points(pixels, square)
            if points is None:
                continue
            now = around(points)
            # two squares that have slid onto one face are one
            if any(overlap(now, other) >= SAME for other, _ in [*found, *(known or [])]):
                continue
            found.append((steady(square, now), Face(points)))
        return found


def steady(before: Square, now: Square) -> Square:
    """The square for the next picture: near the one before while the face is still, with the face when it moves."""
    turned = (now.turn - before.turn + np.pi) % (2 * np.pi) - np.pi
    moved = max(abs(now.x - before.x), abs(now.y - before.y), abs(now.side - before.side)) / now.side
    change = max(moved, abs(turned) / 2)
    share = change / (change + NOISE)
    return Square(
        before.x + share * (now.x - before.x),
        before.y + share * (now.y - before.y),
        before.side + share * (now.side - before.side),
        before.turn + share * float(turned),
    )
