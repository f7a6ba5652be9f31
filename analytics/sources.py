"""Where the beats of a recording come from - waves, given intervals, a person's hand - and what may be said of each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from analytics import by_hand, correction, intervals, resample, rhythm, rppg
from analytics.analyzer import Finding
from analytics.beats import Beats, Corrected, Flags, Floats, Kind
from analytics.ecg import record as cardiogram
from analytics.hrv.findings import UNSURE
from analytics.ppg import record as pulse
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Context, Recording, Track
from kiosk.signals import RGB_CHANNELS, SIGNALS

SHORTEST = 10.0
"""Seconds of usable intervals behind any number (the ten seconds of a standard ECG strip)."""
USED = 1.0 / 3.0
"""Share of the time that usable intervals must cover: fewer speak for themselves and not for the recording."""
SLOWEST = 50.0
"""Hertz below which a QRS complex is not drawn."""
STEADY = 0.2
"""Share of the usual sampling period that nine of ten periods may deviate from it in an ECG with times of its own."""
PAUSED = 3.0
"""Seconds that a device's interval may arrive late before beats are missing in between."""
LEAST = 0.001
"""Seconds between two beats of which nothing is known but their order."""
GRAIN = (0.0003, 0.008)
"""Seconds: the finest and the coarsest step that given intervals are taken to be rounded to."""
BY_HAND = "beats-by-hand-1"
"""Method of beats that a person left so."""
SHARPEST = 0.012
"""Seconds (SD) of a camera's beat times above which they tell no variability: RMSSD would be 29 ms of nothing else."""


@dataclass(frozen=True, slots=True)
class Source:
    """Beats of one source, times in seconds."""

    name: str
    method: str
    beats: Beats
    corrected: Corrected
    quality: float | None
    start: float
    end: float
    absent: Reason | None
    irregular: bool = False
    """No sinus rhythm: what correction would take for artefacts are its beats."""
    track: Track | None = None
    """The wave that the beats were found in."""
    rate: Finding | None = None
    """Heart rate that does not hang on single beats, where the source has one."""
    pulse: rppg.Pulse | None = None
    """What that rate is of, second by second."""

    @property
    def kind(self) -> str:
        """The signal, without the device."""
        return self.name.partition(".")[0]


def sources(recording: Recording, context: Context, *, correct: bool, vote: bool) -> list[Source]:
    """Every source of beats; without `correct` beats stay as they are detected or given, ectopic ones included."""
    found = [_from_ecg(track, name, correct=correct, vote=vote) for track, name in named(recording, "ecg")]
    found += [_from_ppg(track, name, correct=correct, vote=vote) for track, name in named(recording, "ppg")]
    found += [
        _from_camera(track, name, recording.beside(track, "face_motion"), correct=correct, vote=vote)
        for track, name in named(recording, "rgb")
    ]
    found += [_from_intervals(track, name, correct=correct) for track, name in named(recording, "rr")]
    if recording.beats is not None:
        times, held = _rising(np.asarray(recording.beats, dtype=np.float64))
        found.append(_given(times, held, "rr", "given-beats-1", correct=correct, judge=correct))
    if context.corrected_beats:
        found.append(_by_hand(context, ranked(found)[0] if found else None, judge=correct))
    return found


def named(recording: Recording, signal: str) -> Iterator[tuple[Track, str]]:
    """The tracks of a signal that hold anything, each with the name of its source."""
    tracks = [track for track in recording.of(signal) if len(track.times)]
    for track in tracks:
        yield track, signal if len(tracks) == 1 else f"{signal}.{track.device}"


def ranked(found: list[Source]) -> list[Source]:
    """By hand, then an ECG, then intervals as given, a pulse, a camera's pulse; beats go before none."""
    rank = {"manual": 0, "ecg": 1, "rr": 2, "ppg": 3, "rgb": 4}
    return sorted(found, key=lambda source: (source.absent is not None, rank[source.kind], -(source.quality or 0.0)))


