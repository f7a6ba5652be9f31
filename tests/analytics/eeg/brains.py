"""EEG whose truth is known: a background of a given exponent, rhythms of a given power, and what goes wrong."""

import numpy as np
from numpy.typing import NDArray

from analytics import eeg
from kiosk.measures import BANDS
from kiosk.messages import SECOND
from kiosk.recording import Track

Floats = NDArray[np.float64]

RATE = 250.0
EIGHT = ("F3", "Fz", "F4", "P3", "Pz", "P4", "O1", "O2")
POWERS = tuple(f"eeg_{band}" for band in BANDS)
TEN_TWENTY = (
    "Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz", "C4", "T8", "P7", "P3", "Pz", "P4", "P8", "O1", "O2",
)  # fmt: skip


def background(
    seconds: float,
    rate: float,
    channels: int = 1,
    *,
    exponent: float = 1.2,
    amplitude: float = 8.0,
    shared: float = 0.8,
    seed: int = 0,
) -> Floats:
    """(samples, channels) of 1/f noise in microvolt, `amplitude` in root mean square from 1 to 45 Hz."""
    rng = np.random.default_rng(seed)
    count = round(seconds * rate)
    frequencies = np.fft.rfftfreq(count, 1 / rate)
    shape = np.maximum(frequencies, 0.3) ** (-exponent / 2) * (frequencies > 0.1)
    band = (frequencies >= 1) & (frequencies <= 45)

    def wave() -> Floats:
        phases = rng.standard_normal(len(frequencies)) + 1j * rng.standard_normal(len(frequencies))
        spectrum = shape * phases
        scale = np.sqrt(2.0 * np.square(np.abs(spectrum[band])).sum()) / count
        return np.asarray(np.fft.irfft(spectrum / scale, count))

    common = wave()
    mixed = [np.sqrt(shared) * common + np.sqrt(1 - shared) * wave() for _ in range(channels)]
    return np.asarray(amplitude * np.column_stack(mixed))


def rhythm(seconds: float, rate: float, frequency: float, power: float) -> Floats:
    """(samples, 1): a sine of this power in uV2."""
    times = np.arange(round(seconds * rate)) / rate
    return np.asarray(np.sqrt(2.0 * power) * np.sin(2 * np.pi * frequency * times + 0.4)[:, None])


def spindles(
    seconds: float, rate: float, frequency: float, power: float, *, width: float = 0.8, seed: int = 1
) -> Floats:
    """(samples, 1): a rhythm that waxes and wanes, as alpha does, of this power in uV2."""
    rng = np.random.default_rng(seed)
    count = round(seconds * rate)
    frequencies = np.fft.rfftfreq(count, 1 / rate)
    shape = np.exp(-0.5 * np.square((frequencies - frequency) / width))
    wave = np.fft.irfft(shape * np.exp(2j * np.pi * rng.random(len(frequencies))), count)
    return np.asarray(np.sqrt(power) * (wave / wave.std())[:, None])


def blinks(seconds: float, rate: float, every: float, height: float, *, seed: int = 2) -> Floats:
    """(samples, 1): humps of a third of a second, about so often."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * rate)) / rate
    at = np.arange(1.0, seconds - 1.0, every) + rng.uniform(-0.3, 0.3, len(np.arange(1.0, seconds - 1.0, every)))
    wave = np.zeros(len(times))
    for moment in at.tolist():
        wave += height * np.exp(-0.5 * np.square((times - moment) / 0.09))
    return wave[:, None]


def track(samples: Floats, rate: float, channels: tuple[str, ...] | None = None) -> Track:
    """A recording without gaps."""
    names = channels or TEN_TWENTY[: samples.shape[1]]
    times = np.rint(np.arange(len(samples)) * SECOND / rate).astype(np.int64)
    return Track("eeg", "cap", names, rate, times, samples.astype(np.float32))


def told(recording: Track) -> dict[str, eeg.Answer]:
    """The answers by measure."""
    found = {each.finding.measure: each for each in eeg.answers(recording)}
    assert tuple(sorted(found)) == tuple(sorted(eeg.MEASURED))
    return found


def values(recording: Track) -> dict[str, float | None]:
    """The values by measure."""
    return {measure: each.finding.value for measure, each in told(recording).items()}


def reasons(recording: Track) -> set[str | None]:
    """Why there is no number, of everything but the usable share and what was not asked for."""
    return {
        each.finding.absent
        for measure, each in told(recording).items()
        if measure not in ("eeg_usable", "eeg_eyes_contrast")
    }


def head(seconds: float = 60.0, channels: int = 8, rate: float = RATE, *, alpha: float = 30.0) -> Floats:
    return background(seconds, rate, channels) + spindles(seconds, rate, 10.0, alpha)


def powers(recording: Track) -> Floats:
    found = values(recording)
    return np.array([found[measure] for measure in POWERS], dtype=np.float64)
