"""Networks whose checksum nobody knew: the first file is trusted and remembered, any other one refused."""

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from kiosk import models
from kiosk.errors import BadModel
from kiosk.models import Identity, Input, Network, pins


def tiny(factor: float, *, width: int = 3, kind: int = TensorProto.FLOAT, name: str = "x") -> bytes:
    """A network that multiplies."""
    x = helper.make_tensor_value_info(name, kind, ["n", width])
    y = helper.make_tensor_value_info("y", kind, ["n", width])
    by = helper.make_tensor("by", kind, [1], [factor])
    graph = helper.make_graph([helper.make_node("Mul", [name, "by"], ["y"])], "tiny", [x], [y], [by])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def row(name: str, **changes: object) -> Network:
    fields = {
        "name": name,
        "purpose": "test",
        "file": f"{name}_network.onnx",
        "sha256": "",
        "size": 0,
        "licence": "MIT",
        "attribution": "us",
        "origin": "https://example.com",
        "inputs": (Input("x", (0, 3)),),
        "outputs": ("y",),
        "labels": ("a", "b", "c"),
    }
    return Network(**{**fields, **changes})  # type: ignore[arg-type]


FIRST, SECOND = tiny(2.0), tiny(3.0)
KNOWN = tiny(4.0)
NETWORKS = (
    row("unknown"),
    row("other"),
    row("known", sha256=hashlib.sha256(KNOWN).hexdigest(), size=len(KNOWN)),
    row("sizeless", sha256=hashlib.sha256(SECOND).hexdigest()),
)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "listed", lambda: NETWORKS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def made(tmp_path: Path, content: bytes, name: str = "download.onnx") -> Path:
    file = tmp_path / name
    file.write_bytes(content)
    return file


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_first_file_is_trusted_by_name_and_then_opened(tmp_path: Path, folder: Path) -> None:
    assert models.identity(NETWORKS[0], folder) is None
    assert models.add(made(tmp_path, FIRST), folder, name="unknown") is NETWORKS[0]
    assert models.status(NETWORKS[0], folder) == "installed"
    pinned = models.identity(NETWORKS[0], folder)
    assert pinned is not None
    assert (pinned.sha256, pinned.size) == (sha(FIRST), len(FIRST))
    (y,) = models.open_network("unknown", folder).run(np.ones((1, 3), dtype=np.float32))
    assert y.tolist() == [[2.0] * 3]


def test_without_its_name_no_unknown_file_is_trusted(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(BadModel, match=r"may be unknown, .* --as unknown"):
        models.add(made(tmp_path, FIRST, "unknown_network.onnx"), folder)
    with pytest.raises(BadModel, match="no network that the product knows"):
        models.add(made(tmp_path, FIRST + b"0", "holiday.jpg"), folder)
    assert not list(folder.iterdir())


def test_a_file_that_was_trusted_is_recognised_by_its_checksum(tmp_path: Path, folder: Path) -> None:
    file = made(tmp_path, FIRST)
    models.add(file, folder, name="unknown")
    (folder / NETWORKS[0].file).unlink()
    assert models.add(file, folder) is NETWORKS[0]
    assert models.status(NETWORKS[0], folder) == "installed"


def test_another_file_under_its_name_is_refused(tmp_path: Path, folder: Path) -> None:
    models.add(made(tmp_path, FIRST), folder, name="unknown")
    with pytest.raises(BadModel, match=r"is not the unknown that was first added: as long, .* --sha256"):
        models.add(made(tmp_path, SECOND), folder, name="unknown")
    assert models.read("unknown", folder) == FIRST


def test_another_file_takes_its_place_with_its_checksum(tmp_path: Path, folder: Path) -> None:
    models.add(made(tmp_path, FIRST), folder, name="unknown")
    models.add(made(tmp_path, FIRST), folder, name="other")
    models.add(made(tmp_path, SECOND), folder, name="unknown", sha256=sha(SECOND).upper())
    assert models.read("unknown", folder) == SECOND
    assert models.read("other", folder) == FIRST


def test_a_checksum_that_is_given_must_be_the_files(tmp_path: Path, folder: Path) -> None:
    for content, name in ((FIRST, "unknown"), (KNOWN, "known"), (KNOWN, None)):
        with pytest.raises(BadModel, match=f"has the sha256 {sha(content)}, not {'0' * 64}"):
            models.add(made(tmp_path, content), folder, name=name, sha256="0" * 64)
    assert models.add(made(tmp_path, KNOWN), folder, sha256=sha(KNOWN)).name == "known"


def test_a_checksum_that_is_listed_cannot_be_talked_over(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(BadModel, match="is not known"):
        models.add(made(tmp_path, FIRST), folder, name="known", sha256=sha(FIRST))
    assert not list(folder.iterdir())


def test_a_file_that_changed_since_is_damaged(tmp_path: Path, folder: Path) -> None:
    models.add(made(tmp_path, FIRST), folder, name="unknown")
    (folder / NETWORKS[0].file).write_bytes(SECOND)
    assert models.status(NETWORKS[0], folder) == "damaged"
    with pytest.raises(BadModel, match="damaged: as long, but with other content"):
        models.open_network("unknown", folder)


def test_a_file_that_nobody_added_is_not_opened(folder: Path) -> None:
    folder.mkdir()
    (folder / NETWORKS[0].file).write_bytes(FIRST)
    assert models.status(NETWORKS[0], folder) == "damaged"
    with pytest.raises(BadModel, match="nobody has vouched"):
        models.open_network("unknown", folder)


def test_a_missing_file_tells_how_to_add_it(folder: Path) -> None:
    with pytest.raises(BadModel, match=r"not installed: .*`kiosk models add FILE --as unknown`"):
        models.open_network("unknown", folder)


def test_a_list_of_trust_that_cannot_be_read_trusts_nothing_anew(tmp_path: Path, folder: Path) -> None:
    models.add(made(tmp_path, FIRST), folder, name="unknown")
    for broken in (b"{", b'[{"name":"unknown"}]', b""):
        (folder / models.PINS).write_bytes(broken)
        assert models.status(NETWORKS[0], folder) == "damaged"
        for act in (
            lambda: models.open_network("unknown", folder),
            lambda: models.add(made(tmp_path, SECOND), folder, name="unknown"),
        ):
            with pytest.raises(BadModel, match=r"pins\.json cannot be read"):
                act()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (tiny(2.0, name="z"), r"has the inputs \['z'\], models.toml says \['x'\]"),
        (tiny(2.0, width=4), r"takes x as tensor\(float\) \['n', 4\], models.toml says float32 \[0, 3\]"),
        (tiny(2.0, kind=TensorProto.INT64), r"takes x as tensor\(int64\)"),
        (b"no network at all", "onnxruntime cannot load it"),
        (b"", "onnxruntime cannot load it"),
    ],
)
def test_a_file_that_does_not_suit_is_not_trusted(tmp_path: Path, folder: Path, content: bytes, said: str) -> None:
    with pytest.raises(BadModel, match=said):
        models.add(made(tmp_path, content), folder, name="unknown")
    assert models.identity(NETWORKS[0], folder) is None
    assert not list(folder.iterdir())


