"""Which face is the visitor's: the nearest, followed steadily. By place and size alone; nobody is recognised."""

from dataclasses import dataclass
from typing import Final

from sensors.face.crop import Square, around, overlap
from sensors.face.seen import Face

SECOND_FACE: Final = "second_face"
"""Somebody else came close to the camera. Detail: the size of that face over the visitor's."""
SECOND_FACE_GONE: Final = "second_face_gone"
"""The visitor is alone again."""
VISITOR_CHANGED: Final = "visitor_changed"
"""Another person is measured from here on. Detail: nearer, or left (the one before was gone)."""
FACE_LOST: Final = "face_lost"
"""Nobody is in view any more."""
FACE_FOUND: Final = "face_found"
"""Somebody is in view."""
EVENTS: Final = (FACE_FOUND, FACE_LOST, SECOND_FACE, SECOND_FACE_GONE, VISITOR_CHANGED)

CLOSE, NOT_CLOSE = 0.65, 0.55
"""Size of another face over the visitor's from which it is close, and below which it no longer is."""
LARGER: Final = 1.3
"""How much larger than the visitor another face must be to become the visitor."""
TAKES_OVER: Final = 2.0
"""Seconds for which it must be."""
SETTLES: Final = 0.5
"""Seconds after which a change of who is close, or of whether anybody is in view, is said."""
WAITS: Final = 2.0
"""Seconds for which the visitor may be out of view and still be the same, coming back at the same place and size."""
FOLLOWED: Final = 0.3
"""Overlap with where the visitor was a picture ago."""
BACK: Final = 0.2
"""Overlap with where the visitor was when last seen, after being out of view."""
STEADY_STEP: Final = 0.25
"""Longest seconds between two pictures that count as one after the other."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The visitor in this picture."""

    face: Face | None
    changed: bool
    """Whether it is another person than before, so that whatever was learned must be forgotten."""
    marks: tuple[tuple[str, str], ...]


class Visitor:
    """Keeps to one person. In a still picture nothing can be waited for: the nearest face is the visitor at once."""

    def __init__(self, *, still: bool = False) -> None:
        self._still = still
        self.reset()

    def reset(self) -> None:
        """What was before has nothing to do with what comes."""
        self._square: Square | None = None
        self._seen_at = 0
        self._rival: Square | None = None
        self._rival_since = 0
        settles = 0 if self._still else round(SETTLES * 1e9)
        self._close, self._here = _Said(settles), _Said(settles)

    def choose(self, faces: list[Face], at: int) -> Choice:
        """The visitor among the faces of a picture taken at this time (nanoseconds)."""
        squares = [around(face.points) for face in faces]
        marks: list[tuple[str, str]] = []
        changed = False
        index = self._same(squares, at)
        if index is None and squares and (self._square is None or at - self._seen_at > WAITS * 1e9):
            index = max(range(len(squares)), key=lambda each: squares[each].side)
            changed = True
            if self._square is not None:
                marks.append((VISITOR_CHANGED, "left"))
        nearer = self._nearer(squares, index, at)
        if nearer is not None:
            index, changed = nearer, True
            marks.append((VISITOR_CHANGED, "nearer"))
        if index is not None:
            self._square, self._seen_at = squares[index], at
        if self._here.settled(index is not None, at):
            marks.insert(0, (FACE_FOUND, "") if self._here.value else (FACE_LOST, ""))
        share = _next_largest(squares, index)
        if self._close.settled(share >= (NOT_CLOSE if self._close.value else CLOSE), at):
            marks.append((SECOND_FACE, f"{share:.2f}") if self._close.value else (SECOND_FACE_GONE, ""))
        return Choice(None if index is None else faces[index], changed, tuple(marks))

    def _same(self, squares: list[Square], at: int) -> int | None:
        """Which of them is where the visitor was."""
        if self._square is None or not squares:
            return None
        away = (at - self._seen_at) / 1e9
        if away > WAITS:
            return None
        overlaps = [overlap(square, self._square) for square in squares]
        best = max(range(len(squares)), key=overlaps.__getitem__)
        return best if overlaps[best] >= (FOLLOWED if away <= STEADY_STEP else BACK) else None

    def _nearer(self, squares: list[Square], index: int | None, at: int) -> int | None:
        """Another face that has been much larger than the visitor's for long enough."""
        if index is None or len(squares) < 2:
            self._rival = None
            return None
        other = max((each for each in range(len(squares)) if each != index), key=lambda each: squares[each].side)
        if squares[other].side < LARGER * squares[index].side:
            self._rival = None
            return None
        if self._rival is None or overlap(squares[other], self._rival) < FOLLOWED:
            self._rival_since = at
        self._rival = squares[other]
        if at - self._rival_since < TAKES_OVER * 1e9:
            return None
        self._rival = None
        return other


class _Said:
    """A yes or no that is said only once it has lasted."""

    def __init__(self, settles: int) -> None:
        self.value = False
        self._settles = settles
        self._differs_since: int | None = None

    def settled(self, value: bool, at: int) -> bool:
        """Whether the value has just changed for good."""
        if value == self.value:
            self._differs_since = None
            return False
        if self._differs_since is None:
            self._differs_since = at
        if at - self._differs_since < self._settles:
            return False
        self.value, self._differs_since = value, None
        return True


def _next_largest(squares: list[Square], index: int | None) -> float:
    """Size of the largest other face over the visitor's."""
    if index is None:
        return 0.0
    others = [square.side for each, square in enumerate(squares) if each != index]
    return max(others, default=0.0) / max(squares[index].side, 1.0)
