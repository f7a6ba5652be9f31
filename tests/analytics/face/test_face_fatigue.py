import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.face import fatigue
from kiosk.messages import SECOND
from kiosk.recording import Track
from kiosk.signals import MOTION_CHANNELS, UNIT_CHANNELS

Floats = NDArray[np.float64]
Wave = NDArray[np.floating] | float


def watched(seconds: float = 60.0, rate: float = 30.0, *, jitter: float = 0.0, seed: int = 1) -> Floats:
    """Times of pictures, with the jitter of a webcam (share of a period)."""
    count = round(seconds * rate)
    chance = np.random.default_rng(seed)
    return np.arange(count) / rate + (chance.uniform(-0.5, 0.5, count) * jitter / rate if jitter else 0.0)


def lids(times: Floats, *at: float, lasting: float = 0.2, depth: float = 5.0) -> Floats:
    """Eye closure with blinks: down and up again, `lasting` at half height."""
    out = np.zeros(len(times))
    for moment in at:
        out = np.maximum(out, depth * np.clip(1.0 - np.abs(times - moment) / lasting, 0.0, None))
    return out


def track(times: Floats, **columns: Wave) -> Track:
    samples = np.zeros((len(times), len(UNIT_CHANNELS)), np.float32)
    for name, values in columns.items():
        samples[:, UNIT_CHANNELS.index(name)] = values
    return Track("face_units", "camera", UNIT_CHANNELS, None, np.round(times * SECOND).astype(np.int64), samples)


def looked(times: Floats, **columns: Wave) -> Track:
    samples = np.zeros((len(times), len(MOTION_CHANNELS)), np.float32)
    for name, values in columns.items():
        samples[:, MOTION_CHANNELS.index(name)] = values
    return Track("face_motion", "camera", MOTION_CHANNELS, None, np.round(times * SECOND).astype(np.int64), samples)


def signs(units: Track | None, motion: Track | None = None) -> dict[str, fatigue.Sign]:
    return {sign.measure: sign for sign in fatigue.signs(units, motion)}


@pytest.mark.parametrize("rate", [15.0, 24.0, 30.0, 60.0])
@pytest.mark.parametrize("lasting", [0.12, 0.2, 0.35])
def test_blinks_are_counted_and_timed(rate: float, lasting: float) -> None:
    times = watched(rate=rate, jitter=0.3)
    at = np.arange(2.0, 58.0, 3.5) + 0.37

    told = signs(track(times, au43=lids(times, *at, lasting=lasting)))

    assert told["blink_rate"].value == pytest.approx(len(at), abs=0.5)
    assert told["blink_duration"].value == pytest.approx(1000 * lasting, abs=max(12.0, 500.0 / rate))


def test_blinks_with_half_closed_eyes_and_noise_are_still_blinks() -> None:
    times = watched()
    noise = np.random.default_rng(2).normal(0.0, 0.15, len(times))
    closure = np.clip(np.maximum(2.0, lids(times, *np.arange(3.0, 58.0, 4.0))) + noise, 0.0, 5.0)

    assert signs(track(times, au43=closure))["blink_rate"].value == pytest.approx(14.0, abs=0.5)


def test_looking_down_is_no_blink() -> None:
    times = watched()
    slow = 3.0 / (1.0 + np.exp(-(times - 20.0) / 0.3)) - 3.0 / (1.0 + np.exp(-(times - 40.0) / 0.3))

    assert signs(track(times, au43=slow))["blink_rate"].value == 0.0


def test_long_closures_are_perclos_and_no_blinks() -> None:
    times = watched()
    closed = ((times > 10) & (times < 13)) | ((times > 30) & (times < 33))

    told = signs(track(times, au43=5.0 * closed))

    assert told["perclos"].value == pytest.approx(10.0, abs=0.3)
    assert told["blink_rate"].value == 0.0
    assert told["blink_duration"].absent == "insufficient"


