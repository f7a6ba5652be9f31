"""The page behind a visitor's link, as a phone shows it."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

from api.store import links, utc_now
from kiosk.messages import SECOND
from kiosk.visitor import WORDS
from tests.api.conftest import record
from tests.api.dashboard.clinic import Clinic
from tests.api.visiting import AGREED, ANSWERED, PERSON, closed, entries, opened


def listening(page: Page) -> tuple[list[str], list[str]]:
    """What will be wrong with a page, and what it asks for."""
    said: list[str] = []
    asked: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            said.append(message.text)

    page.on("console", hear)
    page.on("request", lambda request: asked.append(request.url))
    return said, asked


def test_a_phone_shows_the_results_in_every_language_and_theme(browser: Browser, here: Clinic) -> None:
    record(here.database, opened("s1"), *entries("s1", [AGREED, PERSON, ANSWERED]))
    closed(here.database, "s1")
    with here.database.transaction() as db:
        link = f"{here.address}/r/{links.make(db, 's1', utc_now(), utc_now() + 3600 * SECOND)}"
    for language, theme in (("en", "light"), ("ru", "dark")):
        context = browser.new_context(
            viewport={"width": 390, "height": 844},
            locale=language,
            color_scheme="light" if theme == "light" else "dark",
        )
        page = context.new_page()
        said, asked = listening(page)
        page.goto(link)
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator("h1").inner_text() == WORDS[language]["link.title"]
        assert page.locator('.tile[data-measure="heart_rate"] .value').inner_text().startswith("66")
        assert page.locator('[data-absent="spo2"]').is_visible()
        # the reader's own clock, in the reader's language
        assert "UTC" not in page.locator("time").first.inner_text()
        assert page.locator("#print").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off"
        small = page.locator("a, button").evaluate_all(
            "all => all.map(each => each.getBoundingClientRect()).filter(box => box.height < 44 || box.width < 44)"
        )
        assert small == []
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
        # the switch works without a script, and the page asks nobody else
        other = next(each for each in WORDS if each != language)
        page.locator(f'nav a[lang="{other}"]').click()
        assert page.locator("h1").inner_text() == WORDS[other]["link.title"]
        assert said == []
        assert all(each.startswith(here.address) for each in asked)
        assert context.cookies() == []
        page.goto(f"{here.address}/r/unknown")
        assert page.locator("h1").inner_text() == WORDS[language]["link.expired"]
        context.close()
