"""Faces in pictures: found, followed and measured. What leaves this process are numbers (`Sight`), never a picture."""

from sensors.face.seen import Face, Finder, Frame, Pixels, Sight

__all__ = ["Face", "Finder", "Frame", "Pixels", "Sight"]
