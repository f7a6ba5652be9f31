"""The visitor's screens: one visit in each language, looked at in every theme and size on its way."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as BrowserError

from tests.screens.pages import Shot
from tests.screens.product import Product
from tests.screens.walk import LANGUAGES, PATIENCE, PHONE, SIZES, THEMES, Look, Walk, context_of, looks, quiet

MOST_STEPS = 60
VISIT = "quick"
LONG = 260_000
"""Milliseconds of a visit, and of its analysis."""


def walk_station(walk: Walk, made: Browser, product: Product) -> str | None:
    """Every screen of a quick visit; the address of its results for a phone, where there is one."""
    assert product.station is not None
    hosts = (urlsplit(product.station).netloc,)
    link = None
    for language in LANGUAGES:
        context = context_of(made, Look(language, "light", "portrait"), SIZES, product.station)
        page = context.new_page()
        with walk.watched(page, lambda language=language: f"station ({language})", hosts):  # type: ignore[misc]
            try:
                link = _visit(walk, page, product.station, language) or link
            except (BrowserError, AssertionError) as error:
                walk.complaints.append(f"station ({language}): {str(error).splitlines()[0]}")
        context.close()
    return link


def walk_link(walk: Walk, made: Browser, product: Product, address: str) -> None:
    """The visitor's results, as their phone shows them."""
    sizes = {**PHONE, "laptop": SIZES["laptop"]}
    hosts = (urlsplit(product.address).netloc, urlsplit(address).netloc)
    for look in looks(sizes):
        context = context_of(made, look, sizes, address)
        page = context.new_page()
        with walk.watched(page, lambda look=look: f"link ({look.name})", hosts):  # type: ignore[misc]
            page.goto(address, timeout=PATIENCE)
            quiet(page)
            walk.keep(page, "link", look, full=True)
        context.close()


def _visit(walk: Walk, page: Page, address: str, language: str) -> str | None:
    page.goto(address)
    body, link = page.locator("body"), None
    expect(body).to_have_attribute("data-screen", "welcome", timeout=PATIENCE)
    expect(page.locator("#clinic")).not_to_be_empty(timeout=PATIENCE)
    page.locator(f'.tongues [lang="{language}"]').click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    page.wait_for_timeout(600)
    seen = ""
    for _ in range(MOST_STEPS):
        screen = body.get_attribute("data-screen") or ""
        if screen != seen:
            page.wait_for_timeout(700)
            _pictures(walk, page, f"station-{screen}", language)
        seen = screen
        now = page.locator("#screen h1").first.inner_text()
        if screen == "welcome":
            page.locator(f'[data-offer="{VISIT}"]').click()
        elif screen == "consent":
            for purpose in ("measure", "store"):
                page.locator(f'[data-purpose="{purpose}"]').click()
            page.locator("#agree").click()
        elif screen == "check_in":
            page.locator("#tell").click()
            page.locator("#field-given").fill("Anna")
            page.locator("#field-birth_year").fill("1984")
            page.locator('[data-sex="female"]').click()
            _pictures(walk, page, "station-check_in-tell", language)
            page.locator("#told").click()
        elif screen in ("position", "electrodes", "spot", "conversation"):
            page.locator("#go-on").click()
        elif screen == "questionnaire":
            page.locator('[role="radio"]').first.click()
        elif screen == "results":
            done = page.locator('[data-outcome="follow"], .tile').first
            expect(done).to_be_visible(timeout=LONG)
            _pictures(walk, page, "station-results", language)
            shown = page.locator(".keep.qr small")
            link = shown.inner_text() if shown.count() else None
            page.locator("#done").click()
        elif screen == "goodbye":
            return link
        elif screen != "measure":
            page.wait_for_timeout(500)
            continue
        _changed(page, screen, now)
    raise AssertionError(f"the visit does not end: {seen}")


def _changed(page: Page, screen: str, title: str) -> None:
    """Until another screen, or another question, is there."""
    page.wait_for_function(
        "([screen, title]) => document.body.dataset.screen !== screen"
        " || (document.querySelector('#screen h1')?.innerText ?? '') !== title",
        arg=[screen, title],
        timeout=LONG,
    )


def _pictures(walk: Walk, page: Page, name: str, language: str) -> None:
    for theme in THEMES:
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(60)
            walk.keep(page, re.sub(r"\W+", "-", name), Look(language, theme, size), full=False)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": SIZES["portrait"][0], "height": SIZES["portrait"][1]})


__all__ = ["Shot", "walk_link", "walk_station"]
