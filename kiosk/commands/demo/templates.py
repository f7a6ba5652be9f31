"""What the real analysis says of simulated visits: the form that invented numbers take."""

from collections.abc import Mapping

from analytics.session import session
from api.demo import course
from api.demo.people import Member
from api.demo.told import Template
from kiosk.commands.demo.signals import EVERYTHING, Signal, person_of, recording
from kiosk.recording import Context

KINDS: Mapping[str, tuple[float, tuple[Signal, ...]]] = {
    "quick": (120.0, ("ppg", "camera")),
    "follow_up": (180.0, ("ecg", "ppg", "respiration", "camera")),
    "full": (300.0, EVERYTHING),
    "fibrillation": (180.0, ("ecg", "ppg", "respiration", "camera")),
}
"""Seconds and devices of each kind of visit."""


def made(seed: int, *, longest: float = 300.0) -> dict[str, Template]:
    """One for each kind of visit, and one for an irregular rhythm, none of more than `longest` seconds."""
    found = {}
    for number, (kind, (usual, devices)) in enumerate(KINDS.items()):
        seconds = min(usual, longest)
        member = Member(number, "", "", "female", 41, "stable", "monthly", 0, 0.3, seed + number)
        body = course.body(member, course.Condition(), day=0, hour=12.0)
        person = person_of(member, body, seconds=seconds, fibrillation=kind == "fibrillation")
        taken = recording(person, seconds, devices)
        # a second opinion takes seconds, and changes nothing of the form
        result = session(taken, Context(age=41.0, sex="female"), vote=False)
        found[kind] = Template.of("follow_up" if kind == "fibrillation" else kind, taken, result.readings)
    return found
