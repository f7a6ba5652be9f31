"""Sound as the page sends it: a head of 40 bytes, then the samples of one channel as float32, unchanged."""

import math
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import Refused

HEAD = struct.Struct("<4sIdddII")
MAGIC = b"HKA1"
LEAST_RATE, MOST_RATE = 8_000, 192_000
"""Samples a second that browsers have."""
LEAST_COUNT, MOST_COUNT = 128, 16_384
"""Samples of a message: one block of a browser's audio thread at least, a tenth of a second at 160 kHz at most."""
MOST_BYTES = HEAD.size + 4 * MOST_COUNT
LOUDEST = 64.0
"""Full scales: a browser's own processing may go beyond one, not beyond that."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A piece of sound from the page."""

    number: int
    frame: float
    """Index of its first sample since the page began to listen."""
    rate: float
    sent: float
    """Milliseconds of the page's clock."""
    samples: NDArray[np.float32]

    @property
    def end(self) -> float:
        """When its last sample was taken, in milliseconds by the sound card's clock."""
        return (self.frame + len(self.samples)) / self.rate * 1000


def read(message: bytes) -> Sent:
    """A message of the page, or Refused."""
    if not HEAD.size < len(message) <= MOST_BYTES:
        raise Refused("wrong_length", f"{len(message)} bytes")
    magic, number, frame, rate, sent, count, zero = HEAD.unpack_from(message)
    if magic != MAGIC or zero:
        raise Refused("no_sound", "not the head of sound")
    if not (math.isfinite(frame) and 0 <= frame <= 1e13 and math.isfinite(sent) and 0 <= sent <= 1e13):
        raise Refused("no_time", "times that cannot be")
    if not LEAST_RATE <= rate <= MOST_RATE or rate != round(rate):
        raise Refused("wrong_rate", "no rate of a sound card")
    if not LEAST_COUNT <= count <= MOST_COUNT or len(message) != HEAD.size + 4 * count:
        raise Refused("wrong_length", f"{len(message)} bytes for {count} samples")
    samples = np.frombuffer(message, "<f4", offset=HEAD.size)
    if not (np.abs(samples) <= LOUDEST).all():
        raise Refused("no_sound", "samples that are no sound")
    return Sent(number, frame, rate, sent, samples)
