"""Readers that a hostile file has led astray, each in its own way. Little is imported: their process has to, too."""

import os
import time
from pathlib import Path

from kiosk.recording import Recording


def greedy(files: Path, **_: object) -> Recording:
    """A reader that is led to take memory without end."""
    held = [bytearray(64 * 1024**2) for _ in range(1000)]
    raise AssertionError(len(held))


def endless(files: Path, **_: object) -> Recording:
    """A reader that is led to go in circles."""
    while True:
        pass


def stuck(files: Path, **_: object) -> Recording:
    """A reader that waits for what never comes."""
    time.sleep(1000)
    raise AssertionError


def writing(files: Path, **_: object) -> Recording:
    """A reader that is led to fill the disk."""
    with (files.parent / "much").open("wb") as file:
        for _number in range(1000):
            file.write(bytes(10_000_000))
    raise AssertionError


def crashing(files: Path, **_: object) -> Recording:
    """A reader whose library breaks down."""
    os.abort()
