"""The simulated visitor faster than real time: tracks for an analysis, chunks for a recorder."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from api.demo.course import Body as State
from api.demo.people import Member
from kiosk.messages import SECOND, Chunk, Stream
from kiosk.recording import Recording, Track
from kiosk.signals import VOICE_CHANNELS
from sensors.drivers.simulated.body import Body
from sensors.drivers.simulated.camera import DEVICE, traces
from sensors.drivers.simulated.driver import RATES, WEBCAM
from sensors.drivers.simulated.microphone import DEVICE as MICROPHONE
from sensors.drivers.simulated.microphone import FUNCTIONALS, SCORES
from sensors.drivers.simulated.person import Person
from sensors.drivers.simulated.talk import SPAN, TALKS, score_channels

Signal = Literal["ecg", "ppg", "respiration", "eeg", "eda", "skin_temperature", "acceleration", "camera", "voice"]
EVERYTHING: tuple[Signal, ...] = ("ecg", "ppg", "respiration", "eeg", "eda", "skin_temperature", "camera", "voice")
CHUNK = 1.0
"""Seconds of a chunk; of a recording of hours thirty times as much."""
LONG = 3600.0
PART = 600
"""Seconds that are drawn at once."""
IRREGULAR = 0.32
"""Relative standard deviation of the drawn intervals of fibrillation; each beat is a mixture of two of them."""


def person_of(member: Member, body: State, *, seconds: float, fibrillation: bool = False) -> Person:
    """The simulated visitor that has the numbers of an invented person's day."""
    made = replace(
        Person.random(member.seed, age=float(member.age), sex=member.sex),
        heart_rate=body.heart_rate,
        respiration_rate=body.respiration_rate,
        systolic=body.systolic,
        diastolic=body.diastolic,
        spo2=body.spo2,
        temperature=body.temperature,
        weight=body.weight,
        height=body.height,
    ).with_hrv(sdnn=min(body.sdnn, 110.0), rmssd=min(body.rmssd, 1.25 * min(body.sdnn, 110.0)))
    if not fibrillation:
        return made
    return replace(made, heart_rate_profile=irregular(member, body.heart_rate, seconds), rsa_ms=0.0, mayer_ms=0.0)


def irregular(member: Member, rate: float, seconds: float) -> tuple[tuple[float, float], ...]:
    """A rate that jumps with every beat: intervals without order, as of atrial fibrillation. P waves stay."""
    rng, at, corners = member.chance("fibrillation"), 0.0, []
    while at < seconds + 10.0:
        now = float(np.clip(60.0 / rate * (1.0 + IRREGULAR * rng.standard_normal()), 0.38, 1.6))
        corners += [(at, 60.0 / now), (at + now, 60.0 / now)]
        at += now
    return tuple(corners)


def tracks(person: Person, seconds: float, wanted: Sequence[Signal], *, rate: float | None = None) -> list[Track]:
    """What the devices would have delivered; `rate` is that of an ECG of hours."""
    body, found = Body(person, WEBCAM), []
    for signal in wanted:
        if signal == "camera":
            seen = traces(person, WEBCAM, seconds)
            found += [seen.rgb, seen.face_motion, seen.face_units]
        elif signal == "voice":
            found += _talk(person, seconds)
        else:
            found.append(_regular(body, signal, rate or RATES[signal], seconds))
    return found


def recording(person: Person, seconds: float, wanted: Sequence[Signal]) -> Recording:
    """The same as an analysis takes it."""
    return Recording(tuple(tracks(person, seconds, wanted)), name="simulated")


def chunks(track: Track, session: str, run: str) -> Iterator[Chunk]:
    """A track as it goes over the wire, without what was lost: a gap in its times is a chunk's end."""
    stream = Stream(session, track.device, track.signal, run)
    length = round(CHUNK * SECOND) * (30 if track.times[-1] > LONG * SECOND else 1)
    edges = np.flatnonzero(np.diff(track.times // length)) + 1
    for seq, (begin, end) in enumerate(zip([0, *edges], [*edges, len(track.times)], strict=True)):
        times = track.times[begin:end]
        offsets = None
        if track.rate is None:
            offsets = ((times - times[0]) // 1000).astype("<i4").tobytes()
        samples = track.samples[begin:end].astype("<f4").tobytes()
        yield Chunk(stream, seq, int(times[0]), track.rate, track.channels, samples, offsets)


def _regular(body: Body, signal: str, rate: float, seconds: float) -> Track:
    count, step = int(seconds * rate), int(PART * rate)
    parts = [body.stretch(signal, rate, first, min(step, count - first)) for first in range(0, count, step)]
    samples = np.concatenate([part.astype(np.float32) for part in parts])
    times = np.rint(np.arange(count) * (SECOND / rate)).astype(np.int64)
    return Track(signal, f"simulated-{signal.replace('_', '-')}", body.channels(signal), rate, times, samples)


def _talk(person: Person, seconds: float) -> list[Track]:
    rows = TALKS.of(person)
    found = []
    for signal, channels in ((FUNCTIONALS, VOICE_CHANNELS), (SCORES, score_channels())):
        mine = [row for row in rows if row.signal == signal]
        times, values = [], []
        for turn in range(int(seconds // SPAN)):
            times += [turn * SPAN * SECOND + row.time for row in mine]
            values += [row.values for row in mine]
        if mine and values and channels:
            found.append(Track(signal, MICROPHONE, tuple(channels), None, _rising(times), np.stack(values)))
    return found


def _rising(times: list[int]) -> NDArray[np.int64]:
    """Whole microseconds, as the wire has them."""
    return np.array(times, np.int64) // 1000 * 1000


__all__ = ["DEVICE", "EVERYTHING", "Signal", "chunks", "person_of", "recording", "tracks"]
