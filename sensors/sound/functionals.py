"""One row of `VOICE_CHANNELS` from a second of sound: all that leaves of it (docs/voice.md defines every channel).

A value that does not exist - the pitch of a second without a voice - is NaN. Means and spreads over the frames of a
second say how somebody speaks; what was said would need the frames themselves.
"""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kiosk.signals import VOICE_CHANNELS
from sensors.sound.cepstrum import COUNT, cepstra
from sensors.sound.formants import EVERY, LOW_VOICE, formants
from sensors.sound.frames import BESIDE, FRAMES, HOP
from sensors.sound.pitch import Pitch, pitch
from sensors.sound.pulses import periods
from sensors.sound.rates import RATE, Sound
from sensors.sound.rhythm import Pauses, Syllables
from sensors.sound.spectra import Spectra, harmonics, spectra
from sensors.sound.speech import Detector, Room, spoken
from sensors.sound.weighting import a_weights

SEMITONES_ABOVE: Final = 27.5
"""Hertz (GeMAPS)."""
SILENCE: Final = -120.0
"""Decibels that are said of digital silence."""
LEAST_FRAMES: Final = 5
"""Frames that a spread, and a second's figure of its voice or speech, needs at least: 50 ms."""
LEAST_STEADY: Final = 3
"""Frames over which a rise or a fall of pitch or loudness goes on at least."""

Numbers = NDArray[np.float64]


class Voice:
    """Seconds of one stream, one after the other."""

    def __init__(self, models: Path | None = None) -> None:
        self._detector = Detector(models)
        self.reset()

    @property
    def name(self) -> str:
        """Who says where there is speech, for provenance."""
        return "silero_vad" if self._detector.installed else "harmonicity"

    def reset(self) -> None:
        """What comes next follows nothing."""
        self._room, self._syllables, self._pauses = Room(), Syllables(), Pauses()
        self._detector.reset()

    def row(self, stretch: Sound, clipped: float) -> NDArray[np.float32]:
        """The row of the stream's next second, given with what lies beside it; `clipped` is the share that was."""
        found = dict.fromkeys(VOICE_CHANNELS, np.nan)
        second = stretch[BESIDE : BESIDE + RATE]
        spectrum, track = spectra(stretch), pitch(stretch)
        level = spectrum.level
        room = self._room.hear(level)
        ours = spoken(level, track.voiced, room)
        speech = self._detector.hear(stretch) if self._detector.installed else ours
        voiced = track.voiced & speech & (level > room)
        paused = self._pauses.ended(speech)
        found |= {
            "level": _decibels(np.mean(second**2)),
            "level_a": _a_weighted(second),
            "peak": _decibels(np.max(second**2)),
            "clipped": clipped,
            "noise": room,
            "snr": _snr(level, speech, room),
            "speech": speech.mean(),
            "voiced": voiced.mean(),
            "syllables": float(self._syllables.count(level, voiced)),
            "pauses": float(paused.count),
            "pause": paused.seconds if paused.count else np.nan,
        }
        if np.count_nonzero(speech) >= LEAST_FRAMES:
            found |= _of_speech(spectrum, speech)
            unvoiced = speech & ~voiced
            if np.count_nonzero(unvoiced) >= LEAST_FRAMES:
                found |= {f"{name}_unvoiced": values[unvoiced].mean() for name, values in _balances(spectrum).items()}
        if np.count_nonzero(voiced) >= LEAST_FRAMES:
            found |= _of_voice(stretch, spectrum, track, voiced)
        return np.array([found[name] for name in VOICE_CHANNELS], np.float32)


def _of_speech(spectrum: Spectra, speech: NDArray[np.bool_]) -> dict[str, float]:
    found: dict[str, float] = {}
    loudness = spectrum.loudness
    low, middle, high = np.percentile(loudness[speech], (20, 50, 80))
    rise, fall = _slopes(np.where(speech, loudness, np.nan))
    found |= {
        "loudness_p20": low,
        "loudness_p50": middle,
        "loudness_p80": high,
        "loudness_sd": loudness[speech].std(),
        "loudness_rise": rise,
        "loudness_fall": fall,
        "spread": spectrum.spread[speech].mean(),
        "rolloff": spectrum.rolloff[speech].mean(),
        "entropy": spectrum.entropy[speech].mean(),
    }
    # against the frame before, which must be speech as well
    going_on = speech & np.concatenate(([False], speech[:-1]))
    if going_on.any():
        flux = spectrum.flux[going_on]
        found |= {"flux": flux.mean(), "flux_sd": flux.std()}
    centroid = spectrum.centroid[speech]
    found |= {"centroid": centroid.mean(), "centroid_sd": centroid.std()}
    coefficients = cepstra(spectrum)[speech]
    for number in range(COUNT):
        found[f"mfcc{number + 1}"] = coefficients[:, number].mean()
        found[f"mfcc{number + 1}_sd"] = coefficients[:, number].std()
    return found


