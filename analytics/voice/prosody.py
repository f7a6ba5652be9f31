"""How somebody speaks, over seconds of `voice_functionals`: pace, pauses, effort, pitch and voice quality.

Rows are seconds. What belongs to the voiced frames of a second counts by how much of it was voiced.
"""

from dataclasses import dataclass

import numpy as np

from analytics.voice.words import Floats
from kiosk.measures import Reason

PROSODY = (
    "speech_share", "speech_rate", "speech_pause", "vocal_effort", "voice_pitch", "voice_pitch_range", "voice_jitter",
    "voice_shimmer", "voice_hnr",
)  # fmt: skip
LEAST_SPEECH = 1.0
"""Seconds of speech below which it has no pace: about five syllables."""
LEAST_VOICE = 0.5
"""Seconds of voiced sound below which there is no pitch and no voice quality of a person."""
QUIET = -60.0
"""Decibels of full scale of the loudest second with speech below which the voice is too quiet: 16 bits leave six or
seven of them, and microphones of kiosks hiss at -65 to -60."""
LOUD = 95
"""Percentile that is called the loudest second."""
EDGES = (20, 80)
"""Percentiles between which the range of pitch lies (GeMAPS: Eyben et al. 2016, doi:10.1109/TAFFC.2015.2457417)."""
NEAR = 6.0
"""Decibels of speech above the room's noise below which it is too noisy for jitter, shimmer and the harmonics-to-noise
ratio: they would tell of the room (Deliyski, Shaw & Evans 2005, doi:10.1016/j.jvoice.2004.07.003, ask for far more)."""
CUT = 0.01
"""Share of samples at full scale, while somebody speaks, above which jitter, shimmer and the harmonics-to-noise ratio
tell of the clipping: at .3 it halves shimmer."""
_STEPS = np.arange(5, 100, 10)


@dataclass(frozen=True, slots=True)
class Sign:
    """One number, or why there is none."""

    measure: str
    value: float | None
    absent: Reason | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """How much there was to judge from."""

    seconds: float
    """With sound."""
    speech: float
    """Seconds of speech."""
    voice: float
    """Seconds of voiced sound."""
    level: float
    """Decibels of full scale of the loudest second with speech; minus infinity where nobody spoke."""
    snr: float
    """Decibels of speech above the room, by speech; NaN where it is not known."""
    clipped: float = 0.0
    """Share of samples at full scale while somebody spoke."""

    @property
    def absent(self) -> Reason | None:
        """Why nothing can be said of a voice, if so."""
        if self.speech <= 0.0:
            return "no_speech"
        return "too_quiet" if self.level < QUIET else None


def spoken(channels: tuple[str, ...], rows: Floats) -> Spoken:
    """Of rows of seconds."""
    speech, voiced, level, snr = (_column(channels, rows, name) for name in ("speech", "voiced", "level", "snr"))
    there = np.isfinite(speech)
    share = np.where(there, np.clip(np.nan_to_num(speech), 0.0, 1.0), 0.0)
    levels = level[(share > 0) & np.isfinite(level)]
    heard = (share > 0) & np.isfinite(snr)
    cut = _column(channels, rows, "clipped")
    known = (share > 0) & np.isfinite(cut)
    return Spoken(
        seconds=float(there.sum()),
        speech=float(share.sum()),
        voice=float(np.nan_to_num(voiced).clip(0.0, 1.0).sum()),
        level=float(np.percentile(levels, LOUD)) if len(levels) else -np.inf,
        snr=float(np.average(snr[heard], weights=share[heard])) if heard.any() else np.nan,
        clipped=float(np.average(cut[known], weights=share[known])) if known.any() else 0.0,
    )


