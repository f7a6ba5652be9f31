"""A visitor in a browser before a kiosk: what they see and touch, and what the browser complains of meanwhile."""

import shutil
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, expect

from sensors.drivers.simulated.voice import RATE, speech
from sensors.face.seen import Pixels
from tests.conftest import require
from tests.sensors.station.portrait import numbered, scene, y4m

SLOW = 30_000
"""Milliseconds that a busy machine may take."""
SEEN = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required")  # fmt: skip
GRAVE = ("serious", "critical")
LOCAL = ("http://127.0.0.1:", "ws://127.0.0.1:", "blob:http://127.0.0.1:", "data:")


def one_face(path: Path) -> Path:
    """A film of somebody at the right distance."""
    near = scene(nearness=1.5)
    return y4m(path, [numbered(near, number) for number in range(31)])


def two_faces(path: Path) -> Path:
    """A film of two people side by side."""
    near = scene(nearness=1.3)
    half = near[:, 160:480]
    picture: Pixels = np.ascontiguousarray(np.concatenate((half, half), axis=1))
    return y4m(path, [numbered(picture, number) for number in range(31)])


def voice(path: Path) -> Path:
    """Ten seconds of the simulated voice as a sound file."""
    samples = np.clip(speech(10.0, seed=3).samples * 32767, -32767, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(round(RATE))
        file.writeframes(samples.tobytes())
    return path


@contextmanager
def browser_before(player: Playwright, film: Path, sound: Path) -> Iterator[Browser]:
    """A browser whose camera and microphone play files."""
    found = shutil.which("chromium") or shutil.which("google-chrome") or player.chromium.executable_path
    require(Path(found).exists(), "chromium")
    made = player.chromium.launch(
        executable_path=found,
        args=[*SEEN, f"--use-file-for-fake-video-capture={film}", f"--use-file-for-fake-audio-capture={sound}"],
    )
    try:
        yield made
    finally:
        made.close()


class Watched:
    """A page, with all that must not happen on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        """Requests that would have left the machine."""
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda asked: self._asked(asked.url))
        page.on("websocket", lambda made: self._asked(made.url))
        page.on("response", self._answered)

    def check(self) -> None:
        """Nothing of it happened."""
        assert not self.strangers
        assert not self.complaints

    def check_access(self, where: str, *, but: Sequence[str] = ()) -> None:
        """No serious finding of axe-core."""
        found = Axe().run(self.page).response["violations"]
        grave = [each for each in found if each["impact"] in GRAVE and each["id"] not in but]
        assert not grave, (where, [(each["id"], [node["html"][:150] for node in each["nodes"][:3]]) for each in grave])

    def _asked(self, url: str) -> None:
        if not url.startswith(LOCAL):
            self.strangers.append(url)

    def _answered(self, response: object) -> None:
        status, url = response.status, response.url  # type: ignore[attr-defined] # its type is the player's own
        if status >= 400:
            self.complaints.append(f"{status} {url}")


class Visitor(Watched):
    """Somebody at the kiosk's page."""

    def arrive(self, address: str) -> None:
        """The first screen."""
        self.page.goto(address)
        self.at("welcome")

    def at(self, screen: str, timeout: float = SLOW) -> None:
        """This screen is there."""
        expect(self.page.locator("body")).to_have_attribute("data-screen", screen, timeout=timeout)

    def choose(self, protocol: str) -> None:
        """A visit."""
        self.page.locator(f'[data-offer="{protocol}"]').click(timeout=SLOW)
        self.at("consent")

    def agree(self, *purposes: str) -> None:
        """To some purposes."""
        for purpose in purposes:
            self.page.locator(f'[data-purpose="{purpose}"]').click()
        self.page.locator("#agree").click()
        self.at("check_in")

    def tell(self, *, given: str, family: str, year: int, sex: str) -> None:
        """A little about oneself."""
        self.page.locator("#tell").click()
        for name, value in (("given", given), ("family", family), ("birth_year", str(year))):
            self.page.locator(f'input[name="{name}"], input#{name}').first.fill(value)
        self.page.locator(f'[data-sex="{sex}"]').click()
        self.page.locator("#told").click()

    def sit_well(self) -> None:
        """Before the camera, until it is content; a machine that is too busy to see that is told to go on."""
        self.at("position")
        body = self.page.locator("body")
        expect(body).to_have_attribute("data-state", "good", timeout=2 * SLOW)
        try:
            expect(body).not_to_have_attribute("data-screen", "position", timeout=8_000)
        except AssertionError:
            self.go_on()
        self.at("electrodes")

    def go_on(self) -> None:
        """The button that leads on."""
        self.page.locator("#go-on").click(timeout=SLOW)

    def answer(self, count: int, value: int = 0) -> None:
        """So many questions, each with the same answer."""
        for number in range(1, count + 1):
            self.at("questionnaire")
            expect(self.page.locator(".where")).to_contain_text(f"{number}", timeout=SLOW)
            title = self.page.locator("h1").inner_text()
            self.page.locator(f'[role="radio"][data-value="{value}"]').click()
            if number < count:
                expect(self.page.locator("h1")).not_to_have_text(title, timeout=SLOW)
