"""A camera in a whole recording: what it answers beside other sensors, and from a fingertip (synthetic and real)."""

from pathlib import Path

import numpy as np
import pytest

from analytics import hrv
from analytics.session import MEASURES_OF, FinalReading, Result, session
from kiosk.recording import Context, Recording, Track
from kiosk.signals import REGIONS, RGB_CHANNELS
from sensors.drivers.simulated import Body, Person
from tests.analytics import test_ppg_recordings as contact
from tests.analytics import visitors
from tests.analytics.rppg.faces import Face, beats, changed, colours, motion

NOBODY = Context()
CLEAR = Face(rate=66.0, amplitude=0.01, seed=51, motion=0.001, varying=0.03)
SECONDS = 60.0
SEEN = colours(CLEAR, SECONDS)


def reading(result: Result, measure: str) -> FinalReading:
    return next(each for each in result.readings if each.measure == measure)


def test_a_clear_pulse_has_a_rate_and_its_variability() -> None:
    result = session(Recording((SEEN, motion(SEEN.times))), NOBODY, vote=False)
    at = beats(CLEAR, SECONDS)
    steps = np.diff(at[(at > 0) & (at < SECONDS)])
    assert result.source == "rgb"
    assert reading(result, "heart_rate").value == pytest.approx(60.0 / steps.mean(), abs=0.5)
    assert reading(result, "sdnn").value == pytest.approx(1000.0 * steps.std(ddof=1), abs=6.0)
    assert reading(result, "rmssd").value == pytest.approx(1000.0 * np.sqrt(np.mean(np.diff(steps) ** 2)), abs=10.0)
    bounds = reading(result, "heart_rate")
    assert bounds.low is not None
    assert bounds.high is not None
    assert bounds.low <= 60.0 / steps.mean() <= bounds.high
    told = {each.measure for each in result.readings}
    assert set(MEASURES_OF["rgb"]) <= told


def test_a_faint_pulse_has_a_rate_and_no_variability() -> None:
    faint = Face(rate=66.0, amplitude=0.0012, seed=53, noise=9.0)
    result = session(Recording((colours(faint, SECONDS),)), NOBODY, vote=False)
    assert reading(result, "heart_rate").value == pytest.approx(66.0, abs=1.5)
    assert reading(result, "heart_rate").method == "rgb-matched-blood-2"
    assert (reading(result, "rmssd").value, reading(result, "rmssd").absent) == (None, "noisy")


def test_without_a_face_all_is_absent_for_that_reason() -> None:
    known = changed(SEEN, slice(None), colour=np.nan, pixels=0.0)
    result = session(Recording((known,)), NOBODY)
    heart = [reading(result, measure) for measure in hrv.MEASURED]
    assert {(each.value, each.absent) for each in heart} == {(None, "no_face")}


def test_a_finger_clip_goes_before_a_camera_and_a_camera_before_none() -> None:
    at = np.arange(round(100 * SECONDS)) / 100.0
    wave = Body(Person(seed=3, heart_rate=66)).sample("ppg", at).astype(np.float32)
    clip = Track("ppg", "clip", ("ir",), 100.0, visitors.clock(len(at), 100.0), wave)
    flat = Track("ppg", "clip", ("ir",), 100.0, clip.times, np.zeros_like(wave))
    assert reading(session(Recording((SEEN, clip)), NOBODY, vote=False), "heart_rate").source == "ppg"
    assert reading(session(Recording((SEEN, flat)), NOBODY, vote=False), "heart_rate").source == "rgb"


def test_two_cameras_are_told_apart() -> None:
    other = Track("rgb", "phone", RGB_CHANNELS, None, SEEN.times, SEEN.samples)
    result = session(Recording((SEEN, other)), NOBODY, vote=False)
    assert {each.source for each in result.readings if each.measure == "heart_rate"} == {"rgb.camera", "rgb.phone"}


def test_the_camera_has_no_variability_where_the_ecg_shows_an_irregular_rhythm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = np.arange(round(250 * SECONDS)) / 250.0
    heart = visitors.track(Body(Person(seed=3, heart_rate=66)).ecg(at).astype(np.float32), 250.0)
    monkeypatch.setattr("analytics.rhythm.is_no_sinus", lambda beats: True)
    result = session(Recording((heart, SEEN)), NOBODY, vote=False)
    camera = {each.measure: each for each in result.readings if each.source == "rgb"}
    assert (camera["rmssd"].value, camera["rmssd"].absent) == (None, "irregular")
    assert camera["heart_rate"].value is not None


def test_colours_of_another_shape_are_refused_and_not_a_crash() -> None:
    odd = Track("rgb", "camera", ("r", "g", "b"), None, SEEN.times, SEEN.samples[:, :3])
    assert reading(session(Recording((odd,)), NOBODY), "heart_rate").absent == "impossible"


@pytest.mark.parametrize("subject", [f"subject_0{number}" for number in (1, 4, 5, 6, 7)])
def test_a_real_fingertip_is_read_as_well_as_by_the_pulse_sensor(recordings: Path, subject: str) -> None:
    lens, rr = contact.finger(recordings, subject)
    rows = np.full((len(lens.times), len(REGIONS), 4), np.nan, dtype=np.float32)
    rows[:, :, 3] = 0.0
    rows[:, 0, :3], rows[:, 0, 3] = lens.samples, 3e5
    seen = Track("rgb", "camera", RGB_CHANNELS, None, lens.times, rows.reshape(len(lens.times), -1))
    camera = session(Recording((seen,)), NOBODY, vote=False)
    sensor = session(Recording((lens,)), NOBODY, vote=False)
    truth = {
        "heart_rate": 60.0 / rr.mean(),
        "sdnn": 1000.0 * np.std(rr, ddof=1),
        "rmssd": 1000.0 * np.sqrt(np.mean(np.diff(rr) ** 2)),
    }
    for measure, value in truth.items():
        ours, theirs = reading(camera, measure).value, reading(sensor, measure).value
        if theirs is not None:
            assert ours is not None
            assert abs(ours - value) <= abs(theirs - value) + (0.3 if measure == "heart_rate" else 2.0)
        elif ours is not None:
            assert ours == pytest.approx(value, abs=1.5 if measure == "heart_rate" else 10.0)
