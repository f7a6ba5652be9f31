"""What goes on inside the visitor and all signals share."""

from dataclasses import dataclass

from sensors.drivers.simulated.breath import Breath
from sensors.drivers.simulated.contact import Movement
from sensors.drivers.simulated.heart import Heart
from sensors.drivers.simulated.person import Person
from sensors.drivers.simulated.pulse import Pulse


@dataclass(frozen=True, slots=True)
class Inside:
    """One of each, so that every signal tells of the same beats, breaths and movements."""

    person: Person
    breath: Breath
    heart: Heart
    pulse: Pulse
    movement: Movement

    @classmethod
    def of(cls, person: Person) -> "Inside":
        """Build it."""
        breath = Breath(person)
        heart = Heart(person, breath)
        return cls(person, breath, heart, Pulse(person, heart, breath), Movement(person))
