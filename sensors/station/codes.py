"""The code that a visitor brings along, read from a picture: a QR code of a pseudonym, and of nothing else."""

import logging
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from sensors.face.seen import Frame

log = logging.getLogger(__name__)

EVERY = 0.25
"""Seconds between two pictures that are looked at: a code is held there for seconds, and a look takes some 20 ms."""
CODE = re.compile(r"[2-9BCDFGHJ-NP-TV-XZ]{4}(?:-[2-9BCDFGHJ-NP-TV-XZ]{4}){2}")
"""A pseudonym as the record makes them. An address, as behind the QR code of results, is none."""
LARGEST = 1024
"""Pixels of the longer side that are looked at."""


class Codes:
    """Looks at some pictures in a thread of its own while a code is wanted. Nothing of them is kept."""

    def __init__(self) -> None:
        self.wanted = False
        self.found: str | None = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="codes")
        self._free = threading.Semaphore(1)
        self._looked = 0.0

    def offer(self, unpack: Callable[[], Frame]) -> None:
        """A picture is there, from whatever thread. It is passed over where nobody wants it, or too soon."""
        now = time.monotonic()
        if not self.wanted or self.found is not None or now - self._looked < EVERY:
            return
        if self._free.acquire(blocking=False):
            self._looked = now
            self._worker.submit(self._look, unpack)

    def forget(self) -> None:
        """The code was another visitor's."""
        self.found = None

    def close(self) -> None:
        """Look no more."""
        self.wanted = False
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _look(self, unpack: Callable[[], Frame]) -> None:
        try:
            found = code_in(unpack().pixels)
            if found is not None and self.wanted:
                self.found = found
        except Exception as error:
            log.warning("a picture could not be searched for a code: %s", type(error).__name__)
        finally:
            self._free.release()


def code_in(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> str | None:
    """The pseudonym whose QR code is in a picture."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    scale = LARGEST / max(grey.shape)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    said, _, _ = cv2.QRCodeDetector().detectAndDecode(grey)
    said = said.strip().upper()
    return said if CODE.fullmatch(said) else None
