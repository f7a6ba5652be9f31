"""A simulated visitor: one seeded physiological model that every simulated sensor looks at."""

from sensors.drivers.simulated.body import Body
from sensors.drivers.simulated.person import Person
from sensors.drivers.simulated.scene import Scene
from sensors.drivers.simulated.truth import Truth

__all__ = ["Body", "Person", "Scene", "Truth"]
