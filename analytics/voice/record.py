"""The final readings of a session's voice."""

from dataclasses import dataclass, replace

import numpy as np

from analytics.analyzer import Finding
from analytics.voice.prosody import Spoken, signs, spoken
from analytics.voice.words import AROUSAL, EMOTION, VALENCE, Floats, Heard, Times, axes, heard, pooled
from kiosk.measures import MEASURES, Reason
from kiosk.messages import SECOND
from kiosk.recording import Baseline, Context, Recording, Track

NOBODY = Context()
SIGNALS = ("voice_scores", "voice_functionals")
FEELING = (*EMOTION, VALENCE, AROUSAL)
PROSODY_METHOD = "voice-seconds-1"
NO_NETWORK = "voice-network-1"
REACH = 4.0
"""Seconds before a row of scores that it is of, at most: its speech within them is what it counts by."""
LEAST_WEIGHT = 0.1
"""Seconds of speech that every row has: the network heard some, whatever the functionals say."""
HALF_HEARD = 4.0
"""Seconds of speech that make a quality of one half."""
CLEAR, DROWNED = 20.0, 0.0
"""Decibels of speech above the room between which quality falls to nothing: the range over which the network was
measured to fall from what it can do in quiet to little more than chance (docs/voice-emotion.md)."""
UNCUT, CUT_UP = 0.001, 0.05
"""Shares of samples at full scale between which quality falls to nothing: from what the driver complains of
(docs/voice.md) to where every loud vowel has lost its tops."""
UNKNOWN_SNR = 0.7
"""Of quality, where the room is not known."""
LEAST_SESSIONS = 3
"""Earlier sessions from which something is usual for a person."""
LIMITS = "how it sounded to a network that learnt from actors, not what was felt"


@dataclass(frozen=True, slots=True)
class Answer:
    """A finding, the signals that it is from, and what there is to say about it."""

    finding: Finding
    signals: tuple[str, ...]
    note: str = ""


def answers(recording: Recording, device: str, context: Context = NOBODY) -> tuple[Answer, ...]:
    """Emotion, and how was spoken, from one microphone; nothing for a device that sent no track of a voice."""
    scores, functionals = (_of(recording, device, signal) for signal in SIGNALS)
    tracks = [track for track in (scores, functionals) if track is not None]
    if not tracks:
        return ()
    usual = {each.measure: each for each in context.baselines if each.sessions >= LEAST_SESSIONS}
    # a row tells of the second, or the seconds, before its time
    start = min(int(track.times[0]) - (SECOND if track is functionals else 0) for track in tracks)
    end = max(int(track.times[-1]) for track in tracks)
    said = [] if functionals is None else _prosody(functionals, start, end)
    return tuple(
        _beside(each, usual.get(each.finding.measure)) for each in (*_feeling(scores, functionals, start, end), *said)
    )


def _beside(answer: Answer, usual: Baseline | None) -> Answer:
    """With what is usual for this person. It is said and never taken away: a voice that is sad in every session is what
    a clinician must see (docs/voice-emotion.md has what taking it away would have gained)."""
    if usual is None or answer.finding.value is None:
        return answer
    words = f"usual for this person: {usual.mean:.2f} (sd {usual.sd:.2f}, {usual.sessions} sessions)"
    return replace(answer, note=f"{answer.note}; {words}" if answer.note else words)


def over_time(recording: Recording, device: str) -> tuple[Times, Heard, Floats] | None:
    """What networks said of a microphone: times of rows, emotions, and how much speech is behind each; None of none."""
    scores, functionals = (_of(recording, device, signal) for signal in SIGNALS)
    if scores is None:
        return None
    rows = scores.samples.astype(np.float64)
    there = np.isfinite(rows).all(axis=1)
    told = heard(scores.channels, rows[there])
    return (
        None
        if told is None or not there.any()
        else (scores.times[there], told, weights_of(scores.times[there], functionals))
    )


def devices(recording: Recording) -> tuple[str, ...]:
    """The microphones, in the order in which they appear."""
    return tuple(
        dict.fromkeys(track.device for track in recording.tracks if track.signal in SIGNALS and len(track.times))
    )


def _of(recording: Recording, device: str, signal: str) -> Track | None:
    """The device's track of a signal, the longest one where its channels changed."""
    found = [track for track in recording.of(signal) if track.device == device and len(track.times)]
    return max(found, key=lambda track: len(track.times), default=None)


