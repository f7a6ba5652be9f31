"""Landmarks to action units: how strongly each moves the face away from its own rest."""

from sensors.face.units.neutral import READY
from sensors.face.units.track import Units

__all__ = ["READY", "Units"]
