"""The EEG of a whole recording: what its usable two seconds say together."""

from dataclasses import dataclass, replace

import numpy as np

from analytics.analyzer import Finding
from analytics.eeg import features, montage, spectra
from analytics.eeg.bands import ALPHA, carried
from analytics.eeg.features import METHOD, Feature
from analytics.eeg.lids import Lids
from analytics.eeg.spectra import Floats
from analytics.eeg.whole import LEAST, Analysed, analysed
from kiosk.measures import BANDS, Reason
from kiosk.messages import SECOND
from kiosk.recording import Track

CONTRAST, USABLE = "eeg_eyes_contrast", "eeg_usable"
MEASURED = (*features.FINAL, CONTRAST, USABLE)
MARKED = "when the eyes were closed, and when open, marks say"
HALF = 0.5
"""Of the good channels that must be usable in a window that is shown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A finding, and what there is to say about it."""

    finding: Finding
    note: str = ""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Of a whole recording: for a figure."""

    frequencies: Floats
    channels: tuple[str, ...]
    """The good ones."""
    power: Floats
    """(channels, frequencies) in uV2/Hz."""
    background: Floats | None
    """What is under the peaks of the channels' geometric mean, in uV2/Hz; None where no line could be fitted."""


@dataclass(frozen=True, slots=True)
class Course:
    """Band powers over time: the mean of the good channels, NaN where too few of them could be used."""

    times: Floats
    """Seconds, the middles of the windows."""
    bands: tuple[str, ...]
    powers: Floats
    """(windows, bands) in uV2."""
    usable: Floats
    """Share of the channels that could be used in each window."""


def answers(track: Track, lids: tuple[Lids, ...] = (), found: Analysed | Reason | None = None) -> list[Answer]:
    """All measures of a recording; `lids` says when the eyes were closed and open, where that is known.

    Here and below, `found` is what `analysed` said of the track, where somebody has asked it already.
    """
    start, end = _span(track)
    found = found or analysed(track)
    if not isinstance(found, Analysed):
        return [Answer(Finding(measure, None, METHOD, start, end, absent=found)) for measure in MEASURED]
    share = found.tally.usable
    quality = round(share, 3)
    told = [_as_impossible(each) if found.unit else each for each in features.features(found.picture)]
    told.append(_contrast(found, lids))
    return [
        *(
            Answer(
                Finding(each.measure, each.value, each.method, start, end, quality=quality, absent=each.absent),
                _note(each, found),
            )
            for each in told
        ),
        Answer(Finding(USABLE, 100.0 * share, f"{METHOD}+prep-2015", start, end), "; ".join(found.notes)),
    ]


def spectrum(track: Track, found: Analysed | Reason | None = None) -> Spectrum | None:
    """The mean spectra of the good channels and the background under them; None where nothing could be used."""
    found = found or analysed(track)
    if not isinstance(found, Analysed) or not found.picture.good.any():
        return None
    hertz, under = spectra.frequencies(found.picture.rate), features.fitted(found.picture)
    good = found.picture.good
    return Spectrum(
        frequencies=hertz,
        channels=tuple(each.channel for each, fine in zip(found.picture.places, good, strict=True) if fine),
        power=found.picture.power[good],
        background=None if under is None else 10.0 ** under.at(hertz),
    )


def course(track: Track, found: Analysed | Reason | None = None) -> Course | None:
    """Band powers each second; None where nothing could be used."""
    found = found or analysed(track)
    if not isinstance(found, Analysed) or not found.picture.good.any():
        return None
    there = carried(found.picture.rate)
    shown = _mean(found.tally.bands[:, found.picture.good])[:, there]
    names = tuple(band for band, fine in zip(BANDS, there, strict=True) if fine)
    usable = np.isfinite(found.tally.bands[:, :, ALPHA]).mean(axis=1)
    middles = found.starts / SECOND + spectra.size(found.picture.rate) / 2 / found.picture.rate
    return Course(middles, names, shown, usable)


def eyes_contrast(closed: Track, opened: Track) -> float | None:
    """Alpha with eyes closed over alpha with eyes open, of two stretches of a person; None without enough of either."""
    pair = [analysed(track) for track in (closed, opened)]
    means = [
        float(np.nanmean(power))
        for each in pair
        if isinstance(each, Analysed) and np.isfinite(power := _alpha(each)).sum() >= LEAST
    ]
    return means[0] / means[1] if len(means) == 2 and means[1] > 0 else None


def _contrast(found: Analysed, lids: tuple[Lids, ...]) -> Feature:
    """Where the recording says when the eyes were closed and open."""
    method = f"{METHOD}+closed/open"
    states = {each.closed for each in lids}
    if states != {True, False}:
        return Feature(CONTRAST, None, method, "no_reference")
    alpha = _alpha(found)
    ends = found.starts + round(spectra.size(found.picture.rate) * SECOND / found.picture.rate)
    means, least = [], LEAST
    for closed in (True, False):
        inside = np.zeros(len(alpha), dtype=np.bool_)
        for each in (each for each in lids if each.closed is closed):
            inside[np.searchsorted(found.starts, each.start) : np.searchsorted(ends, each.end, side="right")] = True
        # a camera sees what was not done as it is marked: then nobody knows
        for each in (each for each in lids if each.closed is not closed):
            inside[np.searchsorted(ends, each.start, side="right") : np.searchsorted(found.starts, each.end)] = False
        inside &= np.isfinite(alpha)
        least = min(least, int(inside.sum()))
        means.append(float(alpha[inside].mean()) if inside.any() else 0.0)
    if least < LEAST or means[1] <= 0:
        return Feature(CONTRAST, None, method, "insufficient")
    return Feature(CONTRAST, means[0] / means[1], method, note=MARKED if any(each.marked for each in lids) else "")


def _alpha(found: Analysed) -> Floats:
    """Alpha power of each window: of the back of the head, of all good channels where that is not there."""
    seen = found.picture
    behind = [number for number in montage.at(seen.places, montage.POSTERIOR) if seen.good[number]]
    return _mean(found.tally.bands[:, behind or np.flatnonzero(seen.good)])[:, ALPHA]


def _mean(bands: Floats) -> Floats:
    """(windows, bands) over channels, NaN where fewer than half of them can be used."""
    usable = np.isfinite(bands[:, :, ALPHA])
    total = np.where(usable[:, :, None], bands, 0.0).sum(axis=1)
    enough = usable.sum(axis=1) >= max(1.0, HALF * bands.shape[1])
    return np.where(enough[:, None], total / np.maximum(1, usable.sum(axis=1))[:, None], np.nan)


def _note(feature: Feature, found: Analysed) -> str:
    """What there is to say of one: of which channels it is the mean, and which were left out."""
    if feature.value is None and not found.unit:
        return feature.note
    own = feature.note.startswith(("of ", "alpha of "))
    return "; ".join(part for part in (feature.note, *found.notes[1 if own else 0 :]) if part)


def _as_impossible(feature: Feature) -> Feature:
    return replace(feature, value=None, absent="impossible", note="")


def _span(track: Track) -> tuple[int, int]:
    if not len(track.times):
        return 0, 0
    period = SECOND / track.rate if track.rate else 0.0
    return int(track.times[0]), round(int(track.times[-1]) + period)
