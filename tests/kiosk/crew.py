"""What processes of a test do: they import it, and so it cannot live in the test."""

import os
import signal
import time


def work(item: str) -> str:
    """Answers, fails, crashes or hangs, as it is told."""
    match item:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "leave":
            os._exit(3)
        case "hang":
            time.sleep(600)
        case "fail":
            raise ValueError("a bug")
    return item.upper()