def test_a_network_with_other_classes_is_not_trusted(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven numbers read with eight names would be a plausible wrong answer."""
    monkeypatch.setattr(models, "listed", lambda: (row("unknown", labels=("a", "b", "c", "d")),))
    with pytest.raises(BadModel, match=r"gives 3 numbers, models\.toml names 4"):
        models.add(made(tmp_path, FIRST), folder, name="unknown")


def test_where_the_size_is_not_known_the_checksum_decides(tmp_path: Path, folder: Path) -> None:
    assert models.add(made(tmp_path, SECOND), folder).name == "sizeless"
    (folder / "sizeless_network.onnx").write_bytes(SECOND + b"x")
    with pytest.raises(BadModel, match="damaged: other content"):
        models.read("sizeless", folder)


def test_colours_have_means_of_their_own() -> None:
    picture = np.zeros((2, 2, 3), dtype=np.uint8)
    picture[0, 1] = (10, 20, 30)
    seen = Input("x", (2, 2, 3), mean=(1.0, 2.0, 3.0), scale=(1.0, 2.0, 3.0)).pixels(picture)
    assert seen[0, 1].tolist() == [9.0, 9.0, 9.0]
    assert seen.dtype == np.float32


def test_bytes_are_held_to_their_row(folder: Path) -> None:
    model = onnx.load_from_string(FIRST)
    assert models.open_bytes(NETWORKS[0], FIRST).network is NETWORKS[0]
    model.graph.output[0].name = "z"
    model.graph.node[0].output[0] = "z"
    with pytest.raises(BadModel, match="outputs"):
        models.open_bytes(NETWORKS[0], bytes(model.SerializeToString()))


def test_networks_that_are_added_at_once_are_all_remembered(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = pins.pinned

    def slow(where: Path) -> tuple[Identity, ...]:
        read = pinned(where)
        time.sleep(0.3)
        return read

    monkeypatch.setattr(pins, "pinned", slow)
    models.open_bytes(NETWORKS[0], FIRST)  # what is loaded once is loaded
    names = ("unknown", "other")
    files = {name: made(tmp_path, content, name) for name, content in zip(names, (FIRST, SECOND), strict=True)}
    start = threading.Barrier(len(names))

    def added(name: str) -> None:
        start.wait()
        models.add(files[name], folder, name=name)

    with ThreadPoolExecutor() as pool:
        list(pool.map(added, names))
    assert [models.read(name, folder) for name in names] == [FIRST, SECOND]


def test_of_two_first_files_of_one_network_one_is_trusted(tmp_path: Path, folder: Path) -> None:
    files = [made(tmp_path, content, f"{index}") for index, content in enumerate((FIRST, SECOND))]
    start = threading.Barrier(len(files))

    def refused(file: Path) -> bool:
        start.wait()
        try:
            models.add(file, folder, name="unknown")
        except BadModel:
            return True
        return False

    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(refused, files)) == [False, True]
    assert models.read("unknown", folder) in (FIRST, SECOND)
