"""Two people one after the other before a camera are not one person."""

from dataclasses import replace

import numpy as np
import pytest

from analytics import visitor
from analytics.session import session
from kiosk.messages import SECOND
from kiosk.recording import Context, Recording, Track
from sensors.drivers.simulated import Person
from sensors.drivers.simulated.camera import traces
from sensors.drivers.simulated.scene import Scene


def two(first: float, second: float, rates: tuple[float, float] = (62.0, 88.0)) -> Recording:
    """Two visitors, each for so many seconds, as one camera saw them."""
    parts = [
        traces(Person(seed=seed, heart_rate=rate, rgb_amplitude=0.01), Scene.ideal(), seconds).recording()
        for seed, rate, seconds in ((1, rates[0], first), (2, rates[1], second))
    ]
    later = round((first + 1) * SECOND)
    tracks = []
    for one, other in zip(parts[0].tracks, parts[1].tracks, strict=True):
        samples = other.samples.copy()
        if other.signal == "face_motion":
            samples[:, other.channels.index("visitor")] = 2
        times = np.concatenate((one.times, other.times + later))
        tracks.append(replace(one, times=times, samples=np.concatenate((one.samples, samples))))
    return Recording(tuple(tracks), "two")


@pytest.mark.parametrize(("first", "second", "truth"), [(40.0, 20.0, 62.0), (20.0, 40.0, 88.0)])
def test_the_one_who_was_there_longest_is_measured(first: float, second: float, truth: float) -> None:
    result = session(two(first, second), Context(), vote=False)
    rate = next(each for each in result.readings if each.measure == "heart_rate")
    assert rate.value == pytest.approx(truth, abs=2.5)
    mark = next(each for each in result.events if each.event == "visitor_changed")
    assert mark.time == pytest.approx(first + 1, abs=0.1)
    assert "one of 2 people is measured, 67 %" in mark.detail


def test_of_the_others_nothing_is_left() -> None:
    recording, changes = visitor.alone(two(20.0, 10.0))
    assert len(changes) == 1
    for track in recording.tracks:
        assert track.times[-1] < 20.5 * SECOND, track.signal


def test_one_person_alone_loses_nothing() -> None:
    seen = traces(Person(seed=1), Scene.webcam(), 10).recording()
    assert visitor.alone(seen) == (seen, ())


def test_who_leaves_and_was_nobody_else_is_one_person() -> None:
    seen = traces(Person(seed=3), Scene(away_rate=6.0), 30).recording()
    motion = seen.of("face_motion")[0]
    assert np.isnan(motion.channel("visitor")).any()
    assert visitor.alone(seen)[1] == ()


def test_a_camera_that_does_not_count_is_taken_as_it_is() -> None:
    track = Track("face_motion", "camera", ("x",), None, np.arange(3, dtype=np.int64), np.zeros((3, 1), np.float32))
    recording = Recording((track,))
    assert visitor.alone(recording) == (recording, ())
