"""A simulated voice whose pitch, jitter, shimmer, noise, formants, syllables and pauses are known.

Source and filter (Fant 1960): glottal pulses (Rosenberg 1971, doi:10.1121/1.1912389, as flow derivative) at times with
the wanted jitter and with amplitudes of the wanted shimmer, breath noise, a cascade of resonators (Klatt 1980,
doi:10.1121/1.383940). Pulses lie between samples where they should, so that the sound has no jitter of its own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter, resample_poly

RATE = 16_000
FINER = 3
"""The sound is made at three times its rate, so that pulses do not fold."""
VOWELS = {
    "a": (730.0, 1090.0, 2440.0),
    "i": (270.0, 2290.0, 3010.0),
    "u": (300.0, 870.0, 2240.0),
    "e": (530.0, 1840.0, 2480.0),
}
"""First three formants of men (Peterson & Barney 1952, doi:10.1121/1.1906875)."""
HIGHER = ((3500.0, 175.0), (4500.0, 250.0), (5500.0, 300.0))
"""Frequencies and bandwidths of those above (Klatt 1980)."""
WIDTHS = (80.0, 90.0, 150.0)
OPENING, CLOSING = 0.40, 0.16
"""Shares of a period in which the glottis opens and closes (Rosenberg 1971)."""
STEP = 2 / np.sqrt(np.pi)
"""Mean absolute difference of two numbers of a normal distribution with SD 1."""

Sound = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sound at 16 kHz and what is true of it."""

    samples: NDArray[np.float32]
    jitter: float
    """Percent, of the periods as they were drawn."""
    shimmer: float
    syllables: tuple[float, ...] = ()
    """Seconds of their middles."""
    pauses: tuple[tuple[float, float], ...] = ()
    """Begin and end of the silences between phrases, in seconds."""


def vowel(
    seconds: float,
    *,
    f0: float = 120.0,
    f0_end: float | None = None,
    formants: tuple[float, ...] = VOWELS["a"],
    jitter: float = 0.0,
    shimmer: float = 0.0,
    hnr: float = np.inf,
    level: float = -20.0,
    seed: int = 0,
) -> Spoken:
    """One held vowel. Jitter and shimmer in percent, noise as harmonics-to-noise ratio in dB, level in dB (RMS)."""
    chance = np.random.default_rng(seed)
    rate = RATE * FINER
    count = round(seconds * rate)
    periods = _periods(seconds, f0, f0 if f0_end is None else f0_end, jitter, chance)
    heights = np.maximum(1 + chance.normal(size=len(periods)) * shimmer / 100 / STEP, 0.05)
    source = np.zeros(count)
    for begin, height in zip(np.cumsum(periods) - periods, heights, strict=True):
        # all alike: were a pulse as long as its period, it would undo half of the jitter where it closes
        length = 1 / (f0 if f0_end is None else f0 * (f0_end / f0) ** (begin / seconds))
        first, last = int(np.ceil(begin * rate)), min(count, int((begin + length) * rate) + 1)
        source[first:last] += height * _flow_derivative((np.arange(first, last) / rate - begin) / length)
    tract = [*zip(formants, WIDTHS, strict=False), *HIGHER]
    voice, breath = _through(source, tract, rate), _through(chance.normal(size=count), tract, rate)
    voice, breath = resample_poly(voice, 1, FINER), resample_poly(breath, 1, FINER)
    if np.isfinite(hnr):
        voice = voice + breath * np.sqrt(np.mean(voice**2) / np.mean(breath**2)) * 10 ** (-hnr / 20)
    voice *= 10 ** (level / 20) / np.sqrt(np.mean(voice**2))
    return Spoken(
        voice.astype(np.float32),
        100 * float(np.abs(np.diff(periods)).mean() / periods.mean()) if jitter else 0.0,
        100 * float(np.abs(np.diff(heights)).mean() / heights.mean()) if shimmer else 0.0,
    )


