"""Ten seconds of electrocardiogram on millimetre paper, in two rows, true to scale."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from api import drawing
from api.interop.flows import Flow
from api.store import Transaction
from kiosk.messages import SECOND

SPEED = 25.0
"""Millimetres per second, as electrocardiograms are read (Kligfield 2007, doi:10.1161/CIRCULATIONAHA.106.180200)."""
ROW_SECONDS, ROWS = 5, 2
HEIGHT = 30.0
"""Millimetres of a row: 3 mV at the usual gain."""
GAINS = (10.0, 5.0, 2.5, 1.25)
"""Millimetres per millivolt: the first at which the wave fits."""
PLACES = 9
"""Where in the recording it is looked for: the stretch with the most samples is drawn."""
MOST_RATE = 500.0
"""Points a second that are drawn at most: finer than paper shows at 25 mm/s."""


@dataclass(frozen=True, slots=True)
class Strip:
    """What is drawn."""

    svg: str
    device: str
    lead: str
    start: float
    end: float
    gain: float

    @property
    def width(self) -> float:
        """Millimetres."""
        return ROW_SECONDS * SPEED


def strip(db: Transaction, found: tuple[Flow, ...], beats: NDArray[np.float64]) -> Strip | None:
    """Of the first electrocardiogram; None where there is none to be drawn."""
    flow = next((flow for flow in found if flow.signal == "ecg" and flow.rate is not None), None)
    if flow is None or flow.rate is None:
        return None
    length = ROWS * ROW_SECONDS * SECOND
    begin, end = flow.span
    room = max(0, end - begin - length)
    lead = flow.channels.index("II") if "II" in flow.channels else 0
    best: tuple[int, int, NDArray[np.float64], NDArray[np.float64]] | None = None
    # the middle first: a visit's beginning and end are restless
    for place in sorted(range(PLACES), key=lambda each: abs(each - PLACES // 2)):
        start = begin + room * place // (PLACES - 1)
        blocks = [block.within(start, start + length) for block in drawing.blocks(
            db, list(flow.streams), start, start + length)]  # fmt: skip
        if not blocks:
            continue
        times = np.concatenate([block.times for block in blocks])
        values = np.concatenate([block.samples[:, lead] for block in blocks]).astype(np.float64)
        finite = int(np.isfinite(values).sum())
        if best is None or finite > best[0]:
            best = (finite, start, (times - start) / SECOND, values)
        if finite >= 0.99 * flow.rate * ROWS * ROW_SECONDS or not room:
            break
    if best is None or best[0] < flow.rate:
        return None
    _, start, seconds, values = best
    gain, middle = _gain(values)
    near = beats - start / SECOND
    svg = _svg(seconds, (values - middle) * gain, flow.rate, near[(near >= 0) & (near < ROWS * ROW_SECONDS)])
    return Strip(svg, flow.device, flow.channels[lead], start / SECOND, (start + length) / SECOND, gain)


def _gain(values: NDArray[np.float64]) -> tuple[float, float]:
    """Millimetres per millivolt, and what lies in the middle of the paper."""
    low, high = np.nanquantile(np.where(np.isfinite(values), values, np.nan), (0.002, 0.998))
    fitting = [gain for gain in GAINS if (high - low) * gain <= HEIGHT - 4]
    return (fitting or GAINS[-1:])[0], float(low + high) / 2


def _svg(seconds: NDArray[np.float64], height: NDArray[np.float64], rate: float, beats: NDArray[np.float64]) -> str:
    """Numbers alone go into it, so that no text of anybody's does."""
    width, gap = ROW_SECONDS * SPEED, 3.0
    total = ROWS * HEIGHT + (ROWS - 1) * gap
    size = f'width="{width:g}mm" height="{total:g}mm" viewBox="0 0 {width:g} {total:g}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>']
    stride = max(1, round(rate / MOST_RATE))
    for row in range(ROWS):
        top = row * (HEIGHT + gap)
        parts.append(_grid(width, top))
        here = (seconds >= row * ROW_SECONDS) & (seconds < (row + 1) * ROW_SECONDS)
        x = (seconds[here][::stride] - row * ROW_SECONDS) * SPEED
        y = top + HEIGHT / 2 - np.clip(height[here][::stride], -HEIGHT / 2, HEIGHT / 2)
        path, broken, last = [], True, 0.0
        for across, down in zip(x.tolist(), y.tolist(), strict=True):
            if down != down:
                broken = True
                continue
            broken = broken or across - last > 1.5 * SPEED * stride / rate
            path.append(f"{'M' if broken else 'L'}{across:.2f} {down:.2f}")
            broken, last = False, across
        parts.append(f'<path d="{"".join(path) or "M0 0"}" fill="none" stroke="#111" stroke-width="0.28"'
                     ' stroke-linejoin="round"/>')  # fmt: skip
        ticks = [(beat - row * ROW_SECONDS) * SPEED for beat in beats.tolist()]
        parts += [
            f'<path d="M{tick:.2f} {top + HEIGHT - 2:g}v2" stroke="#1d4f91" stroke-width="0.5"/>'
            for tick in ticks
            if 0 <= tick < width
        ]
    return "".join([*parts, "</svg>"])


def _grid(width: float, top: float) -> str:
    def lines(step: int, colour: str, thick: float) -> str:
        down = "".join(f"M{x} {top:g}v{HEIGHT:g}" for x in range(0, int(width) + 1, step))
        across = "".join(f"M0 {top + y:g}h{width:g}" for y in range(0, int(HEIGHT) + 1, step))
        return f'<path d="{down}{across}" stroke="{colour}" stroke-width="{thick}" fill="none"/>'

    return lines(1, "#f6dcdc", 0.08) + lines(5, "#e9b4b4", 0.16)
