"""What every test may need: parts of the machine that may be missing, and real recordings."""

import os
from pathlib import Path

import pytest


def require(condition: object, what: str) -> None:
    """Skip where `what` is missing; fail where KIOSK_TEST_STRICT promises that nothing is."""
    if condition:
        return
    if os.environ.get("KIOSK_TEST_STRICT"):
        pytest.fail(f"missing: {what} (KIOSK_TEST_STRICT is set)", pytrace=False)
    pytest.skip(f"missing: {what}")


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real, annotated recordings; no part of the repository, so its absence only skips."""
    named = os.environ.get("KIOSK_RECORDINGS")
    if not named:
        pytest.skip("KIOSK_RECORDINGS names no folder of real recordings")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"KIOSK_RECORDINGS={named} is not a folder", pytrace=False)
    return folder
