"""A clinician's morning in a browser: what waits, the people behind it, in both languages, by mouse and by keyboard."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from api.security import Role
from tests.api import staff
from tests.api.dashboard import busy
from tests.api.dashboard.busy import HOSTILE, NOTE, Busy
from tests.api.dashboard.clinic import Clinic


@pytest.fixture(scope="module")
def full(here: Clinic) -> Busy:
    return busy.fill(here)


@pytest.fixture
def page(browser: Browser, here: Clinic, full: Busy) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", viewport={"width": 1366, "height": 768})
    here.enter(context)
    made = context.new_page()
    made.set_default_timeout(15_000)
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    made.on("request", lambda asked: None if asked.url.startswith((here.address, "data:")) else wrong.append(asked.url))
    yield made
    context.close()
    assert not wrong


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in ("serious", "critical")]


def speak(page: Page, language: str) -> None:
    with page.expect_navigation():
        page.locator("#language").select_option(language)
    expect(page.locator("html")).to_have_attribute("lang", language)


def test_a_morning_with_the_work_list(page: Page, here: Clinic, full: Busy) -> None:
    page.goto(here.address)
    expect(page).to_have_url(re.compile("/worklist$"))
    rows = page.locator(".case")
    expect(rows.first).to_have_attribute("data-session", full.urgent)
    expect(rows.first).to_contain_text("Systolic blood pressure: 186 mmHg")
    expect(page.locator('[data-why="urgent"] .many')).to_have_text("1")
    assert not serious(page)
    # nobody's name is there until somebody asks, and then it is text
    expect(rows.first).not_to_contain_text("Ivanova")
    rows.first.get_by_role("button", name="Who is this?").click()
    expect(rows.first.locator(".name")).to_have_text("Anna Ivanova")
    strange = page.locator(f'[data-session="{full.partial}"]')
    strange.get_by_role("button", name="Who is this?").click()
    expect(strange.locator(".name")).to_have_text(f"{HOSTILE} Doe")
    # by keyboard alone: acknowledge the first, then review it without leaving the list
    page.locator("h1").click()
    for key in "kkkkkkkkkkkkjk":
        page.keyboard.press(key)
    expect(rows.first).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("Acknowledged")
    expect(page.locator(".case").first).not_to_have_attribute("data-session", full.urgent)
    page.locator(f'[data-session="{full.urgent}"]').focus()
    page.keyboard.press("r")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert not serious(page)
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_have_text("Choose one of the three.")
    page.get_by_label("To be repeated").check()
    page.get_by_label("Comment").fill("Measure again: k j a r are letters here.")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.locator('#whys [data-why="done"]').click()
    expect(page.locator(f'[data-session="{full.urgent}"]')).to_contain_text("To be repeated")
    page.locator('#whys [data-why="warning"]').click()
    expect(page.get_by_role("heading", name="None of these")).to_be_visible()
    # what the keys do is told where one asks
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Acknowledge its alerts")
    expect(page.get_by_role("dialog")).to_contain_text("Go to: Sessions")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile("/patients$"))
    expect(page).not_to_have_title("owned")


def test_finding_and_adding_people(page: Page, here: Clinic, full: Busy) -> None:
    page.goto(f"{here.address}/patients")
    expect(page.locator("#rows tr")).to_have_count(len(full.patients))
    assert not serious(page)
    page.keyboard.press("/")
    expect(page.get_by_label("Pseudonym")).to_be_focused()
    page.keyboard.type("K7QF-9M2X-TR2")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.get_by_label("All names, in any order").fill("klein")
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_have_text("1 person found")
    expect(page.locator("#rows .named")).to_have_text("Boris Klein, 1964-11-30")
    page.locator("#born").fill("1990-01-02")
    page.get_by_label("All names, in any order").fill("")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#rows .named")).to_have_text(f"{HOSTILE} Doe, 1990-01-02")
    page.get_by_label("All names, in any order").fill("nobody at all")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nobody is found")).to_be_visible()
    page.get_by_role("button", name="Add a patient").click()
    page.get_by_role("dialog").get_by_label("Pseudonym").fill("K7QF-9M2X-TR2D")
    page.get_by_role("dialog").get_by_role("button", name="Add a patient").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text("Another patient has this pseudonym.")
    page.get_by_role("dialog").get_by_label("Pseudonym").fill("NEW-1")
    page.get_by_role("dialog").get_by_label("Family name").fill("Novak")
    page.get_by_role("dialog").get_by_label("Birth date").fill("1970-05-05")
    page.get_by_role("dialog").get_by_role("button", name="Add a patient").click()
    expect(page.get_by_role("heading", name="NEW-1")).to_be_visible()
    expect(page.locator("#age")).to_contain_text("(1970)")
    expect(page.get_by_text("No session is assigned to this patient yet.").first).to_be_visible()
    page.get_by_role("button", name="Who is this?").click()
    expect(page.locator("#identity")).to_contain_text("Novak")


def test_one_person_over_time(page: Page, here: Clinic, full: Busy) -> None:
    page.goto(f"{here.address}/patients/{full.patients[0]}")
    expect(page.locator("#timeline .mark")).to_have_count(12)
    expect(page.locator(".chart")).to_have_count(4)
    # a value that is absent is a cross with its reason, and no line is drawn across it
    rmssd = page.locator(".chart").nth(1)
    expect(rmssd.locator(".absent")).to_have_count(1)
    expect(rmssd.get_by_label(re.compile("The signal is too disturbed"))).to_have_count(1)
    assert (rmssd.locator(".trace").get_attribute("d") or "").count("M") == 2
    expect(page.locator(".chart .usual").first).to_be_attached()
    expect(page.locator(".chart .source").first).to_contain_text("doi:")
    page.get_by_role("button", name="SDNN").click()
    expect(page.locator(".chart")).to_have_count(5)
    expect(page.locator("#asked")).to_contain_text("of 100")
    # text of people is text
    expect(page.locator(".notes .text")).to_have_text(NOTE)
    page.get_by_label("Write a note").fill("<b>bold</b>")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator(".notes .text").first).to_have_text("<b>bold</b>")
    page.locator(".notes li").first.get_by_role("button", name="Edit").click()
    page.get_by_role("dialog").get_by_label("Note").fill("Calmer now.")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.locator(".notes .text").first).to_have_text("Calmer now.")
    page.locator(".notes li").first.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".notes .text")).to_have_count(1)
    # a consent is recorded only where it was given, and taken back where that is meant
    page.get_by_role("button", name="Record a consent").click()
    page.get_by_label("What to").select_option("research")
    page.get_by_role("dialog").get_by_role("button", name="Record a consent").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("confirm it")
    page.get_by_label("The person has read this text").check()
    page.get_by_role("dialog").get_by_role("button", name="Record a consent").click()
    expect(page.locator("#consents .badge")).to_have_count(3)
    page.locator("#consents li").first.get_by_role("button", name="Withdraw").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(page.locator("#consents .badge")).to_have_count(2)
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("Alert above").fill("90")
    page.get_by_role("dialog").get_by_role("button", name="Add a rule").click()
    expect(page.locator("#rules li")).to_contain_text("Heart rate above 90 /min")
    for box in page.locator("#sessions input").all()[:2]:
        box.check()
    expect(page.get_by_role("link", name="Compare two")).to_have_attribute("href", re.compile(r"/compare\?a=s-0-01&b="))
    assert not serious(page)
    page.locator("#theme").click()
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    speak(page, "ru")
    expect(page.get_by_role("button", name="Кто это?")).to_be_visible()
    expect(page.locator(".chart").first).to_contain_text("Частота сердечных сокращений")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert not serious(page)
    expect(page).not_to_have_title("owned")


def test_an_operator_is_shown_what_an_operator_may(page: Page, here: Clinic, full: Busy) -> None:
    page.context.clear_cookies()
    here.enter(page.context, staff.hire(here.database, Role.OPERATOR))
    page.goto(f"{here.address}/patients/{full.patients[1]}")
    expect(page.locator("#timeline .mark")).to_have_count(9)
    assert page.locator("#trends-title, #notes, #merge, .acts").count() == 0
    assert page.get_by_role("link", name="Work list").count() == 0
    page.goto(f"{here.address}/worklist")
    expect(page.get_by_role("heading", name="This is not for your role")).to_be_visible()
    page.get_by_role("link", name="To where I begin").click()
    expect(page).to_have_url(re.compile("/sessions$"))
    expect(page.locator("[name=kiosk]")).to_be_visible()
    page.get_by_label("Pseudonym begins with").fill("K7QF-9M2X-TR3")
    expect(page.locator("#rows tr")).to_have_count(3)
    page.locator("[name=state]").select_option("open")
    expect(page.get_by_role("heading", name="No session fits")).to_be_visible()
    assert not serious(page)
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#rows tr").nth(10)).to_be_visible()
    page.goto(f"{here.address}/patients/p-of-nobody")
    expect(page.get_by_role("heading", name="This patient is not here")).to_be_visible()
