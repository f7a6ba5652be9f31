"""Which signal a wave without a name is, by its shape. Careful: what is no clear ECG or pulse stays unnamed.

An ECG has steep, short complexes: much of its power is above 5 Hz and its slope is zero most of the time (kurtosis).
A pulse wave is smooth, repeats itself, and has nearly all its power at the pulse rate and its first harmonics.
The bounds leave a wide margin on MIT-BIH, a noise stress record, ICU, Empatica and camera recordings; EEG, respiration,
EDA and noise of any colour fall between them.
"""

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND
from sensors.files.content import Wave

WINDOW = 8.0
WINDOWS = 24
SHORTEST = 5.0
ECG_FAST, ECG_KURTOSIS, ECG_BOTH = 0.25, 9.0, 5.0
PULSE_SLOW, PULSE_FAST, PULSE_KURTOSIS, PULSE_REPEATS = 0.75, 0.1, 12.0, 0.3


def guess(wave: Wave) -> str | None:
    """`ecg`, `ppg`, or None where the shape does not tell."""
    parts = _windows(wave)
    if not parts:
        return None
    slow, fast, kurtosis, repeats = np.median(parts, axis=0)
    if fast >= ECG_FAST and kurtosis >= ECG_KURTOSIS and fast * kurtosis >= ECG_BOTH:
        return "ecg"
    if slow >= PULSE_SLOW and fast <= PULSE_FAST and kurtosis <= PULSE_KURTOSIS and repeats >= PULSE_REPEATS:
        return "ppg"
    return None


def _windows(wave: Wave) -> list[tuple[float, float, float, float]]:
    """Features of windows spread over the recording; the median of them forgives a few spoiled ones."""
    values = wave.values.astype(np.float64)
    seconds = wave.times / SECOND
    span = float(seconds[-1] - seconds[0])
    rate = min(wave.rate or len(values) / max(span, 1e-9), 100.0)
    if span < SHORTEST or rate < 20:
        return []
    length = min(WINDOW, span)
    starts = seconds[0] + np.linspace(0, span - length, min(WINDOWS, max(1, int(span / length))))
    found = []
    for start in starts:
        begin, end = np.searchsorted(seconds, (start, start + length))
        part, times = values[begin:end], seconds[begin:end]
        good = np.isfinite(part)
        if good.sum() < 0.9 * length * rate or np.ptp(part[good]) == 0:
            continue
        grid = start + np.arange(int(length * rate)) / rate
        step = max(1, round(len(part) / len(grid)))
        # mean of neighbours before thinning out, or mains hum would fold into the pulse
        part = np.convolve(part[good], np.full(step, 1 / step), "same")
        found.append(_features(np.interp(grid, times[good], part), rate))
    return found


def _features(x: NDArray[np.float64], rate: float) -> tuple[float, float, float, float]:
    x = x - np.polyval(np.polyfit(np.arange(len(x)), x, 2), np.arange(len(x)))
    power = np.abs(np.fft.rfft(x * np.hanning(len(x)))) ** 2
    frequency = np.fft.rfftfreq(len(x), 1 / rate)
    total = float(power[(frequency > 0.5) & (frequency < 40)].sum()) or 1.0
    slow = float(power[(frequency > 0.5) & (frequency <= 4)].sum()) / total
    fast = float(power[(frequency > 5) & (frequency <= 25)].sum()) / total
    slope = np.diff(x)
    kurtosis = float(np.mean(slope**4) / (np.mean(slope**2) ** 2 + 1e-300))
    x = x - x.mean()
    repeats = np.correlate(x, x, "full")[len(x) - 1 :]
    lags = repeats[int(0.3 * rate) : int(2 * rate)] / (repeats[0] or 1.0)
    # a repetition is a peak, not the shoulder of a slow wave
    peaks = lags[1:-1][(lags[1:-1] >= lags[:-2]) & (lags[1:-1] > lags[2:])]
    return slow, fast, kurtosis, float(peaks.max()) if len(peaks) else 0.0
