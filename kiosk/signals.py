"""Waveforms: one row of a frozen table each. Adding a signal is adding a row.

Only rows with `leaves=True` may leave the sensor process. The others are named so that the drivers, the bus and
the recorder can refuse them by name: pixels, audio, frame spectra, landmark sets and identity vectors.
`budget` is the most payload a stream of this signal may carry, in bytes per second of measurement: a promise that
nothing bigger is smuggled through a name that sounds harmless. `low` and `high` are what the quantity can possibly
be; samples outside are kept as they are (nothing is lost) and marked unusable by the analysis.
"""

from dataclasses import dataclass
from types import MappingProxyType

REGIONS = ("whole", "forehead", "left_cheek", "right_cheek", "chin")
RGB_CHANNELS = tuple(f"{region}_{part}" for region in REGIONS for part in ("r", "g", "b", "pixels"))
MOTION_CHANNELS = (
    "pitch",  # degrees, against the first second in view; up, to the person's left and left shoulder are positive
    "yaw",
    "roll",
    "x",  # of the face's middle, shares of the picture's width and height
    "y",
    "size",  # height of the face, share of the picture's height
    "motion",  # how far the landmarks moved since the frame before, shares of the face's height per second
    "chest",  # how far the chest has moved up since it came into view, shares of the face's height
    "light",  # mean luminance of the face, 0..1
    "gaze_x",  # degrees from straight ahead of the head, to the person's left and up
    "gaze_y",  # against the first second in view
    "faces",  # how many are in view
    "visitor",  # which person is followed, counted from 1: another number, another face
)
UNIT_CHANNELS = tuple(
    f"au{number:02}" for number in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 18, 20, 23, 24, 25, 26, 43)
)
"""Action units of the Facial Action Coding System (Ekman & Friesen 1978) whose effect landmarks can show."""
VOICE_CHANNELS = (
    # of the whole second; decibels are against full scale
    *("level", "level_a", "peak", "clipped", "noise", "snr", "speech", "voiced", "syllables", "pauses", "pause"),
    # of its voiced frames; NaN where there are none. Semitones are above 27.5 Hz
    *("f0_p20", "f0_p50", "f0_p80", "f0_mean", "f0_sd", "f0_rise", "f0_fall"),
    *("jitter", "shimmer", "hnr", "hnr_sd", "emphasis", "h1_h2", "h1_a3"),
    *("f1", "f1_sd", "f1_width", "f2", "f2_sd", "f2_width", "f3", "f3_sd", "f3_width"),
    *("alpha_ratio", "alpha_ratio_sd", "hammarberg", "hammarberg_sd"),
    *("slope_0_500", "slope_0_500_sd", "slope_500_1500", "slope_500_1500_sd"),
    # of its frames with speech and without a voice
    *("alpha_ratio_unvoiced", "hammarberg_unvoiced", "slope_0_500_unvoiced", "slope_500_1500_unvoiced"),
    # of all its frames with speech
    *("loudness_p20", "loudness_p50", "loudness_p80", "loudness_sd", "loudness_rise", "loudness_fall"),
    *("flux", "flux_sd", "centroid", "centroid_sd", "spread", "rolloff", "entropy", "crossings"),
    *(f"mfcc{number}" for number in range(1, 14)),
    *(f"mfcc{number}_sd" for number in range(1, 14)),
)
"""Of a second of sound; each is defined in docs/voice.md."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What a waveform is, how fast it may come, and whether it may leave the sensor process."""

    name: str
    title: str
    unit: str
    low: float
    high: float
    rates: tuple[float, float] | None
    """Slowest and fastest nominal rate in hertz; None where every sample has its own time."""
    budget: int
    channels: tuple[str, ...] | None = None
    """Exactly these, in this order; None where the device names its own (leads, electrodes)."""
    most_channels: int = 1
    leaves: bool = True
    irregular: bool = False
    """Samples may carry times of their own (camera frames, beat intervals)."""
    drawn_live: bool = False
    """A screen sweeps it: chunks of a tenth of a second instead of a whole one."""
    alone: bool = False
    """A row tells of a second or more: it waits for no other."""

    def accepts_rate(self, rate: float | None) -> bool:
        """Whether a stream may have this nominal rate (None: times of its own)."""
        if rate is None:
            return self.irregular
        return self.rates is not None and self.rates[0] <= rate <= self.rates[1]

    def accepts_channels(self, channels: tuple[str, ...]) -> bool:
        """Whether a stream may have these channels."""
        if self.channels is not None:
            return channels == self.channels
        return 1 <= len(channels) <= self.most_channels and len(set(channels)) == len(channels)


def _kept(name: str, title: str) -> Signal:
    return Signal(name, title, "", 0.0, 0.0, None, 0, leaves=False, irregular=True)


_ROWS = (
    Signal("ecg", "Electrocardiogram", "mV", -20, 20, (50, 4000), 400_000, most_channels=15, drawn_live=True),
    Signal("ppg", "Photoplethysmogram", "1", -1e9, 1e9, (10, 2000), 64_000, most_channels=8, irregular=True,
           drawn_live=True),
    Signal("eeg", "Electroencephalogram", "uV", -10_000, 10_000, (50, 4000), 4_100_000, most_channels=256),
    Signal("respiration", "Breathing effort", "1", -1e9, 1e9, (1, 1000), 16_000, most_channels=4, drawn_live=True),
    Signal("eda", "Electrodermal activity", "uS", 0, 200, (1, 1000), 8_000, most_channels=2),
    Signal("skin_temperature", "Skin temperature", "Cel", 0, 60, (0.1, 100), 2_000, most_channels=4),
    Signal("acceleration", "Acceleration", "g", -32, 32, (5, 2000), 24_000, channels=("x", "y", "z")),
    Signal("rr", "Beat-to-beat intervals from a device", "ms", 100, 10_000, None, 200, irregular=True),
    Signal("rgb", "Mean skin colour (0..255, at a common level) and pixel count per region", "1", 0, 1e8, (5, 240),
           12_000, channels=RGB_CHANNELS, irregular=True),
    Signal("face_motion", "Head pose and gaze (degrees), place, size, motion and light (shares)", "1", -360, 360,
           None, 5_200, channels=MOTION_CHANNELS, irregular=True),
    Signal("face_units", "Action-unit intensities (0 none .. 5 most)", "1", 0, 5, None, 7_200, channels=UNIT_CHANNELS,
           irregular=True),
    Signal("face_scores", "Expression probabilities, valence and arousal per network", "1", -1, 1, None, 7_200,
           most_channels=24, irregular=True),
    # one row per window of at least a second: nobody can turn that back into speech
    Signal("voice_functionals", "Voice statistics over windows of a second or more", "1", -1e9, 1e9, (0.02, 1),
           1_024, channels=VOICE_CHANNELS, irregular=True, alone=True),
    Signal("voice_scores", "Emotion probabilities per network over a second of speech or more", "1", -1, 1, None,
           512, most_channels=24, irregular=True, alone=True),
    _kept("image", "Camera pictures"),
    _kept("audio", "Microphone samples"),
    _kept("voice_frames", "Frame-level spectra or cepstra"),
    _kept("landmarks", "Face landmark sets"),
    _kept("embedding", "Identity vectors"),
)  # fmt: skip

SIGNALS: MappingProxyType[str, Signal] = MappingProxyType({row.name: row for row in _ROWS})
