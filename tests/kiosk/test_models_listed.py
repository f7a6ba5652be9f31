"""What `models.toml` says, held to itself and, where they are found beside the recordings, to the files."""

import re
from pathlib import Path

import numpy as np
import pytest

from kiosk import models
from kiosk.models import Network
from sensors.face.expressions import tells_expressions

# the smallest that make sense, where every size is allowed
SIZES = {("yunet", "input"): [1, 3, 64, 64], ("silero_vad", "input"): [1, 576], ("rppg_tcn", "features"): [1, 4, 90]}


def test_the_list_is_complete_and_free_of_doubles() -> None:
    networks = models.listed()
    assert {"yunet", "face_landmarker", "faceapi_expression", "silero_vad"} <= {network.name for network in networks}
    for values in (
        [network.name for network in networks],
        [network.file for network in networks],
        [network.sha256 for network in networks if network.sha256],
    ):
        assert len(set(values)) == len(values)
    assert {network.licence for network in networks} <= {"MIT", "Apache-2.0"}
    assert all(network.attribution and network.inputs and network.outputs for network in networks)


def test_what_is_pulled_is_one_version_of_a_file() -> None:
    """An address whose file may change would one day be refused everywhere."""
    pulled = [network for network in models.listed() if network.url]
    assert {"yunet", "face_landmarker", "silero_vad", "emotieffnet_b0_va"} <= {network.name for network in pulled}
    for network in pulled:
        assert network.sha256
        if network.name != "face_landmarker":
            assert re.search(r"/[0-9a-f]{40}/", network.url)
            assert network.url.endswith(f"/{network.file}")


def test_what_nothing_opens_is_listed_as_not_used_yet() -> None:
    """By name, or, for expressions, because its labels tell them; nobody fetches a file for nothing."""
    root = Path(models.__file__).parents[1]
    while not (root / "sensors").is_dir():
        root = root.parent
    code = "".join(
        file.read_text("utf-8")
        for package in ("kiosk", "sensors", "analytics")
        for file in (root / package).rglob("*.py")
    )
    for network in models.listed():
        opened = re.search(rf"\b{network.name}\b", code) is not None or tells_expressions(network)
        assert opened != network.purpose.startswith("Not used yet"), network.name


def test_networks_of_one_family_speak_one_language() -> None:
    family = [network for network in models.listed() if network.name.startswith("emotieffnet")]
    assert len(family) >= 4
    expressions = ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    for network in family:
        assert network.labels in (expressions, (*expressions, "valence", "arousal"))
        assert network.logits
        assert "AffectNet" in network.caution
        picture = np.full((*network.inputs[0].shape[2:], 3), 255, dtype=np.uint8)
        # the means and deviations of ImageNet, which its networks are fed with everywhere
        white = (1.0 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
        assert network.inputs[0].pixels(picture)[3, 4] == pytest.approx(white, abs=1e-4)


def test_what_is_shipped_is_whole_wherever_it_is_asked_for(tmp_path: Path) -> None:
    shipped = [network for network in models.listed() if network.shipped]
    for network in shipped:
        assert models.status(network, tmp_path) == "installed"
        assert network.size <= 1_500_000
    assert {path.name for path in models.SHIPPED.glob("*.onnx")} == {network.file for network in shipped}


def resolved(shape: list[object]) -> tuple[int, ...]:
    """A shape as models.toml writes it: 0 is any size."""
    return tuple(size if isinstance(size, int) else 0 for size in shape)


@pytest.mark.parametrize("network", models.listed(), ids=lambda network: network.name)
def test_the_list_is_true_of_the_published_files(network: Network, recordings: Path, tmp_path: Path) -> None:
    files = [*(recordings.parent / "models").rglob(network.file), *models.SHIPPED.glob(network.file)]
    if not files:
        pytest.skip(f"{network.file} is not beside the recordings")
    assert models.add(files[0], tmp_path) == network
    if not network.file.endswith(".onnx"):
        assert len(models.read(network.name, tmp_path)) == network.size
        return
    opened = models.open_network(network.name, tmp_path)
    real = {each.name: each for each in opened._session.get_inputs()}
    for each in network.inputs:
        assert resolved(real[each.name].shape) == each.shape
        assert real[each.name].type == {"float32": "tensor(float)", "int64": "tensor(int64)"}[each.type]
    inputs = [
        np.zeros(SIZES.get((network.name, each.name), [size or 1 for size in each.shape]), dtype=each.type)
        for each in network.inputs
    ]
    if network.name == "silero_vad":
        inputs[2] = np.array(16_000)
    outputs = opened.run(*inputs)
    assert len(outputs) == len(network.outputs)
    if network.labels:
        assert sum(output.size for output in outputs if output.ndim == 2) == len(network.labels)
