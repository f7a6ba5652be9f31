"""The pages' addresses. A page holds the frame and what is known at once; scripts fill in what moves."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse

from analytics.registry import FUSED, LIVE_MEASURES
from api.dashboard import words
from api.dashboard.entrance import member_of
from api.dashboard.languages import language, t
from api.dashboard.problems import problem_page
from api.dashboard.rendering import page
from api.dashboard.sections import home_of
from api.dependencies import Reader, may
from api.routes.sessions import SessionSummary, Wanted, list_sessions
from api.routes.words import moment
from api.security import Action, Identity
from api.store import readings, sessions, utc_now
from kiosk import protocols, topics
from kiosk.measures import MEASURES, Measure
from kiosk.protocols import said
from kiosk.signals import SIGNALS, Signal

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

MOST_LIVE = 50
ROWS = 20


@dataclass(frozen=True, slots=True)
class Panel:
    """A sweep on the live page: millimetres per second, and where the amplitude has a fixed scale, per unit."""

    signal: Signal
    speed: float
    gain: float | None = None

    @property
    def name(self) -> str:
        """What it is called above the sweep."""
        return t(f"words.panel.{self.signal.name}")

    @property
    def title(self) -> str:
        """What the signal is called in full."""
        return words.signal_title(self.signal.name, language())


@dataclass(frozen=True, slots=True)
class Tile:
    """A number on the live page; two measures where people read them as one (120/80)."""

    measures: tuple[Measure, ...]
    prime: bool = False

    @property
    def title(self) -> str:
        """What it is called: shorter than its measure is, where it has a place of its own."""
        name = self.measures[0].name
        return t(f"words.tile.{name}") if self in TILES else words.measure_title(name, language())


PANELS = (Panel(SIGNALS["ecg"], 25, gain=10), Panel(SIGNALS["ppg"], 25), Panel(SIGNALS["respiration"], 6.25))
TILES = (
    Tile((MEASURES["heart_rate"],), prime=True),
    Tile((MEASURES["respiration_rate"],), prime=True),
    Tile((MEASURES["spo2"],)),
    Tile((MEASURES["systolic"], MEASURES["diastolic"])),
    Tile((MEASURES["temperature"],)),
    Tile((MEASURES["weight"],)),
)
"""How these look. Which of them are seen is a matter of what can come; another measure gets a plain tile."""
LIVE = frozenset(measure for measures in LIVE_MEASURES.values() for measure in measures) | frozenset(FUSED)


@dataclass(frozen=True, slots=True)
class Row:
    """A session in the list: which of `words.STATES` it is in, and for how long it has lasted."""

    session: SessionSummary
    state: str
    seconds: float


@router.get("/")
def home(who: Annotated[Identity, may(Action.OWN_ACCOUNT)]) -> RedirectResponse:
    """Where one begins is a matter of what one is here for."""
    return RedirectResponse(home_of(who))


@router.get("/sessions")
def list_page(who: Annotated[Identity, may(Action.READ_SESSIONS)], db: Reader) -> HTMLResponse:
    """All sessions, live ones first."""
    live = list_sessions(Wanted(state="open", limit=MOST_LIVE), who, db).items
    newest = list_sessions(Wanted(limit=ROWS), who, db).items
    known = {each.id for each in live}
    rows = [_row(each) for each in (*live, *(each for each in newest if each.id not in known))]
    member = member_of(db, who)
    return page(
        "sessions.html",
        texts=("sessions",),
        member=member,
        rows=rows,
        most_live=MOST_LIVE,
        limit=ROWS,
        protocols=_protocols(),
    )


@router.get("/sessions/{session}")
def session_page(session: str, who: Annotated[Identity, may(Action.READ_SESSIONS)], db: Reader) -> HTMLResponse:
    """One session: live while it is open, its results afterwards."""
    if not topics.NAME.fullmatch(session):
        return problem_page(404, who=who)
    found = sessions.get(db, session)
    if found is None or not who.sees(found.clinic_id):
        return problem_page(404, t("problem.no_session.title"), t("problem.no_session.detail"), who=who)
    expected = LIVE | readings.spot_measures(db, found)
    return page(
        "session.html",
        texts=("session", "strip", "live", "analysis", "assistant"),
        member=member_of(db, who),
        session=found,
        panels=PANELS,
        tiles=_tiles(expected),
        groups=words.groups(language()),
        live=LIVE,
        expected=expected,
        results=who.may(Action.READ_RESULTS),
        waveforms=who.may(Action.READ_WAVEFORMS),
        corrects=who.may(Action.CORRECT_SESSIONS),
        notes=who.may(Action.READ_NOTES),
        answers=who.may(Action.READ_ANSWERS),
        exports=who.may(Action.EXPORT),
    )


def _row(session: SessionSummary) -> Row:
    now = moment(utc_now())
    state = words.state_of(session.state, session.outcome, session.last_seen, now)
    until = now if state == "live" else session.last_seen
    seconds = (until - (session.started or session.first_seen)).total_seconds()
    return Row(session, state, seconds if session.duration is None else session.duration)


def _protocols() -> dict[str, str]:
    return {each.id: said(each.title, language()) for each in protocols.listed().values()}


def _tiles(expected: frozenset[str]) -> list[Tile]:
    known = {measure.name for tile in TILES for measure in tile.measures}
    known |= {name for group in words.GROUPS for name in group.measures}
    plain = sorted(name for name in expected - known if name in MEASURES)
    return [*TILES, *(Tile((MEASURES[name],)) for name in plain)]
