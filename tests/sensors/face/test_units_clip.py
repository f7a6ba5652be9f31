from pathlib import Path

import cv2
import numpy as np
from scipy.signal import find_peaks

from kiosk.signals import UNIT_CHANNELS
from sensors.face.seen import Frame
from sensors.observer import Observer

SECONDS = 8.5
BLINKS = 3.1, 6.4, 8.0
"""Seconds at which the person's lids are down, seen by eye on the pictures around them."""


def test_the_blinks_of_a_real_face_with_glasses_are_seen(recordings: Path) -> None:
    clip = cv2.VideoCapture(str(recordings / "video" / "remotephysiology" / "video.mp4"))
    times, told = [], []
    with Observer(models=None) as observer:
        while True:
            there, picture = clip.read()
            at = clip.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
            if not there or at > SECONDS:
                break
            units = observer.see(Frame(round(at * 1e9), np.ascontiguousarray(picture[..., ::-1], np.uint8))).units
            if units is not None:
                times.append(at)
                told.append(units)
    clip.release()
    eyes = np.array(told)[:, UNIT_CHANNELS.index("au43")]

    peaks, _ = find_peaks(eyes, prominence=1.5)
    seen = [float(np.array(times)[peaks][np.abs(np.array(times)[peaks] - blink).argmin()]) for blink in BLINKS]

    assert times[0] < 1.5
    np.testing.assert_allclose(seen, BLINKS, atol=0.25)
    assert np.median(eyes) < 1.5
