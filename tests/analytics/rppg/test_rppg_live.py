"""The camera's live rate: soon, the same from any chunking, and silent where there is nothing to say (synthetic)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.analyzer import Finding
from analytics.rppg import LiveCamera
from kiosk.messages import SECOND
from kiosk.recording import Track
from sensors.drivers.simulated import Body, Person
from sensors.drivers.simulated.camera import traces
from sensors.drivers.simulated.scene import Scene
from tests.analytics.rppg.faces import Face, changed, colours, lifeless
from tests.analytics.visitors import cuts

STEADY = colours(Face(rate=78.0, seed=21, dropped=0.1), 26.0)


def findings(track: Track, sizes: list[int]) -> list[Finding]:
    analyzer = LiveCamera(None, track.channels)
    return [
        finding
        for cut in cuts(len(track.times), sizes)
        for finding in analyzer.feed(track.times[cut], track.samples[cut])
    ]


WHOLE = findings(STEADY, [10_000])


def test_the_first_rate_comes_within_ten_seconds_and_then_each_second() -> None:
    assert [round((each.end_ns - WHOLE[0].end_ns) / SECOND) for each in WHOLE] == list(range(len(WHOLE)))
    assert len(WHOLE) == 25
    assert {each.absent for each in WHOLE[:7]} == {"too_short"}
    assert all(each.value == pytest.approx(78.0, abs=4.0) for each in WHOLE[9:])
    assert all(each.end_ns - each.start_ns <= 12 * SECOND for each in WHOLE)


def test_the_rate_is_the_mean_of_its_window_and_not_where_the_heart_was_steadiest() -> None:
    off = []
    for seed in range(5):
        person = Person(seed=40 + seed, heart_rate=66.0 + 6 * seed, rsa_ms=60.0, rgb_amplitude=0.01)
        seen = traces(person, Scene.ideal(), 30)
        body = Body(person, Scene.ideal())
        off += [
            each.value - 60.0 / body.truth(each.start_ns / SECOND, each.end_ns / SECOND).rr.mean()
            for each in findings(seen.rgb, [50])
            if each.value is not None
        ]
    assert len(off) > 80
    assert np.abs(off).mean() < 0.5
    assert np.abs(off).max() < 2.5


@settings(max_examples=4, deadline=None)
@given(sizes=st.lists(st.integers(0, 90), min_size=1, max_size=6).filter(any))
def test_how_the_stream_is_cut_does_not_matter(sizes: list[int]) -> None:
    assert findings(STEADY, sizes) == WHOLE


def test_a_rate_that_rises_is_followed() -> None:
    slow, fast = (colours(Face(rate=rate, seed=22), 20.0) for rate in (70.0, 94.0))
    times = np.concatenate((slow.times, fast.times + 20 * SECOND))
    found = findings(
        Track("rgb", "camera", slow.channels, None, times, np.concatenate((slow.samples, fast.samples))), [7]
    )
    assert found[18].value == pytest.approx(70.0, abs=3.0)
    assert found[-1].value == pytest.approx(94.0, abs=3.0)


def test_a_face_that_goes_takes_its_rate_with_it() -> None:
    late = int(np.searchsorted(STEADY.times, 15 * SECOND))
    found = findings(changed(STEADY, slice(late, None), colour=np.nan, pixels=0.0), [15])
    assert found[11].value is not None
    assert {each.absent for each in found[-6:]} == {"no_face"}


def test_after_a_pause_it_begins_anew() -> None:
    times = np.concatenate((STEADY.times, STEADY.times + 60 * SECOND))
    twice = Track("rgb", "camera", STEADY.channels, None, times, np.concatenate((STEADY.samples, STEADY.samples)))
    found = findings(twice, [11])
    again = [each for each in found if each.end_ns > 60 * SECOND]
    assert [each.value for each in again] == [each.value for each in WHOLE]
    analyzer = LiveCamera(30.0, STEADY.channels)
    analyzer.feed(STEADY.times, STEADY.samples)
    analyzer.reset()
    assert analyzer.feed(STEADY.times, STEADY.samples) == WHOLE


def test_what_does_not_live_has_no_rate() -> None:
    for name, known in lifeless(16.0, 31):
        assert {each.value for each in findings(known, [10])} == {None}, name


def test_bad_samples_are_no_rate_and_no_error() -> None:
    for value in (np.nan, 0.0, 1e30, 90.0):
        samples = np.full_like(STEADY.samples, value)
        known = Track("rgb", "camera", STEADY.channels, None, STEADY.times, samples)
        assert {each.value for each in findings(known, [30])} == {None}
    assert LiveCamera(None, STEADY.channels).feed(STEADY.times[:0], STEADY.samples[:0]) == []