def signs(channels: tuple[str, ...], rows: Floats) -> tuple[Sign, ...]:
    """Every measure of PROSODY."""
    of = spoken(channels, rows)
    if of.seconds == 0.0:
        return tuple(Sign(measure, None, "not_delivered") for measure in PROSODY)
    share = Sign("speech_share", 100.0 * of.speech / of.seconds)
    if of.absent is not None:
        return (share, *(Sign(measure, None, of.absent) for measure in PROSODY[1:]))
    return (share, *_pace(channels, rows, of), *_voice(channels, rows, of))


def _pace(channels: tuple[str, ...], rows: Floats, of: Spoken) -> tuple[Sign, Sign]:
    syllables, pauses, pause = (_column(channels, rows, name) for name in ("syllables", "pauses", "pause"))
    if of.speech < LEAST_SPEECH:
        return Sign("speech_rate", None, "too_short"), Sign("speech_pause", None, "too_short")
    counted, silent = float(np.nansum(pauses)), float(np.nansum(pause))
    rate = Sign("speech_rate", float(np.nansum(syllables)) / of.speech, note=f"in {of.speech:.0f} s of speech")
    if counted == 0:
        # nobody paused: there is no length of nothing
        return rate, Sign("speech_pause", None, "not_present")
    return rate, Sign("speech_pause", silent / counted, note=f"{counted:.0f} pauses")


def _voice(channels: tuple[str, ...], rows: Floats, of: Spoken) -> tuple[Sign, ...]:
    if of.voice < LEAST_VOICE:
        return tuple(Sign(measure, None, "too_short") for measure in PROSODY[3:])
    voiced = np.nan_to_num(_column(channels, rows, "voiced")).clip(0.0, 1.0)
    said = [_mean("vocal_effort", _column(channels, rows, "emphasis"), voiced)]
    places, weights = _pitches(channels, rows, voiced)
    if len(places):
        middle = _percentile(places, weights, 50)
        low, high = (_percentile(places, weights, edge) for edge in EDGES)
        said += [Sign("voice_pitch", middle), Sign("voice_pitch_range", float(12 * np.log2(high / low)))]
    else:
        said += [Sign(measure, None, "insufficient") for measure in ("voice_pitch", "voice_pitch_range")]
    for measure in PROSODY[6:]:
        if of.snr < NEAR:
            said.append(Sign(measure, None, "noisy"))
        elif of.clipped > CUT:
            said.append(Sign(measure, None, "saturated"))
        else:
            said.append(_mean(measure, _column(channels, rows, measure.removeprefix("voice_")), voiced))
    return tuple(said)


def _column(channels: tuple[str, ...], rows: Floats, name: str) -> Floats:
    return rows[:, channels.index(name)] if name in channels else np.full(len(rows), np.nan)


def _mean(measure: str, values: Floats, weights: Floats) -> Sign:
    there = np.isfinite(values) & (weights > 0)
    if not there.any():
        return Sign(measure, None, "insufficient")
    return Sign(measure, float(np.average(values[there], weights=weights[there])))


def _pitches(channels: tuple[str, ...], rows: Floats, voiced: Floats) -> tuple[Floats, Floats]:
    """Hertz with weights: three percentiles draw each second, on a logarithmic scale."""
    known = np.log2(
        np.stack([np.maximum(_column(channels, rows, f"f0_p{edge}"), 1.0) for edge in (20, 50, 80)], axis=1)
    )
    there = np.isfinite(known).all(axis=1) & (voiced > 0)
    low, middle, high = known[there].T[:, :, None]
    below, above = middle + (_STEPS - 50) / 30 * (middle - low), middle + (_STEPS - 50) / 30 * (high - middle)
    places = 2.0 ** np.where(_STEPS < 50, below, above)
    return places.ravel(), np.repeat(voiced[there], len(_STEPS))


def _percentile(values: Floats, weights: Floats, percent: float) -> float:
    order = np.argsort(values, kind="stable")
    shares = np.cumsum(weights[order]) - 0.5 * weights[order]
    return float(np.interp(percent / 100.0 * weights.sum(), shares, values[order]))
