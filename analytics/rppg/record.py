"""The camera's pulse of a whole recording: its wave, its rate each second, its beats, and how far to trust all that."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from analytics import filters
from analytics.analyzer import Finding
from analytics.beats import Beats
from analytics.ppg import record as contact
from analytics.rppg import coherent, course, disturbed, evidence, fiducial, finger, phase, trust
from analytics.rppg.colours import RATE, Stretch, stretches
from analytics.rppg.evidence import Look
from analytics.rppg.seconds import Seconds, seconds
from analytics.rppg.wave import wave
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Track

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Flags = NDArray[np.bool_]

METHOD = "rgb-matched-blood-2"
WINDOW = 12
"""Seconds that are looked at together: a resolution of 5 beats a minute, and rates that drift stay one line."""
SHORTEST = 8
"""Seconds of a face without a long hole that are looked at."""
UP_TO = 3.0
"""Times the rate: of a simulated camera RMSSD was off by 11 ms with all up to 6 Hz, and by 6 with three harmonics."""
AROUND = 5.0
"""Seconds over which the rate of each one is taken."""
STRAY = 0.15
"""Hertz by which it may be away from that of its window: a phase that slipped is."""
ALIKE = 0.12
"""Share of the median rate by which seconds may be away from it to have a part in the rate of the whole."""
SHARE = 1.0 / 3.0
"""Of all seconds, the share that must have a pulse for one rate of them all..."""
LEAST = 8
"""... and how many that are."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a camera saw of a pulse."""

    rate: float
    """Hertz of the wave's grid."""
    times: Times
    """Nanoseconds, rising; jumps where there was no face for long."""
    wave: Floats
    """More blood up, in shares of the colour's level; it holds noise alone where quality is 0."""
    starts: Times
    """When each second began."""
    rates: Floats
    """Beats per minute in each; NaN where there is none to be trusted."""
    quality: Floats
    reasons: tuple[Reason | None, ...]
    """Why a second has no rate."""
    hertz: Floats
    """Frequencies of the spectrum (none of a finger's)."""
    spectrum: Floats
    """(seconds, frequencies): the evidence for a pulse; NaN where nobody looked."""
    method: str = METHOD
    touched: bool = False
    """Whether it is of a fingertip on the lens, whose beats tell all that there is."""


@dataclass(frozen=True, slots=True)
class Course:
    """A stretch, read window by window."""

    stretch: Stretch
    begins: NDArray[np.intp]
    """Indices into the stretch."""
    size: int
    looks: list[Look]
    hertz: Floats
    evidence: Floats
    """(windows, frequencies)."""
    rates: Floats
    """Hertz, one of each window..."""
    strength: Floats
    """... and the evidence for it."""


def pulse(track: Track, motion: Track | None = None) -> Pulse:
    """The fused wave and its rate, second by second; of a fingertip on the lens as well."""
    known = seconds(track, motion)
    if finger.on_lens(track):
        return _of_finger(track, known)
    count = len(known.starts)
    rates, quality = np.full(count, np.nan), np.zeros(count)
    reached = np.zeros(count, dtype=np.bool_)
    hertz, spectrum = np.empty(0), np.full((count, 0), np.nan)
    waves, times = [np.empty(0)], [np.empty(0, dtype=np.int64)]
    frames = disturbed.frame_rate(track.times)
    for stretch in stretches(track):
        if len(stretch.times) < SHORTEST * RATE:
            continue
        read = course_of(stretch)
        drawn = wave(stretch, read.begins, read.size, read.looks, read.rates)
        trusted = trusted_windows(read, drawn, frames, motion)
        waves.append(drawn)
        times.append(stretch.times)
        inside, nearest = _windows_of(known.starts, read)
        reached[inside] = True
        quality[inside] = np.where(known.usable[inside], trusted[nearest], 0.0)
        told = 60.0 * _fine(read, drawn, known.starts[inside], read.rates[nearest])
        rates[inside] = np.where(quality[inside] >= trust.ENOUGH, told, np.nan)
        if not len(hertz):
            hertz, spectrum = read.hertz, np.full((count, len(read.hertz)), np.nan)
        rows = read.evidence[nearest]
        spectrum[inside] = (
            rows if len(read.hertz) == len(hertz) else [np.interp(hertz, read.hertz, row) for row in rows]
        )
    reasons = tuple(
        None if np.isfinite(rate) else blame or ("noisy" if seen else "too_short")
        for rate, blame, seen in zip(rates.tolist(), known.hindrance, reached.tolist(), strict=True)
    )
    joined = np.concatenate(times), np.concatenate(waves)
    return Pulse(RATE, *joined, known.starts, rates, quality, reasons, hertz, spectrum)