def _prosody(track: Track, start: int, end: int) -> list[Answer]:
    rows = track.samples.astype(np.float64)
    quality = _quality(spoken(track.channels, rows))
    said = []
    for sign in signs(track.channels, rows):
        value = None if sign.value is None else _bounded(sign.measure, sign.value)
        finding = Finding(
            sign.measure, value, PROSODY_METHOD, start, end, quality=None if value is None else quality,
            absent=sign.absent,
        )  # fmt: skip
        said.append(Answer(finding, ("voice_functionals",), sign.note))
    return said


def _feeling(scores: Track | None, functionals: Track | None, start: int, end: int) -> list[Answer]:
    of = None if functionals is None else spoken(functionals.channels, functionals.samples.astype(np.float64))
    rows = np.empty((0, 0)) if scores is None else scores.samples.astype(np.float64)
    there = np.isfinite(rows).all(axis=1) if rows.size else np.zeros(len(rows), np.bool_)
    told = None if scores is None else heard(scores.channels, rows[there])
    signals = tuple(track.signal for track in (scores, functionals) if track is not None)
    absent = _absent(scores, of, bool(there.any()))
    if scores is None or told is None or absent is not None:
        method = NO_NETWORK if told is None else _method(told)
        return [
            Answer(Finding(measure, None, method, start, end, absent=_reason(measure, told, absent)), signals)
            for measure in FEELING
        ]
    weights = weights_of(scores.times[there], functionals)
    together = pooled(told, weights)
    quality = _quality(of) if of is not None else UNKNOWN_SNR * _share(float(weights.sum()))
    quality = round(quality * float(np.average(told.familiar, weights=weights)), 3)
    span = max(start, int(scores.times[there][0]) - round(REACH * SECOND)), max(start, int(scores.times[there][-1]))
    values = {f"voice_{name}": float(value) for name, value in zip(told.emotions, together, strict=True)}
    values[VALENCE], values[AROUSAL] = axes(told.emotions, together)
    note = f"{len(weights)} stretches of speech: {LIMITS}" if len(weights) > 1 else LIMITS
    said = []
    for measure in FEELING:
        method = _method(told) + ("+circumplex" if measure in (VALENCE, AROUSAL) else "")
        if measure in values:
            finding = Finding(measure, _bounded(measure, values[measure]), method, *span, quality=quality)
            said.append(Answer(finding, ("voice_scores",), note))
        else:
            finding = Finding(measure, None, method, *span, absent="no_trained_model")
            said.append(Answer(finding, ("voice_scores",)))
    return said


def _absent(scores: Track | None, of: Spoken | None, answered: bool) -> Reason | None:
    """Why there is no emotion at all; None where there is one."""
    if of is not None and of.absent is not None:
        return of.absent
    if scores is None:
        # somebody spoke, and nobody was there to say how
        return "no_trained_model" if of is None or of.speech >= 1.0 else "too_short"
    if answered:
        return None
    if of is None:
        return "no_speech"
    return "unfamiliar" if of.speech >= 1.0 else "insufficient"


def _reason(measure: str, told: Heard | None, absent: Reason | None) -> Reason:
    unknown = told is not None and measure in EMOTION and measure.removeprefix("voice_") not in told.emotions
    return "no_trained_model" if unknown or absent is None else absent


def weights_of(times: Times, functionals: Track | None) -> Floats:
    """Seconds of speech behind each row."""
    if functionals is None or "speech" not in functionals.channels:
        return np.ones(len(times))
    speech = np.nan_to_num(functionals.channel("speech")).clip(0.0, 1.0)
    sums = np.append(0.0, np.cumsum(speech))
    begin = np.searchsorted(functionals.times, times - round(REACH * SECOND), side="right")
    end = np.searchsorted(functionals.times, times, side="right")
    return np.asarray(np.maximum(LEAST_WEIGHT, sums[end] - sums[begin]))


def _quality(of: Spoken) -> float:
    clear = UNKNOWN_SNR if np.isnan(of.snr) else float(np.clip((of.snr - DROWNED) / (CLEAR - DROWNED), 0.0, 1.0))
    whole = 1.0 - float(np.clip((of.clipped - UNCUT) / (CUT_UP - UNCUT), 0.0, 1.0))
    return round(clear * whole * _share(of.speech), 3)


def _share(speech: float) -> float:
    return speech / (speech + HALF_HEARD)


def _method(told: Heard) -> str:
    return f"log-pool({'+'.join(told.networks)})-1"


def _bounded(measure: str, value: float) -> float:
    row = MEASURES[measure]
    return min(max(value, row.low), row.high)
