"""Questionnaires: which there are, and what was answered in a session. Scores are ours, by published rules."""

import secrets
from typing import Annotated

from fastapi import APIRouter

from api import errors, responding
from api.dependencies import Reader, Writer, may
from api.errors import Failed, documented
from api.routes.questionnaires.shapes import (
    BandShape,
    ItemShape,
    NewAnswers,
    OptionShape,
    QuestionnaireId,
    QuestionnaireList,
    QuestionnaireShape,
    ResponseList,
    ResponseShape,
    WordsShape,
)
from api.routes.words import SessionId, moment, session_seen_by
from api.security import Action, Identity
from api.store import Transaction, responses, utc_now
from api.tables import ResponseRow
from kiosk import questionnaires
from kiosk.questionnaires import BadAnswers, Item, Questionnaire

router = APIRouter(prefix="/api/v1", tags=["questionnaires"])


@router.get("/questionnaires", responses=documented())
def list_questionnaires(who: Annotated[Identity, may(Action.OWN_ACCOUNT)]) -> QuestionnaireList:
    """Which questionnaires there are."""
    return QuestionnaireList(items=[_questionnaire(each) for each in questionnaires.listed().values()])


@router.get("/questionnaires/{questionnaire}", responses=documented(errors.NO_QUESTIONNAIRE, errors.INVALID))
def get_questionnaire(
    who: Annotated[Identity, may(Action.OWN_ACCOUNT)], questionnaire: QuestionnaireId
) -> QuestionnaireShape:
    """One questionnaire."""
    return _questionnaire(_listed(questionnaire))


@router.post(
    "/sessions/{session}/answers",
    status_code=201,
    responses=documented(
        errors.NO_SESSION,
        errors.NO_QUESTIONNAIRE,
        errors.ERASED,
        errors.TOO_LARGE,
        errors.UNPARSABLE,
        errors.INVALID,
        errors.NO_DATABASE,
    ),
)
def add_answers(
    who: Annotated[Identity, may(Action.WRITE_ANSWERS)], session: SessionId, new: NewAnswers, db: Writer
) -> ResponseShape:
    """Keep what somebody answered, encrypted; its score becomes a reading of the session."""
    # alerts are one per rule and session: who raises them meanwhile, by a closing or other answers, waits
    row = session_seen_by(who, session, db, held=True)
    asked = _listed(new.questionnaire)
    if new.version not in (None, asked.version):
        fault = {"where": "body.version", "what": f"the questionnaire is at version {asked.version}"}
        raise Failed(errors.INVALID, errors=[fault])
    now = utc_now()
    began = row.origin_utc_ns
    try:
        response = responding.keep(
            db,
            row,
            asked,
            new.answers,
            name=f"q-{secrets.token_hex(8)}",
            language=new.language,
            by=who.id,
            # of the moment in the session when it came, or of its start where that is not known
            at_ns=0 if began is None else max(0, now - began),
            now=now,
        )
    except BadAnswers as bad:
        # an item's name is the questionnaire's or a stranger's: only ours is repeated
        known = any(item.id == bad.item for item in asked.items)
        where = f"body.answers.{bad.item}" if known else "body.answers"
        raise Failed(errors.INVALID, errors=[{"where": where, "what": bad.why}]) from None
    return _response(db, response)


@router.get(
    "/sessions/{session}/answers",
    responses=documented(errors.NO_SESSION, errors.ERASED, errors.INVALID, errors.NO_DATABASE),
)
def list_answers(who: Annotated[Identity, may(Action.READ_ANSWERS)], session: SessionId, db: Reader) -> ResponseList:
    """What was answered in a session."""
    session_seen_by(who, session, db)
    return ResponseList(items=[_response(db, row) for row in responses.of_session(db, session)])


def _listed(questionnaire: str) -> Questionnaire:
    found = questionnaires.listed().get(questionnaire)
    if found is None:
        raise Failed(errors.NO_QUESTIONNAIRE)
    return found


def _response(db: Transaction, row: ResponseRow) -> ResponseShape:
    answers = responses.answers(db, row)
    asked = questionnaires.listed().get(row.questionnaire)
    same = asked if asked is not None and asked.version == row.questionnaire_version else None
    band = same.band(row.score) if same is not None and row.score is not None else None
    return ResponseShape(
        id=row.id,
        questionnaire=row.questionnaire,
        version=row.questionnaire_version,
        language=row.language,
        answers=answers,
        complete=row.complete,
        score=row.score,
        absent="incomplete" if row.score is None else None,
        band=None
        if band is None
        else BandShape(low=band.low, high=band.high, text=WordsShape.of(band.text), citation=band.citation),
        urgent=same is not None and same.is_urgent(answers),
        recorded_by=row.recorded_by,
        created=moment(row.created_ns),
    )


def _questionnaire(given: Questionnaire) -> QuestionnaireShape:
    return QuestionnaireShape(
        id=given.id,
        version=given.version,
        measure=given.measure,
        title=WordsShape.of(given.title),
        instruction=WordsShape.of(given.instruction),
        translation=WordsShape.of(given.translation),
        source=given.source,
        licence=given.licence,
        low=given.low,
        high=given.high,
        rule=given.rule,
        factor=given.factor,
        items=[_item(given, item) for item in given.items],
        bands=[
            BandShape(low=band.low, high=band.high, text=WordsShape.of(band.text), citation=band.citation)
            for band in given.bands
        ],
    )


def _item(given: Questionnaire, item: Item) -> ItemShape:
    return ItemShape(
        id=item.id,
        text=WordsShape.of(item.text),
        options=[OptionShape(value=each.value, text=WordsShape.of(each.text)) for each in given.options(item)],
    )
