"""What a video codec does to the mean colours of a face, as a model for traces; portraits are really encoded.

A picture is coded in 8 x 8 blocks of luminance and, at half the resolution and twice the step, of colour difference.
A key frame has each block's mean rounded to a step; a frame between holds a block until it has changed by five sixths
of a step or more: a quantiser with a dead zone (Sullivan 1996, doi:10.1109/18.532878), as wide as that of H.264's
reference encoder for predicted blocks. Blocks of a region differ in shade, hence in when they jump: the pulse survives
as the sum of jumps, weaker and late, or not at all.
"""

import numpy as np
from numpy.typing import NDArray

from kiosk.signals import REGIONS
from sensors.drivers.simulated.chance import generator

Floats = NDArray[np.float64]

_ROUNDING = 1.0 / 6.0  # what is added before rounding down
_BLOCKS = 48  # per region and component at most: more change little
_AREA = 64.0, 256.0, 256.0  # pixels under a block of luminance, and of either difference
_COARSER = 1.0, 2.0, 2.0
_LUMINANCE = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
)  # of red, green, blue (ITU-R BT.601, full range)


def coded(colours: Floats, pixels: Floats, whole: NDArray[np.bool_], *, step: float, noise: float, name: str) -> Floats:
    """(n, regions, 3) means as a decoder gives them, frame after frame; NaN where there was nobody, key frame after.

    `pixels` (n, regions), `whole` marks key frames, `step` is the quantiser's for the mean of a block, `noise` the
    standard deviation of a pixel, `name` says whose shades and noise.
    """
    rng = generator(0, name)
    parts = _mixed(colours, _LUMINANCE)
    out = np.full_like(parts, np.nan)
    steps = step * np.array(_COARSER)[:, None]
    # (regions, components, blocks)
    shades = rng.uniform(0.0, 1.0, (len(REGIONS), 3, _BLOCKS)) * steps
    grains = noise / np.sqrt(_AREA)
    held = np.zeros_like(shades)
    seen = False
    there = pixels[(pixels > 0).all(axis=1)]
    if not len(there):
        return np.full_like(colours, np.nan)
    usual = there[0]  # not a mean, which would depend on how many frames are asked for
    count = np.clip(usual[:, None] / np.array(_AREA), 1.0, _BLOCKS).astype(np.intp)
    counted = np.arange(_BLOCKS) < count[:, :, None]
    # a mean over all blocks of a region has less noise than one over those that are modelled
    fewer = np.sqrt(count * np.array(_AREA) / usual[:, None]).clip(max=1.0)
    for frame in range(len(parts)):
        if np.isnan(parts[frame]).any():
            seen = False
            continue
        grain = (grains * fewer)[:, :, None] * rng.standard_normal(shades.shape)
        now = parts[frame][:, :, None] + shades + grain
        if whole[frame] or not seen:
            held = steps * np.rint(now / steps)
        else:
            change = now - held
            held = held + np.sign(change) * steps * np.floor(np.abs(change) / steps + _ROUNDING)
        seen = True
        out[frame] = ((held - shades) * counted).sum(axis=2) / count
    return _mixed(out, np.linalg.inv(_LUMINANCE))


def _mixed(colours: Floats, matrix: Floats) -> Floats:
    """Three of three; not a matrix product, whose rounding depends on how many rows there are."""
    out = np.empty_like(colours)
    for part in range(3):
        row = matrix[part]
        out[:, :, part] = row[0] * colours[:, :, 0] + row[1] * colours[:, :, 1] + row[2] * colours[:, :, 2]
    return out
