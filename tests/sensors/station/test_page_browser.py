"""The kiosk's page in a real browser with a film before its camera: from getUserMedia to what leaves, and back."""

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.async_api import Browser, Locator, Page, Playwright, async_playwright, expect

from kiosk import wording
from kiosk.measures import EXPRESSIONS, Reason
from kiosk.messages import Origin
from kiosk.signals import MOTION_CHANNELS, RGB_CHANNELS
from kiosk.visitor import WORDS
from sensors.clock import SystemClock
from sensors.driver import Block, DriverFactory, Visit
from sensors.drivers.camera.devices import camera
from sensors.drivers.camera.driver import Camera
from sensors.frames.latest import Latest
from sensors.station.camera import PageCamera
from sensors.station.guide import Advice
from sensors.station.pictures import Timing
from sensors.station.server import Station
from tests.conftest import require
from tests.sensors.station.portrait import numbered, scene, y4m

Floats = NDArray[np.float64]
CLOCK = SystemClock()
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--use-fake-device-for-media-stream")
NOTE_TIMES = """
window.noted = [];
const asked = HTMLVideoElement.prototype.requestVideoFrameCallback;
HTMLVideoElement.prototype.requestVideoFrameCallback = function (then) {
  return asked.call(this, (now, seen) => { window.noted.push(seen.captureTime); then(now, seen); });
};
"""
"""Keeps what the browser itself says of when each picture was taken."""
SLOW = 20_000
"""Milliseconds that a busy machine may take."""


@pytest.fixture
async def player() -> AsyncIterator[Playwright]:
    async with async_playwright() as made:
        yield made


def camera_of(station: Station) -> PageCamera:
    assert station.camera is not None
    return station.camera


async def chromium(player: Playwright, *arguments: str) -> Browser:
    found = shutil.which("chromium") or shutil.which("google-chrome") or player.chromium.executable_path
    require(Path(found).exists(), "chromium")
    return await player.chromium.launch(executable_path=found, args=[*ARGUMENTS, *arguments])


@pytest.fixture
async def station() -> AsyncIterator[Station]:
    async with Station(PageCamera(CLOCK), 0).running() as made:
        yield made


@dataclass
class Run:
    """One visit's run of the driver, and what came out of it."""

    driver: Camera
    times: list[int] = field(default_factory=list)
    rows: list[NDArray[np.floating]] = field(default_factory=list)
    motions: list[NDArray[np.floating]] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    """Seconds from a picture to what leaves of it."""

    def has(self, pictures: int) -> bool:
        """Whether so many were looked at."""
        return len(self.times) >= pictures

    async def go(self) -> None:
        async with self.driver as driver:
            async for item in driver.items():
                if isinstance(item, Block) and item.signal == "rgb" and item.times is not None:
                    self.times += [int(at) for at in item.times]
                    self.rows += list(item.samples)
                    self.late.append((CLOCK.now() - int(item.times[-1])) / 1e9)
                elif isinstance(item, Block) and item.signal == "face_motion":
                    self.motions += list(item.samples)


def _apart(times: Floats, noted: Floats) -> Floats:
    """Of each time, how far the nearest of those noted is."""
    return np.asarray(np.abs(times[:, None] - noted).min(axis=1), dtype=np.float64)


def begin(make: DriverFactory) -> tuple[Run, "asyncio.Task[None]"]:
    driver = make(Visit("s", Origin(1, CLOCK.now(), "boot"), simulated=False), CLOCK)
    assert isinstance(driver, Camera)
    run = Run(driver)
    return run, asyncio.create_task(run.go())


async def until(condition: Callable[[], object], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not happen in time"
        await asyncio.sleep(0.05)


def advice(page: Page) -> Locator:
    return page.get_by_role("heading")


async def opened(browser: Browser, station: Station, complaints: list[str], locale: str = "en-GB") -> Page:
    context = await browser.new_context(viewport={"width": 800, "height": 600}, locale=locale)
    page = await context.new_page()
    await page.add_init_script(NOTE_TIMES)
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if "127.0.0.1" not in request.url else None)
    await page.goto(station.address)
    return page


async def test_a_face_before_the_browser_becomes_sights_and_the_bar_turns_green(
    player: Playwright, station: Station, tmp_path: Path
) -> None:
    near = scene(nearness=1.5)
    path = y4m(tmp_path / "face.y4m", [numbered(near, number) for number in range(31)])
    browser = await chromium(player, "--use-fake-ui-for-media-stream", f"--use-file-for-fake-video-capture={path}")
    complaints: list[str] = []
    # as the command does: networks are opened before anybody is there, and not in the loop
    [make] = await asyncio.to_thread(camera, "page", page=station.camera)
    page = await opened(browser, station, complaints)
    await expect(advice(page)).to_have_text("Please take a seat", timeout=SLOW)
    await asyncio.sleep(1)
    assert camera_of(station).taken == 0
    for _ in range(2):
        run, going = begin(make)
        await expect(page.locator("body")).to_have_attribute("data-state", "good", timeout=SLOW)
        await expect(advice(page)).to_have_text("Well done, stay like this")
        await expect(page.locator("#fill")).to_have_css("background-color", "rgb(42, 154, 102)")
        await expect(page.get_by_role("meter")).to_have_attribute("aria-valuenow", "100")
        await until(partial(run.has, 40))
        offset = min([CLOCK.now() - 1e6 * await page.evaluate("performance.now()") for _ in range(10)])
        noted = np.array(await page.evaluate("window.noted")) * 1e6
        going.cancel()
        await asyncio.wait([going])
        await expect(advice(page)).to_have_text("Please take a seat")
        assert all(one < other for one, other in pairwise(run.times))
        # each is one of the times that the browser gave, all the same way off: what the clocks' offset is unsure of
        by_page = np.array(run.times) - offset
        by_page = by_page[by_page < noted[-1]]  # the others came after the page was asked
        shifts = [by_page[-1] - each for each in noted[-30:]]
        # (where a busy machine hears its first quick word late, some pictures of the beginning are further off)
        apart, shift = min((float(np.percentile(_apart(by_page - each, noted), 80)), each) for each in shifts)
        assert apart < 1e6
        assert abs(shift) < 250e6
        assert min(run.late) > 0
        # the clocks' offset is right: no picture comes before it was taken, and none seconds after
        assert np.median(run.late) < 1.5
        colours = dict(zip(RGB_CHANNELS, np.nanmedian(run.rows, axis=0), strict=True))
        # of its level, which is told coarsely, and not of its hue
        assert colours["whole_r"] == pytest.approx(colours["whole_b"], rel=0.25)
        assert 60 < colours["whole_g"] < 220
        assert colours["whole_pixels"] > 4000
        motion = dict(zip(MOTION_CHANNELS, np.nanmedian(run.motions, axis=0), strict=True))
        assert 0.3 < motion["size"] < 0.7
        assert motion["faces"] == 1
    assert camera_of(station)._timing is Timing.CAPTURE
    assert camera_of(station).refused == 0
    assert await page.evaluate("crossOriginIsolated") is True
    await browser.close()
    assert complaints == []
    await until(lambda: not camera_of(station).connected)


