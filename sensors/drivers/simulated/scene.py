"""Where the visitor sits and what looks at them: every dial of room and camera in one frozen table.

Person is about the body, Scene about everything between it and the number in a picture. A plain Scene is an ideal
camera in even light whose frame times alone are those of a webcam; each dial adds one disturbance.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from sensors.drivers.simulated.chance import generator

Visitor = Literal["living", "photo", "nobody"]

_SHARES = ("dropped", "jitter", "beard", "flicker", "screen", "light")
_SIGNED = ("seed",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The dials. Another seed is another day in the same room."""

    seed: int = 0

    # who is there
    visitor: Visitor = "living"
    """A photo moves as it is held, but has no pulse, breath or blinks; nobody is an empty room."""
    distance: float = 0.6
    """Metres from camera to face."""
    faces: int = 1
    """How many are in view; the others stand farther away."""
    away_rate: float = 0.0
    """Times a minute that the visitor leaves the picture."""
    away_length: float = 4.0
    """Seconds, mean."""
    beard: float = 0.0
    """Share of chin that is hair; cheeks have half of it."""
    glasses: bool = False

    # frames
    frame_rate: float = 30.0
    jitter: float = 0.3
    """Frames come late by up to this share of a period; their times say so."""
    stamp_error: float = 0.0
    """Seconds, standard deviation: how far a frame's time is from when it was taken."""
    dropped: float = 0.01
    """Share of frames that are lost."""
    burst: float = 1.0
    """Frames that are lost in a row, mean."""

    # light
    light: float = 1.0
    """1 is a well-lit room; below, the camera's gain makes up for it as far as most_gain."""
    most_gain: float = 8.0
    flicker: float = 0.0
    """Relative depth of the lamps' flicker."""
    flicker_frequency: float = 100.0
    """Hertz: twice the mains. Frames see its alias."""
    shutter: float = 0.008
    """Seconds of exposure: a frame's mean of the flicker."""
    readout: float = 0.02
    """Seconds from the first row to the last (rolling shutter)."""
    screen: float = 0.0
    """Relative size of coloured light that changes in steps: a film on a screen before the visitor."""
    exposure_rate: float = 0.0
    """Times a minute that the camera's exposure control hunts."""
    exposure_size: float = 0.3
    """Exposure values (doublings) that it then goes."""
    shine: float = 1.0
    """How oily the skin is: scales specular reflection."""

    # sensor and codec
    blur: float = 0.0
    """Of a lens out of focus: standard deviation in 480ths of the picture's height (portraits only)."""
    read_noise: float = 0.0
    """Of one pixel, in steps of 0..255, at gain 1."""
    shot_noise: float = 0.0
    """Of one pixel at level 128 and gain 1; grows with the root of level and gain."""
    quantised: bool = False
    """Pixels are whole numbers. What noise and texture do not dither away stays in the means."""
    texture: float = 6.0
    """Standard deviation of the skin's own shading within a region; it dithers, too."""
    compression: float = 0.0
    """Quantiser step for the mean of an 8 x 8 block, 0 is none. H.264's QP 28 steps coefficients by 16, a mean by 2."""
    keyframes: int = 5
    """Seconds between pictures that the codec sends whole."""

    def __post_init__(self) -> None:
        if self.visitor not in ("living", "photo", "nobody"):
            raise ValueError("visitor is living, photo or nobody")
        for name, value in self._numbers():
            if not np.isfinite(value) or (value < 0 and name not in _SIGNED):
                raise ValueError(f"{name} must be finite and not negative")
            if name in _SHARES and value > 1:
                raise ValueError(f"{name} must be 0..1")
        if not 1.0 <= self.frame_rate <= 240.0:
            raise ValueError("frame_rate must be 1..240 a second")
        if not 0.2 <= self.distance <= 10.0:
            raise ValueError("distance must be 0.2..10 m")
        if self.light <= 0 or self.most_gain < 1:
            raise ValueError("light must be above 0 and most_gain at least 1")
        if self.dropped > 0.9 or self.jitter > 0.95:
            raise ValueError("dropped must be 0..0.9 and jitter 0..0.95")
        if self.burst < 1 or self.keyframes < 1 or self.faces < 1:
            raise ValueError("burst, keyframes and faces must be at least 1")

    def _numbers(self) -> Iterator[tuple[str, float]]:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float):
                yield field.name, value

    @property
    def gain(self) -> float:
        """Of the camera, for want of light."""
        return min(1.0 / self.light, self.most_gain) if self.light < 1 else 1.0

    @property
    def level(self) -> float:
        """Of the picture's values against those of a well-lit room, after gain and sRGB's curve."""
        return float((min(self.light, 1.0) * self.gain) ** (1 / 2.2))

    @classmethod
    def ideal(cls) -> "Scene":
        """Frames on a perfect grid, nothing lost."""
        return cls(jitter=0.0, dropped=0.0)

    @classmethod
    def webcam(cls) -> "Scene":
        """An ordinary camera in an ordinary room."""
        return cls(
            jitter=0.05,
            stamp_error=0.002,
            dropped=0.02,
            burst=1.5,
            flicker=0.01,
            exposure_rate=0.3,
            exposure_size=0.15,
            read_noise=1.0,
            shot_noise=2.0,
            quantised=True,
        )

    @classmethod
    def random(cls, seed: int) -> "Scene":
        """A plausible room and camera, from good to bad; its ranges are choices, no survey."""
        draw = generator(seed, "scene").random(20)

        def between(index: int, low: float, high: float) -> float:
            return float(low + (high - low) * draw[index])

        return cls(
            seed=seed,
            distance=between(0, 0.45, 1.2),
            beard=between(1, 0.3, 1.0) if draw[2] < 0.2 else 0.0,
            glasses=bool(draw[3] < 0.3),
            jitter=between(18, 0.0, 0.3),
            frame_rate=15.0 if draw[4] < 0.1 else 25.0 if draw[4] < 0.2 else 30.0,
            dropped=between(5, 0.0, 0.3) ** 2 * 3,
            burst=between(6, 1.0, 5.0),
            stamp_error=between(7, 0.0, 0.004),
            light=between(8, 0.25, 1.0),
            flicker=between(9, 0.0, 0.03),
            flicker_frequency=100.0 if draw[10] < 0.5 else 120.0,
            shutter=between(11, 0.004, 0.03),
            screen=between(12, 0.0, 0.02) if draw[13] < 0.3 else 0.0,
            exposure_rate=between(14, 0.0, 2.0),
            exposure_size=between(15, 0.05, 0.3),
            read_noise=between(16, 0.5, 2.0),
            shot_noise=between(17, 1.0, 3.0),
            quantised=True,
            compression=between(19, 0.3, 5.0) if draw[19] < 0.4 else 0.0,
        )
