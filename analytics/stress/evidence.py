"""What the index is made of: the measures, the systems of the body that they speak for, and what each weighs."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Protocol


class System(Enum):
    """A part of the body that answers to stress; several measures of one system count as one."""

    RATE = "rate"
    VARIABILITY = "variability"
    SWEAT = "sweat"
    SKIN = "skin"
    BREATH = "breath"
    BRAIN = "brain"
    """The stress index does not ask it; the index of arousal does."""


WEIGHTS: MappingProxyType[System, float] = MappingProxyType(
    {
        System.RATE: 1.0,
        System.VARIABILITY: 0.5,
        System.SWEAT: 1.0,
        System.SKIN: 0.5,
        System.BREATH: 0.5,
        System.BRAIN: 0.0,
    }
)
"""One for what rises in most people under acute stress, one half for the rest. Set before any recording was scored and
not fitted (heart: Castaldo et al. 2015, doi:10.1016/j.bspc.2015.02.012; sweat: Boucsein et al. 2012,
doi:10.1111/j.1469-8986.2012.01384.x; skin: Vinkers et al. 2013, doi:10.3109/10253890.2013.807243)."""
CARRIERS = frozenset({System.RATE, System.SWEAT})
"""Without either of them there is no index."""


def weight(systems: Iterable[System]) -> float:
    """Of these systems, each counted once."""
    return math.fsum(WEIGHTS[system] for system in set(systems))


def enough(systems: Iterable[System]) -> bool:
    """Whether an index can rest on these systems."""
    return not CARRIERS.isdisjoint(systems)


@dataclass(frozen=True, slots=True)
class Part:
    """How one measure enters."""

    measure: str
    system: System
    sign: int
    """What stress does to it: 1 raises, -1 lowers."""
    logarithm: bool
    """Whether it is compared by ratio."""
    possible: tuple[float, float]
    """What it can be at all; anything else counts as not measured."""
    usual: float
    """How much it varies from one rest to the next in one person (SD on its scale): a prior of ours, not a norm."""
    title: str
    unit: str
    decimals: int

    def holds(self, value: float) -> bool:
        """Whether it can have this value at all."""
        return self.possible[0] <= value <= self.possible[1]


class Measured(Protocol):
    """What was measured, whatever index is made of it."""

    def measured(self) -> Iterator[tuple[Part, float]]:
        """The parts that are there and possible, with their values."""
        ...


PARTS = (
    Part("heart_rate", System.RATE, 1, False, (15, 350), 4.0, "heart rate", "/min", 0),
    Part("rmssd", System.VARIABILITY, -1, True, (0.1, 2000), 0.25, "RMSSD", "ms", 0),
    Part("sdnn", System.VARIABILITY, -1, True, (0.1, 1000), 0.25, "SDNN", "ms", 0),
    Part("stress_index", System.VARIABILITY, 1, True, (0.01, 1000), 0.25, "Baevsky's stress index", "", 1),
    Part("eda_slope", System.SWEAT, 1, False, (-200, 200), 10.0, "drift of skin conductance", "%/min", 0),
    Part("eda_peaks", System.SWEAT, 1, False, (0, 60), 2.0, "skin conductance responses", "/min", 1),
    Part("skin_temperature_slope", System.SKIN, -1, False, (-5, 5), 0.1, "drift of finger temperature", "°C/min", 2),
    Part("respiration_rate", System.BREATH, 1, False, (1, 120), 2.0, "respiration rate", "/min", 0),
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured in one stretch of time; None is what was not."""

    heart_rate: float | None = None
    """Per minute."""
    rmssd: float | None = None
    """Milliseconds."""
    sdnn: float | None = None
    """Milliseconds."""
    stress_index: float | None = None
    """Baevsky's, square root."""
    eda_slope: float | None = None
    """Percent of its level per minute: the level itself depends on the electrodes and lags by minutes."""
    eda_peaks: float | None = None
    """Per minute."""
    skin_temperature_slope: float | None = None
    """Degrees Celsius per minute, of a finger: further up the skin does not answer (Vinkers et al. 2013)."""
    respiration_rate: float | None = None
    """Per minute."""
    quality: float = 1.0
    """0..1, of the signals behind all this."""

    def measured(self) -> Iterator[tuple[Part, float]]:
        """The parts that are there and possible, with their values."""
        values = (
            self.heart_rate,
            self.rmssd,
            self.sdnn,
            self.stress_index,
            self.eda_slope,
            self.eda_peaks,
            self.skin_temperature_slope,
            self.respiration_rate,
        )
        for part, value in zip(PARTS, values, strict=True):
            if value is not None and part.holds(value):
                yield part, value
