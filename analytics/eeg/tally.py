"""The usable cells added up: what windows that were judged together say of each channel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.eeg import spectra
from analytics.eeg.bands import weights
from analytics.eeg.cells import REASONS, USED, Cells, Verdict
from analytics.eeg.cleaning import REFERENCED
from analytics.eeg.features import Picture
from analytics.eeg.montage import Place
from analytics.eeg.spectra import Floats
from kiosk.measures import Reason


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over windows."""

    power: Floats
    """(channels, frequencies)."""
    logs: Floats
    """(channels, bands): of the logarithms of the band powers."""
    counts: NDArray[np.intp]
    """Usable windows of each channel."""
    codes: NDArray[np.intp]
    """(channels, codes): windows by what is wrong with them."""
    bands: Floats
    """(windows, channels, bands), NaN where a cell cannot be used."""
    averaged: bool
    """Whether the channels are against their own mean."""

    @property
    def usable(self) -> float:
        """The share of cells that could be used."""
        return float(self.codes[:, 0].sum() / max(1, self.codes.sum()))


def tally(cells: Cells, verdict: Verdict, referenced: NDArray[np.intp], rate: float) -> Tally:
    """Of these windows, each against the mean of its usable channels where there are enough of them."""
    codes = verdict.codes.copy()
    good = np.array([not why for why in verdict.bad], dtype=np.bool_)
    averaged = bool(len(referenced) and good[referenced].sum() >= REFERENCED)
    if not len(referenced):
        power = cells.power
    elif averaged:
        among = np.zeros(codes.shape, dtype=np.bool_)
        among[:, referenced] = codes[:, referenced] == 0
        enough = among.sum(axis=1) >= REFERENCED
        # another reference in some windows than in others would compare what cannot be compared
        codes[~enough] = np.where(codes[~enough] == 0, REASONS.index("noisy") + 1, codes[~enough])
        mean = np.einsum("wcf,wc->wf", cells.spectrum, among / np.maximum(1, among.sum(axis=1))[:, None])
        spectrum = cells.spectrum.copy()
        spectrum[:, referenced] -= mean[:, None]
        power = spectra.density(spectrum)
    else:
        spectrum = cells.spectrum.copy()
        spectrum[:, referenced] += cells.taken[:, None]
        power = spectra.density(spectrum)
    usable = codes == 0
    bands = np.where(usable[:, :, None], power @ weights(spectra.frequencies(rate), rate), np.nan)
    logs = np.log(np.maximum(np.where(usable[:, :, None], bands, 1.0), np.finfo(np.float64).tiny))
    return Tally(
        power=np.einsum("wcf,wc->cf", power, usable.astype(np.float64)),
        logs=logs.sum(axis=0),
        counts=usable.sum(axis=0),
        codes=np.stack([(codes == code).sum(axis=0) for code in range(len(REASONS) + 1)], axis=1),
        bands=bands,
        averaged=averaged,
    )


def joined(parts: list[Tally]) -> Tally:
    """One tally of several: as if their windows had been added up at once."""
    return Tally(
        power=np.sum([each.power for each in parts], axis=0),
        logs=np.sum([each.logs for each in parts], axis=0),
        counts=np.sum([each.counts for each in parts], axis=0),
        codes=np.sum([each.codes for each in parts], axis=0),
        bands=np.concatenate([each.bands for each in parts]),
        averaged=parts[0].averaged,
    )


def picture(found: Tally, places: tuple[Place, ...], rate: float, *, least: int) -> Picture:
    """The mean spectra of the channels that have at least so many usable windows, and a third of all."""
    windows = found.codes.sum(axis=1)
    good = (found.counts >= least) & (found.counts >= USED * windows)
    each = np.maximum(1, found.counts)[:, None]
    return Picture(
        rate=rate,
        places=places,
        power=found.power / each,
        good=good,
        why=tuple(_why(codes, least) for codes in found.codes),
        logs=found.logs / each,
    )


def _why(codes: NDArray[np.intp], least: int) -> Reason:
    """What is in the way in most of a channel's windows."""
    if codes.sum() < least or not codes[1:].any():
        return "too_short"
    return REASONS[int(codes[1:].argmax())]