def _from_ecg(track: Track, name: str, *, correct: bool, vote: bool) -> Source:
    regular = _regular(track)
    if regular is None or regular.rate is None or regular.rate < SLOWEST:
        return _nothing(track, name, cardiogram.METHOD, "unsuitable_rate")
    return _from_wave(regular, name, cardiogram.METHOD, cardiogram.beats(regular, vote=vote), correct=correct)


def _from_ppg(track: Track, name: str, *, correct: bool, vote: bool) -> Source:
    return _from_wave(track, name, pulse.METHOD, pulse.beats(track, vote=vote), correct=correct)


def _from_camera(track: Track, name: str, motion: Track | None, *, correct: bool, vote: bool) -> Source:
    """Beats where the skin shows them sharply, and the heart rate, for which less is enough."""
    if track.channels != RGB_CHANNELS:
        return _nothing(track, name, rppg.METHOD, "impossible")
    found = rppg.pulse(track, motion)
    beats = rppg.beats(found, vote=vote)
    source = _from_wave(track, name, found.method, beats, correct=correct)
    source = replace(source, track=rppg.as_track(found, track.device))
    if found.touched:
        return source
    rate, absent = rppg.heart_rate(found), source.absent
    if rate.absent is not None:
        absent = rate.absent
    elif absent is None and beats.precision > SHARPEST:
        absent = "noisy"
    return replace(source, absent=absent, rate=rate, pulse=found)


def _from_wave(track: Track, name: str, method: str, beats: Beats, *, correct: bool) -> Source:
    irregular = correct and name.startswith("ecg") and rhythm.is_no_sinus(beats)
    corrected = correction.correct(beats) if correct and not irregular else correction.as_measured(beats)
    start, end = _span(track)
    usable = float(np.diff(beats.times)[beats.held].sum())
    # a single sample with a time of its own lasts no time
    share = usable / (end - start) if end > start else 0.0
    # that of the seconds that are used, which alone have a part in the numbers, less something for those that are not
    quality = min(1.0, beats.signal_quality / max(share, USED)) * min(1.0, share) ** 0.5
    quality *= 1.0 if beats.agreement is None else beats.agreement
    absent: Reason | None = None
    if usable < SHORTEST:
        # as long as it should be, and yet not enough of it: say what was in the way
        absent = (beats.trouble or "noisy") if end - start >= SHORTEST + 2.0 else "too_short"
    elif share < USED or quality < UNSURE:
        absent = "noisy"
    return Source(name, method, beats, corrected, quality, start, end, absent, irregular, track)


def _regular(track: Track) -> Track | None:
    """An ECG with times of its own on the grid that they jitter around; None where there is none."""
    if track.rate is not None or len(track.times) < 2:
        return track if track.rate is not None else None
    periods = np.diff(track.times) / SECOND
    period = float(np.median(periods))
    if np.mean(np.abs(periods - period) <= STEADY * period) < 0.9:
        return None
    return resample.regular(track, 1.0 / period)


def _from_intervals(track: Track, name: str, *, correct: bool) -> Source:
    """A device's intervals, in ms, each with the time when it was told."""
    milliseconds = track.samples[:, 0].astype(np.float64)
    good = (milliseconds >= SIGNALS["rr"].low) & (milliseconds <= SIGNALS["rr"].high)
    steps, told = milliseconds[good] / 1000.0, track.seconds[good]
    if not len(steps):
        return _nothing(track, name, "device-intervals-1", "noisy")
    missed = np.diff(np.flatnonzero(good), prepend=np.flatnonzero(good)[0] - 1) > 1
    # they come in bursts, late by the link: only their sum is exact, until it falls behind the clock
    times, held = [told[0] - steps[0]], list[bool]()
    for step, heard, hole in zip(steps.tolist(), told.tolist(), missed.tolist(), strict=True):
        if hole or heard - times[-1] - step > PAUSED:
            times.append(max(heard - step, times[-1] + LEAST))
            held.append(False)
        times.append(times[-1] + step)
        held.append(True)
    return _given(np.array(times), np.array(held), name, "device-intervals-1", correct=correct, judge=correct)