def speech(
    seconds: float,
    *,
    rate: float = 4.0,
    f0: float = 120.0,
    phrase: float = 2.0,
    pause: float = 0.6,
    jitter: float = 0.8,
    shimmer: float = 4.0,
    hnr: float = 20.0,
    level: float = -25.0,
    noise: float = -75.0,
    seed: int = 0,
) -> Spoken:
    """Syllables of a hiss and a vowel at a rate (per second of phrase), in phrases with pauses between them.

    `level` is that of the phrases, `noise` that of the room, in dB.
    """
    chance = np.random.default_rng(seed)
    found = np.zeros(round(seconds * RATE))
    middles, pauses = [], []
    begin, number = pause, 0
    spoken = np.zeros(len(found), np.bool_)
    while begin + phrase <= seconds - 0.05:
        each = phrase / max(1, round(phrase * rate))
        for syllable in range(max(1, round(phrase * rate))):
            at = begin + syllable * each
            hiss = 0.25 * each
            name = list(VOWELS)[number % len(VOWELS)]
            made = vowel(
                each - hiss, f0=f0 * (1.12 - 0.24 * syllable * each / phrase), formants=VOWELS[name], jitter=jitter,
                shimmer=shimmer, hnr=hnr, level=0.0, seed=seed * 1000 + number,
            ).samples.astype(np.float64)  # fmt: skip
            _add(found, made * _faded(len(made)), at + hiss)
            rustle = chance.normal(size=round(hiss * RATE))
            _add(found, 0.06 * lfilter([1, -0.9], [1], rustle) * _faded(len(rustle)), at)
            middles.append(at + hiss + (each - hiss) / 2)
            number += 1
        spoken[round(begin * RATE) : round((begin + phrase) * RATE)] = True
        pauses.append((begin + phrase, begin + phrase + pause))
        begin += phrase + pause
    if spoken.any():
        found *= 10 ** (level / 20) / np.sqrt(np.mean(found[spoken] ** 2))
    found += chance.normal(size=len(found)) * 10 ** (noise / 20)
    return Spoken(found.astype(np.float32), jitter, shimmer, tuple(middles), tuple(pauses[:-1]))


def _periods(seconds: float, begin: float, end: float, jitter: float, chance: np.random.Generator) -> Sound:
    """Lengths of the periods, in seconds, until the end is passed."""
    periods = []
    at = 0.0
    while at < seconds:
        period = 1 / (begin * (end / begin) ** (at / seconds))
        period *= max(0.5, 1 + chance.normal() * jitter / 100 / STEP) if jitter else 1.0
        periods.append(period)
        at += period
    return np.array(periods)


def _flow_derivative(phase: Sound) -> Sound:
    """Of a pulse of height one (Rosenberg 1971, type C); phase 0..1."""
    opening = np.pi / (2 * OPENING) * np.sin(np.pi * phase / OPENING)
    closing = -np.pi / (2 * CLOSING) * np.sin(np.pi / 2 * (phase - OPENING) / CLOSING)
    return np.where(phase < OPENING, opening, np.where(phase < OPENING + CLOSING, closing, 0.0))


def _through(source: Sound, tract: list[tuple[float, float]], rate: int) -> Sound:
    """The source through a cascade of resonators (Klatt 1980)."""
    for frequency, width in tract:
        radius = np.exp(-np.pi * width / rate)
        turn = 2 * radius * np.cos(2 * np.pi * frequency / rate)
        source = lfilter([1 - turn + radius**2], [1, -turn, radius**2], source)
    return source


def _faded(count: int) -> Sound:
    """Comes and goes within 25 ms, or within a third where that is less."""
    edge = max(1, min(round(0.025 * RATE), count // 3))
    fade = np.ones(count)
    fade[:edge] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    fade[-edge:] = fade[:edge][::-1]
    return fade


def _add(into: Sound, part: Sound, seconds: float) -> None:
    begin = round(seconds * RATE)
    end = min(len(into), begin + len(part))
    into[begin:end] += part[: end - begin]