def course_of(stretch: Stretch) -> Course:
    """The rate of each window of a stretch, each second."""
    size = min(len(stretch.times), round(WINDOW * RATE))
    begins = np.arange(0, len(stretch.times) - size + 1, round(RATE))
    looks = [evidence.look(stretch.changes[begin : begin + size], RATE) for begin in begins.tolist()]
    seen = [evidence.pulse_like(each) for each in looks]
    hertz, rows = seen[0][0], np.array([each[1] for each in seen])
    places = course.path(hertz, rows)
    index = np.arange(len(places))
    rates = np.array([course.refined(hertz, row, place) for row, place in zip(rows, places.tolist(), strict=True)])
    return Course(stretch, begins, size, looks, hertz, rows, rates, rows[index, places])


def trusted_windows(read: Course, drawn: Floats, frames: float | None, motion: Track | None) -> Floats:
    """Trust in the rate of each window, 0..1."""
    regions = read.stretch.changes.shape[1]
    begins = read.stretch.times[read.begins]
    times = np.full(len(begins), trust.times_more(regions, shaped=False))
    if regions == 1:
        times = np.where(_shaped(read, drawn), trust.times_more(regions, shaped=True), times)
    middles = read.begins + 0.5 * read.size
    hertz = np.interp(np.arange(len(read.stretch.times)), middles, read.rates)
    looks, at = coherent.looks(read.stretch.changes, RATE, hertz)
    around = [looks[int(np.argmin(np.abs(at - middle)))] for middle in middles.tolist()]
    score = np.array([each.score for each in around])
    times *= trust.lamplike(
        disturbed.flickering(read.rates, frames),
        np.array([each.lamp for each in around]),
        np.array([each.shaped for each in around]),
    )
    places = [int(np.argmin(np.abs(look.hertz - rate))) for look, rate in zip(read.looks, read.rates, strict=True)]
    sizes = np.array([abs(look.amplitude[place]) for look, place in zip(read.looks, places, strict=True)])
    times *= trust.too_faint(sizes)
    # a strong pulse that differs between regions has more in its windows than in all of them as one
    together, count = trust.supported(read.strength, 1.0, read.size / RATE)
    ratio = np.maximum(score / trust.FOLLOWED, together / trust.enough(count))
    # a shorter window has fewer frequencies to know the noise from
    times = times * WINDOW * RATE / read.size
    # to ask for the head's motion takes longer than all else: only where there is a pulse without it
    asked = np.flatnonzero(trust.trust(read.strength, ratio, times=times) > 0.0)
    sways = disturbed.swaying(motion, begins[asked], read.size / RATE, read.rates[asked])
    times[asked] *= np.where(sways, trust.DOUBTFUL, 1.0)
    return trust.trust(read.strength, ratio, times=times)


def _shaped(read: Course, drawn: Floats) -> Flags:
    """Whether the wave of each window has beats that are taken for a heart's, at the rate that is read."""
    look = contact.stretch(drawn, RATE)
    ends, steps = look.at[1:][look.held], np.diff(look.at)[look.held]
    shaped = []
    for begin, rate in zip((read.begins / RATE).tolist(), read.rates.tolist(), strict=True):
        near = steps[(ends > begin) & (ends < begin + read.size / RATE)]
        shaped.append(float(near.sum()) > 0.4 * read.size / RATE and abs(float(np.median(near)) * rate - 1.0) < 0.1)
    return np.array(shaped)


def _fine(read: Course, drawn: Floats, starts: Times, rates: Floats) -> Floats:
    """Hertz of each second by the pulse's own phase, where that stays near the windows' rates."""
    run = phase.run(drawn, RATE, read.begins.astype(np.float64) + 0.5 * read.size, read.rates)
    run = ndimage.uniform_filter1d(run, round(AROUND * RATE), mode="nearest")
    middle = np.rint(((starts - read.stretch.times[0]) / SECOND + 0.5) * RATE).astype(np.intp)
    near = run[np.clip(middle, 0, len(run) - 1)]
    return np.where(np.abs(near - rates) < STRAY, near, rates)


