"""Colours of faces with a known pulse, and of what has none: a skin reflection model in a few lines (synthetic)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kiosk.messages import SECOND
from kiosk.recording import Track
from kiosk.signals import MOTION_CHANNELS, REGIONS, RGB_CHANNELS

Floats = NDArray[np.float64]

TONES = ((205, 158, 136), (190, 140, 115), (170, 118, 92), (140, 94, 72), (110, 74, 58), (80, 54, 44))
BLOOD = np.array([0.33, 0.77, 0.53]) / 0.77
"""de Haan & van Leest 2014, doi:10.1088/0967-3334/35/9/1913."""
STRENGTH = np.array([1.0, 1.15, 1.2, 1.1, 0.8])
PIXELS = np.array([20_000.0, 3_000.0, 1_800.0, 1_800.0, 1_200.0])


@dataclass(frozen=True, slots=True)
class Face:
    """A visitor before a camera."""

    rate: float = 72.0
    amplitude: float = 0.004
    """Of the pulse in green, as a share of its level; 0 is a photograph."""
    tone: int = 1
    seed: int = 0
    frames: float = 30.0
    jitter: float = 0.004
    """Seconds (SD) by which frames come early or late."""
    dropped: float = 0.0
    motion: float = 0.003
    """SD of slow changes of shade in each region."""
    light: float = 0.01
    """SD of a slow drift of the light."""
    noise: float = 2.0
    """Digits of one pixel."""
    varying: float = 0.02
    """SD of the intervals over their mean."""


def beats(face: Face, seconds: float) -> Floats:
    """When its heart beats, from before the first frame to after the last."""
    rng = np.random.default_rng([face.seed, 1])
    count = round((seconds + 8.0) * face.rate / 60.0)
    slow = np.sin(2 * np.pi * 0.25 * np.arange(count) * 60.0 / face.rate + rng.uniform(0, 6))
    steps = 60.0 / face.rate * (1.0 + face.varying * (slow + 0.7 * rng.standard_normal(count)))
    return np.asarray(np.cumsum(steps) - 4.0)


def volume(times: Floats, at: Floats) -> Floats:
    """Blood in the skin, about -1..1: an upstroke of a tenth of a second after each beat, and a dicrotic wave."""
    place = np.searchsorted(at, times) - 1
    total = np.zeros(len(times))
    for back in range(3):
        after = times - at[np.maximum(place - back, 0)]
        total += np.exp(-0.5 * ((after - 0.16) / 0.07) ** 2) + 0.45 * np.exp(-0.5 * ((after - 0.42) / 0.13) ** 2)
    return np.asarray(2.0 * (total - total.mean()) / np.ptp(total))


def clock(face: Face, seconds: float) -> NDArray[np.int64]:
    """Times of the frames that came."""
    rng = np.random.default_rng([face.seed, 2])
    times = np.arange(round(seconds * face.frames)) / face.frames
    times = times + np.clip(face.jitter * rng.standard_normal(len(times)), -0.4 / face.frames, 0.4 / face.frames)
    kept = rng.random(len(times)) >= face.dropped
    return np.rint((times[kept] + 1.0) * SECOND).astype(np.int64)


def colours(face: Face, seconds: float) -> Track:
    """Its track of `rgb`; the first frame is a second after the origin."""
    rng = np.random.default_rng([face.seed, 3])
    times = clock(face, seconds)
    at = times / SECOND - 1.0
    blood = face.amplitude * volume(at, beats(face, seconds)) if face.amplitude else np.zeros(len(at))
    lamp = 1.0 + face.light * slow(rng, len(at), 45)
    rows = np.full((len(at), len(REGIONS), 4), 0.0)
    skin = np.array(TONES[face.tone], dtype=np.float64)
    shine = skin.mean() / skin
    for region, pixels in enumerate(PIXELS):
        shade = face.motion * (slow(rng, len(at), 12)[:, None] + 0.3 * slow(rng, len(at), 12)[:, None] * shine)
        level = skin * lamp[:, None] * (1.0 + shade) * (1.0 - STRENGTH[region] * blood[:, None] * BLOOD)
        rows[:, region, :3] = level + face.noise * (1.0 / pixels) ** 0.5 * 3.0 * rng.standard_normal((len(at), 3))
        rows[:, region, 3] = pixels
    return track(times, rows)


def track(times: NDArray[np.int64], rows: Floats) -> Track:
    """Rows of (regions, 4) as a track."""
    samples = rows.reshape(len(times), len(RGB_CHANNELS)).astype(np.float32)
    return Track("rgb", "camera", RGB_CHANNELS, None, times, samples)


def changed(known: Track, rows: slice, *, colour: float | None = None, pixels: float | None = None) -> Track:
    """The track with all colours multiplied and pixel counts replaced in some rows; a colour of NaN is no face."""
    samples = known.samples.copy().reshape(len(known.times), len(REGIONS), 4)
    if colour is not None:
        samples[rows, :, :3] *= np.float32(colour)
    if pixels is not None:
        samples[rows, :, 3] = pixels
    return track(known.times, samples.astype(np.float64))


def motion(times: NDArray[np.int64], *, sway: float = 0.0, hertz: float = 1.2, speed: float = 0.01) -> Track:
    """How the face moves: still, or to and fro by so many shares of the picture's height."""
    rows = np.zeros((len(times), len(MOTION_CHANNELS)), dtype=np.float32)
    rng = np.random.default_rng(1)
    named = {name: place for place, name in enumerate(MOTION_CHANNELS)}
    rows[:, named["x"]] = 0.5
    rows[:, named["y"]] = 0.5 + sway * np.sin(2 * np.pi * hertz * times / SECOND)
    rows[:, named["y"]] += 0.0003 * rng.standard_normal(len(times)).astype(np.float32)
    rows[:, named["size"]], rows[:, named["motion"]] = 0.4, speed
    rows[:, named["light"]], rows[:, named["faces"]] = 0.5, 1.0
    return Track("face_motion", "camera", MOTION_CHANNELS, None, times, rows)


