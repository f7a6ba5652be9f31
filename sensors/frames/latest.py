"""Between the thread that takes pictures and the one that looks at them: the latest win, the others are counted."""

import threading
from collections import deque
from collections.abc import Callable

from sensors.face.seen import Frame

DEPTH = 2
"""Pictures that wait at most: one of them takes up the jitter of both sides, more would only make what is seen old."""

Also = Callable[[Callable[[], Frame]], None]
"""Is offered each picture too, in the writer's thread; it may not wait."""


class Latest:
    """A queue of pictures from one thread to another that never makes its writer wait."""

    def __init__(self, depth: int = DEPTH, *, also: Also | None = None) -> None:
        self._waiting: deque[Callable[[], Frame]] = deque()
        self._also = also
        self._depth = depth
        self._changed = threading.Condition()
        self._ended = False
        self._failure: BaseException | None = None
        self.taken = 0
        """Pictures that came."""
        self.dropped = 0
        """Of them, those that gave way to later ones."""

    def put(self, frame: Frame) -> None:
        """A new picture; the oldest gives way where there is no room."""
        self.put_packed(lambda: frame)

    def put_packed(self, unpack: Callable[[], Frame]) -> None:
        """A new picture that the reader unpacks in its own time, and nobody where it gives way."""
        with self._changed:
            if self._ended:
                return
            self.taken += 1
            if len(self._waiting) >= self._depth:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(unpack)
            self._changed.notify()
        if self._also is not None:
            self._also(unpack)

    def end(self, failure: BaseException | None = None) -> None:
        """There is nothing more to come; with a failure, that is why."""
        with self._changed:
            if not self._ended:
                self._ended, self._failure = True, failure
            self._changed.notify_all()

    def get(self) -> Frame | None:
        """The next picture, None at the end; raises what the source failed of."""
        with self._changed:
            while not self._waiting and not self._ended:
                self._changed.wait()
            if not self._waiting:
                if self._failure is not None:
                    raise self._failure
                return None
            unpack = self._waiting.popleft()
        return unpack()

    def clear(self) -> None:
        """Forget what waits: nobody will look at it."""
        with self._changed:
            self.dropped += len(self._waiting)
            self._waiting.clear()
