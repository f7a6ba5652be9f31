"""Networks: only a file whose checksum is listed is installed, and only the bytes that were checked are opened."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from onnx.external_data_helper import set_external_data

from kiosk import models
from kiosk.errors import BadModel
from kiosk.models import Input, Network


def tiny(factor: float = 2.0) -> bytes:
    """A network that multiplies."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])
    by = helper.make_tensor("by", TensorProto.FLOAT, [1], [factor])
    graph = helper.make_graph([helper.make_node("Mul", ["x", "by"], ["y"])], "tiny", [x], [y], [by])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def network(name: str, content: bytes, **changes: object) -> Network:
    fields = {
        "name": name,
        "purpose": "test",
        "file": f"{name}_network.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "licence": "MIT",
        "attribution": "us",
        "origin": "https://example.com",
        "inputs": (Input("x", (0, 3)),),
        "outputs": ("y",),
    }
    return Network(**{**fields, **changes})  # type: ignore[arg-type]


DOUBLE, TRIPLE, JUNK = tiny(2.0), tiny(3.0), b"no network at all" * 5000
NETWORKS = (
    network("double", DOUBLE),
    network("triple", TRIPLE),
    network("junk", JUNK),
    network("renamed", tiny(4.0), outputs=("z",)),
    network("foreign", tiny(5.0), file="foreign.tflite"),
)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our tiny networks in place of the product's."""
    monkeypatch.setattr(models, "listed", lambda: NETWORKS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept" / models.FOLDER


@pytest.fixture
def download(tmp_path: Path) -> Path:
    """A right file under a wrong name."""
    file = tmp_path / "download(1).bin"
    file.write_bytes(DOUBLE)
    return file


def test_a_right_file_is_installed_whatever_it_is_called(download: Path, folder: Path) -> None:
    assert models.status(NETWORKS[0], folder) == "missing"
    assert models.add(download, folder) is NETWORKS[0]
    assert models.status(NETWORKS[0], folder) == "installed"
    assert [path.name for path in folder.iterdir()] == ["double_network.onnx"]
    assert download.exists()


def test_an_installed_file_is_added_again_without_harm(download: Path, folder: Path) -> None:
    models.add(download, folder)
    models.add(folder / "double_network.onnx", folder)
    assert models.status(NETWORKS[0], folder) == "installed"


@pytest.mark.parametrize(
    ("called", "content", "said"),
    [
        ("double_network.onnx", DOUBLE[:-7], rf"resembles double .* truncated, {len(DOUBLE) - 7} bytes of"),
        ("double_network (2).onnx", DOUBLE[:10], "resembles double .* truncated"),
        ("double_network.onnx", b"", "resembles double .* truncated, 0 bytes"),
        ("triple_network.onnx", TRIPLE + b"x", "resembles triple .* longer than its"),
        ("anything", DOUBLE[:-1] + b"!", "resembles double .* as long, but with other content"),
        ("holiday.jpg", b"\xff\xd8" + bytes(100), "no network that the product knows"),
        ("endless.bin", bytes(3_000_000), "no network that the product knows"),
    ],
)
def test_a_wrong_file_is_refused_with_what_it_resembles(
    tmp_path: Path, folder: Path, called: str, content: bytes, said: str
) -> None:
    file = tmp_path / called
    file.write_bytes(content)
    with pytest.raises(BadModel, match=said):
        models.add(file, folder)
    assert not list(folder.iterdir())


def test_a_wrong_file_leaves_the_installed_one_alone(tmp_path: Path, folder: Path, download: Path) -> None:
    models.add(download, folder)
    wrong = tmp_path / "double_network.onnx"
    wrong.write_bytes(TRIPLE[:-1])
    with pytest.raises(BadModel):
        models.add(wrong, folder)
    assert models.status(NETWORKS[0], folder) == "installed"


def test_what_is_no_file_is_refused(tmp_path: Path, folder: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "absent", tmp_path / "pipe"):
        with pytest.raises(BadModel, match="is not a file"):
            models.add(path, folder)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, download: Path) -> None:
    (tmp_path / "occupied").write_text("")
    with pytest.raises(BadModel, match="cannot be installed in"):
        models.add(download, tmp_path / "occupied")


