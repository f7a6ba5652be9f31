"""The colours that leave tell a pulse exactly, and of the skin's own colour nothing but a coarse step of brightness."""

import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.signals import MOTION_CHANNELS, REGIONS
from sensors.drivers.simulated import Person, Scene
from sensors.drivers.simulated.portrait import Portrait
from sensors.drivers.simulated.skin import TONES, Tone
from sensors.face.seen import Frame
from sensors.observer import LIGHT_STEP, Observer
from sensors.skin.levels import DARK, FULL, STEPS, Levels, coarse

Floats = NDArray[np.float64]

SHADES = np.array([1.0, 1.15, 0.9, 1.05, 0.8])
"""Of the regions: a face in the light of a window."""
SWATCHES = [tone.colour for tone in TONES]


def rows(colour: tuple[float, float, float], changes: Floats, shades: Floats = SHADES) -> NDArray[np.float32]:
    """Pictures of a face whose colours change by these shares, (n, 3)."""
    table = np.empty((len(changes), len(REGIONS), 4))
    table[:, :, :3] = np.array(colour) * shades[:, None] * (1.0 + changes[:, None, :])
    table[:, :, 3] = 2048.0
    return table.reshape(len(changes), -1).astype(np.float32)


def told(seen: NDArray[np.float32], levels: Levels | None = None) -> Floats:
    """(n, regions, 4) of what leaves."""
    levels = Levels() if levels is None else levels
    return np.array([levels.told(row) for row in seen], dtype=np.float64).reshape(-1, len(REGIONS), 4)


def pulse(count: int, size: float = 0.004) -> Floats:
    wave = np.sin(2 * np.pi * 1.2 * np.arange(count) / 30.0)
    light = 0.05 * np.random.default_rng(2).standard_normal((count, 1)).cumsum(axis=0) / np.sqrt(count)
    return np.asarray(size * wave[:, None] * (0.43, 1.0, 0.69) + light)


@pytest.mark.parametrize("colour", SWATCHES, ids=[tone.name for tone in TONES])
def test_relative_changes_are_those_of_the_skin(colour: tuple[float, float, float]) -> None:
    seen = rows(colour, pulse(300))
    before = np.log(seen.reshape(300, len(REGIONS), 4)[:, :, :3].astype(np.float64))
    after = np.log(told(seen)[:, :, :3])
    assert np.diff(after, axis=0) == pytest.approx(np.diff(before, axis=0), abs=5e-7)
    assert np.array_equal(told(seen)[:, :, 3], seen.reshape(300, len(REGIONS), 4)[:, :, 3])


@pytest.mark.parametrize("colour", SWATCHES, ids=[tone.name for tone in TONES])
def test_no_hue_and_no_shade_leaves(colour: tuple[float, float, float]) -> None:
    first = told(rows(colour, np.zeros((1, 3))))[0, :, :3]
    assert np.ptp(first) < 1e-4
    # other hues of the same brightness are the same to the last bit
    red, green, blue = colour
    other = told(rows((red, 0.7 * green, 1.2 * blue if 1.2 * blue < red else blue), np.zeros((1, 3)), SHADES**2))
    assert other[0, :, :3] == pytest.approx(first, abs=1e-4)


def test_brightness_leaves_in_few_steps_that_are_never_brighter_than_the_face() -> None:
    brights = np.linspace(3.0, FULL - 0.01, 500)
    steps = np.array([coarse(each) for each in brights])
    assert ((steps <= brights + 1e-9) & (steps > 0.7 * brights)).all()
    assert len(np.unique(steps[brights >= DARK].round(6))) == 6
    # a hair above what readers take for dark: too dark is told of what is, and of nothing else
    assert ((steps >= 35.0) == (brights >= DARK)).all()


@pytest.mark.parametrize(
    ("bright", "dark", "full"),
    [
        (20, True, False),
        (34, True, False),
        (37, False, False),
        (120, False, False),
        (249, False, False),
        (252, False, True),
    ],
)
def test_a_face_that_is_too_dark_or_too_bright_can_still_be_called_so(bright: float, dark: bool, full: bool) -> None:
    level = told(rows((bright, 0.8 * bright, 0.6 * bright), np.zeros((1, 3)), np.ones(5)))[0, 0, :3].max()
    assert (level < 35.0) == dark
    assert (level >= FULL) == full


