"""A whole recording's windows: cleaned, judged and added up."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.eeg import blinks, cells, cleaning, montage, spectra
from analytics.eeg.bands import SLOWEST
from analytics.eeg.cells import Cells
from analytics.eeg.features import MOST_NAMED, Picture
from analytics.eeg.montage import Place
from analytics.eeg.spectra import Floats
from analytics.eeg.tally import Tally, joined, picture, tally
from kiosk.measures import Reason
from kiosk.recording import Track

LEAST = 9
"""Usable windows of a channel below which nothing is said of it: ten seconds."""
PIECE = 120
"""Windows that are filtered at once: what is in memory."""
TOGETHER = 300
"""Windows that are judged together: five minutes, in which a channel stays what it is."""
UNIT = 0.01
"""Microvolt from lowest to highest below which a wave is not an electrode without a head but in another unit."""


@dataclass(frozen=True, slots=True)
class Analysed:
    """What the usable windows of a recording say together."""

    picture: Picture
    tally: Tally
    starts: NDArray[np.int64]
    """Nanoseconds at which the windows begin."""
    notes: tuple[str, ...]
    unit: bool
    """Whether the wave is so small that its unit must be another one."""


def analysed(track: Track) -> Analysed | Reason:
    """A recording's mean spectra with what was done to come to them, or why there are none."""
    places = montage.places(track.channels)
    brain = [number for number, each in enumerate(places) if each.brain]
    if track.rate is None or track.rate < SLOWEST:
        return "unsuitable_rate"
    if not brain:
        return "missing_channels"
    kept = tuple(places[number] for number in brain)
    reference = cleaning.referenced(kept)
    parts, starts, words, corrected = list[Tally](), list[int](), list[tuple[str, ...]](), 0
    spans = [np.zeros((0, len(brain)))]
    for windows, times, count in _windows(track, places, brain, reference):
        verdict = cells.judged(windows, spectra.frequencies(track.rate), montage.scalp(kept))
        parts.append(tally(windows, verdict, reference, track.rate))
        # of a constant the filters leave rounding errors: it is flat, and in no other unit
        spans.append(np.where(windows.still, 0.0, windows.span))
        starts += times
        words.append(verdict.bad)
        corrected += count
    if not parts:
        return "too_short"
    whole = joined(parts)
    seen = picture(whole, kept, track.rate, least=LEAST)
    unit = not seen.good.any() and 0.0 < float(np.median(np.concatenate(spans))) < UNIT
    notes = _notes(seen, words, whole, corrected, unit=unit)
    return Analysed(seen, whole, np.array(starts, dtype=np.int64), notes, unit)


def _windows(
    track: Track, places: tuple[Place, ...], brain: list[int], reference: NDArray[np.intp]
) -> Iterator[tuple[Cells, list[int], int]]:
    """Windows that are judged together with the times at which they begin and the blinks corrected in them."""
    waiting, starts, count = list[Cells](), list[int](), 0
    for made, times, corrected in _pieces(track, places, brain, reference):
        waiting += made
        starts += times
        count += corrected
        if len(waiting) >= TOGETHER:
            yield cells.together(waiting), starts, count
            waiting, starts, count = [], [], 0
    if waiting:
        yield cells.together(waiting), starts, count


def _pieces(
    track: Track, places: tuple[Place, ...], brain: list[int], reference: NDArray[np.intp]
) -> Iterator[tuple[list[Cells], list[int], int]]:
    """Each stretch without a gap, cut into pieces that overlap by what the filter needs."""
    rate = track.rate or 0.0
    size, hop = spectra.size(rate), spectra.hop(rate)
    length, margin = round(cleaning.LENGTH * rate) + 2, round(cleaning.MARGIN * rate) + 1
    for segment in track.segments():
        count = len(segment.times)
        if count < length:
            continue
        begins = range(0, count - size + 1, hop)
        for first in range(0, len(begins), PIECE):
            mine = begins[first : first + PIECE]
            end = min(count, mine[-1] + size + margin)
            begin = max(0, min(mine[0] - margin, end - length))
            raw = segment.samples[begin:end].astype(np.float64)
            made, corrected = _cells(raw, rate, [at - begin for at in mine], places, brain, reference)
            yield made, [int(segment.times[at]) for at in mine], corrected


def _cells(
    raw: Floats,
    rate: float,
    begins: list[int],
    places: tuple[Place, ...],
    brain: list[int],
    reference: NDArray[np.intp],
) -> tuple[list[Cells], int]:
    source, own = blinks.eyes(places)
    used = sorted({*brain, *source})
    # what is out of all bounds would leave numbers that are none
    bounded = np.where(np.abs(raw[:, used]) <= cleaning.LARGEST, raw[:, used], np.nan)
    clean = np.full(raw.shape, np.nan)
    clean[:, used] = cleaning.whole(bounded, rate)
    blinking, count = None, 0
    if source:
        kept = [number for number in brain if number not in own]
        found = blinks.corrected(clean[:, kept], clean[:, source].mean(axis=1), rate)
        clean[:, kept], blinking = found.samples, found.during
        # pieces overlap: each blink counts where its window begins
        count = int(((found.at >= begins[0]) & (found.at < begins[-1] + spectra.hop(rate))).sum())
    clean, raw = clean[:, brain], raw[:, brain]
    eye = np.array([number in own for number in brain])
    common = None
    if len(reference):
        common = np.median(clean[:, reference], axis=1)
        clean[:, reference] -= common[:, None]
    made = []
    for begin in begins:
        rows = slice(begin, begin + spectra.size(rate))
        made.append(
            cells.cell(
                raw[rows],
                clean[rows],
                rate,
                blinked=None if blinking is None else eye & bool(blinking[rows].any()),
                taken=None if common is None else common[rows],
            )
        )
    return made, count


def _notes(seen: Picture, words: list[tuple[str, ...]], whole: Tally, corrected: int, *, unit: bool) -> tuple[str, ...]:
    """What was done, in words: which channels the means are of, and which were left out."""
    if unit:
        return ("far too small for EEG in µV: another unit, probably V",)
    names = [each.electrode or each.channel for each in seen.places]
    good = [name for name, fine in zip(names, seen.good, strict=True) if fine]
    why = {}
    for number, name in enumerate(names):
        if not seen.good[number]:
            told = [each[number] for each in words if each[number]]
            why[name] = max(told, key=told.count) if told else seen.why[number]
    notes = []
    if good:
        notes.append(f"mean of {', '.join(good) if len(good) <= MOST_NAMED else f'{len(good)} channels'}")
    else:
        notes.append("no channel could be used")
    if why:
        listed = [f"{name} ({word.replace('_', ' ')})" for name, word in why.items()]
        notes.append(f"left out: {', '.join(listed[:MOST_NAMED])}{' and others' if len(listed) > MOST_NAMED else ''}")
    if whole.averaged:
        notes.append("against the average of the scalp")
    if corrected:
        notes.append(f"{corrected} blinks")
    return tuple(notes)