def _by_hand(context: Context, found: Source | None, *, judge: bool) -> Source:
    """Beats that a person left so, beside those of the best source: what nobody touched is trusted as it was there."""
    # a hand sets beats in any order
    times, held = _rising(np.unique(np.asarray(context.corrected_beats, dtype=np.float64)))
    if found is None or not len(found.corrected.times):
        return _given(times, held, "manual", BY_HAND, correct=False, judge=judge)
    held = held & by_hand.held(times, found.corrected)
    given = _given(times, held, "manual", BY_HAND, correct=False, judge=judge)
    start, end = min(found.start, given.start), max(found.end, given.end)
    usable = float(np.diff(times)[given.beats.held & intervals.possible(np.diff(times))].sum())
    absent = given.absent
    if absent is None and usable < USED * (end - start):
        absent = "noisy"
    mine = float(np.mean(~by_hand.untouched(times, found.corrected)[0])) if len(times) else 0.0
    quality = given.quality
    if quality is not None and found.quality is not None:
        quality *= mine + (1.0 - mine) * found.quality
    corrected = by_hand.corrected(given.beats, found.corrected)
    return replace(given, corrected=corrected, start=start, end=end, absent=absent, quality=quality)


def _rising(times: Floats) -> tuple[Floats, Flags]:
    """Those that are numbers and later than all before, and whether nothing was left out between two of them."""
    index = np.flatnonzero(np.abs(times) < correction.LATEST)
    index = index[np.diff(np.maximum.accumulate(times[index]), prepend=-np.inf) > 0]
    return times[index], np.diff(index) == 1


def _given(times: Floats, held: Flags, name: str, method: str, *, correct: bool, judge: bool) -> Source:
    held = held & (np.diff(times) <= correction.LONGEST)
    possible = held & intervals.possible(np.diff(times))
    beats = Beats(
        channel=name,
        times=times,
        held=held,
        kinds=np.full(len(times), Kind.NORMAL, dtype=np.uint8),
        precision=_grain(np.diff(times)[possible]) / np.sqrt(12.0),
        signal_quality=float(possible.mean()) if len(held) else 0.0,
        agreement=None,
        trouble=None,
    )
    irregular = judge and rhythm.is_no_sinus(beats)
    corrected = correction.correct(beats) if correct and not irregular else correction.as_measured(beats)
    start, end = (float(times[0]), float(times[-1])) if len(times) else (0.0, 0.0)
    usable = float(np.diff(times)[possible].sum())
    share = usable / (end - start) if end > start else 0.0
    absent: Reason | None = None
    if usable < SHORTEST:
        absent = "noisy" if end - start >= SHORTEST and not possible.all() else "too_short"
    elif share < USED:
        absent = "noisy"
    quality = beats.signal_quality * min(1.0, share) ** 0.5 if len(held) else None
    return Source(name, method, beats, corrected, quality, start, end, absent, irregular)


def _grain(steps: Floats) -> float:
    """The step that given intervals are rounded to, in seconds: the smallest difference that occurs."""
    apart = np.diff(np.unique(np.round(steps, 5)))
    return float(np.clip(apart.min(), *GRAIN)) if len(apart) else GRAIN[1]


def _nothing(track: Track, name: str, method: str, absent: Reason) -> Source:
    none, no_flags = np.empty(0), np.zeros(0, dtype=np.bool_)
    beats = Beats("", none, no_flags, np.zeros(0, dtype=np.uint8), 0.0, 0.0, None, absent)
    start, end = _span(track)
    return Source(name, method, beats, correction.as_measured(beats), None, start, end, absent, track=track)


def _span(track: Track) -> tuple[float, float]:
    period = 1.0 / track.rate if track.rate else 0.0
    return float(track.times[0]) / SECOND, float(track.times[-1]) / SECOND + period
