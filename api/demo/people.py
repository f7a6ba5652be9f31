"""Who comes to the invented clinic: age, sex, how often they come, and what becomes of them."""

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, TypeVar

import numpy as np

Course = Literal["stable", "burnout", "recovery", "illness", "athlete", "fibrillation", "crisis"]
"""stable: nothing but chance. burnout: it comes slowly and stays. recovery: it comes, somebody acts, it goes. illness:
two weeks of fever. athlete: a slow heart. fibrillation: an irregular rhythm from some day on. crisis: a low mood, and
an answer to question 9 of the PHQ-9 that must not wait."""
Rhythm = Literal["weekly", "fortnightly", "monthly", "irregular"]
Sex = Literal["female", "male"]
Kind = TypeVar("Kind")

YOUNGEST, OLDEST = 19, 78
SHARES: Sequence[tuple[Course, float]] = (
    ("stable", 0.42),
    ("burnout", 0.17),
    ("recovery", 0.15),
    ("illness", 0.12),
    ("athlete", 0.10),
)
"""Of the people who are not one of the two single cases: the rest is stable as well."""
RHYTHMS: Sequence[tuple[Rhythm, float]] = (
    ("weekly", 0.09),
    ("fortnightly", 0.16),
    ("monthly", 0.45),
    ("irregular", 0.3),
)
DEPARTMENTS = ("Emergency", "Intensive care", "Surgery", "Administration")


@dataclass(frozen=True, slots=True)
class Member:
    """One of them."""

    number: int
    given: str
    family: str
    sex: Sex
    age: int
    """On the last day."""
    course: Course
    rhythm: Rhythm
    department: int
    """Where they work: the kiosk that they mostly use."""
    turn: float
    """When it begins: a share of the months."""
    seed: int

    def chance(self, *name: object) -> np.random.Generator:
        """Chance of their own, that can be asked again by name."""
        return chance(self.seed, *name)


def chance(seed: int, *name: object) -> np.random.Generator:
    """The generator of a name, the same for the same seed whatever was drawn before."""
    digest = hashlib.sha256("/".join(map(str, (seed, *name))).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def identifier(letter: str, seed: int, *name: object) -> str:
    """An id of ours that is the same for the same seed."""
    return f"{letter}-{hashlib.sha256('/'.join(map(str, (letter, seed, *name))).encode()).hexdigest()[:16]}"


@cache
def names() -> tuple[tuple[str, str, Sex], ...]:
    """Given name, family name and sex."""
    text = resources.files("api.demo").joinpath("names.toml").read_text("utf-8")
    return tuple((given, family, sex) for given, family, sex in tomllib.loads(text)["people"])


def cast(count: int, seed: int) -> list[Member]:
    """So many people. The first two of a clinic of some size are the single cases: fibrillation, and a crisis."""
    rng = chance(seed, "cast")
    courses = _dealt(SHARES, count, rng)
    rhythms = _dealt(RHYTHMS, count, rng)
    ages = np.clip(np.rint(rng.normal(44, 13, count)), YOUNGEST, OLDEST).astype(int)
    if count >= 2:
        # the span that was promised, also where chance is narrow
        ages[rng.permutation(count)[:2]] = (YOUNGEST, OLDEST)
    known = names()
    members = []
    for number in range(count):
        given, family, sex = known[number % len(known)]
        course: Course = courses[number]
        age, rhythm = int(ages[number]), rhythms[number]
        if course == "athlete":
            age = int(rng.integers(YOUNGEST + 2, 40))
        if number == 3:
            course, age, rhythm = "fibrillation", 71, "monthly"
        elif number == 10:
            course, rhythm = "crisis", "fortnightly"
        elif number == 2:
            # whoever looks at the first of them sees what the product is for
            course, rhythm, age = "burnout", "weekly", 38
        elif number == 4:
            course, rhythm, age = "recovery", "weekly", 45
        members.append(
            Member(
                number=number,
                given=given,
                family=family,
                sex=sex,
                age=age,
                course=course,
                rhythm=rhythm,
                department=int(rng.integers(len(DEPARTMENTS))),
                turn=float(rng.uniform(0.2, 0.45)),
                seed=int(chance(seed, "member", number).integers(2**31)),
            )
        )
    return members


def _dealt(shares: Sequence[tuple[Kind, float]], count: int, rng: np.random.Generator) -> list[Kind]:
    """Each kind as often as its share says, in random order; what is left over is the first kind's."""
    dealt = [kind for kind, share in shares for _ in range(int(share * count))]
    dealt += [shares[0][0]] * (count - len(dealt))
    return [dealt[place] for place in rng.permutation(count)]
