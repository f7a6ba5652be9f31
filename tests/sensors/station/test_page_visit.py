"""The visitor's page in a real browser, shown every screen by a scripted station: what it says, and what it forgets."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect, sync_playwright

from kiosk.visitor import WORDS
from sensors.station.view import Contact, Position, SpeechLine
from tests.conftest import require
from tests.sensors.station.showing import SIZES, Showing, settle
from tests.sensors.station.shown_views import views

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
SLOW = 20_000
"""Milliseconds that a busy machine may take."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as player:
        found = shutil.which("chromium") or shutil.which("google-chrome") or player.chromium.executable_path
        require(Path(found).exists(), "chromium")
        made = player.chromium.launch(executable_path=found, args=[*ARGUMENTS])
        yield made
        made.close()


@pytest.fixture(scope="module")
def station() -> Iterator[Showing]:
    with Showing().served() as made:
        yield made


def opened(
    browser: Browser, station: Showing, complaints: list[str], size: str = "laptop", language: str = "en"
) -> Page:
    """The page at its first screen."""
    width, height = SIZES[size]
    page = browser.new_page(
        viewport={"width": width, "height": height}, locale={"en": "en-GB", "ru": "ru-RU"}[language]
    )
    page.set_default_timeout(SLOW)
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if "127.0.0.1" not in request.url else None)
    station.acts.clear()
    station.view = views(language)["welcome"]
    page.goto(station.address)
    page.wait_for_selector("body[data-screen=welcome]")
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_visitor_walks_from_the_first_screen_to_the_last(browser: Browser, station: Showing) -> None:
    complaints: list[str] = []
    page = opened(browser, station, complaints)
    shown = views("en")
    # --- the language is the first choice, and takes effect before the station has heard of it
    press(page, "Русский")
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS["ru"]["welcome.title"])
    assert station.did("speak") == {"act": "speak", "language": "ru"}
    press(page, "English")
    station.acts.clear()
    page.locator('[data-offer="quick"]').click()
    assert station.did("begin") == {"act": "begin", "protocol": "quick", "language": "en"}
    # --- consent: nothing is agreed to beforehand, and not without measuring
    settle(page, station, shown["consent"])
    assert page.get_by_role("switch", checked=True).count() == 0
    press(page, "I agree")
    expect(page.get_by_role("alert")).to_have_text(WORDS["en"]["consent.measure_first"])
    assert station.acts == []
    page.get_by_role("switch", name=WORDS["en"]["consent.purpose.store"]).click()
    page.get_by_role("switch", name=WORDS["en"]["consent.purpose.measure"]).click()
    page.get_by_role("switch", name=WORDS["en"]["consent.purpose.research"]).click()
    page.get_by_role("switch", name=WORDS["en"]["consent.purpose.research"]).click()
    press(page, "I agree")
    assert station.did("agree") == {"act": "agree", "purposes": ["store", "measure"]}
    one, other = (page.locator(f"#{each}").bounding_box() for each in ("agree", "refuse"))
    assert one is not None
    assert other is not None
    assert (one["width"], one["height"]) == (other["width"], other["height"])
    press(page, "I do not agree")
    assert station.did("do") == {"act": "do", "what": "refuse"}
    # --- check-in: a scanner that types, a code, a person, nobody
    settle(page, station, replace(shown["check_in"], code=None))
    # all keys at once, as a scanner types: playwright's own keys come as slowly as the machine is busy
    keys = [*"AB-12cd", "Enter"]
    typed = "document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))"
    page.evaluate(f"keys => keys.forEach((key) => {typed})", keys)
    assert station.did("check_in") == {"act": "check_in", "code": "AB-12cd"}
    page.locator("#tell").click()
    page.get_by_label("First name").fill("Анна")
    page.get_by_label("or your age").fill("200")
    press(page, "Female")
    page.get_by_label("Height").fill("171,5")
    page.locator("#told").click()
    expect(page.locator("#wrong-age")).to_have_text(WORDS["en"]["check_in.wrong_age"])
    assert station.acts == []
    page.get_by_label("or your age").fill("")
    page.get_by_label("Year of birth").fill("1984")
    page.locator("#told").click()
    assert station.did("check_in") == {
        "act": "check_in", "given": "Анна", "family": None, "birth_year": 1984, "sex": "female", "height": 171.5,
        "weight": None,
    }  # fmt: skip
    press(page, "Back")
    page.locator("#anonymous").click()
    assert station.did("check_in") == {"act": "check_in"}
    settle(page, station, shown["check_in"])
    expect(page.locator(".found")).to_contain_text("K7-4QX-92")
    page.locator("#take").click()
    assert station.did("check_in") == {"act": "check_in", "code": "K7-4QX-92"}
    # --- the guide, where another camera than the browser's sees the visitor
    sits = Position("closer", 0.4, 0.5, 0.5, 0.2)
    settle(page, station, replace(shown["position"], position=sits))
    expect(page.get_by_role("heading", level=1)).to_have_text("Please come closer")
    expect(page.get_by_role("meter")).to_have_attribute("aria-valuenow", "40")
    settle(page, station, replace(shown["position"], position=Position("good", 1.0, 0.5, 0.5, 0.4)), 0.8)
    expect(page.locator("#fill")).to_have_css("background-color", "rgb(42, 154, 102)")
    press(page, "Continue")
    assert station.did("do")["what"] == "next"
    # --- sensors and measuring
    settle(page, station, shown["electrodes"])
    expect(page.locator('[data-signal="ppg"]')).to_contain_text(WORDS["en"]["electrodes.contact.noisy"])
    good = tuple(replace(each, state="good") for each in shown["electrodes"].contacts)
    station.show(replace(shown["electrodes"], contacts=good))
    expect(page.get_by_role("status")).to_have_text(WORDS["en"]["electrodes.all_good"])
    station.waves = (("ppg", "amplifier"),)
    settle(page, station, shown["measure"], 1.5)
    expect(page.locator(".waiting")).to_be_hidden()
    expect(page.locator('[data-rate="heart_rate"]')).to_contain_text("66")
    drawn = "document.querySelector('.pulse').getContext('2d').getImageData(0, 0, 9999, 300).data.some(Boolean)"
    assert page.evaluate(drawn)
    station.show(replace(shown["measure"], contacts=(Contact("ecg", "amplifier", "flat"),)))
    expect(page.locator(".troubles")).to_contain_text(WORDS["en"]["electrodes.contact.flat"])
    station.waves = ()
    closed = shown["measure_closed"]
    assert closed.measuring is not None
    settle(page, station, replace(closed, measuring=replace(closed.measuring, left=0.6)), 1.2)
    expect(page.locator("body")).to_have_attribute("data-rang", "1")
    # --- questions and the talk
    settle(page, station, shown["questionnaire"])
    page.get_by_role("radio", name="45 to 54 years").click()
    assert station.did("answer") == {"act": "answer", "item": "age", "value": 2}
    settle(page, station, shown["questionnaire_long"])
    press(page, "Back")
    assert station.did("do")["what"] == "back"
    talk = shown["conversation"]
    settle(page, station, replace(talk, thinking=True, talk=(*talk.talk, SpeechLine("visitor", "<b>Yes</b>"))))
    expect(page.locator(".thinking")).to_be_visible()
    expect(page.locator(".line.visitor").last).to_have_text("You: <b>Yes</b>")
    page.get_by_label("Write here").fill("Merci beaucoup")
    page.keyboard.press("Enter")
    assert station.did("say") == {"act": "say", "text": "Merci beaucoup"}
    # --- results: shown, printed on one page, gone
    settle(page, station, shown["results"])
    assert page.locator(".tile").count() == 13
    expect(page.locator('[data-absent="temperature"]')).to_contain_text(WORDS["en"]["absent.no_device"])
    expect(page.get_by_role("img", name=WORDS["en"]["results.qr_alt"])).to_be_visible()
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))) == 1
    page.locator("#done").click()
    assert station.did("do") == {"act": "do", "what": "leave"}
    settle(page, station, shown["goodbye"])
    left = page.content()
    assert not any(each in left for each in ("Анна", "K7-4QX", "Merci", "42 years", "1984"))
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert page.evaluate("history.length") <= 2
    assert page.evaluate("indexedDB.databases().then((all) => all.length)") == 0
    assert complaints == []
    page.close()


