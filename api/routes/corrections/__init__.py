"""Beats set by hand, and analyses asked for again: each makes a revision, none is overwritten."""

import secrets
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api import errors
from api.correcting import Correction, Impossible, applied, check, correction
from api.dependencies import Reader, Writer, may
from api.errors import Failed, documented
from api.routes.corrections.shapes import CorrectionShape, CorrectionState, Due, NewCorrections
from api.routes.words import (
    CorrectionId,
    IfMatch,
    SessionId,
    check_version,
    session_seen_by,
    set_etag,
)
from api.security import Action, Identity
from api.store import Transaction, corrections, sessions, streams, utc_now
from api.tables import CorrectionRow, SessionRow

router = APIRouter(prefix="/api/v1/sessions/{session}", tags=["corrections"])


@router.get("/corrections", responses=documented(errors.NO_SESSION, errors.INVALID, errors.NO_DATABASE))
def list_corrections(
    who: Annotated[Identity, may(Action.READ_RESULTS)], session: SessionId, db: Reader, response: Response
) -> CorrectionState:
    """What people did to a session's beats, undone or not."""
    row = session_seen_by(who, session, db)
    set_etag(response, row.version)
    return _state(db, row)


@router.post(
    "/corrections",
    status_code=201,
    responses=documented(
        errors.NO_SESSION,
        errors.NOT_ANALYSED,
        errors.SAMPLES_GONE,
        errors.CHANGED,
        errors.IMPOSSIBLE_BEATS,
        errors.TOO_LARGE,
        errors.UNPARSABLE,
        errors.INVALID,
        errors.NO_DATABASE,
    ),
)
def correct_beats(
    who: Annotated[Identity, may(Action.CORRECT_SESSIONS)],
    session: SessionId,
    new: NewCorrections,
    db: Writer,
    response: Response,
    if_match: IfMatch = None,
) -> CorrectionState:
    """Add, move or take away beats: one batch, one analysis more. Numbers follow in a new revision."""
    row, now = _to_correct(db, who, session, if_match), utc_now()
    wanted = [each.correction() for each in new.items]
    found = corrections.found_beats(db, session)
    ends = [each.end for each in streams.extents(db, session).values()]
    try:
        check(() if found is None else found.tolist(), _in_force(db, session), wanted, max(ends, default=0))
    except Impossible as impossible:
        fault = {"where": f"body.items.{impossible.place}", "what": impossible.why}
        raise Failed(errors.IMPOSSIBLE_BEATS, errors=[fault]) from None
    corrections.add(
        db,
        [
            CorrectionRow(
                id=f"b-{secrets.token_hex(8)}",
                session_id=session,
                kind=each.kind,
                time_ns=each.time,
                to_ns=each.to,
                author_id=who.id,
                # a nanosecond apart, so that a batch keeps its order
                created_ns=now + place,
            )
            for place, each in enumerate(wanted)
        ],
    )
    return _corrected(db, row, who, response)


@router.delete(
    "/corrections/{correction}",
    responses=documented(
        errors.NO_SESSION,
        errors.NO_CORRECTION,
        errors.NOT_ANALYSED,
        errors.SAMPLES_GONE,
        errors.BUILT_UPON,
        errors.CHANGED,
        errors.INVALID,
        errors.NO_DATABASE,
    ),
)
def undo_correction(
    who: Annotated[Identity, may(Action.CORRECT_SESSIONS)],
    session: SessionId,
    correction: CorrectionId,
    db: Writer,
    response: Response,
    if_match: IfMatch = None,
) -> CorrectionState:
    """Take one correction back. With none left in force, the numbers are again what they were."""
    row = _to_correct(db, who, session, if_match)
    mine = {each.id: each for each in corrections.of_session(db, session)}
    if correction not in mine:
        raise Failed(errors.NO_CORRECTION)
    if mine[correction].undone_ns is None:
        before, after = _missed(db, session, ()), _missed(db, session, {correction})
        if not after <= before:
            raise Failed(errors.BUILT_UPON)
        corrections.undo(db, [correction], who.id, utc_now())
        return _corrected(db, row, who, response)
    set_etag(response, row.version)
    return _state(db, row)


