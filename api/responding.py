"""Keeping what somebody answered to a questionnaire, whoever brought it: staff by the API, a visitor at a kiosk."""

from collections.abc import Mapping

from api import alerts
from api.store import Transaction, responses
from api.tables import ReadingRow, ResponseRow, SessionRow
from kiosk.measures import MEASURES
from kiosk.messages import SECOND
from kiosk.questionnaires import Questionnaire
from kiosk.version import VERSION

SOURCE = "questionnaire"


def keep(
    db: Transaction,
    session: SessionRow,
    asked: Questionnaire,
    answers: Mapping[str, int],
    *,
    name: str,
    language: str,
    by: str,
    at_ns: int,
    now: int,
) -> ResponseRow:
    """Keep answers, encrypted, with their score as a reading, and raise what must not wait. BadAnswers where the
    questionnaire does not offer one. `at_ns` is when, since the session's origin; `session` is held."""
    score = asked.score(answers)
    began = session.origin_utc_ns
    response = ResponseRow(
        id=name,
        session_id=session.id,
        questionnaire=asked.id,
        questionnaire_version=asked.version,
        language=language,
        answers=b"",
        score=score,
        complete=score is not None,
        recorded_by=by,
        created_ns=now if began is None else min(now, began + at_ns),
    )
    responses.add(db, response, answers, None if score is None else _reading(session.id, asked, score, at_ns))
    if asked.is_urgent(answers):
        alerts.raise_urgent(db, session, asked, now)
    alerts.evaluate(db, session.id, now)
    return response


def _reading(session: str, asked: Questionnaire, score: float, at_ns: int) -> ReadingRow:
    assert MEASURES[asked.measure].possible(score)
    at = max(0, at_ns) // SECOND * SECOND
    return ReadingRow(
        session_id=session,
        measure=asked.measure,
        value=score,
        source=SOURCE,
        scope="spot",
        method=f"{asked.id}-{asked.version}",
        version=VERSION,
        start_ns=at,
        end_ns=at,
    )