async def test_the_pictures_arrive_as_the_camera_delivered_them(
    player: Playwright, station: Station, tmp_path: Path
) -> None:
    chance = np.random.default_rng(2)
    # noise in luminance alone: a grey picture has no chrominance to be halved
    films = [np.repeat(chance.integers(30, 220, (480, 640, 1)), 3, axis=2).astype(np.uint8) for _ in range(4)]
    path = y4m(tmp_path / "noise.y4m", films)
    browser = await chromium(player, "--use-fake-ui-for-media-stream", f"--use-file-for-fake-video-capture={path}")
    complaints: list[str] = []
    page = await opened(browser, station, complaints)
    await expect(advice(page)).to_have_text("Please take a seat", timeout=SLOW)
    into = Latest(depth=1000)
    owner = object()
    camera_of(station).attach(owner, into)
    await until(lambda: into.taken >= 8)
    camera_of(station).detach(owner)
    into.end()
    found = set()
    while (frame := into.get()) is not None:
        apart = [float(np.abs(frame.pixels.astype(int) - each).mean()) for each in films]
        # not one bit more is lost than by writing the film itself: rounding to 219 steps
        assert min(apart) < 0.6
        assert float(np.abs(frame.pixels.astype(int) - films[int(np.argmin(apart))]).max()) <= 2
        found.add(int(np.argmin(apart)))
    assert len(found) >= 2
    await browser.close()
    assert complaints == []


async def test_a_page_without_a_camera_or_leave_to_use_it_says_so_and_tries_again(
    player: Playwright, station: Station
) -> None:
    browser = await chromium(player)
    context = await browser.new_context(permissions=[], locale="ru-RU")
    page = await context.new_page()
    await page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => {"
        " throw new DOMException('', window.refusal ?? 'NotAllowedError'); }"
    )
    await page.goto(station.address)
    await expect(advice(page)).to_have_text("Камера не разрешена", timeout=SLOW)
    again = page.get_by_role("button", name="Попробовать ещё раз")
    await page.evaluate("window.refusal = 'NotFoundError'")
    await again.click()
    await expect(advice(page)).to_have_text("Камера не найдена")
    await page.get_by_role("button", name="English").click()
    await expect(advice(page)).to_have_text("There is no camera")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await browser.close()


def test_every_language_says_every_advice_and_every_reason() -> None:
    assert {"en", "ru"} <= WORDS.keys()
    assert not any(wording.missing(files("kiosk.visitor")).values())
    places = {key: set(re.findall(r"\{\w+\}", text)) for key, text in WORDS["en"].items()}
    for words in WORDS.values():
        assert all(words[f"position.{each}.{part}"] for each in get_args(Advice) for part in ("title", "why"))
        assert all(words[f"absent.{each}"] for each in get_args(Reason))
        assert all(words[f"emotion.{each}"] for each in EXPRESSIONS)
        assert {key: set(re.findall(r"\{\w+\}", text)) for key, text in words.items()} == places
        assert all(text.strip() for key, text in words.items() if key != "unit.1")


async def test_a_second_window_waits_until_the_first_is_closed(
    player: Playwright, station: Station, tmp_path: Path
) -> None:
    browser = await chromium(player, "--use-fake-ui-for-media-stream")
    first = await opened(browser, station, [])
    await expect(advice(first)).to_have_text("Please take a seat", timeout=SLOW)
    second = await opened(browser, station, [])
    await expect(advice(second)).to_have_text("The page is open elsewhere", timeout=SLOW)
    await first.close()
    await expect(advice(second)).to_have_text("Please take a seat", timeout=SLOW)
    await browser.close()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1080, 1920), (800, 600)])
async def test_everything_fits_on_the_screen(player: Playwright, station: Station, width: int, height: int) -> None:
    browser = await chromium(player, "--use-fake-ui-for-media-stream")
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="ru-RU")
    page = await context.new_page()
    await page.goto(station.address)
    await expect(advice(page)).to_have_text("Пожалуйста, присядьте", timeout=SLOW)
    owner = object()
    camera_of(station).attach(owner, Latest())
    await expect(page.get_by_role("meter")).to_be_visible()
    for each in ("header", "#stage", "#advice", "#why", "#meter", "footer"):
        box = await page.locator(each).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    await browser.close()