@router.delete(
    "/corrections",
    responses=documented(
        errors.NO_SESSION,
        errors.NOT_ANALYSED,
        errors.SAMPLES_GONE,
        errors.CHANGED,
        errors.INVALID,
        errors.NO_DATABASE,
    ),
)
def undo_all_corrections(
    who: Annotated[Identity, may(Action.CORRECT_SESSIONS)],
    session: SessionId,
    db: Writer,
    response: Response,
    if_match: IfMatch = None,
) -> CorrectionState:
    """Take all corrections back."""
    row = _to_correct(db, who, session, if_match)
    in_force = corrections.of_session(db, session, in_force=True)
    if in_force:
        corrections.undo(db, [each.id for each in in_force], who.id, utc_now())
        return _corrected(db, row, who, response)
    set_etag(response, row.version)
    return _state(db, row)


@router.post(
    "/reanalyses",
    status_code=202,
    responses=documented(
        errors.NO_SESSION, errors.NOT_ANALYSED, errors.SAMPLES_GONE, errors.INVALID, errors.NO_DATABASE
    ),
)
def analyse_again(who: Annotated[Identity, may(Action.CORRECT_SESSIONS)], session: SessionId, db: Writer) -> Due:
    """Have a session analysed again, by this version and with what the newest analysis knew of the person."""
    row = _analysable(session_seen_by(who, session, db, held=True))
    sessions.mark_changed(db, [session], reason="reanalysed", by=who.id)
    return Due(revision=row.revision, due=True)


def _to_correct(db: Transaction, who: Identity, session: str, if_match: str | None) -> SessionRow:
    """The session, held against whoever else corrects it."""
    row = _analysable(session_seen_by(who, session, db, held=True))
    check_version(row.version, if_match)
    corrections.count_change(db, session)
    return row


def _analysable(row: SessionRow) -> SessionRow:
    """A session that was analysed, and can be again."""
    if row.revision == 0:
        raise Failed(errors.NOT_ANALYSED)
    if row.samples_gone_ns is not None:
        raise Failed(errors.SAMPLES_GONE)
    return row


def _corrected(db: Transaction, row: SessionRow, who: Identity, response: Response) -> CorrectionState:
    sessions.mark_changed(db, [row.id], reason="corrected", by=who.id)
    db.refresh(row)
    set_etag(response, row.version)
    return _state(db, row)


def _in_force(db: Transaction, session: str, without: Iterable[str] = ()) -> list[Correction]:
    left_out = set(without)
    return [
        correction(row.kind, row.time_ns, row.to_ns)
        for row in corrections.of_session(db, session, in_force=True)
        if row.id not in left_out
    ]


def _missed(db: Transaction, session: str, without: Iterable[str]) -> set[str]:
    """Corrections that name no beat, were those left out that are undone."""
    left_out = set(without)
    rows = [row for row in corrections.of_session(db, session, in_force=True) if row.id not in left_out]
    found = corrections.found_beats(db, session)
    made = applied(() if found is None else found.tolist(), _in_force(db, session, left_out))
    return {rows[place].id for place in made.missed}


def _state(db: Transaction, row: SessionRow) -> CorrectionState:
    found = corrections.found_beats(db, row.id)
    in_force = _in_force(db, row.id)
    made = applied(() if found is None else found.tolist(), in_force)
    return CorrectionState(
        revision=row.revision,
        due=row.changed or row.claimed_ns is not None,
        in_force=len(in_force),
        missed=len(made.missed),
        beats=list(made.beats),
        items=[CorrectionShape.of(each) for each in corrections.of_session(db, row.id)],
    )
