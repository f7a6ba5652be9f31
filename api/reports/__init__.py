"""A session's results as a page for people: PDF/A, fonts embedded, in English and Russian."""

import json
from importlib import resources
from typing import Final, Literal

import typst

from analytics.languages import Language
from api.interop.session import gathered, moment
from api.reports.content import Known, content
from api.reports.strip import strip
from api.store import Database, Destroyed, Transaction, identities, responses, revisions, sessions, utc_now
from kiosk.errors import BadRecording

__all__ = ["NoResults", "pages", "results_pdf"]
STANDARD: Final = "a-2b"
"""PDF/A: everything that shows it is in the file, so that it looks the same in thirty years (ISO 19005-2)."""


class NoResults(BadRecording):
    """The session is not analysed yet."""


def results_pdf(database: Database, session: str, *, language: Language, named: bool = False) -> bytes:
    """The results of a session's newest analysis. `named`: with the person's name, where it is known."""
    return _compiled(_gathered(database, session, language, named=named), "pdf")[0]


def pages(database: Database, session: str, *, language: Language, named: bool = False) -> list[bytes]:
    """The same as pictures (PNG), a page each."""
    return _compiled(_gathered(database, session, language, named=named), "png")


def _gathered(database: Database, session: str, language: Language, *, named: bool) -> dict[str, object]:
    with database.reading() as db:
        row = sessions.get(db, session)
        if row is None:
            raise BadRecording("no session of this id is stored here")
        newest = revisions.newest(db, session)
        if newest is None:
            raise NoResults("the session is not analysed yet")
        exported = gathered(db, row)
        known = Known(
            session=row,
            exported=exported,
            revision=newest,
            responses=tuple(responses.of_session(db, session)),
            strip=strip(db, exported.flows, exported.beats),
            name=_name(db, row.patient_id) if named and row.patient_id else None,
            now=moment(utc_now()),
        )
        return content(known, language)


def _name(db: Transaction, patient: str) -> str | None:
    try:
        who = identities.get(db, patient)
    except Destroyed:
        return None
    return " ".join([*who.given, who.family]).strip() if who is not None else None


def _compiled(told: dict[str, object], form: Literal["pdf", "png"]) -> list[bytes]:
    """The template with what is told. It travels as data: no text of anybody's becomes a part of the program."""
    template = resources.files("api.reports").joinpath("results.typ").read_bytes()
    # a page alone is bytes, several pictures are a list of them: its types know the first alone
    made: bytes | list[bytes] = typst.compile(
        template,
        format=form,
        ppi=110.0 if form == "png" else None,
        ignore_system_fonts=True,
        sys_inputs={"told": json.dumps(told, ensure_ascii=False)},
        pdf_standards=[STANDARD] if form == "pdf" else [],
    )
    return made if isinstance(made, list) else [made]
