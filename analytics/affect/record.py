"""A recording's ECG and EEG, a stretch of it beside its rest, as one opinion: what late fusion asks for."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics.affect.ecg import ecg_values
from analytics.affect.eeg import eeg_values
from analytics.affect.opinion import AffectNetwork, Opinion, absent
from analytics.analyzer import Finding
from kiosk.messages import SECOND
from kiosk.recording import Mark, Recording, Track

Floats = NDArray[np.float64]

SHORTEST = 30.0
"""Seconds of rest, and of what is asked about, below which there is no opinion."""


REST = ("rest", "baseline")
"""Marks from which the rest lasts, for their duration or until the next mark; what follows it is asked about."""


def findings(recording: Recording, models: Path | None) -> list[Finding]:
    """Valence and arousal of a visit with both an ECG and an EEG, as far as an operator's own network tells them."""
    tracks = [_first(recording, signal) for signal in ("ecg", "eeg")]
    spans = [(int(track.times[0]), int(track.times[-1])) for track in tracks if track is not None]
    if len(spans) < len(tracks):
        return []
    whole = (min(start for start, _ in spans), max(end for _, end in spans))
    network = None if models is None else AffectNetwork.installed(models)
    rest = _rest(recording.marks, whole[1])
    if network is None:
        told = absent("no_trained_model")
    elif rest is None:
        told = absent("no_reference")
    else:
        told = answer(recording, network, rest_ns=rest, asked_ns=(rest[1], whole[1]))
    return [
        Finding(measure, value, told.method, *whole, absent=told.absent)
        for measure, value in (("valence", told.valence), ("arousal", told.arousal))
    ]


def _rest(marks: tuple[Mark, ...], end: int) -> tuple[int, int] | None:
    for index, mark in enumerate(marks):
        if mark.text.lower() in REST:
            later = [each for each in marks[index + 1 :] if each.time > mark.time]
            # a visit says when its rest is over; elsewhere whatever is marked next ends it
            over = [each for each in later if each.text.lower().startswith(f"{mark.text.lower()}_end")] or later
            after = over[0].time if over else end
            return mark.time, mark.time + round(mark.duration * SECOND) if mark.duration else after
    return None


def answer(
    recording: Recording, network: AffectNetwork | None, *, rest_ns: tuple[int, int], asked_ns: tuple[int, int]
) -> Opinion:
    """Valence and arousal of a stretch of a recording beside its rest; absent with the reason."""
    if network is None:
        return absent("no_trained_model")
    tracks = {signal: _first(recording, signal) for signal in ("ecg", "eeg")}
    if not any(tracks.values()):
        return absent("not_present")
    if asked_ns[1] - asked_ns[0] < SHORTEST * SECOND:
        return absent("too_short")
    if rest_ns[1] - rest_ns[0] < SHORTEST * SECOND:
        return absent("no_reference")
    ecg, eeg = tracks["ecg"], tracks["eeg"]
    return network(
        None if ecg is None else _apart(ecg_values(ecg.between(*asked_ns)), ecg_values(ecg.between(*rest_ns))),
        None if eeg is None else _apart(eeg_values(eeg.between(*asked_ns)), eeg_values(eeg.between(*rest_ns))),
    )


def _first(recording: Recording, signal: str) -> Track | None:
    return next((track for track in recording.of(signal) if track.rate is not None and len(track.times)), None)


def _apart(asked: Floats, rest: Floats) -> Floats:
    return np.asarray(asked - rest)
