"""The marks that a file has beside its signals: eyes open, eyes closed, a stimulus."""

from collections.abc import Iterable
from pathlib import Path

from kiosk import recording
from kiosk.messages import SECOND
from kiosk.recording import Mark
from sensors.files import brainvision, edf, fif
from sensors.files.content import Annotation
from sensors.files.source import LONGEST, suffix


def annotations(path: Path) -> tuple[Annotation, ...]:
    """The marks of an EDF+, BDF+, FIF or BrainVision file, in order of time; none in plain EDF."""
    if suffix(path) == ".fif":
        return fif.annotations(path)
    if suffix(path) in brainvision.SUFFIXES:
        return brainvision.annotations(path)
    return edf.annotations(path)


def marks(found: Iterable[Annotation]) -> tuple[Mark, ...]:
    """A file's annotations as its recording keeps them, without those at times that no recording has."""
    return recording.marks(
        Mark(round(each.onset * SECOND), each.text, each.duration or 0.0)
        for each in found
        if abs(each.onset) <= LONGEST
    )
