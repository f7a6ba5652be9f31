"""`kiosk models` and `kiosk train` as an operator types them."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from kiosk import download, models
from kiosk.__main__ import app
from kiosk.commands.train import rppg, writing
from tests.conftest import require


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIOSK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "data" / models.FOLDER


def kiosk(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_list_says_how_each_file_comes_here() -> None:
    rows = {line.split()[0]: line for line in kiosk("models", "list").stdout.splitlines()}
    assert "pull" in rows["yunet"]
    assert "add" in rows["mini_xception"]
    assert "Not used yet" in kiosk("models", "list").stdout
    for network in models.listed():
        assert network.name in rows


def test_what_must_be_added_by_hand_is_not_pulled() -> None:
    result = kiosk("models", "pull", "faceapi_expression", "nope")
    assert result.exit_code == 2
    assert "faceapi_expression cannot be pulled: get faceapi_expression.onnx from https://" in result.stderr
    assert "there is no network 'nope'" in result.stderr


def test_a_pull_installs_and_one_that_fails_does_not_stop_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(url: str, target: Path, *, told: download.Told, **_: object) -> None:
        told(10, 0)
        if "dynamic" in url:
            raise download.NotFetched("example.com is too slow")
        told(20, 20)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"x")

    monkeypatch.setattr(download, "fetch", fetch)
    result = kiosk("models", "pull", "yunet", "emotieffnet_b0_va")
    assert result.exit_code == 2
    assert "kiosk: yunet: example.com is too slow" in result.stderr
    assert "emotieffnet_b0_va is installed" in result.stderr
    assert "AffectNet" in result.stderr
    assert (folder / "enet_b0_8_va_mtl.onnx").exists()


def test_trust_on_first_use_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require(find_spec("torch"), "torch")
    monkeypatch.setattr(rppg, "VISITORS", 12)
    monkeypatch.setattr(rppg, "HELD_BACK", 3)
    made = tmp_path / "made" / "mine.onnx"
    result = kiosk("train", "rppg", "--out", made, "--minutes", "0.01", "--seed", "3")
    assert result.exit_code == 0, result.output
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    card = made.with_suffix(".md").read_text("utf-8")
    assert digest in card
    assert "--seed 3" in card
    assert f"kiosk models add {made} --as rppg_own" in result.stdout

    result = kiosk("models", "add", made)
    assert result.exit_code == 2

    result = kiosk("models", "add", made, "--as", "rppg_own", "--sha256", digest)
    assert result.exit_code == 0, result.output
    assert "this file is trusted because you added it" in result.stdout
    assert digest in result.stdout
    assert "rppg_own: installed" in kiosk("models", "verify").stdout


def test_a_name_is_for_one_file(tmp_path: Path) -> None:
    result = kiosk("models", "add", tmp_path / "a", tmp_path / "b", "--as", "rppg_own")
    assert result.exit_code == 2
    assert "are for one file" in result.stderr


def test_training_without_its_extra_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "find_spec", lambda name: None)
    result = kiosk("train", "rppg", "--out", tmp_path / "x.onnx")
    assert result.exit_code == 2
    assert "extra `train`" in result.stderr


def test_training_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    require(find_spec("torch"), "torch")
    (tmp_path / "occupied").write_text("")
    result = kiosk("train", "rppg", "--out", tmp_path / "occupied" / "x.onnx", "--minutes", "0.01")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


@pytest.fixture
def learning(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How often training began; it is interrupted at once."""
    require(find_spec("torch"), "torch")
    from analytics.training import rppg as training

    begun: list[float] = []

    def interrupted(*_: object, **__: object) -> None:
        begun.append(1.0)
        raise KeyboardInterrupt

    monkeypatch.setattr(rppg, "VISITORS", 2)
    monkeypatch.setattr(rppg, "HELD_BACK", 1)
    monkeypatch.setattr(training, "train", interrupted)
    return begun


def test_training_that_is_interrupted_leaves_an_earlier_network_whole(tmp_path: Path, learning: list[float]) -> None:
    out = tmp_path / "mine.onnx"
    out.write_bytes(b"of yesterday")
    assert kiosk("train", "rppg", "--out", out, "--minutes", "0.01").exit_code != 0
    assert learning
    assert out.read_bytes() == b"of yesterday"
    assert [file.name for file in tmp_path.iterdir()] == ["mine.onnx"]


@pytest.mark.parametrize(
    ("name", "folder_there", "said"),
    [
        ("mine.md", "", "its card would take its place"),
        ("mine.MD", "", "its card would take its place"),
        ("mine.onnx", "mine.onnx", "it is a folder"),
        ("mine.onnx", "mine.md", "it is a folder"),
        (".", "", "it is a folder"),
    ],
)
def test_where_a_network_and_its_card_cannot_lie_nothing_is_learnt(
    tmp_path: Path, learning: list[float], monkeypatch: pytest.MonkeyPatch, name: str, folder_there: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if folder_there:
        (tmp_path / folder_there).mkdir()
    result = kiosk("train", "rppg", "--out", name, "--minutes", "0.01")
    assert result.exit_code == 2
    assert said in result.stderr
    assert not learning


def test_a_network_that_cannot_be_written_whole_does_not_replace_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.onnx"
    file.write_bytes(b"of yesterday")
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        write(path, content[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(typer.Exit):
        writing.write(file, b"of today")
    assert file.read_bytes() == b"of yesterday"
    assert [each.name for each in tmp_path.iterdir()] == ["mine.onnx"]
