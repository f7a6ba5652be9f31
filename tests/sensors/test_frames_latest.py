"""The latest pictures win, nobody waits for a slow reader, and nothing is dropped uncounted."""

import threading
from collections.abc import Callable

import numpy as np
import pytest

from kiosk.errors import DriverFailed
from sensors.face.seen import Frame
from sensors.frames.latest import Latest

PLAIN = np.zeros((4, 4, 3), np.uint8)


def frame(at: int) -> Frame:
    return Frame(at, PLAIN)


def drained(queue: Latest) -> list[int]:
    queue.end()
    found = []
    while (each := queue.get()) is not None:
        found.append(each.at)
    return found


def test_pictures_come_out_in_order() -> None:
    queue = Latest()
    for at in (1, 2):
        queue.put(frame(at))
    assert drained(queue) == [1, 2]
    assert (queue.taken, queue.dropped) == (2, 0)


def test_a_slow_reader_finds_the_latest_and_the_others_are_counted() -> None:
    queue = Latest(depth=2)
    for at in range(10):
        queue.put(frame(at))
    assert drained(queue) == [8, 9]
    assert (queue.taken, queue.dropped) == (10, 8)


def test_what_waits_can_be_forgotten_and_is_counted() -> None:
    queue = Latest()
    queue.put(frame(1))
    queue.clear()
    assert drained(queue) == []
    assert queue.dropped == 1


def test_a_failure_reaches_the_reader_after_the_last_picture() -> None:
    queue = Latest()
    queue.put(frame(1))
    queue.end(DriverFailed("unplugged"))
    queue.end()
    queue.put(frame(2))
    assert queue.get() == frame(1)
    for _ in range(2):
        with pytest.raises(DriverFailed, match="unplugged"):
            queue.get()


def test_what_gives_way_is_never_unpacked() -> None:
    queue, unpacked = Latest(depth=2), list[int]()

    def packed(at: int) -> Callable[[], Frame]:
        def unpack() -> Frame:
            unpacked.append(at)
            return frame(at)

        return unpack

    for at in range(5):
        queue.put_packed(packed(at))
    assert unpacked == []
    assert drained(queue) == unpacked == [3, 4]


def test_a_reader_that_waits_is_woken() -> None:
    queue = Latest()
    found: list[Frame | None] = []
    reader = threading.Thread(target=lambda: found.extend([queue.get(), queue.get()]))
    reader.start()
    queue.put(frame(7))
    queue.end()
    reader.join(5)
    assert not reader.is_alive()
    assert [each.at if each else None for each in found] == [7, None]
