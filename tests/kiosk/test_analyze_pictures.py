"""`kiosk analyze` of a video and of a still, as a user would."""

import json
from pathlib import Path

import matplotlib as mpl
import pytest
from typer.testing import CliRunner, Result

from kiosk.__main__ import app
from sensors.drivers.simulated import Person
from sensors.drivers.simulated.portrait import Portrait, write
from sensors.drivers.simulated.scene import Scene

SECONDS = 14


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_DATA", str(tmp_path / "data"))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A face of twenty seconds, and its heart rate."""
    path = tmp_path_factory.mktemp("film") / "visitor.mkv"
    made = Portrait(Person(seed=9, heart_rate=80.0, rgb_amplitude=0.01), Scene(seed=2), width=320, height=240)
    write(path, made.frames(SECONDS))
    truth = made.truth(0.0, SECONDS).heart_rate
    assert truth is not None
    return path, truth


def kiosk(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_video_gives_a_heart_rate_and_a_figure_with_the_face(film: tuple[Path, float], tmp_path: Path) -> None:
    path, truth = film
    figure = tmp_path / "figure.html"
    result = kiosk("analyze", path, "--json", "--plot", figure)
    assert result.exit_code == 0, result.output
    assert figure.stat().st_size > 20_000
    answer = json.loads(result.stdout)
    rate = next(each for each in answer["readings"] if each["measure"] == "heart_rate")
    assert rate["value"] == pytest.approx(truth, abs=1.5)
    assert rate["source"] == "rgb"
    # a face's picture is in the figure that was asked for, and nowhere in the answer
    assert "image" not in result.stdout


def test_a_still_gives_expressions_and_exit_code_0(tmp_path: Path) -> None:
    photo = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    result = kiosk("analyze", photo, "--json", "--plot", tmp_path / "face.svg")
    assert result.exit_code == 0, result.output
    readings = {each["measure"]: each for each in json.loads(result.stdout)["readings"]}
    known = ("neutral", "happiness", "sadness", "surprise", "anger", "fear", "disgust")
    assert sum(readings[f"face_{name}"]["value"] for name in known) == pytest.approx(1.0, abs=0.05)
    assert readings["face_contempt"]["absent"] == "no_trained_model"
    assert "heart_rate" not in readings
    assert (tmp_path / "face.svg").stat().st_size > 20_000


def test_people_read_what_a_face_can_say_and_what_not() -> None:
    result = kiosk("analyze", Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg")
    assert "Expression" in result.stdout
    assert "what the face showed, not what was felt" in result.stdout
