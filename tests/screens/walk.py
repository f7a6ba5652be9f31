"""Walks the pages in a browser, keeps what they look like, and what must not happen on them."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Playwright
from playwright.sync_api import Error as BrowserError

from tests.screens.pages import Shot
from tests.screens.product import Product

LANGUAGES = {"en": "en-GB", "ru": "ru-RU"}
THEMES = ("light", "dark")
SIZES = {"laptop": (1366, 768), "portrait": (1080, 1920)}
PHONE = {"phone": (390, 844)}
SETTLE = 350
"""Milliseconds after the last request in which charts are drawn."""
PATIENCE = 15_000
SCROLL = """async () => {
  for (let at = 0; at < document.body.scrollHeight; at += innerHeight) {
    scrollTo(0, at);
    await new Promise((go) => setTimeout(go, 60));
  }
  scrollTo(0, 0);
}"""


@dataclass(frozen=True, slots=True)
class Look:
    """How somebody looks at it."""

    language: str
    theme: str
    size: str

    @property
    def name(self) -> str:
        """As a part of a file's name."""
        return f"{self.language}-{self.theme}-{self.size}"


@dataclass
class Walk:
    """What was seen, and what went wrong."""

    out: Path
    pictures: list[tuple[str, Look, Path]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    """Pages that are not there."""

    def keep(self, page: Page, name: str, look: Look, *, full: bool) -> None:
        """A picture."""
        path = self.out / f"{name}-{look.name}.png"
        page.screenshot(path=path, full_page=full, animations="disabled")
        self.pictures.append((name, look, path))

    @contextmanager
    def watched(self, page: Page, where: Callable[[], str], hosts: Sequence[str]) -> Iterator[None]:
        """Errors of the console, answers that are errors, requests that leave the machine."""

        def complain(what: str) -> None:
            self.complaints.append(f"{where()}: {what}")

        def asked(url: str) -> None:
            parts = urlsplit(url)
            if parts.scheme not in ("data", "blob") and parts.netloc not in hosts:
                complain(f"a request leaves for {parts.scheme}://{parts.netloc}")

        page.on("console", lambda said: complain(f"console: {said.text[:300]}") if said.type == "error" else None)
        page.on("pageerror", lambda error: complain(f"error: {str(error)[:300]}"))
        page.on("request", lambda request: asked(request.url))
        page.on("websocket", lambda made: asked(made.url))
        page.on("response", lambda given: complain(f"{given.status} {given.url}") if given.status >= 400 else None)
        yield


def looks(sizes: dict[str, tuple[int, int]]) -> list[Look]:
    """Every language, theme and size."""
    return [Look(language, theme, size) for language in LANGUAGES for theme in THEMES for size in sizes]


def browser(player: Playwright, *more: str) -> Browser:
    """The machine's own Chromium, else the player's."""
    found = shutil.which("chromium") or shutil.which("google-chrome") or player.chromium.executable_path
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *more]
    return player.chromium.launch(executable_path=found, args=arguments)


def context_of(made: Browser, look: Look, sizes: dict[str, tuple[int, int]], address: str) -> BrowserContext:
    """A window of this size, language and theme."""
    width, height = sizes[look.size]
    context = made.new_context(
        viewport={"width": width, "height": height},
        locale=LANGUAGES[look.language],
        color_scheme="dark" if look.theme == "dark" else "light",
        reduced_motion="reduce",
        timezone_id="UTC",
    )
    context.add_cookies([{"name": "kiosk_language", "value": look.language, "url": address}])
    return context


def walk_dashboard(walk: Walk, made: Browser, product: Product, shots: Sequence[Shot]) -> None:
    """All pages in all looks: one login a user and a look."""
    hosts = (urlsplit(product.address).netloc,)
    kept: dict[str, list[dict[str, object]]] = {}
    for look in looks(SIZES):
        for who in dict.fromkeys(shot.who for shot in shots):
            context = context_of(made, look, SIZES, product.address)
            if who is not None:
                if who not in kept:
                    kept[who] = _log_in(context, product, who)
                context.add_cookies(kept[who])  # type: ignore[arg-type] # as they were read
            page = context.new_page()
            at = [""]
            with walk.watched(page, lambda at=at, look=look: f"{at[0]} ({look.name})", hosts):  # type: ignore[misc]
                for shot in shots:
                    if shot.who == who:
                        at[0] = shot.name
                        _look(walk, page, product, shot, look)
            context.close()


def _look(walk: Walk, page: Page, product: Product, shot: Shot, look: Look) -> None:
    before = len(walk.complaints)
    try:
        answer = page.goto(f"{product.address}{shot.path}", wait_until="load", timeout=PATIENCE)
        expected = 404 if shot.name == "problem" else 200
        if answer is not None and answer.status != expected:
            walk.missing.add(f"{shot.name} ({shot.path}): {answer.status}")
            return
        page.locator(shot.ready).first.wait_for(timeout=PATIENCE)
        quiet(page)
        shot.act(page)
        walk.keep(page, shot.name, look, full=shot.full)
        sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if sideways > 1:
            walk.complaints.append(f"{shot.name} ({look.name}): {sideways} px wider than the window")
    except BrowserError as error:
        walk.complaints.append(f"{shot.name} ({look.name}): {str(error).splitlines()[0]}")
    if shot.name == "problem":
        # this one is an error, and the browser says so
        walk.complaints[before:] = [each for each in walk.complaints[before:] if "404" not in each]


def quiet(page: Page) -> None:
    """Until what a page asked for is there and drawn; a live page never is, and is looked at as it goes."""
    # charts are drawn when they come into sight
    page.evaluate(SCROLL)
    try:
        page.wait_for_load_state("networkidle", timeout=4000)
    except BrowserError:
        return
    page.wait_for_timeout(SETTLE)


def _log_in(context: BrowserContext, product: Product, login: str) -> list[dict[str, object]]:
    """By the page, as a person does; what it leaves in the browser."""
    page = context.new_page()
    page.goto(f"{product.address}/login")
    page.locator("#login").fill(login)
    page.locator("#password").fill(product.password(login))
    page.locator("#go").click()
    page.wait_for_url(lambda url: not urlsplit(url).path.startswith("/login"), timeout=PATIENCE)
    page.close()
    return [dict(each) for each in context.cookies()]


class Timer:
    """How long it has taken, for people."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __str__(self) -> str:
        return f"{time.monotonic() - self._begun:.0f} s"
