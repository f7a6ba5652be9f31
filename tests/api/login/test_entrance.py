"""Coming in through a browser: the pages, where they lead to, and where they must not."""

import base64
import re
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.testclient import TestClient

from api.dashboard.entrance import next_of
from api.login import tokens, totp
from api.security import Role
from api.store import tokens as store
from api.store import users, utc_now
from tests.api import staff
from tests.api.conftest import ClientAs
from tests.api.dashboard.clinic import Clinic

HTML = {"accept": "text/html"}
expect.set_options(timeout=20_000)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A browser that has not logged in. It notes failed requests in its console; nothing else may go wrong."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-GB")
    made = context.new_page()
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    yield made
    context.close()
    assert not [each for each in complaints if not re.search(r"status of 4(0[139]|22)|GL Driver", each)]


def fill_in(page: Page, login: str, password: str = staff.PASSWORD) -> None:
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


# --- without a browser


@pytest.mark.parametrize(
    "given",
    [
        "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "javascript:alert(1)",
        "/\t/evil.example", "/a\r\nSet-Cookie: x=1", "/a b", "evil", "", "/login", "/login?next=/login",
        "/api/v1/account",
        "/" + "x" * 2000, "/\u202e", "/%0d%0a\n", None,
    ],
)  # fmt: skip
def test_a_login_leads_nowhere_but_to_a_page_of_ours(given: str | None) -> None:
    assert next_of(given) == "/"


@pytest.mark.parametrize("given", ["/sessions", "/sessions/s-1?tab=2&x=%2F%2Fevil", "/account", "/patients/p-1#top"])
def test_a_login_leads_back_to_where_one_wanted_to_go(given: str) -> None:
    assert next_of(given) == given


def test_what_an_address_says_is_only_text_on_the_page(anonymous: TestClient) -> None:
    attack = quote('/x"><script>alert(1)</script>')
    text = anonymous.get(f"/login?next={attack}", headers=HTML).text
    assert "<script>alert" not in text
    assert 'data-next="/x&#34;&gt;&lt;script' in text
    answer = anonymous.get("/login?next=/a%0d%0aSet-Cookie:%20x=1", headers=HTML)
    assert "set-cookie" not in answer.headers
    assert 'data-next="/"' in answer.text