def test_stop_is_asked_twice_and_whoever_is_there_can_say_so(browser: Browser, station: Showing) -> None:
    complaints: list[str] = []
    page = opened(browser, station, complaints, "portrait", "ru")
    shown = views("ru")
    settle(page, station, shown["measure"])
    press(page, "Прервать")
    press(page, "Продолжить измерение")
    assert not any(each.get("what") == "leave" for each in station.acts)
    press(page, "Прервать")
    press(page, "Да, прервать")
    assert station.did("do") == {"act": "do", "what": "leave"}
    station.show(shown["leaving"])
    expect(page.get_by_role("dialog")).to_contain_text("14 с")
    press(page, "Да, я здесь")
    until = 100
    while not (here := [each for each in station.acts if each.get("what") == "here"]) and (until := until - 1):
        page.wait_for_timeout(50)
    assert here
    station.show(shown["measure"])
    expect(page.get_by_role("dialog")).to_have_count(0)
    # --- the station goes away and comes back: the page says so, and goes on where the station is
    station.view = shown["spot"]
    station.close_sockets()
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS["ru"]["spot.title"])
    # --- larger text is for this visitor alone
    page.get_by_role("button", name="Крупный текст").click()
    expect(page.locator("html")).to_have_attribute("data-text", "large")
    settle(page, station, shown["goodbye"])
    expect(page.locator("html")).to_have_attribute("data-text", "")
    assert complaints == []
    page.close()