def _of_voice(stretch: Sound, spectrum: Spectra, track: Pitch, voiced: NDArray[np.bool_]) -> dict[str, float]:
    found: dict[str, float] = {}
    hertz = track.hertz[voiced]
    semitones = 12 * np.log2(track.hertz / SEMITONES_ABOVE)
    low, middle, high = np.percentile(hertz, (20, 50, 80))
    rise, fall = _slopes(np.where(voiced, semitones, np.nan))
    found |= {
        "f0_p20": low,
        "f0_p50": middle,
        "f0_p80": high,
        "f0_mean": semitones[voiced].mean(),
        "f0_sd": semitones[voiced].std(),
        "f0_rise": rise,
        "f0_fall": fall,
        "crossings": _crossings(stretch, voiced),
    }
    each = periods(stretch, track, voiced)
    found |= {"jitter": each.jitter, "shimmer": each.shimmer, "hnr": each.hnr, "hnr_sd": each.hnr_sd}
    frames = np.flatnonzero(voiced)
    some = frames[::EVERY]
    places, widths = formants(stretch, some, middle < LOW_VOICE)
    third = np.nan
    for number in range(places.shape[1]):
        there = np.isfinite(places[:, number])
        if np.count_nonzero(there) < LEAST_FRAMES // EVERY + 1:
            continue
        name = f"f{number + 1}"
        found[name] = float(np.median(places[there, number]))
        found[f"{name}_sd"] = places[there, number].std()
        found[f"{name}_width"] = float(np.median(widths[there, number]))
        third = found[name] if number == 2 else third
    h1_h2, h1_a3, emphasis = harmonics(
        Spectra(spectrum.power[voiced]), hertz, np.full(len(hertz), third)
    )  # fmt: skip
    found |= {"h1_h2": _mean(h1_h2), "h1_a3": _mean(h1_a3), "emphasis": _mean(emphasis)}
    for name, values in _balances(spectrum).items():
        found[name], found[f"{name}_sd"] = values[voiced].mean(), values[voiced].std()
    return found


def _balances(spectrum: Spectra) -> dict[str, Numbers]:
    return {
        "alpha_ratio": spectrum.alpha_ratio,
        "hammarberg": spectrum.hammarberg,
        "slope_0_500": spectrum.slope(0),
        "slope_500_1500": spectrum.slope(1),
    }


def _mean(values: Numbers) -> float:
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else np.nan


def _slopes(values: Numbers) -> tuple[float, float]:
    """Mean steepness of the stretches that rise, and of those that fall, per second (GeMAPS); NaN where none do."""
    steps = np.diff(values)
    signs = np.where(np.isfinite(steps), np.sign(steps), 0)
    edges = np.flatnonzero(np.diff(signs)) + 1
    found: dict[float, list[float]] = {1.0: [], -1.0: []}
    for begin, end in zip([0, *edges], [*edges, len(steps)], strict=True):
        if signs[begin] and end - begin >= LEAST_STEADY - 1:
            found[float(signs[begin])].append(float(steps[begin:end].mean()) * FRAMES)
    return tuple(float(np.mean(each)) if each else np.nan for each in (found[1.0], found[-1.0]))  # type: ignore[return-value]


def _crossings(stretch: Sound, frames: NDArray[np.bool_]) -> float:
    """Zero crossings a second, of these frames."""
    signs = np.signbit(stretch[BESIDE : BESIDE + RATE])
    changes = np.diff(signs, prepend=signs[:1]).reshape(FRAMES, HOP)
    return float(changes[frames].sum() / np.count_nonzero(frames) * FRAMES)


def _snr(level: Numbers, speech: NDArray[np.bool_], room: float) -> float:
    if np.count_nonzero(speech) < LEAST_FRAMES:
        return np.nan
    power = np.mean(10 ** (level[speech] / 10)) - 10 ** (room / 10)
    return float(10 * np.log10(power) - room) if power > 0 else np.nan


def _a_weighted(second: Sound) -> float:
    spectrum = np.fft.rfft(second)
    weights = a_weights(np.asarray(np.arange(len(spectrum)) * (RATE / len(second)), np.float64))
    return _decibels(2 * float((np.abs(spectrum) ** 2) @ weights) / len(second) ** 2)


def _decibels(power: float | np.floating) -> float:
    return max(SILENCE, 10 * float(np.log10(power))) if power > 0 else SILENCE
