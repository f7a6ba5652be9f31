"""When a row was received or dated."""

import time


def utc_now() -> int:
    """Nanoseconds since 1970."""
    return time.time_ns()