@pytest.mark.parametrize("path", ["/", "/sessions", "/sessions/s-1?x=1&y=2", "/account"])
def test_pages_lead_to_the_login_and_the_api_says_a_problem(anonymous: TestClient, path: str) -> None:
    answer = anonymous.get(path, headers=HTML, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next={quote(path, safe='/')}"
    assert "default-src" in answer.headers["content-security-policy"]
    assert anonymous.get("/api/v1/sessions", headers=HTML, follow_redirects=False).status_code == 401


@pytest.mark.parametrize(
    ("role", "home"),
    [(Role.RESEARCHER, "/account"), (Role.ADMINISTRATOR, "/admin"), (Role.AUDITOR, "/admin/audit")],
)
def test_who_reads_no_sessions_begins_at_what_is_theirs(client_as: ClientAs, role: Role, home: str) -> None:
    client = client_as(role)
    assert client.get("/", headers=HTML).url.path == home
    forbidden = client.get("/sessions", headers=HTML)
    assert forbidden.status_code == 403
    assert "This is not for your role" in forbidden.text


# --- in a browser


def test_one_logs_in_by_keyboard_and_comes_to_where_one_wanted(page: Page, here: Clinic) -> None:
    staff.hire(here.database, Role.CLINICIAN, login="clara")
    page.goto(f"{here.address}/sessions?x=1")
    expect(page.get_by_label("Login")).to_be_focused()
    fill_in(page, "clara", "wrong password")
    expect(page.get_by_role("alert")).to_contain_text("Login or password is wrong")
    expect(page.get_by_label("Password")).to_be_focused()
    expect(page.get_by_label("Password")).to_have_value("")
    page.keyboard.type(staff.PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{here.address}/sessions?x=1")
    expect(page.locator(".member")).to_contain_text("Clara")
    assert "password" not in page.url
    assert page.evaluate("document.cookie").startswith("kiosk-csrf=")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Login")).to_be_visible()
    assert page.context.cookies() == []
    page.goto(f"{here.address}/sessions")
    expect(page.get_by_label("Login")).to_be_visible()


def test_a_second_factor_is_set_up_and_asked_for(page: Page, here: Clinic) -> None:
    user = staff.hire(here.database, Role.CLINICIAN, login="felix")
    here.enter(page.context, user)
    page.goto(f"{here.address}/account")
    card = page.locator("#factor")
    card.get_by_label("Password").fill(staff.PASSWORD)
    card.get_by_role("button", name="Set up a second factor").click()
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    assert page.locator("#qr").evaluate("image => image.naturalWidth") > 100
    text = page.locator("#secret").inner_text().replace(" ", "")
    secret = base64.b32decode(text + "=" * (-len(text) % 8))
    page.get_by_label("Type the code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm-form").get_by_role("alert")).to_contain_text("next one")
    page.get_by_label("Type the code").fill(totp.code(secret, totp.step_at(utc_now())))
    page.keyboard.press("Enter")
    expect(page.locator("#code-list li")).to_have_count(10)
    codes = page.locator("#code-list li").all_inner_texts()
    page.get_by_role("button", name="I have kept them").click()
    expect(card).to_contain_text("10 of your recovery codes are left")
    page.get_by_role("button", name="Log out").click()
    fill_in(page, "felix")
    page.get_by_label("Code of your authenticator app").fill(codes[0])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/worklist$"))


def test_a_password_of_somebody_else_is_changed_first(page: Page, here: Clinic) -> None:
    staff.hire(here.database, Role.CLINICIAN, login="nora", must_change=True)
    page.goto(f"{here.address}/sessions")
    fill_in(page, "nora")
    expect(page.get_by_role("heading", name="Choose your own password")).to_be_visible()
    page.goto(f"{here.address}/sessions")
    expect(page).to_have_url(re.compile("/account$"))
    for new, again, words in (
        ("four brown bears juggle", "four brown bears", "differ"),
        ("password1234", "password1234", "guessed first"),
        ("four brown bears juggle", "four brown bears juggle", ""),
    ):
        page.get_by_label("Present password").fill(staff.PASSWORD)
        page.get_by_label("New password", exact=True).fill(new)
        page.get_by_label("New password, again").fill(again)
        page.keyboard.press("Enter")
        if words:
            expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page).to_have_url(re.compile("/worklist$"))


def test_an_access_token_that_ended_is_renewed_unnoticed_once_for_all_pages(page: Page, here: Clinic) -> None:
    user = staff.hire(here.database, Role.CLINICIAN, login="rita")
    here.enter(page.context, user)
    page.goto(f"{here.address}/sessions")
    second = page.context.new_page()
    second.goto(f"{here.address}/account")
    expect(second.locator("#logins li")).to_have_count(1)
    before = {each["name"]: each["value"] for each in page.context.cookies()}
    with here.database.transaction() as db:
        row = store.get(db, tokens.digest(before["kiosk"]))
        assert row is not None
        row.expires_ns = utc_now() - 1
    # the list asks every three seconds, the other page at once: the refresh token must be used once
    second.reload()
    expect(second.locator("#logins li")).to_have_count(1)
    until = time.monotonic() + 15
    while time.monotonic() < until:
        after = {each["name"]: each["value"] for each in page.context.cookies()}
        if after.get("kiosk") != before["kiosk"]:
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(4000)
    expect(page).to_have_url(f"{here.address}/sessions")
    with here.database.reading() as db:
        (login,) = store.logins(db, user.id, utc_now())
        assert store.lives(db, login.family, utc_now())


def test_a_login_that_was_ended_elsewhere_leads_to_the_login_page(page: Page, here: Clinic) -> None:
    user = staff.hire(here.database, Role.CLINICIAN, login="egon")
    here.enter(page.context, user)
    page.goto(f"{here.address}/sessions")
    with here.database.transaction() as db:
        store.revoke_all(db, user.id, utc_now())
    expect(page).to_have_url(f"{here.address}/login?next=%2Fsessions")
    expect(page.get_by_label("Login")).to_be_visible()


def test_names_are_only_text_in_the_head(page: Page, here: Clinic) -> None:
    user = staff.hire(here.database, Role.CLINICIAN, login="xena")
    with here.database.transaction() as db:
        users.note(db, user.id, {"name": "<img src=x onerror=alert(1)>"})
    here.enter(page.context, user)
    page.goto(f"{here.address}/account")
    expect(page.locator(".member span")).to_have_text("<img src=x onerror=alert(1)>")
    assert page.locator("header img").count() == 1
