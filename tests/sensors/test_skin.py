"""Colours of regions: right on any skin, blind for what is not skin, and quiet enough to see a pulse in."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.signals import REGIONS, RGB_CHANNELS
from sensors.face.crop import Square, around
from sensors.face.engines import finder
from sensors.face.seen import Pixels, Points
from sensors.skin import Skin, regions
from sensors.skin.steady import SteadyFace
from sensors.skin.tone import FIRST_LOOKS, MEMORY, SIDE, Tone, skin_like
from tests.sensors.face.pasted import noisy, pasted, room

STEP = 33_333_333
# sRGB of the six Fitzpatrick types, from very light to very dark
TONES = ((244, 208, 177), (231, 180, 143), (210, 158, 124), (186, 120, 81), (165, 94, 43), (60, 32, 19))
Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def face() -> tuple[Pixels, Points]:
    """The portrait, face of 200 pixels, and its landmarks."""
    picture = pasted(room(640, 480), x=320, y=230, face=200)
    engine = finder("mesh", None)
    (found,) = engine.faces(picture)
    engine.close()
    return picture, found.points


def painted(points: Points, tone: tuple[int, ...], noise: float = 3.0, seed: int = 0) -> Pixels:
    """A picture with a face of one plain colour, softly shaded, before a blue wall."""
    picture = np.full((480, 640, 3), (70, 90, 160), np.float32)
    outline = points[:, :2].astype(np.int32)
    hull = cv2.fillConvexPoly(np.zeros((480, 640), np.uint8), cv2.convexHull(outline), (1,))
    shade = 0.9 + 0.05 * (np.arange(640) - 320) / 100
    picture[hull > 0] = (np.array(tone, np.float32) * shade[None, :, None].repeat(480, axis=0))[hull > 0]
    random = np.random.default_rng(seed)
    return np.asarray(np.clip(picture + noise * random.standard_normal(picture.shape) + 0.5, 0, 255), np.uint8)


def table(row: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    return {name: np.asarray(row[4 * index : 4 * index + 4]) for index, name in enumerate(REGIONS)}


@pytest.mark.parametrize("tone", TONES)
def test_every_tone_of_skin_is_read_whole(face: tuple[Pixels, Points], tone: tuple[int, int, int]) -> None:
    _, points = face
    found = table(Skin().colours(painted(points, tone), points, 0))
    most = {name: drawn.sum() / 255 for name, drawn in zip(REGIONS, masks(points), strict=True)}
    for name, (*colour, pixels) in found.items():
        assert pixels > 0.9 * most[name], name
        assert colour == pytest.approx(0.9 * np.array(tone), rel=0.1), name
    assert found["forehead"][:3] == pytest.approx(0.9 * np.array(tone), rel=0.03)


def shifted(points: Points, way: float) -> Points:
    return np.asarray(points + np.array([way, 0, 0]), np.float32)


def masks(points: Points) -> list[NDArray[np.uint8]]:
    flat = points[:, :2].astype(np.float32)
    clear = regions.cleared((480, 640), regions.holes(flat))
    return [regions.drawn(outline, (480, 640)) & clear for outline in regions.outlines(flat)]


@pytest.mark.parametrize("ratio", [1.5, 2.0])
def test_a_lamp_at_one_side_leaves_both_cheeks_and_left_is_the_persons_own(
    face: tuple[Pixels, Points], ratio: float
) -> None:
    _, points = face
    clean = painted(points, TONES[2])
    middle, half = points[:, 0].mean(), np.ptp(points[:, 0]) / 2
    # from the picture's right, which is the person's left
    light = np.clip(ratio ** ((np.arange(640) - middle) / half / 2), 1 / ratio, ratio) / ratio**0.5
    found = table(Skin().colours((clean * light[None, :, None]).astype(np.uint8), points, 0))
    even = table(Skin().colours(clean, points, 0))
    assert found["left_cheek"][0] > 1.2 * found["right_cheek"][0]
    for name in REGIONS:
        assert found[name][3] > 0.85 * even[name][3], name


def test_channels_are_those_of_the_catalogue(face: tuple[Pixels, Points]) -> None:
    row = Skin().colours(*face, 0)
    assert row.shape == (len(RGB_CHANNELS),)
    assert row.dtype == np.float32
    whole = table(row)["whole"]
    assert whole[3] > sum(part[3] for name, part in table(row).items() if name != "whole") * 0.9


@pytest.mark.parametrize("dark", [False, True])
def test_hair_and_beard_do_not_colour_the_skin(face: tuple[Pixels, Points], dark: bool) -> None:
    _, points = face
    tone = TONES[5] if dark else TONES[1]
    picture = painted(points, tone)
    clean = table(Skin().colours(picture, points, 0))
    beard = cv2.fillPoly(np.zeros((480, 640), np.uint8), [regions.outlines(points[:, :2])[4].astype(np.int32)], (1,))
    fringe = np.zeros((480, 640), np.uint8)
    fringe[: int(points[151, 1])] = 1
    hairy = picture.copy()
    hairy[(np.asarray(beard) > 0) | (fringe > 0)] = (
        np.array((16, 12, 12), np.uint8) if dark else np.array((52, 36, 30), np.uint8)
    )
    found = table(Skin().colours(hairy, points, 0))
    assert found["chin"][3] < 0.2 * clean["chin"][3]
    assert found["forehead"][3] < 0.8 * clean["forehead"][3]
    for name in ("whole", "left_cheek", "right_cheek", "forehead"):
        assert found[name][:3] == pytest.approx(clean[name][:3], rel=0.05), name


def test_glare_and_clipped_pixels_are_left_out(face: tuple[Pixels, Points]) -> None:
    _, points = face
    picture = painted(points, TONES[1])
    middle = regions.outlines(points[:, :2])[2].mean(axis=0).astype(int)
    clean = table(Skin().colours(picture, points, 0))
    cv2.circle(picture, (int(middle[0]), int(middle[1])), 12, (255, 255, 255), -1)
    found = table(Skin().colours(picture, points, 0))
    assert found["left_cheek"][3] < clean["left_cheek"][3] - 0.8 * np.pi * 12**2
    assert found["left_cheek"][:3] == pytest.approx(clean["left_cheek"][:3], rel=0.03)


def test_glasses_are_not_skin(face: tuple[Pixels, Points]) -> None:
    # the portrait wears dark ones: where they are, the map is black
    picture, points = face
    skin = Skin()
    skin.colours(picture, points, 0)
    mask = skin._tone.map
    assert (mask[: SIDE // 2] < 0.1).mean() > 0.1
    assert mask[SIDE // 2 :].mean() > 0.4


def test_a_face_turned_away_hides_a_cheek(face: tuple[Pixels, Points]) -> None:
    _, points = face
    turned = points.copy()
    left = list({corner for pair in regions._LEFT_CHEEK for corner in pair})
    turned[left, 0] = 2 * turned[454, 0] - turned[left, 0]
    found = table(Skin().colours(painted(points, TONES[1]), turned, 0))
    assert np.isnan(found["left_cheek"][:3]).all()
    assert found["left_cheek"][3] == 0
    assert found["right_cheek"][3] > 100


@pytest.mark.parametrize("shift", [(-5000, 0), (0, 100_000), (-320, -300), (400, 0)])
def test_a_face_outside_or_at_the_edge_has_what_is_in_view(face: tuple[Pixels, Points], shift: tuple[int, int]) -> None:
    picture, points = face
    moved = (points + np.array([*shift, 0])).astype(np.float32)
    row = Skin().colours(picture, moved, 0)
    assert np.isnan(row.reshape(-1, 4)[:, :3]).any()
    assert (row.reshape(-1, 4)[:, 3] >= 0).all()


def test_darkness_has_light_but_no_skin(face: tuple[Pixels, Points]) -> None:
    _, points = face
    skin = Skin()
    row = skin.colours(np.zeros((480, 640, 3), np.uint8), points, 0)
    assert np.isnan(row.reshape(-1, 4)[:, :3]).all()
    assert skin.light == 0
    skin.colours(np.full((480, 640, 3), 255, np.uint8), points, STEP)
    assert skin.light == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("amplitude", [0.001, 0.005])
def test_a_pulse_multiplied_into_the_skin_comes_out_as_large_as_it_went_in(
    face: tuple[Pixels, Points], amplitude: float
) -> None:
    picture, points = face
    picture, points = picture[90:370, 200:440], shifted(points, -200) - np.array([0, 90, 0], np.float32)
    skin, count = Skin(), 150
    wave = np.sin(2 * np.pi * 1.2 * np.arange(count) / 30)
    random = np.random.default_rng(5)
    green = []
    for index in range(count):
        frame = picture.astype(np.float32)
        frame[..., 1] *= 1 + amplitude * wave[index]
        frame += 2 * random.standard_normal(frame.shape, np.float32)
        pulsed = np.clip(frame + 0.5, 0, 255).astype(np.uint8)
        green.append(table(skin.colours(pulsed, points, index * STEP))["whole"][1])
    relative = np.array(green) / np.mean(green) - 1
    assert 2 * (relative @ wave) / count == pytest.approx(amplitude, rel=0.1)
    rest = relative - amplitude * wave
    # the sensor's noise alone, over these pixels, is .00013
    assert rest[30:].std() < 0.0003


def test_trembling_landmarks_write_less_into_the_colours_than_a_pulse(face: tuple[Pixels, Points]) -> None:
    """At rest, with the jitter that the landmarks have (a thousandth of the face); .1 % is a weak pulse."""
    picture, points = face
    picture, points = picture[90:370, 200:440], shifted(points, -200) - np.array([0, 90, 0], np.float32)
    random = np.random.default_rng(6)
    skin, traces, plain = Skin(), [], []
    for index in range(120):
        whole = random.normal(0, 0.1, 3)
        shaken = points + whole + random.normal(0, 0.2, points.shape)
        frame = noisy(picture, 2, random)
        traces.append(skin.colours(frame, shaken.astype(np.float32), index * STEP).reshape(-1, 4)[:, 1])
        mask = regions.drawn(regions.outlines(shaken[:, :2].astype(np.float32))[0], frame.shape[:2])
        plain.append(cv2.mean(frame, mask)[1])
    late = np.array(traces, np.float64)[30:]
    trembling = np.diff(late, axis=0).std(axis=0) / late.mean(axis=0)
    assert trembling[0] < 0.0003
    assert trembling.max() < 0.0009
    assert trembling[0] < 0.5 * np.diff(plain[30:]).std() / np.mean(plain)


def test_a_large_face_has_the_same_colours_as_a_small_one() -> None:
    engine = finder("mesh", None)
    rows = []
    for size in (150, 760):
        picture = pasted(room(1400, 1200), x=700, y=560, face=size)
        engine.faces(np.zeros((32, 48, 3), np.uint8))
        (found,) = engine.faces(picture)
        rows.append((size, Skin().colours(picture, found.points, 0).reshape(-1, 4)))
    engine.close()
    (small, one), (large, other) = rows
    assert other[:, :3] == pytest.approx(one[:, :3], rel=0.03)
    assert other[0, 3] / one[0, 3] == pytest.approx((large / small) ** 2, rel=0.15)


def test_talk_moves_the_mask_with_the_mouth(face: tuple[Pixels, Points]) -> None:
    _, points = face
    steady = SteadyFace()
    mouth = [17, 84, 314, 14, 87, 317, 152, 148, 377, 18, 200, 199, 175, 61, 291, 146, 375, 91, 321]
    opened = 20 * (1 - np.cos(2 * np.pi * 2 * np.arange(90) / 30)) / 2
    lag = []
    for index, way in enumerate(opened):
        moved = points.copy()
        moved[mouth, 1] += way
        lag.append(abs(steady.points(moved, index * STEP)[17, 1] - moved[17, 1]))
    assert np.mean(lag[30:]) < 5


def test_steady_landmarks_follow_a_head_that_moves(face: tuple[Pixels, Points]) -> None:
    _, points = face
    steady = SteadyFace()
    way = 30 * np.sin(2 * np.pi * 0.3 * np.arange(120) / 30)
    behind = [
        np.abs(steady.points(shifted(points, each), index * STEP)[:, 0] - points[:, 0] - each).max()
        for index, each in enumerate(way)
    ]
    assert max(behind) < 4  # a fiftieth of the face


def test_time_that_stops_or_jumps_starts_anew(face: tuple[Pixels, Points]) -> None:
    _, points = face
    steady = SteadyFace()
    steady.points(points, 0)
    for at in (0, 10**12, 5):
        moved = shifted(points, 50)
        assert steady.points(moved, at) == pytest.approx(moved[:, :2], abs=1e-2)


def test_another_person_is_another_skin(face: tuple[Pixels, Points]) -> None:
    _, points = face
    skin = Skin()
    for index in range(5):
        skin.colours(painted(points, TONES[0]), points, index * STEP)
    skin.reset()
    found = table(skin.colours(painted(points, TONES[5]), points, 5 * STEP))
    assert found["whole"][:3] == pytest.approx(0.9 * np.array(TONES[5]), rel=0.1)


def test_the_map_changes_slowly() -> None:
    random = np.random.default_rng(7)
    seed = np.zeros((SIDE, SIDE), np.bool_)
    seed[30:60, 30:60] = True
    plain = noisy(np.full((SIDE, SIDE, 3), (180, 130, 110), np.uint8), 3, random)
    tone = Tone()
    tone.learn(plain, seed, 0)
    assert tone.map.min() > 0.9
    covered = plain.copy()
    covered[:20] = 20
    tone.learn(covered, seed, 0.2)
    assert tone.map[:15].mean() == pytest.approx(0.5, abs=0.02)
    for _ in range(FIRST_LOOKS):
        tone.learn(plain, seed, 0.2)
    before = tone.map[:15].mean()
    tone.learn(covered, seed, 0.2)
    assert tone.map[:15].mean() == pytest.approx(before * (1 - 0.2 / MEMORY), abs=0.01)
    for _ in range(60):
        tone.learn(covered, seed, 0.2)
    assert tone.map[:15].max() < 0.05
    assert tone.map[25:].min() > 0.9


def test_without_a_known_patch_only_light_decides() -> None:
    picture = np.full((SIDE, SIDE, 3), 120, np.uint8)
    picture[0] = 0
    assert skin_like(picture, np.zeros((SIDE, SIDE), np.bool_))[5:].min() > 0.9


def test_outlines_for_a_figure_are_those_that_were_measured(face: tuple[Pixels, Points]) -> None:
    picture, points = face
    skin = Skin()
    assert not skin.polygons
    skin.colours(picture, points, 0)
    assert len(skin.polygons) == len(REGIONS)
    square: Square = around(points)
    for polygons in skin.polygons:
        outline, holes = polygons[0], polygons[1:]
        assert np.abs(outline - (square.x, square.y)).max() < square.side / 2
        assert len(holes) == 4
    skin.look_away()
    assert not skin.polygons
