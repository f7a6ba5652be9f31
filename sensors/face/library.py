"""MediaPipe, started without what its native parts write to stderr on the way; all else stays in a kiosk's log."""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

CHATTER = re.compile(
    rb"^(INFO: (Created|Initialized) TensorFlow Lite"
    rb"|WARNING: All log messages before absl::InitializeLog"
    rb"|[IW]\d{4} \d\d:\d\d:[\d.]+ +\d+ \S+\.cc:\d+\])"
)
"""Lines of TensorFlow Lite and absl: information and warnings, not errors."""

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def quiet_start() -> Iterator[None]:
    """Hold back stderr of the whole process while a native library starts, then give back all that is not its chatter.

    The native parts write to the file descriptor, past `sys.stderr`, and know no switch that works after they are
    loaded. What other threads write meanwhile comes a moment later, but comes.
    """
    with _ONE_AT_A_TIME, tempfile.TemporaryFile() as held:
        try:
            sys.stderr.flush()
            stderr = os.dup(2)
        except (OSError, ValueError, AttributeError):
            yield  # a service without stderr
            return
        try:
            os.dup2(held.fileno(), 2)
            yield
        finally:
            os.dup2(stderr, 2)
            held.seek(0)
            with os.fdopen(stderr, "wb") as real:
                real.writelines(line for line in held if not CHATTER.match(line))


def mediapipe() -> ModuleType:
    """The library. ImportError where it is not installed."""
    from google.protobuf import message_factory  # type: ignore[import-untyped]

    if not hasattr(message_factory.MessageFactory, "GetPrototype"):
        # MediaPipe 0.10 was built against a protobuf that had this name; without it the Tasks API takes no options
        message_factory.MessageFactory.GetPrototype = lambda _, descriptor: message_factory.GetMessageClass(descriptor)
    with quiet_start():
        import mediapipe as library
    assert isinstance(library, ModuleType)
    return library
