"""How the bands of the EEG went, and how much of it could be used; and its spectrum, for a figure."""

from collections.abc import Iterator, Mapping

import numpy as np

from analytics import eeg
from analytics.beats import Floats
from analytics.courses.course import Course, begins, drawn
from analytics.eeg.features import METHOD
from kiosk.measures import Reason
from kiosk.recording import Recording

WINDOW = 10.0
"""Seconds: as many as a reading needs at least (nine usable windows of two seconds, each a second after the last)."""
LEAST = 3
"""Usable windows of two seconds of which a band's share is told in between."""
SPECTRUM, BACKGROUND = "eeg_density", "eeg_background"


def of_brains(
    recording: Recording, brains: Mapping[str, eeg.Analysed | Reason], names: Mapping[str, int], step: float
) -> Iterator[Course | None]:
    """Shares of the bands, engagement and usable share of each source; `names` says which track a source is."""
    for name, found in brains.items():
        seen = eeg.course(recording.tracks[names[name]], found)
        if seen is None:
            continue
        at = begins(float(seen.times[0]) - 1.0, float(seen.times[-1]) + 1.0, WINDOW, step)

        def rows(begin: float, values: Floats, times: Floats = seen.times) -> Floats:
            # windows of two seconds that lie inside, by their middles
            first, last = np.searchsorted(times, (begin + 1.0 - 1e-6, begin + WINDOW - 1.0 + 1e-6))
            return values[first:last]

        def powers(begin: float, values: Floats = seen.powers) -> Floats | None:
            inside = rows(begin, values)
            good = inside[np.isfinite(inside[:, 0])]
            return good.mean(axis=0) if len(good) >= LEAST else None

        for place, band in enumerate(seen.bands):

            def share(begin: float, place: int = place) -> float | None:
                mean = powers(begin)
                return None if mean is None else float(mean[place] / mean.sum())

            yield drawn(f"eeg_{band}_relative", name, METHOD, WINDOW, at, share)
        where = {band: place for place, band in enumerate(seen.bands)}

        def engagement(begin: float, where: dict[str, int] = where) -> float | None:
            mean = powers(begin)
            return None if mean is None else float(mean[where["beta"]] / (mean[where["alpha"]] + mean[where["theta"]]))

        def usable(begin: float, values: Floats = seen.usable) -> float | None:
            inside = rows(begin, values)
            return 100.0 * float(inside.mean()) if len(inside) else None

        if {"beta", "alpha", "theta"} <= where.keys():
            yield drawn("eeg_engagement", name, METHOD, WINDOW, at, engagement)
        yield drawn("eeg_usable", name, METHOD, WINDOW, at, usable)
        yield from _spectrum(recording, name, found, names)


def _spectrum(
    recording: Recording, name: str, found: eeg.Analysed | Reason, names: Mapping[str, int]
) -> Iterator[Course]:
    """The geometric mean of the good channels (uV2/Hz), and the background under its peaks."""
    spectrum = eeg.spectrum(recording.tracks[names[name]], found)
    if spectrum is None:
        return
    shown = (spectrum.frequencies >= 1.0) & (spectrum.frequencies <= 45.0)
    middle = np.exp(np.log(np.maximum(spectrum.power, np.finfo(np.float64).tiny)).mean(axis=0))
    yield Course(SPECTRUM, name, METHOD, 0.0, spectrum.frequencies[shown], middle[shown])
    if spectrum.background is not None:
        yield Course(BACKGROUND, name, METHOD, 0.0, spectrum.frequencies[shown], spectrum.background[shown])
