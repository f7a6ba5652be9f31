"""Which two seconds of which channel can be used: a cell is one window of one channel.

A channel is judged by its own cells and by the others, as PREP does (Bigdely-Shamlo et al. 2015,
doi:10.3389/fninf.2015.00016): flat, far louder or quieter than the others, unlike any of them. Muscle, which PREP finds
above 50 Hz, is here found by the slope of the spectrum (Fitzgibbon et al. 2016, doi:10.1016/j.clinph.2015.12.009), for
which a band up to 45 Hz and a single channel are enough.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.eeg import spectra
from analytics.eeg.bands import TOP
from analytics.eeg.spectra import Complex, Floats
from kiosk.measures import Reason
from kiosk.signals import SIGNALS

Mask = NDArray[np.bool_]

REASONS: tuple[Reason, ...] = ("not_delivered", "flat", "saturated", "noisy")
LOST, FLAT, RAILED, NOISY = range(1, 5)
"""Codes of a cell, 0 where it is fine; REASONS has the words."""
MOST_LOST = 0.05
"""Share of a cell's samples that may be missing: they are drawn as straight lines."""
MOST_RAILED = 0.10
"""Share of samples at the cell's own highest or lowest value from which it is clipped: a wave is there but briefly."""
LEAST_SPAN = 0.5
"""Microvolt from lowest to highest below which nobody is connected: an amplifier's own noise is about one."""
LOUD, LOUDER = 100.0, 2.5
"""Microvolt from lowest to highest that a cell may span in any case, and else that many times the channel's median:
blinks, movement and electrodes that slip span more (100: the usual threshold, Luck 2014)."""
SMEARED = 2.0
"""Times that limit from which the windows before and after are left out, too: the high pass smears a jerk over them."""
MUSCLE = 4.0
"""Times the channel's median power above 25 Hz from which a cell is muscle."""
MUSCLE_BAND = 25.0
"""Hertz from which muscle is stronger than the brain (Goncharova et al. 2003, doi:10.1016/S1388-2457(03)00093-2)."""
FLATTEST = -0.59
"""Slope of log power over log frequency, 7 Hz to the top, above which it is muscle (Fitzgibbon et al. 2016)."""
SLOPE_FROM = 7.0
DEVIATION = 5.0
"""Robust standard deviations from the other channels' loudness that make a channel bad (PREP)."""
APART = 3.0
"""And times louder or quieter than their median: few channels are often much alike."""
UNLIKE = 0.4
"""Correlation with the most similar other channel below which a channel is bad (PREP)."""
SAME = 0.9999
"""Correlation from which two channels are one: a copy, or electrodes that are bridged."""
FEWEST = 6
"""Channels from which they can be held against each other."""
USED = 1.0 / 3.0
"""Share of its cells that a channel must be usable in."""


@dataclass(frozen=True, slots=True)
class Cells:
    """What is known of windows, (windows, channels); spectra are (windows, channels, frequencies)."""

    spectrum: Complex
    power: Floats
    span: Floats
    """Microvolt from lowest to highest, filtered."""
    lost: Floats
    """Share of samples."""
    still: Mask
    """All samples the same."""
    railed: Floats
    alike: Floats
    """Correlation with the most similar other channel; NaN where there is none."""
    copied: Mask
    """The same as a channel before it."""
    blinked: Mask
    """In a channel that the blinks were taken from, while the eyes blinked."""
    taken: Complex
    """(windows, frequencies): what was taken from all channels (their median), 0 where nothing was."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which cells to use, and what is wrong with the others."""

    codes: NDArray[np.int8]
    """(windows, channels), 0 where a cell can be used."""
    bad: tuple[str, ...]
    """Of each channel: what is wrong with all of it, in words; empty where nothing is."""

    @property
    def usable(self) -> Mask:
        """(windows, channels)."""
        return np.asarray(self.codes == 0)


def cell(raw: Floats, clean: Floats, rate: float, *, blinked: Mask | None = None, taken: Floats | None = None) -> Cells:
    """One window (samples, channels) as it came and as it was filtered."""
    with np.errstate(invalid="ignore", over="ignore"):
        low, high = SIGNALS["eeg"].low, SIGNALS["eeg"].high
        finite = np.isfinite(raw)
        top, bottom = np.fmax.reduce(raw, axis=0), np.fmin.reduce(raw, axis=0)
        still = ~(top > bottom)
        railed = np.maximum((raw == top).mean(axis=0), (raw == bottom).mean(axis=0))
        railed = np.where((top >= high) | (bottom <= low), 1.0, railed)
    spectrum = spectra.transformed(clean, rate)
    alike, copied = _likeness(spectrum)
    count = raw.shape[1]
    nothing = np.zeros(spectrum.shape[1], dtype=np.complex128)
    return Cells(
        spectrum=spectrum[None],
        power=spectra.density(spectrum)[None],
        span=np.ptp(clean, axis=0)[None],
        lost=(1.0 - finite.mean(axis=0))[None],
        still=still[None],
        railed=np.where(still, 0.0, railed)[None],
        alike=alike[None],
        copied=copied[None],
        blinked=np.zeros((1, count), dtype=np.bool_) if blinked is None else blinked[None],
        taken=(nothing if taken is None else spectra.transformed(taken[:, None], rate)[0])[None],
    )


