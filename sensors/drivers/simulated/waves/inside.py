"""What goes on inside the visitor and in the room, and all signals share."""

from dataclasses import dataclass

from sensors.drivers.simulated.breath import Breath
from sensors.drivers.simulated.contact import Movement
from sensors.drivers.simulated.head import Head
from sensors.drivers.simulated.heart import Heart
from sensors.drivers.simulated.mimic import Mimic
from sensors.drivers.simulated.person import Person
from sensors.drivers.simulated.pulse import Pulse
from sensors.drivers.simulated.room import Room
from sensors.drivers.simulated.scene import Scene


@dataclass(frozen=True, slots=True)
class Inside:
    """One of each, so that every signal tells of the same beats, breaths and movements."""

    person: Person
    scene: Scene
    breath: Breath
    heart: Heart
    pulse: Pulse
    movement: Movement
    mimic: Mimic
    head: Head
    room: Room

    @classmethod
    def of(cls, person: Person, scene: Scene) -> "Inside":
        """Build it."""
        breath, movement, mimic = Breath(person), Movement(person), Mimic(person)
        heart = Heart(person, breath)
        head = Head(person, scene, breath, movement, mimic)
        room = Room(person, scene)
        return cls(person, scene, breath, heart, Pulse(person, heart, breath), movement, mimic, head, room)
