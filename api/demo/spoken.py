"""What the invented people answer to questionnaires, and what a clinician writes about them."""

import numpy as np

from api.demo.course import Body
from api.demo.people import Member
from kiosk.questionnaires import Questionnaire

MIDDLE = {"cbi_personal": 0.30, "cbi_work": 0.28, "phq9": 0.12, "phq2": 0.12, "who5": 0.30, "findrisc": 0.30}
"""How bad it is for somebody well, as a share of the worst score: ours, near what the questionnaires' papers tell of
people who work."""
WORSE = {"cbi_personal": 0.45, "cbi_work": 0.45, "phq9": 0.42, "phq2": 0.40, "who5": 0.45, "findrisc": 0.0}
"""What a whole burnout adds."""


def answers(member: Member, asked: Questionnaire, body: Body, day: int) -> dict[str, int]:
    """Answers whose score fits how somebody is. FINDRISC is answered by age and body."""
    if asked.id == "findrisc":
        return _findrisc(member, asked, body)
    trait = 0.07 * float(member.chance("mood").standard_normal())
    rng = member.chance("answers", asked.id, day)
    state = body.condition
    bad = MIDDLE[asked.id] + trait + 0.035 * float(rng.standard_normal())
    bad += WORSE[asked.id] * max(state.burnout, 0.35 * state.fever) + 0.40 * state.low
    found = {}
    for item in asked.items:
        # in the order of what they count: where high is well (WHO-5), the worst is the least
        values = sorted(option.value for option in asked.options(item))
        share = min(max(bad + 0.13 * float(rng.standard_normal()), 0.0), 1.0)
        turned = item.reverse != (asked.id == "who5")
        place = round((1.0 - share if turned else share) * (len(values) - 1))
        found[item.id] = values[place]
    if asked.urgent is not None:
        # nobody says it by chance
        least = min(
            option.value for item in asked.items if item.id == asked.urgent.item for option in asked.options(item)
        )
        found[asked.urgent.item] = least + (1 if state.low > 0.9 else 0)
    return found


def _findrisc(member: Member, asked: Questionnaire, body: Body) -> dict[str, int]:
    rng = member.chance("findrisc")
    index = body.weight / (body.height / 100.0) ** 2
    found = {}
    for item in asked.items:
        values = sorted(option.value for option in asked.options(item))
        match item.id:
            case "age":
                place = int(np.searchsorted((45, 55, 65), member.age, "right"))
            case "bmi" | "waist":
                place = int(np.searchsorted((25.0, 30.0), index, "right"))
            case "family":
                place = int(rng.choice(len(values), p=_falling(len(values))))
            case _:
                place = int(rng.random() < 0.28) * (len(values) - 1)
        found[item.id] = values[min(place, len(values) - 1)]
    return found


def _falling(count: int) -> list[float]:
    weights = [0.5**number for number in range(count)]
    return [weight / sum(weights) for weight in weights]


PATIENT_NOTES = {
    "burnout": "Night shifts since spring, two colleagues left. Sleeps badly. Variability has been falling for months. "
    "Offered a talk with occupational health.",
    "recovery": "Workload reduced and supervision arranged. Sleeps better; numbers are coming back to what was usual.",
    "illness": "Was off sick with a feverish infection; heart rate and temperature are back to what was usual.",
    "athlete": "Trains for triathlon, ten hours a week. The slow pulse is usual for this person.",
    "fibrillation": "Irregular rhythm at the kiosk. 12-lead ECG ordered to confirm; cardiology informed.",
    "crisis": "Answered question 9 of the PHQ-9 with more than 'not at all'. Called the same day; safety plan made, "
    "appointment with psychiatry.",
    "stable": "No complaints.",
}
SESSION_NOTES = (
    "Electrode V1 was loose at the start; the rest is clean.",
    "Came straight from a night shift.",
    "Had coffee half an hour before.",
    "Talked during the measurement; repeated afterwards.",
    "Says that they feel well.",
)
COMMENTS = {
    "accepted": ("Clean recording.", "Within what is usual for this person.", None, None, None),
    "repeat": ("Moved a lot; please repeat.",),
    "unusable": ("No contact.",),
}
