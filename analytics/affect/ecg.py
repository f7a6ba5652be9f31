"""What a heart does while something is watched, beside the rest just before: variability, and the shape of its beats.

The ECG pipeline of Katsigiannis & Ramzan 2018 (doi:10.1109/JBHI.2017.2688239) takes statistics of variability and of
the PQRST complex, relative to a baseline; these are twelve of them, defined here.
"""

import numpy as np
from numpy.typing import NDArray

from analytics import filters, hrv
from analytics.correction import correct
from analytics.ecg import record
from kiosk.recording import Track

Floats = NDArray[np.float64]

ECG_FEATURES = (
    "heart_rate",
    "ln_rmssd",
    "ln_sdnn",
    "pnn20",
    "ln_sd_ratio",
    "ln_high_frequency",
    "ln_r_height",
    "r_spread",
    "qrs_width",
    "t_height",
    "t_delay",
    "st_level",
)
SHORTEST = 30.0
"""Seconds without which there is no variability."""
LEAST_BEATS = 15
"""Whole beats behind a usual shape."""
BAND = (0.5, 40.0)
"""Hertz in which the shape is read: the monitoring bandwidth (Kligfield et al. 2007,
doi:10.1161/CIRCULATIONAHA.106.180200)."""
BEFORE, AFTER = 0.20, 0.45
"""Seconds around R that are a beat: PR segment to the end of T up to about 110 beats a minute."""
LEVEL = (-0.08, -0.05)
"""Seconds from R to the isoelectric PR segment."""
T_WAVE = (0.15, 0.40)
"""Seconds from R within which T is highest."""
ST = 0.10
"""Seconds from R to the point whose level is that of the ST segment (J + 60 ms)."""
_TINY = 1e-9


def ecg_values(track: Track) -> Floats:
    """All features in their order, NaN where absent. Heights are shares of R, so that units and gain are nothing."""
    found = np.full(len(ECG_FEATURES), np.nan)
    if track.rate is None or not (np.isfinite(track.samples).sum(axis=0) >= SHORTEST * track.rate).all():
        return found
    scaled = _in_own_size(track)
    beats = record.beats(scaled, vote=False)
    intervals = correct(beats).intervals
    if intervals.values.sum() < SHORTEST:
        return found
    power = hrv.power(intervals)
    found[:6] = [
        _number(hrv.heart_rate(intervals)),
        _ln(hrv.rmssd(intervals)),
        _ln(hrv.sdnn(intervals)),
        _number(hrv.pnn20(intervals)),
        _ln(hrv.sd_ratio(intervals)),
        _ln(power.hf if power is not None else None),
    ]
    shape = _shape(scaled, beats.times, beats.channel)
    if shape is not None:
        found[6:] = shape
    return found


def _in_own_size(track: Track) -> Track:
    """Each channel over its own QRS height, about 1 mV: some recorders store counts of a converter."""
    x = track.samples.astype(np.float64)
    x = x - np.nanmedian(x, axis=0)
    size = np.nanquantile(np.abs(x), 0.995, axis=0)
    return Track(
        track.signal,
        track.device,
        track.channels,
        track.rate,
        track.times,
        (x / np.maximum(size, _TINY)).astype(np.float32),
    )


def _shape(track: Track, times: Floats, channel: str) -> tuple[float, ...] | None:
    """Of the usual beat: ln height of R, its spread, width of QRS (s), height and delay (s) of T, level of ST."""
    rate = track.rate
    assert rate is not None
    x = filters.zero_phase(
        filters.band_pass(rate, BAND[0], min(BAND[1], 0.45 * rate)), filters.filled(track.channel(channel))
    )
    at = np.rint(np.interp(times, track.seconds, np.arange(len(x)))).astype(np.intp)
    first, last = round(BEFORE * rate), round(AFTER * rate)
    at = at[(at >= first) & (at + last < len(x))]
    if len(at) < LEAST_BEATS:
        return None
    beats = x[at[:, None] + np.arange(-first, last)]
    level = np.median(beats[:, _places(LEVEL, first, rate)], axis=1, keepdims=True)
    beats = beats - level
    usual = np.median(beats, axis=0)
    top = float(usual[first])
    if abs(top) < _TINY:
        return None
    heights = beats[:, first] / top
    share = usual / top
    # where the complex leaves a quarter of R on both sides
    low = np.flatnonzero(np.abs(share) < 0.25)
    before, after = low[low < first], low[low > first]
    width = (after[0] - before[-1]) / rate if len(before) and len(after) else np.nan
    wave = share[_places(T_WAVE, first, rate)]
    peak = int(np.argmax(np.abs(wave)))
    return (
        float(np.log(abs(top))),
        float(np.std(heights)),
        float(width),
        float(wave[peak]),
        T_WAVE[0] + peak / rate,
        float(share[first + round(ST * rate)]),
    )


def _places(seconds: tuple[float, float], middle: int, rate: float) -> slice:
    return slice(middle + round(seconds[0] * rate), middle + round(seconds[1] * rate) + 1)


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _ln(value: float | None) -> float:
    return np.nan if value is None or value <= 0 else float(np.log(value))
