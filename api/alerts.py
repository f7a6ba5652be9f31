"""Which readings are brought to somebody's attention: rules held against a session, at every revision and answer."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from api.store import Transaction, alerts, readings, rules, sessions
from api.tables import AlertRow, ReadingRow, RuleRow, SessionRow
from kiosk.questionnaires import Questionnaire

Severity = Literal["notice", "warning", "urgent"]

SELF_HARM = "phq9_self_harm"
"""What question 9 of the PHQ-9 raises. No reading is kept of it: the answer is sealed, the alert alone tells."""
_ESH = "Williams 2018 (ESC/ESH), doi:10.1093/eurheartj/ehy339"
_ACC = "Whelton 2018 (ACC/AHA), doi:10.1161/HYP.0000000000000065"
_NEWS = "Royal College of Physicians 2017, National Early Warning Score 2: three points"
_PHQ = "Kroenke 2001, doi:10.1046/j.1525-1497.2001.016009606.x"
BY_US = "system"
"""The author of a rule that nobody wrote."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule that somebody published."""

    measure: str
    low: float | None
    high: float | None
    severity: Severity
    citation: str
    reason: str


SUGGESTIONS = (
    Suggestion("systolic", None, 180.0, "urgent", _ACC, "above 180 mmHg: hypertensive crisis, measure again at once"),
    Suggestion("diastolic", None, 120.0, "urgent", _ACC, "above 120 mmHg: hypertensive crisis, measure again at once"),
    Suggestion(
        "systolic", None, 139.5, "notice", _ESH, "140 mmHg and more: hypertension, where repeated readings agree"
    ),
    Suggestion(
        "diastolic", None, 89.5, "notice", _ESH, "90 mmHg and more: hypertension, where repeated readings agree"
    ),
    Suggestion("systolic", 90.5, None, "urgent", _NEWS, "90 mmHg and less"),
    Suggestion("spo2", 91.5, None, "urgent", _NEWS, "91 % and less (not for known hypercapnic respiratory failure)"),
    Suggestion("heart_rate", 40.5, 130.5, "urgent", _NEWS, "40 per minute and less, 131 and more"),
    Suggestion("respiration_rate", 8.5, 24.5, "urgent", _NEWS, "8 per minute and less, 25 and more"),
    Suggestion("temperature", 35.05, 39.05, "warning", _NEWS, "35.0 degrees and less; 39.1 and more has two points"),
    Suggestion(
        "irregular_rhythm",
        None,
        0.5,
        "warning",
        "Hindricks 2021 (ESC), doi:10.1093/eurheartj/ehaa612",
        "an ECG that a physician reads must confirm it",
    ),
    Suggestion("phq9", None, 9.0, "warning", _PHQ, "10 and more: moderate symptoms; screening, not a diagnosis"),
    Suggestion("who5", 51.0, None, "notice", "Topp 2015, doi:10.1159/000376585", "50 and less: worth a closer look"),
    Suggestion(
        "findrisc",
        None,
        14.0,
        "notice",
        "Lindstrom & Tuomilehto 2003, doi:10.2337/diacare.26.3.725",
        "15 and more: one in three within ten years; measure glucose",
    ),
)
"""None is in force by itself. A limit itself raises nothing: below `low`, above `high`. Published limits are of whole
numbers, so that ours lie half a step before them: 130.6 per minute is told, and scored, as 131."""


def evaluate(db: Transaction, session: str, now: int) -> None:
    """Raise what the newest revision and spot readings of a session say, withdraw what they say no longer."""
    row = sessions.get(db, session)
    if row is None:
        return
    told = [
        each
        for each in readings.of_session(db, session, tuple({row.revision, readings.SPOT}))
        if each.value is not None and (each.revision == readings.SPOT or (each.preferred and each.scope == "recording"))
    ]
    raised = alerts.of_session(db, session)
    for rule in rules.in_force(db, row.clinic_id, row.patient_id):
        known = raised.pop(rule.id, None)
        if rule.measure == SELF_HARM:
            # it hangs on an answer, which no revision takes back
            continue
        said = worst(rule, told)
        if said is not None and said.value is not None:
            _raise(db, row, rule, known, said.value, now)
        elif known is not None and known.state == "open":
            known.state = "withdrawn"
    _withdraw_strangers(db, row, raised)
    db.flush()


def raise_urgent(db: Transaction, session: SessionRow, asked: Questionnaire, now: int) -> None:
    """Somebody gave an answer that must not wait: question 9 of the PHQ-9, more than "not at all". Urgent, by a rule of
    the clinic's that is made where there is none, so that it can be seen and disabled like any other."""
    assert asked.urgent is not None
    rule = rules.of_measure(db, session.clinic_id, asked.urgent.rule)
    if rule is None:
        # one for all sessions of the clinic, also where two people answer at once
        rules.hold_clinic(db, session.clinic_id)
        rule = rules.of_measure(db, session.clinic_id, asked.urgent.rule)
    if rule is None:
        rule = RuleRow(
            id=f"r-{secrets.token_hex(8)}",
            clinic_id=session.clinic_id,
            measure=asked.urgent.rule,
            high=0.0,
            least_quality=0.0,
            severity="urgent",
            author_id=BY_US,
            created_ns=now,
        )
        rules.add(db, rule)
    if rule.enabled:
        _raise(db, session, rule, alerts.of_session(db, session.id).get(rule.id), 1.0, now)
        db.flush()


def worst(rule: RuleRow, told: Iterable[ReadingRow]) -> ReadingRow | None:
    """The reading that is furthest beyond a rule's limits; None where none is. A quality that a device does not tell
    holds nothing back."""
    beyond = [
        (away, each)
        for each in told
        if each.measure == rule.measure
        and (each.quality is None or each.quality >= rule.least_quality)
        and (away := _beyond(rule, each.value)) > 0.0
    ]
    return max(beyond, key=lambda pair: pair[0])[1] if beyond else None


def _beyond(rule: RuleRow, value: float | None) -> float:
    if value is None:
        return 0.0
    below = 0.0 if rule.low is None else rule.low - value
    above = 0.0 if rule.high is None else value - rule.high
    return max(below, above, 0.0)


def _raise(db: Transaction, session: SessionRow, rule: RuleRow, known: AlertRow | None, value: float, now: int) -> None:
    if known is None:
        alert = AlertRow(
            id=f"a-{secrets.token_hex(8)}",
            clinic_id=session.clinic_id,
            rule_id=rule.id,
            session_id=session.id,
            revision=session.revision,
            measure=rule.measure,
            value=value,
            severity=rule.severity,
            raised_ns=now,
        )
        alerts.add(db, alert)
    elif known.state != "acknowledged":
        # what somebody has seen to stays as they saw it
        if known.state == "withdrawn":
            known.state, known.raised_ns = "open", now
        known.revision, known.value, known.severity = session.revision, value, rule.severity


def _withdraw_strangers(db: Transaction, session: SessionRow, raised: dict[str, AlertRow]) -> None:
    """Alerts of a patient's own rules, where the session turned out to be somebody else's."""
    open_ones: Sequence[AlertRow] = [each for each in raised.values() if each.state == "open"]
    whose = {rule.id: rule for rule in rules.by_id(db, [each.rule_id for each in open_ones])}
    for alert in open_ones:
        if whose[alert.rule_id].patient_id not in (None, session.patient_id):
            alert.state = "withdrawn"
