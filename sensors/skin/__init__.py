"""The colour of a face's skin, region by region: what a camera's pulse is read from."""

from sensors.skin.colours import Skin

__all__ = ["Skin"]