def _windows_of(starts: Times, read: Course) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which seconds lie in a stretch, and for each of them the window whose middle is nearest to its own."""
    at = read.stretch.times
    inside = np.flatnonzero((starts >= at[0] - SECOND // 2) & (starts <= at[-1] - SECOND // 2))
    middle = (starts[inside] - at[0]) / SECOND + 0.5 - 0.5 * read.size / RATE
    return inside, np.clip(np.rint(middle), 0, len(read.begins) - 1).astype(np.intp)


def _of_finger(track: Track, known: Seconds) -> Pulse:
    rate, times, drawn = finger.wave(track)
    rates, quality = finger.rates(rate, times, drawn, known.starts)
    reasons: tuple[Reason | None, ...] = tuple(None if np.isfinite(each) else "noisy" for each in rates.tolist())
    nothing = np.empty((len(known.starts), 0))
    method = f"rgb-{contact.METHOD}"
    return Pulse(rate, times, drawn, known.starts, rates, quality, reasons, np.empty(0), nothing, method, touched=True)


def heart_rate(found: Pulse) -> Finding:
    """The mean rate of all seconds with a pulse, but for those that are far from their median; most must be near it."""
    start = int(found.starts[0]) if len(found.starts) else 0
    end = int(found.starts[-1]) + SECOND if len(found.starts) else 0
    good = np.isfinite(found.rates)
    score = float(found.quality.mean()) if len(good) else None
    missing = absent(found)
    if missing is not None:
        return Finding("heart_rate", None, found.method, start, end, quality=score, absent=missing)
    rates = found.rates[good]
    # one of the rates themselves: between two clusters there is none
    middle = float(np.percentile(rates, 50, method="lower"))
    near = np.abs(rates - middle) <= ALIKE * middle
    if near.mean() <= 0.5:
        return Finding("heart_rate", None, found.method, start, end, quality=score, absent="noisy")
    return Finding("heart_rate", float(rates[near].mean()), found.method, start, end, quality=score)


def absent(found: Pulse) -> Reason | None:
    """Why there is no rate of the whole; None where there is one."""
    good = np.isfinite(found.rates)
    if good.sum() >= LEAST and good.mean() >= SHARE:
        return None
    blamed = Counter(reason for reason in found.reasons if reason)
    return blamed.most_common(1)[0][0] if blamed else "too_short"


def beats(found: Pulse, *, vote: bool = False) -> Beats:
    """Beats of the fused wave up to its third harmonic, in those seconds that have a pulse, as those of a PPG."""
    if found.touched:
        return contact.beats(as_track(found), vote=vote)
    rates = found.rates[np.isfinite(found.rates)]
    if not len(rates):
        return contact.beats(as_track(found), vote=False)
    # what lies above is noise, and moves upstrokes
    heart = float(np.median(rates)) / 60.0
    top = min(UP_TO * heart, filters.HIGHEST * found.rate)
    parts = np.split(found.wave, np.flatnonzero(np.diff(found.times) > 1.5 * SECOND / found.rate) + 1)
    low = np.concatenate([filters.zero_phase(filters.low_pass(found.rate, top, order=3), part) for part in parts])
    told = contact.beats(as_track(replace(found, wave=low)), vote=vote)
    at = np.interp(told.times, found.times / SECOND, np.arange(len(low)))
    sharp = fiducial.precision(found.wave, low, found.rate, at, heart, UP_TO)
    told = replace(told, precision=sharp)
    blamed = Counter(reason for reason in found.reasons if reason)
    return replace(told, trouble=blamed.most_common(1)[0][0]) if blamed else told


def as_track(found: Pulse, device: str = "camera") -> Track:
    """The wave as a track, lost where it is not to be trusted."""
    good = np.full(len(found.times), found.touched)
    if len(found.starts) and not found.touched:
        second = np.clip(np.searchsorted(found.starts, found.times, side="right") - 1, 0, len(found.starts) - 1)
        good = np.isfinite(found.rates)[second]
    samples = np.where(good, found.wave, np.nan).astype(np.float32)[:, None]
    return Track("rgb", device, ("pulse",), found.rate, found.times, samples)
