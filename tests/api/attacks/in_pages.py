"""Scripts in text: every field that a page can show holds one, and a real browser opens every page."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from playwright.sync_api import BrowserContext, Page, expect

from api.security import Role
from api.store import patients, sessions, users, utc_now
from api.tables import PatientRow, UserRow
from kiosk.messages import SECOND, Chunk, End, Status, Stream
from tests.api import staff
from tests.api.attacks.siege import Evidence, Target
from tests.api.dashboard.clinic import Clinic, Visit, close
from tests.api.world import OWN

PAYLOADS = (
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(2)><xss-made a='",
    "</script><script>alert(3)</script>",
    "<a href='javascript:alert(4)'>go</a>",
    "{{constructor.constructor('alert(5)')()}}${alert(6)}",
    "<iframe srcdoc='<script>parent.alert(7)</script>'>",
)
"""Each breaks out of another place: text, an attribute, a script's data, plotly's own markup, a template, a frame."""
LEAST_SHOWN = 6
"""In how many places a payload is seen as text, at least."""
STRANGE = (
    "xss-made, iframe, main img:not(#qr), main a[href^='javascript'], main svg[onload], object, embed, base, [onerror]"
)
"""Elements that no page of ours has."""


@dataclass
class Watched:
    """What a browser did on all pages, and in how many places the payload was read as text."""

    evidence: Evidence = field(default_factory=list)
    shown: int = 0


@dataclass(frozen=True, slots=True)
class Poisoned:
    """What is in every field, and the sessions in which it is."""

    payload: str
    stored: str
    live: Visit
    user: UserRow


def poisoned(clinic: Clinic, payload: str, name: str) -> Poisoned:
    """Write a payload wherever text is taken, by the wire, by the API's store and by staff."""
    visit = Visit(clinic, f"{name}-stored")
    visit.record(2)
    device = Stream(visit.session, "strap", "eeg", "r1")
    samples = np.sin(np.arange(500) / 9).astype("<f4").tobytes()
    clinic.store(
        # names of channels are free text, up to 32 characters
        Chunk(device, 0, 0, 250.0, (payload[:32],), samples),
        End(device, 0),
        visit.event("moved", payload),
        msgspec.structs.replace(visit.event("answered", payload), time=SECOND),
        Status("strap", "failed", detail=payload, session=visit.session),
    )
    with clinic.database.transaction() as db:
        patients.add(db, PatientRow(id=f"p-{name}", pseudonym=f"{payload}{name}"[-64:], created_ns=utc_now()))
        sessions.assign(db, visit.session, f"p-{name}")
    close(clinic, visit, "complete")
    live = Visit(clinic, f"{name}-live")
    user = staff.hire(clinic.database, Role.CLINICIAN, login=f"{name}@x")
    with clinic.database.transaction() as db:
        users.note(db, user.id, {"name": payload})
    with clinic.database.transaction() as db:
        patients.add(db, PatientRow(id=f"p-{name}-live", pseudonym=f"{payload} {name}"[-60:], created_ns=utc_now()))
    return Poisoned(payload, visit.session, live, user)


def _watch(page: Page, watched: Watched) -> None:
    def dialog(shown: Any) -> None:
        watched.evidence.append(f"dialog {shown.message}")
        shown.dismiss()

    page.on("dialog", dialog)
    page.on("console", lambda said: watched.evidence.append(said.text) if "ontent Security" in said.text else None)
    page.on("pageerror", lambda error: watched.evidence.append(f"error {error}"))


def _look(page: Page, payload: str, watched: Watched, where: str) -> None:
    strange = page.locator(STRANGE).count()
    watched.evidence += [f"{where}: {strange} strange elements"] if strange else []
    text = page.locator("body").inner_text()
    watched.shown += text.count(payload[:30])
    links = page.eval_on_selector_all(
        "a", "all => all.map(a => a.getAttribute('href') || a.getAttribute('xlink:href'))"
    )
    watched.evidence += [f"{where}: a link to {each}" for each in links if each and "alert" in each]


