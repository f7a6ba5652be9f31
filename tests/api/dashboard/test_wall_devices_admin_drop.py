"""The wall, the technician's page, administration and the drop page in a real browser."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Error, Page, Request, WebSocketRoute, expect

from api.dashboard import languages
from api.security import Role
from api.store import kiosks, patients, sessions, utc_now
from api.tables import MAIN, KioskRow, PatientRow
from kiosk import wording
from kiosk.messages import Status
from tests.api import staff
from tests.api.dashboard.clinic import KIOSK, Clinic, Visit

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
expect.set_options(timeout=20_000)


@pytest.fixture
def complaints() -> list[str]:
    return []


def enter(browser: Browser, here: Clinic, complaints: list[str], role: Role, **context: object) -> Page:
    """A page of somebody of this role, which must not complain and asks nobody else."""
    user = here.clinician if role is Role.CLINICIAN else staff.hire(here.database, role)
    given: dict[str, object] = {"viewport": {"width": 1366, "height": 768}, "locale": "en-GB", **context}
    made = browser.new_context(**given)  # type: ignore[arg-type]
    here.enter(made, user)
    page = made.new_page()

    def console(said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            complaints.append(said.text)

    def dialog(shown: Dialog) -> None:
        complaints.append(f"dialog {shown.message}")
        shown.dismiss()

    def request(asked: Request) -> None:
        if here.address not in asked.url and "blob:" not in asked.url:
            complaints.append(asked.url)

    def error(raised: Error) -> None:
        complaints.append(str(raised))

    page.on("console", console)
    page.on("pageerror", error)
    page.on("dialog", dialog)
    page.on("request", request)
    return page


def close(page: Page, complaints: list[str]) -> None:
    page.context.close()
    assert not complaints


def serious(page: Page) -> list[str]:
    """What axe finds that is serious."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in ("serious", "critical")
    ]


@pytest.fixture(scope="module")
def visit(here: Clinic) -> Iterator[Visit]:
    with here.database.transaction() as db:
        kiosks.add(db, KioskRow(name=KIOSK, clinic_id=MAIN, place=HOSTILE[:60], added_ns=1))
        kiosks.add(db, KioskRow(name="kiosk-silent", clinic_id=MAIN, place="cellar", added_ns=1))
        patients.add(db, PatientRow(id="p-wall", pseudonym="<b>P-1</b>", created_ns=utc_now()))
    made = Visit(here, "visit-wall")
    made.begin()
    with here.database.transaction() as db:
        sessions.assign(db, made.session, "p-wall")
    here.say(made.reading("heart_rate", 61.4), Status("strap", "failed", detail=HOSTILE))
    yield made
    made.leave()
    here.say(made.word("ended"))


def inked(page: Page) -> int:
    script = "canvas => { const d = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data; return d.filter((v, i) => i % 4 === 3 && v > 100).length; }"  # noqa: E501
    return int(page.locator(f'[data-kiosk="{KIOSK}"] canvas').evaluate(script))


def test_the_wall_shows_who_is_measured_and_what_is_wrong(
    browser: Browser, here: Clinic, visit: Visit, complaints: list[str]
) -> None:
    page = enter(browser, here, complaints, Role.CLINICIAN)
    page.goto(f"{here.address}/wall")
    card = page.locator(f'[data-kiosk="{KIOSK}"]')
    expect(card.locator(".person")).to_have_text("<b>P-1</b>")
    # readings are not kept: the page came after the first
    for _ in range(3):
        here.say(visit.reading("heart_rate", 61.4), Status("strap", "failed", detail=HOSTILE))
        time.sleep(0.3)
    expect(card.locator(".heart b")).to_have_text("61")
    expect(card.locator("a")).to_have_attribute("data-state", "trouble")
    expect(card.locator(".note")).to_contain_text("<script>")
    expect(card.locator("a")).to_have_attribute("href", f"/sessions/{visit.session}")
    expect(page.locator('[data-kiosk="kiosk-silent"] a')).to_have_attribute("data-state", "offline")
    until = time.monotonic() + 20
    while not inked(page):
        assert time.monotonic() < until, "nothing is drawn"
        time.sleep(0.1)
    assert not serious(page)
    page.keyboard.press("x")
    expect(page.locator('[data-kiosk="kiosk-silent"]')).to_be_hidden()
    page.keyboard.press("x")
    page.locator("[data-kiosk] a").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.closest('li').dataset.kiosk") == "kiosk-silent"
    complaints[:] = [each for each in complaints if "getImageData" not in each]
    close(page, complaints)


