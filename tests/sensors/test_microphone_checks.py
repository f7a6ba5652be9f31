"""Too quiet, clipped, noisy, muted: said in words, and marked when it comes and when it is over."""

import numpy as np
import pytest

from kiosk.signals import VOICE_CHANNELS
from sensors.drivers.microphone.driver import Microphone
from sensors.drivers.simulated.voice import speech
from sensors.sound.checks import OVER, Checks
from tests.sensors.hearing import CLOCK, RATE, Script, Sound, cut, items_of, listener, marks

# --- checks


def row_of(**values: float) -> Sound:
    row = np.full(len(VOICE_CHANNELS), np.nan, np.float32)
    for name, value in {"level": -30, "clipped": 0, "snr": 30, "speech": 0.8, "loudness_p50": -28, **values}.items():
        row[VOICE_CHANNELS.index(name)] = value
    return row


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, ""),
        ({"level": -95.0, "speech": 0.0, "snr": np.nan, "loudness_p50": np.nan}, "muted"),
        ({"level": -60.0, "speech": 0.0, "snr": np.nan, "loudness_p50": np.nan}, ""),
        ({"loudness_p50": -58.0}, "too quiet"),
        ({"clipped": 0.01}, "clipped"),
        ({"snr": 8.0}, "noisy"),
    ],
    ids=["well", "muted", "nobody speaks", "quiet", "clipped", "noisy"],
)
def test_what_is_wrong_with_the_sound_is_said(values: dict[str, float], said: str) -> None:
    checks = Checks()
    heard = [checks.hear(row_of(**values)) for _ in range(OVER)]
    assert heard[:-1] == [""] * (OVER - 1)
    assert (said in heard[-1]) if said else heard[-1] == ""


async def test_trouble_is_marked_when_it_comes_and_when_it_is_over() -> None:
    loud = np.clip(speech(30, level=-24, pause=0.5, phrase=2.5, seed=1).samples * 12, -1, 1)
    loud[12 * RATE :] /= 12
    items = await items_of(Microphone(CLOCK, lambda _: Script(cut(loud.astype(np.float32), 1.0), pause=0.1), listener))
    told = [(mark.event, mark.detail) for mark in marks(items)]
    assert [event for event, _ in told] == ["microphone_trouble", "microphone_well"]
    assert "clipped" in told[0][1]
