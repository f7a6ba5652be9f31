"""`kiosk models` and `kiosk train` as an operator types them."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kiosk import download, models
from kiosk.__main__ import app
from kiosk.commands import train
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
    monkeypatch.setattr(train, "VISITORS", 12)
    monkeypatch.setattr(train, "HELD_BACK", 3)
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
    monkeypatch.setattr(train, "find_spec", lambda name: None)
    result = kiosk("train", "rppg", "--out", tmp_path / "x.onnx")
    assert result.exit_code == 2
    assert "extra `train`" in result.stderr


def test_training_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    require(find_spec("torch"), "torch")
    (tmp_path / "occupied").write_text("")
    result = kiosk("train", "rppg", "--out", tmp_path / "occupied" / "x.onnx", "--minutes", "0.01")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
