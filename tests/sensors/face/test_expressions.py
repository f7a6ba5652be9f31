import csv
import logging
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from kiosk import models
from kiosk.measures import EXPRESSIONS
from kiosk.signals import SIGNALS
from sensors.face.expressions import Expression, Networks, tells_expressions, views_of
from sensors.face.seen import Numbers, Pixels, Points
from tests.sensors.face.drawn import drawn

FAMILY = "emotieffnet_mobilevit_va"
"""Of the EmotiEffNets the one whose checksum is not listed: what is first added under its name is trusted."""


@pytest.fixture(scope="module")
def portrait() -> tuple[Pixels, Points]:
    """A portrait in the public domain that a plotting library ships, and its landmarks."""
    from sensors.face.engines import finder

    picture = cv2.imread(str(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"))
    assert picture is not None
    pixels = np.ascontiguousarray(picture[..., ::-1], np.uint8)
    found = finder("auto", None)
    faces = found.faces(pixels)
    found.close()
    return pixels, faces[0].points


@pytest.fixture(scope="module")
def asked(networks: Path) -> Networks:
    return Networks(networks)


def of(told: Numbers, channels: tuple[str, ...], network: str) -> dict[str, float]:
    return {
        channel.removeprefix(f"{network}."): float(value)
        for channel, value in zip(channels, told, strict=True)
        if channel.startswith(f"{network}.")
    }


def eye_colour(weights: np.ndarray, offsets: np.ndarray, *, size: int = 224) -> bytes:
    """A network like the EmotiEffNets from outside: its ten numbers are a linear function of the mean colour."""
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["input", "sides"], ["mean"], keepdims=0),
            helper.make_node("Gemm", ["mean", "weights", "offsets"], ["output"]),
        ],
        "colour",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, size, size])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", len(offsets)])],
        [
            numpy_helper.from_array(np.array([2, 3], np.int64), "sides"),
            numpy_helper.from_array(weights.astype(np.float32), "weights"),
            numpy_helper.from_array(offsets.astype(np.float32), "offsets"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def added(folder: Path, weights: np.ndarray, offsets: np.ndarray) -> Networks:
    folder.mkdir(exist_ok=True)
    file = folder.parent / "network.onnx"
    file.write_bytes(eye_colour(weights, offsets))
    models.add(file, folder, name=FAMILY)
    return Networks(folder)


def test_without_networks_there_are_no_scores(tmp_path: Path) -> None:
    for folder in (None, tmp_path, tmp_path / "nowhere"):
        none = Networks(folder)
        assert none.channels == ()
        assert none.scores(np.zeros((64, 64, 3), np.uint8), drawn()).shape == (0,)


def test_scores_fit_on_the_wire(asked: Networks) -> None:
    assert asked.names == ("faceapi_expression", "mini_xception")
    assert SIGNALS["face_scores"].accepts_channels(asked.channels)


def test_every_network_of_the_list_that_tells_expressions_is_one_of_ours() -> None:
    ours = [network for network in models.listed() if tells_expressions(network)]

    assert {"faceapi_expression", "mini_xception"} < {network.name for network in ours}
    assert any("contempt" in network.labels and "valence" in network.labels for network in ours)
    for network in ours:
        assert network.inputs[0].order is not None
        assert len(network.inputs) == 1
        assert views_of(network.name)


def test_each_network_gives_probabilities(asked: Networks, portrait: tuple[Pixels, Points]) -> None:
    told = asked.scores(*portrait)

    for name in asked.names:
        answer = of(told, asked.channels, name)
        assert set(answer) <= set(EXPRESSIONS)
        assert sum(answer.values()) == pytest.approx(1.0, abs=0.31)  # in tenths
        assert min(answer.values()) >= 0.0


def test_a_calm_portrait_is_neutral(asked: Networks, portrait: tuple[Pixels, Points]) -> None:
    answer = of(asked.scores(*portrait), asked.channels, "faceapi_expression")

    assert max(answer, key=lambda label: answer[label]) == "neutral"


def test_a_tilted_picture_says_the_same(asked: Networks, portrait: tuple[Pixels, Points]) -> None:
    pixels, points = portrait
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 25.0, 1.0)
    tilted = np.asarray(cv2.warpAffine(pixels, turn, (width, height)), np.uint8)
    moved = points.copy()
    moved[:, :2] = points[:, :2] @ turn[:, :2].T.astype(np.float32) + turn[:, 2].astype(np.float32)

    one, other = asked.scores(pixels, points), asked.scores(tilted, moved)

    assert np.abs(one - other).max() < 0.15
    assert np.argmax(one[:7]) == np.argmax(other[:7])


def test_a_mirrored_picture_says_the_same(asked: Networks, portrait: tuple[Pixels, Points]) -> None:
    pixels, points = portrait
    mirrored = points.copy()
    mirrored[:, 0] = pixels.shape[1] - points[:, 0]
    mirrored[[33, 263]] = mirrored[[263, 33]]

    one, other = asked.scores(pixels, points), asked.scores(np.ascontiguousarray(pixels[:, ::-1]), mirrored)

    np.testing.assert_allclose(one, other, atol=0.101)


def test_a_face_that_is_too_small_has_no_scores(asked: Networks, portrait: tuple[Pixels, Points]) -> None:
    pixels, points = portrait

    assert np.isnan(asked.scores(pixels, points * np.float32(0.05))).all()
    assert np.isnan(asked.scores(pixels, np.full_like(points, np.nan))).all()


def test_a_face_at_the_edge_of_the_picture_has_scores(asked: Networks, portrait: tuple[Pixels, Points]) -> None:
    pixels, points = portrait
    moved = points.copy()
    moved[:, 0] += pixels.shape[1] - float(points[:, 0].mean())

    told = asked.scores(pixels, moved)

    assert np.isfinite(told).all()


def test_the_emotieffnets_take_imagenet_colours_and_give_logits(tmp_path: Path) -> None:
    """Known truth: with a picture of one colour the network's ten numbers can be worked out by hand."""
    chance = np.random.default_rng(3)
    weights, offsets = chance.normal(size=(3, 10)) * 0.5, chance.normal(size=10) * 0.3
    networks = added(tmp_path / "models", weights, offsets)
    colour = np.array([200, 120, 40])
    pixels = np.broadcast_to(colour.astype(np.uint8), (480, 640, 3)).copy()

    told = Expression(models.open_network(FAMILY, tmp_path / "models")).scores(pixels, drawn())

    # colours as ImageNet's: red, green and blue in 0..1, less their means, over their deviations
    numbers = ((colour / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)) @ weights + offsets
    odds = np.exp(numbers[:8])
    answer = of(told, networks.channels, FAMILY)
    alphabetical = ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    assert tuple(answer) == (*alphabetical, "valence", "arousal")
    np.testing.assert_allclose(list(answer.values())[:8], odds / odds.sum(), atol=1e-4)
    np.testing.assert_allclose(list(answer.values())[8:], np.clip(numbers[8:], -1, 1), atol=1e-4)


def test_what_leaves_is_in_tenths(asked: Networks, portrait: tuple[Pixels, Points]) -> None:
    told = asked.scores(*portrait).astype(np.float64)

    np.testing.assert_allclose(told, np.round(told, 1), atol=1e-6)


def test_valence_and_arousal_stay_in_their_range(tmp_path: Path) -> None:
    networks = added(tmp_path / "models", np.zeros((3, 10)), np.array([0.0] * 8 + [7.0, -7.0]))

    answer = of(networks.scores(np.zeros((480, 640, 3), np.uint8), drawn()), networks.channels, FAMILY)

    assert (answer["valence"], answer["arousal"]) == (1.0, -1.0)


def test_certain_numbers_do_not_overflow(tmp_path: Path) -> None:
    networks = added(tmp_path / "models", np.zeros((3, 10)), np.array([1e4] + [-1e4] * 7 + [0.0, 0.0]))

    answer = of(networks.scores(np.zeros((480, 640, 3), np.uint8), drawn()), networks.channels, FAMILY)

    assert list(answer.values()) == [1.0] + [0.0] * 9


def test_a_damaged_network_is_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "models"
    added(folder, np.zeros((3, 10)), np.zeros(10))
    file = folder / models.known(FAMILY).file
    file.write_bytes(file.read_bytes()[:-10])

    with caplog.at_level(logging.WARNING):
        networks = Networks(folder)

    assert networks.channels == ()
    assert FAMILY in caplog.text


def test_laughing_people_are_happy_to_each_network(asked: Networks, recordings: Path) -> None:
    from sensors.face.detect import BlazeFace
    from sensors.face.following import Following
    from sensors.face.mesh import MeshNetwork

    folder = recordings / "face" / "lfw_expressions"
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        images = [row["image"] for row in csv.DictReader(file) if row["emotion"] == "happiness"][:20]
    detector, network = BlazeFace(), MeshNetwork()
    happy, seen = dict.fromkeys(asked.names, 0), 0
    for image in images:
        picture = cv2.imread(str(folder / "images" / image))
        assert picture is not None
        pixels = np.ascontiguousarray(picture[..., ::-1], np.uint8)
        faces = Following(detector, network).faces(pixels)
        if not faces:
            continue
        seen += 1
        told = asked.scores(pixels, faces[0].points)
        for name in asked.names:
            answer = of(told, asked.channels, name)
            happy[name] += max(answer, key=lambda label: answer[label]) == "happiness"
    network.close()
    detector.close()
    assert seen >= 15
    assert min(happy.values()) >= 0.75 * seen, (happy, seen)
