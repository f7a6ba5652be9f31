"""Closed eyes, as a camera saw them, and what alpha does meanwhile."""

import numpy as np
import pytest

from analytics import eeg
from analytics.eeg import Lids
from analytics.session import session
from kiosk.messages import SECOND
from kiosk.recording import Context, Recording, Track
from kiosk.signals import UNIT_CHANNELS
from tests.analytics.eeg.brains import Floats, background, spindles, track

RATE = 30.0


def units(closure: Floats) -> Track:
    samples = np.zeros((len(closure), len(UNIT_CHANNELS)), dtype=np.float32)
    samples[:, UNIT_CHANNELS.index("au43")] = closure
    times = np.rint(np.arange(len(closure)) * SECOND / RATE).astype(np.int64)
    return Track("face_units", "webcam", UNIT_CHANNELS, None, times, samples)


def seconds(found: tuple[Lids, ...]) -> list[tuple[float, float, bool]]:
    return [(each.start / SECOND, each.end / SECOND, each.closed) for each in found]


def test_eyes_that_close_and_open_are_two_stretches() -> None:
    closure = np.concatenate((np.full(600, 0.3), np.full(450, 4.6)))
    (first, last, closed), (begin, end, shut) = seconds(eeg.lids(units(closure)))
    assert (closed, shut) == (False, True)
    assert (first, last, begin, end) == pytest.approx((0.5, 20.0, 20.5, 35.0), abs=0.05)


def test_a_blink_does_not_close_the_eyes() -> None:
    closure = np.full(900, 0.3)
    for at in range(60, 840, 97):
        closure[at : at + 6] = 4.8
    (only,) = eeg.lids(units(closure))
    assert not only.closed
    assert only.end - only.start > 29 * SECOND


def test_where_nobody_looked_nothing_is_known() -> None:
    closure = np.full(900, 0.3)
    closure[300:600] = np.nan
    assert [each[:2] for each in seconds(eeg.lids(units(closure)))] == [
        pytest.approx((0.5, 9.97), abs=0.05),
        pytest.approx((20.5, 29.97), abs=0.05),
    ]
    assert eeg.lids(units(np.full(900, np.nan))) == ()
    assert eeg.lids(units(np.empty(0))) == ()
    assert eeg.lids(Track("face_units", "d", ("au01",), None, np.arange(3), np.ones((3, 1), np.float32))) == ()


def test_a_session_with_a_camera_has_the_contrast_of_its_eyes() -> None:
    rate = 125.0
    x = background(60, rate, 2, amplitude=4.0) + spindles(60, rate, 10.0, 40.0)
    x[: round(30 * rate)] = background(60, rate, 2, amplitude=4.0)[: round(30 * rate)]
    x[: round(30 * rate)] += 0.5 * spindles(60, rate, 10.0, 40.0)[: round(30 * rate)]
    head = track(x, rate, ("O1", "O2"))
    face = units(np.concatenate((np.full(900, 0.2), np.full(900, 4.7))))
    alone, seen = (
        {each.measure: each for each in session(Recording(tracks), Context()).readings}["eeg_eyes_contrast"]
        for tracks in ((head,), (head, face))
    )
    assert alone.absent == "no_reference"
    assert seen.value == pytest.approx(40.0 / 10.0, rel=0.35)