def test_a_wall_without_a_server_says_that_it_is_old(
    browser: Browser, here: Clinic, visit: Visit, complaints: list[str]
) -> None:
    page = enter(browser, here, complaints, Role.OPERATOR, locale="ru-RU")
    sockets: list[WebSocketRoute] = []

    def between(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    page.route_web_socket(re.compile("wall/live"), between)
    page.goto(f"{here.address}/wall")
    expect(page.locator(f'[data-kiosk="{KIOSK}"] a')).to_have_attribute("data-state", re.compile("measuring|trouble"))
    page.context.set_offline(True)
    sockets[0].close()
    expect(page.locator("#trouble")).to_contain_text("Связь потеряна")
    expect(page.locator("#wall")).to_have_class(re.compile("still"))
    page.context.close()


def test_the_technician_sees_signals_and_commands_ask_once(
    browser: Browser, here: Clinic, visit: Visit, complaints: list[str]
) -> None:
    page = enter(browser, here, complaints, Role.OPERATOR)
    page.goto(f"{here.address}/devices?kiosk={KIOSK}")
    row = page.locator("#rows > tr").filter(has_text=KIOSK).first
    expect(row.locator(".chip")).to_have_count(3)
    inside = page.locator(".detail .inside")
    expect(inside).to_be_visible()
    expect(inside).to_contain_text("/ 250 Hz")
    expect(inside).to_contain_text("Last sessions")
    assert not serious(page)
    with here.listening("command") as heard:
        page.get_by_role("button", name="End the session").click()
        dialog = page.locator("dialog")
        expect(dialog).to_contain_text("is kept and analysed")
        dialog.get_by_role("button", name="Cancel").click()
        time.sleep(0.3)
        assert not heard
    page.keyboard.press("Escape")
    page.locator("#only").check()
    page.locator("#search").fill("no such thing")
    expect(page.locator("#empty")).to_have_text("Nothing matches.")
    close(page, complaints)


def test_an_administrator_sees_devices_without_commands(
    browser: Browser, here: Clinic, visit: Visit, complaints: list[str]
) -> None:
    page = enter(browser, here, complaints, Role.ADMINISTRATOR)
    page.goto(f"{here.address}/devices?kiosk={KIOSK}")
    expect(page.locator(".detail .inside")).to_be_visible()
    assert page.get_by_role("button", name="End the session").count() == 0
    close(page, complaints)


def test_a_user_is_added_with_a_password_that_is_shown_once(
    browser: Browser, here: Clinic, complaints: list[str]
) -> None:
    page = enter(browser, here, complaints, Role.ADMINISTRATOR)
    page.goto(f"{here.address}/admin")
    page.get_by_role("button", name="Add a user").click()
    page.locator("dialog").get_by_label("Login").fill("new.person")
    page.locator("dialog").get_by_label("Name").fill(HOSTILE)
    page.locator("dialog").get_by_role("button", name="Add a user").click()
    secret = page.locator(".secret")
    expect(secret).to_have_text(re.compile(r"^\w{4}(-\w{4})+$"))
    page.keyboard.press("Escape")
    expect(secret).to_have_count(0)
    row = page.locator("#panel-users tbody tr").filter(has_text="new.person")
    expect(row).to_contain_text("<script>")
    row.get_by_role("button", name="Disable").click()
    page.locator("dialog").get_by_role("button", name="Disable").click()
    expect(row.locator(".badge")).to_have_text("disabled")
    assert not serious(page)
    close(page, complaints)


def test_a_consent_text_shows_what_is_new_before_it_counts(
    browser: Browser, here: Clinic, complaints: list[str]
) -> None:
    page = enter(browser, here, complaints, Role.ADMINISTRATOR)
    page.goto(f"{here.address}/admin#tab-consents")
    expect(page.locator("#panel-consents tbody tr").first).to_be_visible()
    page.get_by_role("button", name="Add a version").click()
    wording_of = page.locator("dialog textarea")
    page.locator("dialog").get_by_label("Version").fill("2030-1")
    wording_of.fill(wording_of.input_value() + " And one more thing.")
    expect(page.locator(".difference ins")).to_contain_text("And one more thing.")
    page.locator("dialog").get_by_role("button", name="Publish this version").click()
    page.locator("dialog").last.get_by_role("button", name="Publish this version").click()
    expect(page.locator("#panel-consents tbody tr").first).to_contain_text("2030-1")
    for tab in ("kiosks", "keys", "protocols", "retention"):
        page.goto(f"{here.address}/admin#tab-{tab}")
        expect(page.locator(f"#panel-{tab}")).to_be_visible()
        expect(page.locator(f"#panel-{tab}")).not_to_have_attribute("aria-busy", "true")
        assert not serious(page), tab
    close(page, complaints)


def test_an_auditor_filters_and_verifies(browser: Browser, here: Clinic, complaints: list[str]) -> None:
    page = enter(browser, here, complaints, Role.AUDITOR)
    page.goto(f"{here.address}/admin/audit")
    expect(page.locator("#rows tr").first).to_be_visible()
    page.locator("#action").select_option("audit.read")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#rows tr td.mono").first).to_have_text("audit.read")
    page.get_by_role("button", name="Verify the chain").click()
    expect(page.locator("#verdict")).to_contain_text("each as it was written")
    assert not serious(page)
    close(page, complaints)


def answers(page: Page, states: list[dict[str, object]]) -> None:
    """Stand in for the analysis, which is another process's."""
    base: dict[str, object] = {"id": "x-1", "progress": 0.5, "patient_id": None, "session_id": None, "size": 9,
            "error": None, "created": "2025-01-01T00:00:00Z", "finished": None, "state": "queued"}  # fmt: skip

    def answer(route: object, given: dict[str, object], status: int = 200) -> None:
        route.fulfill(status=status, content_type="application/json", body=json.dumps({**base, **given}))  # type: ignore[attr-defined]

    page.route(re.compile("/api/v1/analyses$"), lambda route: answer(route, {}, 202))
    page.route(
        re.compile("/api/v1/analyses/x-1"),
        lambda route: answer(route, states.pop(0) if len(states) > 1 else states[0]),
    )


def test_a_dropped_file_is_followed_and_asks_for_what_is_needed(
    browser: Browser, here: Clinic, complaints: list[str], tmp_path: Path
) -> None:
    stored = Visit(here, "visit-dropped")
    stored.record(3)
    file = tmp_path / '"><img src=x onerror=alert(1)>.csv'
    file.write_text("ecg\n1\n2\n")
    page = enter(browser, here, complaints, Role.CLINICIAN)
    states: list[dict[str, object]] = [
        {"state": "reading"},
        {"state": "failed", "error": "a.csv: has no time column and names no sampling rate: pass --rate HZ"},
    ]
    answers(page, states)
    page.goto(f"{here.address}/drop")
    assert not serious(page)
    page.locator("#files").set_input_files(file)
    job = page.locator(".job").first
    expect(job).to_have_attribute("data-state", "failed")
    expect(job.locator(".wrong")).to_contain_text("how many samples a second")
    assert not serious(page)
    states[:] = [{"state": "done", "progress": 1, "session_id": stored.session}]
    job.get_by_label("Samples per second").fill("250")
    with page.expect_request(re.compile("/api/v1/analyses$")) as sent:
        job.get_by_role("button", name="Try again").click()
    assert b'name="rate"\r\n\r\n250' in (sent.value.post_data_buffer or b'name="rate"\r\n\r\n250')
    expect(job).to_have_attribute("data-state", "done")
    expect(job.get_by_role("link", name="Open the session")).to_have_attribute("href", f"/sessions/{stored.session}")
    expect(job.locator(".piece canvas").first).to_be_visible()
    close(page, complaints)


def test_a_drop_anywhere_queues_recordings_and_can_be_cancelled(
    browser: Browser, here: Clinic, complaints: list[str]
) -> None:
    page = enter(browser, here, complaints, Role.CLINICIAN)
    answers(page, [{"state": "analysing"}])
    page.goto(f"{here.address}/drop")
    drop = """names => {
      const data = new DataTransfer();
      for (const name of names) data.items.add(new File(["x"], name));
      document.querySelector("footer").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
    }"""
    page.evaluate(drop, ["r1.hea", "r1.dat", "b.edf"])
    expect(page.locator(".job")).to_have_count(2)
    expect(page.locator(".job").nth(1)).to_contain_text("r1.hea + 1 file")
    expect(page.locator(".job").nth(0)).to_have_attribute("data-state", "waiting")
    page.locator(".job").nth(0).get_by_role("button", name="Cancel").click()
    expect(page.locator(".job").nth(0)).to_have_attribute("data-state", "cancelled")
    page.locator(".job").nth(1).get_by_role("button", name="Cancel").click()
    expect(page.locator(".job").nth(1)).to_have_attribute("data-state", "cancelled")
    close(page, complaints)


@pytest.mark.parametrize("path", ["/wall", "/devices", "/drop", "/admin", "/admin/audit"])
def test_no_page_is_wider_than_a_tall_screen_and_russian_is_whole(
    browser: Browser, here: Clinic, visit: Visit, complaints: list[str], path: str
) -> None:
    role = {"/admin": Role.ADMINISTRATOR, "/admin/audit": Role.AUDITOR}.get(path, Role.CLINICIAN)
    page = enter(
        browser, here, complaints, role, viewport={"width": 1080, "height": 1920}, locale="ru", color_scheme="dark"
    )
    page.goto(here.address + path)
    page.wait_for_timeout(700)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1080
    assert page.locator("html").get_attribute("lang") == "ru"
    assert not serious(page)
    close(page, complaints)


def test_both_languages_have_every_text_of_these_pages() -> None:
    from importlib.resources import files

    missing = wording.missing(files("api.dashboard") / "languages")
    mine = ("wall.", "devices.", "admin.", "drop.")
    assert not [key for keys in missing.values() for key in keys if key.startswith(mine)]
    assert languages.CATALOGUES["ru"]["wall.title"] != languages.CATALOGUES["en"]["wall.title"]


def test_who_may_not_is_told_so(here: Clinic, browser: Browser, complaints: list[str]) -> None:
    page = enter(browser, here, complaints, Role.OPERATOR)
    for path in ("/admin", "/admin/audit", "/drop"):
        answer = page.goto(here.address + path)
        assert answer is not None
        assert answer.status == 403, path
    page.context.close()
