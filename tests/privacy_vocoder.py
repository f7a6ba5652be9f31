"""An attacker with a vocoder: speech again from what was measured of it, frame by frame or second by second.

Source and filter: pulses at the pitch or noise, through the envelope that the cepstra say, as loud as the level says.
From frames of 10 ms it makes speech that can be understood: that is the control. Of what is published there is a row a
second; between them it interpolates, and within a second it lets the sound come and go as often as syllables were
counted, with the spread that the row tells. Where in a second the syllables were it does not know: of many guesses it
is given the best one, chosen with the true speech, which a real attacker does not have.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.fft import idct

from kiosk.signals import VOICE_CHANNELS
from sensors.sound.cepstrum import _LIFT, BANDS, COUNT, HIGHEST, LOWEST, _mel, cepstra
from sensors.sound.frames import BESIDE, FRAMES, HOP, STRETCH
from sensors.sound.pitch import pitch
from sensors.sound.rates import RATE
from sensors.sound.spectra import HERTZ, spectra

Floats = NDArray[np.float64]
SIZE = 1024
GUESSES = 11


def seconds_of(sound: Floats) -> Iterator[Floats]:
    """Its whole seconds, with what lies beside them."""
    padded = np.concatenate([np.zeros(BESIDE), sound, np.zeros(BESIDE)])
    for begin in range(0, len(sound) // RATE * RATE, RATE):
        yield padded[begin : begin + STRETCH]


def from_frames(sound: Floats, *, every: int = 1) -> Floats:
    """Speech from its own frames of 10 ms, or from every so manieth: cepstra, level and pitch, which never leave."""
    parts = [(cepstra(each := spectra(stretch)), each.level, pitch(stretch).hertz) for stretch in seconds_of(sound)]
    coefficients, level, hertz = (np.concatenate(each) for each in zip(*parts, strict=True))
    held = np.arange(len(level)) // every * every
    return _spoken(coefficients[held], level[held], hertz[held])


def from_rows(rows: Floats) -> Iterator[Floats]:
    """Guesses of the speech behind rows of `voice_functionals`, the plainest first."""
    at = {name: rows[:, place] for place, name in enumerate(VOICE_CHANNELS)}
    count = len(rows) * FRAMES
    times = (np.arange(count) + 0.5) / FRAMES
    middles = np.arange(len(rows)) + 0.5

    def course(values: Floats) -> Floats:
        known = np.isfinite(values)
        return np.interp(times, middles[known], values[known]) if known.any() else np.zeros(count)

    means = np.column_stack([course(at[f"mfcc{number}"]) for number in range(1, COUNT + 1)])
    spreads = np.column_stack([course(at[f"mfcc{number}_sd"]) for number in range(1, COUNT + 1)])
    pitches = course(at["f0_p50"])
    level, spread, syllables = course(at["level"]), course(at["loudness_sd"]), course(at["syllables"])
    voiced, speech = course(at["voiced"]), course(at["speech"])
    yield _spoken(means, level, np.where(voiced > 0.3, pitches, np.nan))
    chance = np.random.default_rng(1)
    for guess in range(GUESSES):
        # syllables of even length from a phase that is guessed, faster and slower within the second as by chance
        phase = np.cumsum(syllables) / FRAMES + guess / GUESSES * 2
        knots = np.arange(0, times[-1] + 1, 0.25)
        phase = phase + 0.15 * np.interp(times, knots, chance.normal(size=len(knots)))
        swing = np.cos(2 * np.pi * phase)
        sounds = np.argsort(np.argsort(swing.reshape(-1, FRAMES), axis=1), axis=1).ravel() / FRAMES
        is_voiced = sounds > 1 - voiced
        # a vowel is louder than a hiss, and its first coefficient is higher; the others are guessed
        signs = np.concatenate([[1.0], chance.choice([-1.0, 1.0], COUNT - 1)])
        glide = np.interp(phase % 1, np.linspace(0, 1, 5), chance.normal(size=5))
        moved = means + spreads * (signs * swing[:, None] * 0.7 + 0.5 * glide[:, None])
        loud = np.where(sounds > 1 - np.maximum(speech, 0.05), level + spread * swing, level - 30)
        fall = pitches * 2 ** ((0.5 - phase % 4 / 4) * 2 / 12)
        yield _spoken(moved, loud, np.where(is_voiced, fall, np.nan))


_LOW, _HIGH = _mel(np.array([LOWEST, HIGHEST])).tolist()
_CENTRES = 700 * np.expm1(np.linspace(float(_LOW), float(_HIGH), BANDS + 2)[1:-1] / 1127)


def _spoken(coefficients: Floats, level: Floats, hertz: Floats) -> Floats:
    """Sound of frames of 10 ms."""
    bands = np.zeros((len(level), BANDS))
    bands[:, 1 : COUNT + 1] = coefficients / _LIFT
    logs = idct(bands, type=2, norm="ortho", axis=1)
    # a band is wider where it is higher: its density is what an envelope is
    widths = np.interp(_CENTRES, HERTZ, np.gradient(_mel(HERTZ), HERTZ))
    lines = np.fft.rfftfreq(SIZE, 1 / RATE)
    power = np.exp(np.array([np.interp(lines, _CENTRES, row) for row in logs + np.log(widths)]))
    power *= (10 ** (level / 10) / power.mean(axis=1))[:, None]
    source = _source(hertz)
    window = np.hanning(2 * HOP + 1)[:-1]
    found = np.zeros(len(source) + SIZE)
    padded = np.concatenate([np.zeros(HOP // 2), source, np.zeros(2 * HOP)])
    for frame in range(len(level)):
        begin = frame * HOP
        piece = np.fft.rfft(padded[begin : begin + 2 * HOP] * window, SIZE) * np.sqrt(power[frame])
        found[begin : begin + SIZE] += np.fft.irfft(piece, SIZE)
    return np.asarray(found[HOP // 2 : HOP // 2 + len(source)])


def _source(hertz: Floats) -> Floats:
    """Pulses where there is a pitch, noise elsewhere, both of power one."""
    chance = np.random.default_rng(0)
    each = np.repeat(hertz, HOP)
    phase = np.cumsum(np.nan_to_num(each)) / RATE
    pulses = np.diff(np.floor(phase), prepend=0.0) * np.sqrt(RATE / np.where(each > 0, each, 1.0))
    noise = chance.normal(size=len(each))
    return np.where(np.isfinite(each), 0.97 * pulses + 0.1 * noise, noise)


def nothing(count: int) -> Iterator[Floats]:
    """Sounds that tell of no speech at all: a buzz, a tone, noise."""
    yield _source(np.full(-(-count // HOP), 120.0))[:count]
    yield np.sin(2 * np.pi * 1000 * np.arange(count) / RATE)
    yield np.random.default_rng(2).normal(size=count)