def test_keys_on_the_screen_write_in_the_visitors_letters(browser: Browser, station: Showing) -> None:
    context = browser.new_context(viewport={"width": 1080, "height": 1920}, locale="ru-RU", has_touch=True)
    page = context.new_page()
    page.set_default_timeout(SLOW)
    station.acts.clear()
    station.view = replace(views("ru")["check_in"], code=None)
    page.goto(station.address)
    page.locator("#tell").tap()
    page.get_by_label("Имя").tap()
    for key in ("О", "л", "я"):
        page.locator(".keyboard").get_by_role("button", name=key, exact=True).tap()
    page.get_by_label("Вес").tap()
    for key in ("6", "1", ",", "5"):
        page.locator(".keyboard").get_by_role("button", name=key, exact=True).tap()
    for each in page.locator(".keyboard button").all():
        box = each.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    page.locator("#told").tap()
    told = station.did("check_in")
    assert (told["given"], told["weight"]) == ("Оля", 61.5)
    context.close()


@pytest.mark.parametrize(("size", "language"), [("portrait", "ru"), ("phone", "en")])
def test_no_screen_has_a_serious_barrier(browser: Browser, station: Showing, size: str, language: str) -> None:
    complaints: list[str] = []
    page = opened(browser, station, complaints, size, language)
    found = []
    for name, view in views(language).items():
        if size == "phone" and name not in ("consent", "electrodes", "conversation", "results"):
            continue
        settle(page, station, view, 0.1)
        found += [
            (name, each["id"], [node["html"][:120] for node in each["nodes"]])
            for each in Axe().run(page).response["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        small = page.evaluate(
            "[...document.querySelectorAll('button, input')].filter((each) => each.offsetParent)"
            ".filter((each) => Math.min(each.offsetWidth, each.offsetHeight) < 44).map((each) => each.outerHTML)"
        )
        assert small == [], name
    assert found == []
    assert complaints == []
    page.close()


def test_what_must_not_wait_stands_above_the_results_and_they_can_be_asked_about(
    browser: Browser, station: Showing
) -> None:
    complaints: list[str] = []
    page = opened(browser, station, complaints)
    view = views("en")["results_warned"]
    settle(page, station, view)
    warned = page.get_by_role("alert").filter(has_text="186")
    expect(warned).to_be_visible()
    expect(warned).to_contain_text("112")
    page.get_by_role("button", name=WORDS["en"]["results.ask"], exact=True).click()
    expect(page.locator("#said")).to_be_focused()
    page.keyboard.type("What is RMSSD?")
    # a minute goes by: the link opens for a minute less, and what was typed stays
    assert view.outcome is not None
    settle(page, station, replace(view, outcome=replace(view.outcome, minutes=14)))
    expect(page.locator("#said")).to_have_value("What is RMSSD?")
    page.keyboard.press("Enter")
    assert station.did("say") == {"act": "say", "text": "What is RMSSD?"}
    settle(
        page, station, replace(view, talk=(*view.talk, SpeechLine("assistant", "It says how much one beat differs.")))
    )
    expect(page.get_by_role("log")).to_contain_text("how much one beat differs")
    assert complaints == []
    page.close()
