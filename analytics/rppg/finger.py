"""A fingertip on the lens: its colours are a contact PPG, and are read as one."""

import numpy as np
from numpy.typing import NDArray

from analytics.ppg import record as contact
from analytics.ppg.clock import steadied
from analytics.ppg.wave import FINEST, SLOWEST
from analytics.resample import regular
from kiosk.messages import SECOND
from kiosk.recording import Track
from kiosk.signals import REGIONS

Floats = NDArray[np.float64]

DARK = 0.35
"""Of red, what green and blue of light through a finger have at most: skin in warm light has 0.5."""
BRIGHT = 60.0
"""Of 255, red of a lit finger at least."""
AROUND = 5.0
"""Seconds before and after a moment whose intervals make its rate."""


def on_lens(track: Track) -> bool:
    """Whether the camera sees a finger and no face."""
    rows = track.samples.reshape(len(track.times), len(REGIONS), 4)[:, 0, :3].astype(np.float64)
    rows = rows[np.isfinite(rows).all(axis=1)]
    if not len(rows):
        return False
    red, green, blue = np.median(rows, axis=0).tolist()
    return bool(red >= BRIGHT and max(green, blue) <= DARK * red)


def lit(track: Track) -> Track:
    """Red, green and blue of the frames that have them, as a PPG."""
    colours = track.samples[:, :3]
    seen = np.isfinite(colours).all(axis=1)
    return Track("ppg", track.device, ("red", "green", "blue"), track.rate, track.times[seen], colours[seen])


def wave(track: Track) -> tuple[float, NDArray[np.int64], Floats]:
    """Rate, times and the wave of the colour that shows the pulse best, more blood up, in shares of its level."""
    even = _even(lit(track))
    if even is None or even.rate is None:
        return FINEST, np.empty(0, dtype=np.int64), np.empty(0)
    parts = [part for part in even.segments() if len(part.times) >= contact.SHORTEST * even.rate]
    if not parts:
        return even.rate, np.empty(0, dtype=np.int64), np.empty(0)
    best, chosen, up = -1.0, 0, False
    for column in range(len(even.channels)):
        looks = [contact.stretch(part.samples[:, column].astype(np.float64), even.rate) for part in parts]
        score = float(np.concatenate([look.score for look in looks]).mean())
        if score > best:
            best, chosen, up = score, column, sum(look.found.wave.repeats.lean for look in looks) >= 0
    times = np.concatenate([part.times for part in parts])
    level = max(1.0, float(np.median(even.samples[:, chosen])))
    values = np.concatenate([part.samples[:, chosen] for part in parts]).astype(np.float64) / level - 1.0
    return even.rate, times, values if up else -values


def rates(rate: float, times: NDArray[np.int64], wave: Floats, starts: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Beats per minute around each second, NaN where they are not to be trusted, and the quality of each second."""
    told, quality = np.full(len(starts), np.nan), np.zeros(len(starts))
    breaks = np.flatnonzero(np.diff(times) > 1.5 * SECOND / rate) + 1
    for at, x in zip(np.split(times, breaks), np.split(wave, breaks), strict=True):
        if len(x) < contact.SHORTEST * rate:
            continue
        look = contact.stretch(x, rate, inverted=False)
        inside = np.flatnonzero((starts >= at[0] - SECOND // 2) & (starts < at[-1] - SECOND // 2))
        offset = (starts[inside] - at[0]) / SECOND
        score = look.score[np.clip(np.rint(offset).astype(np.intp), 0, len(look.score) - 1)]
        quality[inside] = score
        ends, steps = look.at[1:][look.held], np.diff(look.at)[look.held]
        for place, middle, good in zip(inside.tolist(), (offset + 0.5).tolist(), score > 0, strict=True):
            near = steps[np.abs(ends - middle) < AROUND]
            if good and len(near) >= 3:
                told[place] = 60.0 / float(np.median(near))
    return told, quality


def _even(track: Track) -> Track | None:
    if len(track.times) < 3:
        return None
    usual = SECOND / float(np.median(np.diff(track.times)))
    if usual < SLOWEST:
        return None
    steady = steadied(Track(track.signal, track.device, track.channels, None, track.times, track.samples))
    return regular(steady, float(np.clip(usual, FINEST, contact.DENSEST)))