def test_the_file_is_durable_before_it_has_its_name(
    monkeypatch: pytest.MonkeyPatch, download: Path, folder: Path
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        done.append("sync")
        sync(handle)

    def renamed(path: Path, target: Path) -> Path:
        done.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", renamed)
    models.add(download, folder)
    assert done == ["sync", "rename", "sync"]


def test_verify_tells_installed_missing_and_damaged_apart(download: Path, folder: Path) -> None:
    models.add(download, folder)
    (folder / "triple_network.onnx").write_bytes(TRIPLE[:-1] + b"?")
    (folder / "foreign.tflite").mkdir()
    states = {check.network.name: check.state for check in models.verify(folder)}
    assert states == {
        "double": "installed",
        "triple": "damaged",
        "junk": "missing",
        "renamed": "missing",
        "foreign": "damaged",
    }


def test_an_opened_network_computes(download: Path, folder: Path) -> None:
    models.add(download, folder)
    network = models.open_network("double", folder)
    (y,) = network.run(np.ones((2, 3), dtype=np.float32))
    assert y.tolist() == [[2.0] * 3] * 2


def test_a_network_runs_on_one_thread_that_does_not_spin(
    monkeypatch: pytest.MonkeyPatch, download: Path, folder: Path
) -> None:
    models.add(download, folder)
    options = models.open_network("double", folder)._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert models.open_network("double", folder)._session.get_providers() == ["CPUExecutionProvider"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("double", "not installed: get double_network.onnx from https://example.com"),
        ("triple", "damaged: as long, but with other content"),
        ("junk", "onnxruntime cannot load it"),
        ("renamed", r"has the outputs \['y'\], models.toml says \['z'\]"),
        ("foreign", "opened by MediaPipe"),
        ("unheard", "there is no network 'unheard'; known are double"),
    ],
)
def test_what_cannot_be_opened_is_said(folder: Path, name: str, said: str) -> None:
    folder.mkdir(parents=True)
    (folder / "triple_network.onnx").write_bytes(TRIPLE[:-1] + b"?")
    (folder / "junk_network.onnx").write_bytes(JUNK)
    (folder / "renamed_network.onnx").write_bytes(tiny(4.0))
    (folder / "foreign.tflite").write_bytes(tiny(5.0))
    with pytest.raises(BadModel, match=said):
        models.open_network(name, folder)


def test_a_file_that_is_swapped_after_the_check_is_not_loaded(
    monkeypatch: pytest.MonkeyPatch, download: Path, folder: Path
) -> None:
    models.add(download, folder)
    opened = onnxruntime.InferenceSession

    def swapped(source: object, **options: object) -> object:
        (folder / "double_network.onnx").write_bytes(TRIPLE)
        return opened(source, **options)

    monkeypatch.setattr(onnxruntime, "InferenceSession", swapped)
    (y,) = models.open_network("double", folder).run(np.ones((1, 3), dtype=np.float32))
    assert y.tolist() == [[2.0] * 3]


def test_a_file_that_changes_while_it_is_installed_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    blocks = models._blocks

    def changing(path: Path, expected: int) -> Iterator[bytes]:
        for block in blocks(path, expected):
            yield block
            path.write_bytes(TRIPLE)

    monkeypatch.setattr(models, "_blocks", changing)
    monkeypatch.setattr(models, "BLOCK", 20_000)
    file = tmp_path / "junk_network.onnx"
    file.write_bytes(JUNK)
    with pytest.raises(BadModel, match="resembles junk"):
        models.add(file, folder)
    assert not list(folder.iterdir())


def test_weights_outside_the_checked_bytes_are_not_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    model = onnx.load_from_string(DOUBLE)
    weights = model.graph.initializer[0]
    weights.raw_data = np.array([9], dtype="<f4").tobytes()
    weights.ClearField("float_data")
    set_external_data(weights, "weights.bin", 0, 4)
    weights.ClearField("raw_data")
    content = bytes(model.SerializeToString())
    monkeypatch.setattr(models, "listed", lambda: (network("outside", content),))
    file = tmp_path / "outside.onnx"
    file.write_bytes(content)
    models.add(file, folder)
    (folder / "weights.bin").write_bytes(np.array([9], dtype="<f4").tobytes())
    monkeypatch.chdir(folder)
    with pytest.raises(BadModel, match="cannot load"):
        models.open_network("outside", folder)


def test_pixels_come_to_the_scale_that_a_network_wants() -> None:
    picture = np.array([0, 255], dtype=np.uint8)
    assert Input("x", (2,)).pixels(picture).tolist() == [0.0, 255.0]
    assert Input("x", (2,), mean=127.5, scale=127.5).pixels(picture).tolist() == [-1.0, 1.0]