def test_a_room_that_goes_dark_is_told_dark() -> None:
    fading = np.linspace(0.0, -0.85, 60)[:, None] * np.ones(3)
    level = told(rows((150.0, 110.0, 90.0), fading))[:, 0, :3].max(axis=1)
    assert level[0] > 100
    assert level[-1] < 35.0


def test_a_camera_that_begins_in_the_dark_is_not_told_too_bright_afterwards() -> None:
    black = rows((4.0, 2.0, 0.2), np.zeros((3, 3)))
    lit = rows((160.0, 120.0, 100.0), pulse(90))
    both = told(np.concatenate([black, lit]))
    assert both[3:, :, :3].max() < 200.0
    assert both[3:, 0, :3].min() > 60.0
    # and what follows has the changes of the skin again
    assert np.diff(np.log(both[3:, :, :3]), axis=0) == pytest.approx(
        np.diff(np.log(lit.reshape(90, len(REGIONS), 4)[:, :, :3].astype(float)), axis=0), abs=5e-7
    )


def test_what_is_not_seen_stays_absent_and_begins_at_the_common_level_when_it_is() -> None:
    seen = rows((150.0, 110.0, 90.0), np.zeros((4, 3))).reshape(4, len(REGIONS), 4)
    seen[:2, 2] = np.nan, np.nan, np.nan, 0.0
    seen[1] = np.nan, np.nan, np.nan, 0.0
    found = told(seen.reshape(4, -1))
    assert np.isnan(found[:2, 2, :3]).all()
    assert np.isnan(found[1, :, :3]).all()
    assert not found[1, :, 3].any()
    assert np.ptp(found[2:, :, :3]) < 1e-4
    alone = rows((150.0, 110.0, 90.0), np.zeros((2, 3))).reshape(2, len(REGIONS), 4)
    alone[:, 0] = np.nan, np.nan, np.nan, 0.0
    assert np.isfinite(told(alone.reshape(2, -1))[:, 1:, :3]).all()


def test_the_next_visitor_has_gains_of_their_own() -> None:
    levels = Levels()
    first = told(rows(SWATCHES[0], np.zeros((2, 3))), levels)
    levels.reset()
    second = told(rows(SWATCHES[4], np.zeros((2, 3))), levels)
    assert np.ptp(second[:, :, :3]) < 1e-4
    assert first[0, 0, 0] == pytest.approx(coarse(SWATCHES[0][0]))
    assert second[0, 0, 0] == pytest.approx(coarse(SWATCHES[4][0]))


@pytest.mark.parametrize("value", [0.0, 1e-6, 255.0])
def test_colours_at_either_end_stay_numbers(value: float) -> None:
    found = told(rows((value, value, 0.0), np.zeros((3, 3)), np.ones(5)))
    assert np.isfinite(found).all()
    assert (found[:, :, :3] <= 256.0).all()


@pytest.mark.parametrize("tone", [TONES[0], TONES[4]], ids=["I", "V"])
def test_an_observer_tells_pictures_of_any_skin_at_a_common_level(tone: Tone) -> None:
    portrait = Portrait(Person(seed=5, melanin=tone.melanin), Scene.ideal(), width=320, height=240)
    with Observer() as observer:
        pictures = portrait.pictures(np.arange(1.0, 1.2, 1 / 30))
        sights = [observer.see(Frame(number * 33_333_333, pixels)) for number, pixels in enumerate(pictures)]
    levels = sights[0].rgb.reshape(-1, 4)[:, :3]
    assert np.ptp(levels) < 1e-3
    steps = STEPS * np.log2(levels[0, 0] / DARK)
    assert steps == pytest.approx(round(steps), abs=1e-4)
    light = sights[-1].motion[MOTION_CHANNELS.index("light")] / LIGHT_STEP
    assert light == pytest.approx(round(light), abs=1e-5)
