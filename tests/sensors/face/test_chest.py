"""A shirt that rises with the breath is followed to a fraction of a pixel, whatever the head and the light do."""

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sensors.face.chest import MOST, Chest
from sensors.face.seen import Pixels

FACE, CHIN = 160.0, (320.0, 200.0)
Floats = NDArray[np.float64]


def cloth(seed: int = 1, contrast: float = 40.0) -> NDArray[np.float32]:
    """Folds and weave, larger than any picture here."""
    random = np.random.default_rng(seed)
    coarse = cv2.GaussianBlur(random.standard_normal((600, 800)).astype(np.float32), (0, 0), 9)
    fine = cv2.GaussianBlur(random.standard_normal((600, 800)).astype(np.float32), (0, 0), 2)
    return np.asarray(110 + contrast * (coarse / coarse.std() + 0.4 * fine / fine.std()) / 1.5, np.float32)


def worn(shirt: NDArray[np.float32], up: float, across: float = 0.0, light: float = 1.0, noise: int = 0) -> Pixels:
    """The picture with the shirt moved up by so many pixels."""
    matrix = np.array([[1, 0, -60 + across], [0, 1, -60 - up]])
    shown = cv2.warpAffine(shirt, matrix, (640, 480), flags=cv2.INTER_CUBIC) * light
    shown = shown + 2.0 * np.random.default_rng(noise).standard_normal(shown.shape)
    return np.repeat(np.clip(shown + 0.5, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def breath(count: int = 120, depth: float = 0.01) -> Floats:
    """In heights of the face: a quarter hertz at 30 pictures a second."""
    return depth * (1 - np.cos(2 * np.pi * 0.25 * np.arange(count) / 30)) / 2


def test_breathing_of_a_hundredth_of_the_face_is_read_to_a_tenth_of_it() -> None:
    shirt, truth, chest = cloth(), breath(), Chest()
    found = [chest.moved(worn(shirt, up * FACE, noise=index), CHIN, FACE) for index, up in enumerate(truth)]
    assert np.abs(np.array(found) - truth).max() < 0.001


def test_light_does_not_look_like_breath() -> None:
    shirt, chest = cloth(), Chest()
    lights = 1 + 0.2 * np.sin(np.arange(60) / 5)
    found = [chest.moved(worn(shirt, 0, light=light, noise=index), CHIN, FACE) for index, light in enumerate(lights)]
    assert np.abs(found).max() < 0.0006


def test_a_head_that_moves_over_a_still_chest_moves_nothing() -> None:
    shirt, chest = cloth(), Chest()
    found = [
        chest.moved(worn(shirt, 0, noise=index), (320 + 30 * math.sin(index / 9), 200 + 15 * math.sin(index / 7)), FACE)
        for index in range(90)
    ]
    assert np.abs(found).max() < 0.003


def test_there_is_no_drift_over_many_breaths() -> None:
    shirt, truth, chest = cloth(), breath(300), Chest()
    found = np.array([chest.moved(worn(shirt, up * FACE, noise=index), CHIN, FACE) for index, up in enumerate(truth)])
    assert abs((found - truth)[-60:].mean()) < 0.0005


def test_who_leans_over_keeps_the_way_so_far() -> None:
    shirt, chest = cloth(), Chest()
    chest.moved(worn(shirt, 0), CHIN, FACE)
    before = chest.moved(worn(shirt, 1.6), CHIN, FACE)
    after = chest.moved(worn(shirt, 1.6), (CHIN[0] + 60, CHIN[1]), FACE)
    assert before == pytest.approx(0.01, abs=0.001)
    assert after == before
    assert chest.moved(worn(shirt, 3.2), (CHIN[0] + 60, CHIN[1]), FACE) == pytest.approx(0.02, abs=0.001)


def test_no_chest_in_view_is_no_number() -> None:
    chest = Chest()
    picture = worn(cloth(), 0)
    assert math.isnan(chest.moved(picture, (320, 470), FACE))
    assert math.isnan(chest.moved(picture, (5000, 200), FACE))
    assert math.isnan(chest.moved(picture, (320, -900), FACE))
    # and it begins anew when it comes back
    assert chest.moved(picture, CHIN, FACE) == 0


def test_a_plain_wall_or_a_dark_room_is_no_chest() -> None:
    chest = Chest()
    for picture in (np.zeros((480, 640, 3), np.uint8), np.full((480, 640, 3), 128, np.uint8)):
        assert math.isnan(chest.moved(picture, CHIN, FACE))


def test_a_hand_before_the_chest_makes_no_breath() -> None:
    shirt, chest = cloth(), Chest()
    chest.moved(worn(shirt, 0), CHIN, FACE)
    assert chest.moved(worn(cloth(seed=9), 0), CHIN, FACE) == 0
    assert abs(chest.moved(worn(cloth(seed=9), 0, noise=3), CHIN, FACE)) < 0.001


def test_a_picture_of_another_size_starts_a_new_strip() -> None:
    shirt, chest = cloth(), Chest()
    chest.moved(worn(shirt, 0), CHIN, FACE)
    small = np.ascontiguousarray(worn(shirt, 0)[::2, ::2])
    assert chest.moved(small, (160, 100), FACE / 2) == 0


def test_no_step_is_larger_than_a_chest_can_move() -> None:
    shirt, chest = cloth(), Chest()
    chest.moved(worn(shirt, 0), CHIN, FACE)
    found = [chest.moved(worn(shirt, up), CHIN, FACE) for up in np.linspace(0, 60, 40)]
    assert np.abs(np.diff(found)).max() < MOST
