"""What every test may need: parts of the machine that may be missing, and real recordings."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import settings

# how long an example takes is the machine's business; where nothing may be missing, nothing is left to chance either
settings.register_profile("kiosk", deadline=None, derandomize=bool(os.environ.get("KIOSK_TEST_STRICT")))
settings.load_profile("kiosk")


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


@pytest.fixture(scope="session")
def networks(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every network lies that is kept beside the recordings, as `kiosk models add` installs them."""
    from kiosk import models
    from kiosk.errors import BadModel

    kept = recordings.parent / "models"
    if not kept.is_dir():
        pytest.skip(f"no networks in {kept}")
    folder = tmp_path_factory.mktemp("models")
    for file in kept.rglob("*"):
        if file.suffix in (".onnx", ".task", ".tflite"):
            with contextlib.suppress(BadModel):
                models.add(file, folder)
    return folder
