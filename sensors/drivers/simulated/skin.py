"""Skin: colour and pulse strength from melanin, with the six types of Fitzpatrick as its marks.

The types are those of Fitzpatrick (1988, doi:10.1001/archderm.1988.01670060015008), who gave no colours: the sRGB
means are the swatches that are usually printed beside them, as a camera exposes them that keeps highlights in light
skin and opens up in part for dark (how much is our choice). Melanin swallows light before it reaches the blood, which
makes the pulse weaker in dark skin (Fallow 2013, doi:10.1007/s10877-013-9436-7); that it falls to .35 of the lightest
skin's is our round figure.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOOD = np.array([0.33, 0.77, 0.53])
"""Relative pulse in red, green, blue under white light (de Haan & van Leest 2014, doi:10.1088/0967-3334/35/9/1913).
As shares of the mean colour it hardly depends on melanin, which is why it can serve as a signature."""
_WEAKER = 0.65
_EXPOSURE = 0.85  # of the lightest skin
_OPENING = 0.3  # share, in exposure values, of what darker skin lacks that the camera's control makes up for
_LUMINANCE = (0.2126, 0.7152, 0.0722)
_LIGHTEST = (244, 208, 176)


@dataclass(frozen=True, slots=True)
class Tone:
    """One type of skin."""

    name: str
    melanin: float
    """As in Person."""
    colour: tuple[float, float, float]
    """Mean red, green, blue, 0..255, in good light."""


def _tone(number: int, name: str, swatch: tuple[int, int, int]) -> Tone:
    lightest, this = (sum(np.multiply(_LUMINANCE, colour)) for colour in (_LIGHTEST, swatch))
    red, green, blue = (float(_EXPOSURE * (lightest / this) ** _OPENING * value) for value in swatch)
    return Tone(name, (number - 1) / 5, (red, green, blue))


TONES = (
    _tone(1, "I", _LIGHTEST),
    _tone(2, "II", (232, 180, 143)),
    _tone(3, "III", (211, 158, 124)),
    _tone(4, "IV", (187, 119, 80)),
    _tone(5, "V", (165, 93, 43)),
    _tone(6, "VI", (60, 32, 29)),
)


def colour(melanin: float) -> NDArray[np.float64]:
    """Mean red, green, blue of skin with so much melanin (0..1), between the tones on a logarithmic scale."""
    marks = np.array([tone.melanin for tone in TONES])
    values = np.log([tone.colour for tone in TONES])
    return np.exp([np.interp(melanin, marks, values[:, part]) for part in range(3)])


def strength(melanin: float) -> float:
    """Relative height of the pulse, 1 in the lightest skin."""
    return 1.0 - _WEAKER * melanin


def blood(amplitude: float, melanin: float) -> NDArray[np.float64]:
    """Relative change of red, green, blue per unit of pulse, for this amplitude in the green of light skin."""
    share: NDArray[np.float64] = amplitude * strength(melanin) * BLOOD / BLOOD[1]
    return share
