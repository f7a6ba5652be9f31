"""The laws of doubt: fitted numbers. `kiosk bench uncertainty --fit` prints them anew."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, slots=True)
class Law:
    """How far a measure's five-minute value may lie below and above."""

    kind: Literal["mean", "sdnn", "rmssd", "sd2", "share"]
    """Its unit - SDNN, logarithms, or for a share standard normal deviates - and what beat-time error does to it."""
    shortest: float
    """Seconds of signal from which the interval held."""
    coarsest: float
    """Seconds of beat-time error up to which it held."""
    most_corrected: float
    """Share of beats corrected up to which it held."""
    below: tuple[float, ...]
    """Weights of the traits in the logarithm of the reach; likewise the next."""
    above: tuple[float, ...]
    repair: tuple[float, float, float]
    """Reach below and above for all beats corrected, and the power of the share by which it grows."""
    inverse: bool = False
    """Whether it is a rate, which rises where the mean interval falls."""


RANGE: tuple[tuple[float, ...], tuple[float, ...]] = (
    (-9, -9, -9, -0.428, -2.46, 0.119, -2.12, 0.13, -1.24, -0.618, 0.00231),
    (9, 9, 9, 1.62, -0.134, 0.434, 0.091, 0.401, 1.65, 0.398, 0.873),
)
"""Least and greatest traits among the windows fitted on."""

_FITTED = {
    "mean_rr": Law(
        "mean",
        30.0,
        0.015,
        0.05,
        (0.475, 0.675, 0.258, -0.188, 0.139, 0.0465, 0.122, -0.0352, -0.378, 1.15, -0.0495),
        (0.902, 0.953, 0.067, -0.691, 0.106, -0.255, 0.247, 0.462, -0.82, -0.889, 0.0119),
        (1.572, 0.731, 1.0),
    ),
    "rmssd": Law(
        "rmssd",
        30.0,
        0.015,
        0.05,
        (-1.35, 0.648, 0.277, 0.167, 0.202, 0.0852, -0.0929, 0.0379, 0.51, -0.301, -0.046),
        (-0.468, 0.452, 0.267, -0.0939, 0.11, -0.342, 0.106, -0.159, -0.393, -0.185, -0.00415),
        (8.829, 1.398, 0.8),
    ),
    "sdnn": Law(
        "sdnn",
        30.0,
        0.015,
        0.05,
        (-1.98, 0.631, 0.273, 0.738, 0.0178, 0.397, 0.0492, 0.284, 0.643, 0.179, -0.189),
        (-0.0562, 0.428, 0.0384, -0.665, 0.0425, 0.638, 0.0424, 0.421, -0.638, -0.00938, 0.174),
        (7.515, 1.481, 1.0),
    ),
    "pnn50": Law(
        "share",
        30.0,
        0.0075,
        0.02,
        (-0.374, 0.747, 0.183, 0.0671, 0.133, -0.797, -0.046, -0.47, 0.52, -0.209, -0.0399),
        (0.0535, 0.53, 0.133, 0.0551, 0.0442, -0.808, 0.0101, -0.135, -0.817, 0.0302, -0.0494),
        (8.198, 2.598, 0.9),
    ),
    "sd2": Law(
        "sd2",
        30.0,
        0.015,
        0.05,
        (-1.97, 0.656, 0.248, 0.765, -0.0368, 0.441, 0.116, 0.325, 0.616, 0.213, -0.156),
        (0.0166, 0.421, 0.0467, -0.724, 0.0303, 0.524, 0.0266, 0.54, -0.587, 0.0448, 0.173),
        (6.029, 0.999, 1.0),
    ),
}
LAWS: Mapping[str, Law] = MappingProxyType(
    {
        "heart_rate": replace(_FITTED["mean_rr"], inverse=True),
        **_FITTED,
        # the differences' root mean square by other names: their mean is next to nothing
        "sdsd": _FITTED["rmssd"],
        "sd1": _FITTED["rmssd"],
    }
)
"""By measure."""