def slow(rng: np.random.Generator, count: int, width: float) -> Floats:
    """Noise without anything fast, of SD 1."""
    x = ndimage.gaussian_filter1d(rng.standard_normal(count + 8 * round(width)), width)[4 * round(width) :][:count]
    return np.asarray(x / x.std())


def lifeless(seconds: float, seed: int) -> Iterator[tuple[str, Track]]:
    """Faces without life, each with the name of what happens to it."""
    rng = np.random.default_rng([seed, 4])
    photo = Face(amplitude=0.0, seed=seed)
    still = colours(photo, seconds)
    times, rows = still.times, still.samples.astype(np.float64).reshape(-1, len(REGIONS), 4)
    at = times / SECOND
    yield "photograph", still

    def with_light(changes: Floats) -> Track:
        lit = rows.copy()
        lit[:, :, :3] *= 1.0 + changes
        return track(times, lit)

    hertz = rng.uniform(0.7, 2.0)
    phase = 2 * np.pi * hertz * at + 0.3 * np.cumsum(rng.standard_normal(len(at))) / 30.0
    swings = np.stack([np.sin(phase), np.cos(phase + rng.normal(0, 0.5))], axis=1)
    slopes = 0.004 * rng.standard_normal((2, len(REGIONS), 1)) + 0.001 * rng.standard_normal((2, len(REGIONS), 3))
    yield "photograph in a hand", with_light(np.einsum("nd,drc->nrc", swings, slopes))
    yield "flicker", with_light(0.004 * np.sin(2 * np.pi * rng.uniform(0.8, 3.0) * at)[:, None, None] * np.ones(3))
    hunting = np.sin(2 * np.pi * rng.uniform(0.5, 1.5) * at)[:, None, None] * np.array([1.0, 0.0, -1.2])
    yield "white balance", with_light(0.002 * hunting)
    scenes = rng.standard_normal((round(seconds) + 1, 1, 3)) * 0.004
    yield "screen", with_light(scenes[(at - at[0]).astype(np.intp)])
    drift = rng.standard_normal((len(at), len(REGIONS), 3)).cumsum(axis=0) * 3e-4
    yield "random walk", with_light(drift)
    pictures = (at * 30.0).astype(np.intp) % 24 < 3
    yield "key frames", with_light(pictures[:, None, None] * 0.002 * rng.standard_normal((len(REGIONS), 3)))
