"""How the invented people are on a day: who they are, what becomes of them, the hour, and chance.

Sizes of person, age, sex, hour and day are of the literature that is named; how far a burnout or an illness moves a
number is ours, so that it can be seen. Nothing here says what such a course does to real people.
"""

import math
from dataclasses import dataclass

from analytics import norms
from api.demo.people import Member

AGE_SLOPE = -0.0196
"""ln RMSSD per year: from the middle 3.49 at 35-44 to 3.08 at 55-65 years (Sinnreich 1998, doi:10.1136/hrt.80.2.156);
for ages beyond the table the line goes on."""
MIDDLE_AGE, MIDDLE_LN_RMSSD = 39.5, 3.49
BETWEEN_LN_RMSSD = 0.45
"""Standard deviation between people: half the distance of the quartiles there, over 0.674."""
WITHIN_LN_RMSSD = 0.19
"""From day to day: what leaves an intraclass correlation of 0.86 (time domain, two days: Reproducibility of resting
heart rate variability with short sampling periods, 2001; R = 0.86 to 0.90)."""
WITHIN_HEART_RATE = 3.6
"""Per minute from day to day: a fifth of the variance between people (8.0: Dantas 2018, doi:10.1111/psyp.13052)."""
HOUR_LN_RMSSD = 0.29
"""Amplitude over the day, highest at 3:45 in the night: 6.5 of 22.3 ms (Li 2011, doi:10.1007/s10286-010-0112-4)."""
HIGHEST = 3.75
HOUR_HEART_RATE = 3.0
"""Per minute, opposite to it: ours, of the order that waking people at rest have."""
RATE_AND_VAGUS = 9.0
"""Per minute by which the heart is slower for one ln RMSSD more: ours; the two go together."""
SDNN_RATIO = 0.30
"""ln SDNN - ln RMSSD in the middle: 3.65 - 3.20 at 45-54, 3.84 - 3.49 at 35-44 years (Sinnreich 1998), a little less
because of short visits."""

FIBRILLATION = 0.62
"""Share of the months after which the rhythm of who gets it is irregular."""
LENGTH = 0.35
"""Share of the months in which a burnout comes to its height."""
HEALING = 0.25
"""Share of the months in which it goes after somebody acted."""
FEVER = 14.0
"""Days of an illness."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is the matter on a day, each 0..1."""

    burnout: float = 0.0
    fever: float = 0.0
    low: float = 0.0
    """A low mood."""
    fibrillation: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """A person on a day."""

    condition: Condition
    heart_rate: float
    rmssd: float
    sdnn: float
    respiration_rate: float
    temperature: float
    systolic: float
    diastolic: float
    spo2: float
    weight: float
    height: float
    sweat: float
    """Factor of the skin's activity."""
    tired: float
    """0..1, in the face."""


def condition(member: Member, share: float) -> Condition:
    """What is the matter after a share of the months."""
    since = share - member.turn
    match member.course:
        case "burnout":
            return Condition(burnout=_ramp(since / LENGTH))
        case "recovery":
            healed = _ramp((since - LENGTH - 0.05) / HEALING)
            return Condition(burnout=_ramp(since / LENGTH) * (1.0 - 0.9 * healed))
        case "crisis":
            # of the last weeks
            low = _ramp((share - 0.7) / 0.2)
            return Condition(burnout=0.5 * low, low=low)
        case "fibrillation":
            return Condition(fibrillation=share > FIBRILLATION)
        case _:
            return Condition()


def with_fever(member: Member, state: Condition, days: float) -> Condition:
    """The same, and the illness of whom it meets: `days` since it began."""
    if member.course != "illness" or not 0.0 <= days <= FEVER:
        return state
    return Condition(state.burnout, fever=math.sin(math.pi * days / FEVER), low=state.low)


def body(member: Member, state: Condition, *, day: int, hour: float) -> Body:
    """The numbers of a day and an hour."""
    person, today = member.chance("body"), member.chance("day", day)
    athlete = member.course == "athlete"
    trait = person.standard_normal(8)
    draw = today.standard_normal(9)
    usual = MIDDLE_LN_RMSSD + AGE_SLOPE * (member.age - MIDDLE_AGE) + BETWEEN_LN_RMSSD * trait[0].clip(-1.8, 1.8)
    usual += 0.55 if athlete else 0.0
    # the vagus is strong in the night, and visits are at day
    vagus = HOUR_LN_RMSSD * math.cos(2.0 * math.pi * (hour - HIGHEST) / 24.0)
    by_day = HOUR_LN_RMSSD * math.cos(2.0 * math.pi * (13.0 - HIGHEST) / 24.0)
    change = (
        vagus - by_day + WITHIN_LN_RMSSD * draw[0]
        - 0.50 * state.burnout - 0.55 * state.fever - 0.12 * state.low
    )  # fmt: skip
    ln_rmssd = usual + change
    norm = norms.norm("heart_rate", age=float(max(35, min(74, member.age))), sex=member.sex)
    middle = norm.middle() if norm is not None else 66.0
    rate = middle + 5.5 * trait[1] - (14.0 if athlete else 0.0) - 0.5 * RATE_AND_VAGUS * (change - vagus + by_day)
    rate += HOUR_HEART_RATE * -(vagus - by_day) / HOUR_LN_RMSSD + WITHIN_HEART_RATE * draw[1]
    rate += 5.5 * state.burnout + 17.0 * state.fever + (14.0 if state.fibrillation else 0.0)
    rate = min(max(rate, 41.0 if athlete else 47.0), 118.0)
    ratio = SDNN_RATIO + 0.10 * trait[2] + 0.09 * draw[2] + 0.12 * state.burnout
    older = max(0.0, member.age - 35.0)
    systolic = (
        (116.0 if member.sex == "female" else 122.0)
        + 0.45 * older
        + 8.0 * trait[3]
        + 6.0 * draw[3]
        + 5.0 * state.burnout
    )
    height = (165.5 if member.sex == "female" else 178.5) + 6.0 * trait[4]
    index = 22.4 + 1.4 * trait[5] if athlete else 25.2 + 3.6 * trait[5].clip(-1.6, 2.4)
    return Body(
        condition=state,
        heart_rate=rate,
        rmssd=math.exp(ln_rmssd),
        sdnn=math.exp(ln_rmssd + ratio),
        respiration_rate=min(
            max(14.2 + 1.6 * trait[6] + 1.1 * draw[4] + 0.8 * state.burnout + 4.0 * state.fever, 8.5), 25.0
        ),
        temperature=36.55 + 0.15 * trait[7] + 0.15 * draw[5] + 2.0 * state.fever,
        systolic=round(systolic),
        diastolic=round(systolic * (0.63 + 0.02 * draw[6])),
        spo2=round(min(97.8 - 0.015 * older + 0.7 * draw[7] - 1.8 * state.fever, 100.0)),
        weight=round(index * (height / 100.0) ** 2 + 0.5 * draw[8], 1),
        height=round(height),
        sweat=math.exp(0.25 * draw[5] + 0.35 * state.burnout),
        tired=min(1.0, 0.75 * state.burnout + 0.6 * state.fever + 0.3 * state.low),
    )


def _ramp(share: float) -> float:
    """0 before, 1 after, smooth between."""
    at = min(max(share, 0.0), 1.0)
    return at * at * (3.0 - 2.0 * at)