def together(cells: list[Cells]) -> Cells:
    """Windows that follow each other."""
    return Cells(*(np.concatenate([getattr(each, name) for each in cells]) for name in Cells.__slots__))


def judged(cells: Cells, found: Floats, scalp: Mask) -> Verdict:
    """The verdict on windows that are judged together.

    All channels are EEG; those of the scalp, against one reference, resemble each other.
    """
    codes = np.zeros(cells.span.shape, dtype=np.int8)
    flat, clipped = cells.still | (cells.span < LEAST_SPAN), cells.railed > MOST_RAILED
    alive = ~(flat | clipped | (cells.lost > MOST_LOST))
    muscle = _muscle(cells, found, alive)
    loud = np.maximum(LOUD, LOUDER * _medians(cells.span, alive & ~muscle & ~cells.blinked))
    codes[cells.blinked | muscle | (cells.span > loud) | _beside(cells.span > SMEARED * loud)] = NOISY
    codes[clipped] = RAILED
    codes[flat] = FLAT
    codes[cells.lost > MOST_LOST] = LOST
    bad = _bad(cells, codes, found, scalp)
    for place, why in enumerate(bad):
        if why:
            codes[codes[:, place] == 0, place] = NOISY
    return Verdict(codes, bad)


def _likeness(spectrum: Complex) -> tuple[Floats, Mask]:
    """Correlation of each channel's band with its most similar other one, and whether it copies one before it."""
    count = len(spectrum)
    if count < 2:
        return np.full(count, np.nan), np.zeros(count, dtype=np.bool_)
    products = (spectrum @ spectrum.conj().T).real
    power = np.sqrt(np.maximum(np.diag(products), np.finfo(np.float64).tiny))
    with np.errstate(over="ignore", invalid="ignore"):
        related = np.abs(products / power / power[:, None])
        louder = power / power[:, None]
    same = (related >= SAME) & (np.abs(louder - 1.0) < 0.01)
    np.fill_diagonal(related, 0.0)
    return np.asarray(related.max(axis=1)), np.asarray(np.tril(same, -1).any(axis=1))


def _muscle(cells: Cells, found: Floats, alive: Mask) -> Mask:
    above = found >= MUSCLE_BAND
    if above.sum() < 2:
        return np.zeros(cells.span.shape, dtype=np.bool_)
    power = cells.power[:, :, above].mean(axis=2)
    return np.asarray(power > MUSCLE * _medians(power, alive))


def _beside(loud: Mask) -> Mask:
    """The two windows on either side of these: those that overlap with them or follow."""
    found = np.zeros_like(loud)
    for away in (1, 2):
        found[away:] |= loud[:-away]
        found[:-away] |= loud[away:]
    return found


def _medians(values: Floats, among: Mask) -> Floats:
    """Of each channel, over the windows where something can be seen; 0 where there are none."""
    seen = np.where(among, values, np.nan)
    there = np.isfinite(seen).any(axis=0)
    medians = np.zeros(values.shape[1])
    if there.any():
        medians[there] = np.nanmedian(seen[:, there], axis=0)
    return medians


def _bad(cells: Cells, codes: NDArray[np.int8], found: Floats, scalp: Mask) -> tuple[str, ...]:
    """What is wrong with each channel as a whole; the worst first."""
    usable = codes == 0
    count = usable.shape[1]
    words = [""] * count
    seen = usable.any(axis=0)
    power = np.ones((count, len(found)))
    for place in np.flatnonzero(seen).tolist():
        # the median over windows: what happens now and then is for cells
        power[place] = np.median(cells.power[usable[:, place], place], axis=0)
    loud = np.log(np.sqrt(power.sum(axis=1)))
    others = loud[seen]
    middle = float(np.median(others)) if len(others) else 0.0
    spread = 1.4826 * float(np.median(np.abs(others - middle))) if len(others) else 0.0
    slopes = spectra.slope(found, power, SLOPE_FROM, TOP)
    copies = cells.copied.mean(axis=0)
    for place in range(count):
        if usable[:, place].mean() < USED:
            mostly = REASONS[int(np.bincount(codes[:, place], minlength=5)[1:].argmax())]
            words[place] = "blinks" if cells.blinked[:, place].mean() > 0.5 else mostly
        elif copies[place] > 0.5:
            words[place] = "a copy"
        elif slopes[place] > FLATTEST:
            words[place] = "muscle or noise"
        elif seen.sum() >= FEWEST:
            away = abs(loud[place] - middle)
            alike = cells.alike[usable[:, place], place]
            if away > max(DEVIATION * spread, np.log(APART)):
                words[place] = "too loud" if loud[place] > middle else "too quiet"
            elif scalp[place] and scalp.sum() >= FEWEST and np.nanmedian(alike) < UNLIKE:
                words[place] = "unlike the others"
    return tuple(words)
