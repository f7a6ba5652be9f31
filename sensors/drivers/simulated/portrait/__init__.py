"""A portrait that lives: rendered pictures of the simulated visitor, and films of them, with known truth."""

from sensors.drivers.simulated.portrait.film import jpeg, write
from sensors.drivers.simulated.portrait.renderer import Portrait, frames

__all__ = ["Portrait", "frames", "jpeg", "write"]