def seen_by(
    context: BrowserContext, clinic: Clinic, what: Poisoned, *, live: bool = True, elsewhere: bool = True
) -> Watched:
    """Open every page and look; `live`: that of a visit in progress too; `elsewhere`: those beside the sessions'."""
    watched = Watched()
    page = context.new_page()
    _watch(page, watched)
    # without a login: the entrance, with the payload in its address, and what is not there
    page.goto(f"{clinic.address}/login?next=/{what.payload.replace(' ', '')}")
    expect(page.get_by_label("Login")).to_be_visible()
    page.get_by_label("Login").fill(what.payload)
    page.get_by_label("Password").fill(what.payload)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#wrong")).to_be_visible()
    _look(page, what.payload, watched, "login")
    clinic.enter(context, what.user)
    page.goto(f"{clinic.address}/sessions/{what.payload.replace('/', '')}")
    _look(page, what.payload, watched, "nothing there")
    page.goto(f"{clinic.address}/sessions")
    row = page.locator(f'tr[data-session="{what.stored}"]')
    expect(row).to_be_visible()
    _look(page, what.payload, watched, "list")
    page.goto(f"{clinic.address}/account")
    expect(page.locator("#logins")).not_to_have_attribute("aria-busy", "true")
    _look(page, what.payload, watched, "account")
    page.goto(f"{clinic.address}/sessions/{what.stored}")
    expect(page.locator("#events table")).to_be_visible()
    expect(page.locator("#strip-canvas")).to_be_visible()
    expect(page.locator("#readings")).not_to_have_attribute("aria-busy", "true")
    # the names of channels stand beside what is drawn
    page.locator("details:has(#strip-choices) > summary").click()
    for box in page.locator("#strip-choices input").all():
        box.check()
    _look(page, what.payload, watched, "strip")
    person = f"p-{what.stored.removesuffix('-stored')}"
    for path in ("/worklist", "/patients", f"/patients/{person}", "/wall") if elsewhere else ():
        page.goto(f"{clinic.address}{path}")
        expect(page.locator("main h1").first).to_be_visible()
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        _look(page, what.payload, watched, path)
    if live:
        _live(page, clinic, what, watched)
    page.goto("about:blank")
    page.close()
    return watched


def _live(page: Page, clinic: Clinic, what: Poisoned, watched: Watched) -> None:
    what.live.begin()
    try:
        with clinic.database.transaction() as db:
            sessions.assign(db, what.live.session, f"p-{what.stored.removesuffix('-stored')}-live")
        page.goto(f"{clinic.address}/sessions/{what.live.session}")
        expect(page.locator("#state")).to_have_text("live", ignore_case=True)
        strange = msgspec.structs.replace(what.live.chunk("ecg", 0, 25), channels=(what.payload[:32],))
        expect(page.locator('.sweep[data-signal="ecg"] .lost')).to_have_text("")
        clinic.say(
            what.live.event("moved", what.payload),
            strange,
            msgspec.structs.replace(what.live.status("failed", "strap"), detail=what.payload),
        )
        expect(page.locator("#live-events")).to_contain_text(what.payload[:20])
        _look(page, what.payload, watched, "live")
    finally:
        what.live.leave()


def written_pages(target: Target) -> Evidence:
    """Pages as the server writes them, with payloads in the user's name and in the address."""
    found: Evidence = []
    for number, payload in enumerate(PAYLOADS):
        user = staff.hire(target.database, Role.CLINICIAN, OWN, login=f"xss-{number}")
        with target.database.transaction() as db:
            users.note(db, user.id, {"name": payload})
        given = staff.cookies(target.database, target.app.state.gate, user)
        jar = "; ".join(f"{name}={value}" for name, value in given.items())
        for path in ("/account", "/sessions"):
            text = target.client.get(path, headers={"cookie": jar, "accept": "text/html"}).text
            found += [f"{path}: {payload}"] if payload in text and "<" in payload else []
        to = f"/{payload.replace(' ', '/')}"
        text = target.client.get("/login", params={"next": to}, headers={"accept": "text/html"}).text
        found += [f"/login: {payload}"] if to in text and "<" in payload else []
    return found