def test_eyes_that_are_less_than_80_per_cent_closed_are_open_to_perclos() -> None:
    times = watched()

    assert signs(track(times, au43=3.9))["perclos"].value == 0.0
    assert signs(track(times, au43=4.1))["perclos"].value == 100.0


def test_slow_cameras_cannot_see_blinks() -> None:
    told = signs(track(watched(rate=10.0)))

    assert told["blink_rate"].absent == told["blink_duration"].absent == "unsuitable_rate"
    assert told["perclos"].value == 0.0
    assert signs(track(watched(rate=3.0)))["perclos"].absent == "unsuitable_rate"


def test_a_short_look_tells_no_rate() -> None:
    told = signs(track(watched(20.0)), looked(watched(5.0)))

    assert {sign.absent for sign in told.values()} == {"too_short"}


def test_a_still_image_tells_no_tiredness() -> None:
    told = signs(track(np.zeros(1)), looked(np.zeros(1)))

    assert {sign.absent for sign in told.values()} == {"too_short"}


def test_without_a_face_the_reason_is_that() -> None:
    times = watched()

    for units in (None, track(times, au43=np.nan)):
        told = signs(units, looked(times, yaw=np.nan))
        assert {sign.absent for sign in told.values()} == {"no_face"}


def test_time_without_a_face_does_not_count() -> None:
    times = np.concatenate((watched(40.0), watched(40.0) + 100.0))
    at = np.concatenate((np.arange(2.0, 38.0, 4.0), np.arange(102.0, 138.0, 4.0)))

    assert signs(track(times, au43=lids(times, *at)))["blink_rate"].value == pytest.approx(13.5, abs=0.3)


def test_gaze_aversion_is_the_share_of_time_looking_away() -> None:
    times = watched()
    away = (times > 30) & (times < 45)

    for columns in ({"yaw": 35.0 * away}, {"gaze_x": 35.0 * away}, {"pitch": -30.0 * away}):
        assert signs(None, looked(times, **columns))["gaze_aversion"].value == pytest.approx(25.0, abs=0.5)


def test_eyes_that_stay_on_the_screen_while_the_head_turns_are_not_averted() -> None:
    times = watched()
    turn = 30.0 * ((times > 30) & (times < 45))

    assert signs(None, looked(times, yaw=turn, gaze_x=-turn))["gaze_aversion"].value == 0.0


def test_a_screen_beside_the_camera_is_no_aversion() -> None:
    assert signs(None, looked(watched(), yaw=25.0, pitch=-20.0))["gaze_aversion"].value == 0.0


def test_without_eyes_the_head_alone_is_said_to_be_used() -> None:
    told = signs(None, looked(watched(), gaze_x=np.nan, gaze_y=np.nan))["gaze_aversion"]

    assert told.value == 0.0
    assert "head alone" in told.note


def test_a_yawn_is_a_long_wide_mouth_and_speech_and_laughter_are_none() -> None:
    times = watched()
    yawn = (times > 10) & (times < 14)
    speech = (times > 20) & (times < 30) & (np.sin(2 * np.pi * 2.0 * times) > 0)
    laugh = (times > 40) & (times < 45)
    wide = 4.5 * (yawn | speech | laugh)

    told = signs(track(times, au25=wide, au26=wide, au12=4.0 * laugh))

    assert told["yawns"].value == 1.0


def test_a_yawn_that_seems_to_break_is_one() -> None:
    times = watched()
    wide = 4.5 * ((times > 10) & (times < 15) & ~((times > 12.0) & (times < 12.2)))

    assert signs(track(times, au25=wide, au26=wide))["yawns"].value == 1.0


def test_a_constant_and_a_huge_closure_are_no_blinks() -> None:
    times = watched()

    for closure in (0.0, 5.0, 1e30):
        assert signs(track(times, au43=closure))["blink_rate"].value == 0.0
