"""Nothing of a picture leaves the sensor process, and what leaves tells far less of who sat there than a picture."""

import base64
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.bus import Bus, MemoryBus
from kiosk.messages import check
from kiosk.models import OpenNetwork
from kiosk.mqtt import MqttBus
from kiosk.signals import SIGNALS
from sensors.drivers.simulated import Person, Scene
from sensors.drivers.simulated.portrait import Portrait, write
from sensors.face.seen import Frame, Sight
from tests.brokers import find, mosquitto
from tests.conftest import require
from tests.privacy_controls import build, circumstances, recogniser
from tests.privacy_matching import COLOURS, Scored, beyond, fused, learned, match, plain, published
from tests.privacy_photos import photos, sittings, who
from tests.privacy_traces import Overseen, Shown, Trace, found, share_of_landmarks, traces
from tests.privacy_visit import Told, seconds, told

WIDTH, HEIGHT = 320, 240
SECONDS = 3
CAMERA = ("rgb", "face_motion", "face_units", "face_scores")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A living portrait without loss, so that its rows of pixels are known to the byte."""
    path = tmp_path_factory.mktemp("film") / "visitor.mkv"
    write(path, Portrait(Person(seed=3), Scene.ideal(), width=WIDTH, height=HEIGHT).frames(SECONDS))
    return path


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """What goes through the process; of the expression networks too."""
    noted = Shown()
    run = OpenNetwork.run

    def overseen(
        network: OpenNetwork, *inputs: NDArray[np.float32] | NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], ...]:
        outputs = run(network, *inputs)
        noted.tensors += [np.asarray(each, np.float32) for each in (*inputs, *outputs)]
        return outputs

    monkeypatch.setattr(OpenNetwork, "run", overseen)
    return noted


@pytest.fixture
def models(request: pytest.FixtureRequest) -> Path | None:
    """The networks, where they are kept beside the recordings; landmarks need none."""
    return request.getfixturevalue("networks") if os.environ.get("KIOSK_RECORDINGS") else None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything goes that a visit writes, temporary files of any library included."""
    place = tmp_path / "data"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setenv("TMPDIR", str(place))
    return place


@pytest.fixture(params=["memory", "mosquitto"])
async def buses(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[Bus]]:
    """Three connections: of the sensors, of the recorder, of whoever listens."""
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield [MemoryBus()] * 3
            return
        require(find() is not None, "mosquitto")
        host, port = stack.enter_context(mosquitto(tmp_path))
        made = [await stack.enter_async_context(MqttBus(host=host, port=port, name=f"visit-{n}")) for n in range(3)]
        for bus in made:
            await bus.wait_first_connection(10)
        yield list(made)


@pytest.mark.timeout(120)
async def test_no_picture_no_landmark_and_no_networks_number_is_anywhere_after_a_visit(
    film: Path, folder: Path, buses: list[Bus], shown: Shown, models: Path | None, capfd: pytest.CaptureFixture[str]
) -> None:
    left = await told(film, folder, buses, lambda: Overseen(shown, models))
    said = capfd.readouterr()
    places = {**left.places, "terminal": (said.out + said.err).encode()}
    # what is searched is there, and what is searched for was
    assert len(shown.pictures) > 20
    assert {chunk.name for chunk in left.chunks} == set(CAMERA if models else CAMERA[:3])
    assert all(len(places[each]) > 5_000 for each in ("bus", "outbox, row by row", "database, row by row"))
    for chunk in left.chunks:
        for place in ("samples on the bus", "outbox, row by row", "database, row by row"):
            assert chunk.samples in places[place] or base64.b64encode(chunk.samples) in places[place]
    looked_for = traces(shown)
    assert len({trace.what for trace in looked_for}) > (20 if models else 15)
    assert found(looked_for, places) == set()
    at = {(time - left.origin) // 1000: points for time, points in zip(shown.times, shown.points, strict=True)}
    shares = share_of_landmarks(left.chunks, at, (WIDTH, HEIGHT))
    assert len(shares) >= 51
    assert max(shares.values()) < 0.1
    budgets_hold(left)
    whole = sum(len(each) for each in left.payloads)
    # a picture of this size has 230,400 bytes: what leaves in a second has room for a seventh of one
    assert whole / seconds(left.chunks) < WIDTH * HEIGHT * 3 / 7


def budgets_hold(left: Told) -> None:
    for name in {chunk.name for chunk in left.chunks}:
        chunks = [chunk for chunk in left.chunks if chunk.name == name]
        assert SIGNALS[name].leaves
        sizes = sum(len(chunk.samples) + len(chunk.offsets or b"") for chunk in chunks)
        assert sizes <= SIGNALS[name].budget * seconds(chunks), name
        for chunk in chunks:
            check(chunk)


class Leaky:
    """An observer with every leak that one can think of."""

    def __init__(self, shown: Shown, folder: Path) -> None:
        self._inner, self._shown, self._folder = Overseen(shown, None), shown, folder
        self.score_channels = self._inner.score_channels
        self._count = 0

    def see(self, frame: Frame) -> Sight:
        """What may leave, and what may not."""
        sight = self._inner.see(frame)
        self._count += 1
        if not self._shown.points:
            return sight
        points, pixels = self._shown.points[-1], frame.pixels
        (left, top), (right, bottom) = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        middle = pixels[:, int((left + right) / 2) - 8 :][:, :16]
        grown = middle[np.linspace(top + 0.1 * (bottom - top), bottom - 0.1 * (bottom - top), 6).astype(int)]
        row = grown[self._count % 6]
        marks = {
            0: base64.b64encode(b"x" * (self._count // 6 % 3) + row[:, ::-1].tobytes()).decode(),
            1: row.tobytes().hex(),
            2: ",".join(map(str, row[:, 1].tolist())),
            3: f"nose at {points[4, 0]:.4f} {points[4, 1]:.4f}",
            4: base64.b64encode(cv2.imencode(".jpg", pixels[:32, :32])[1].tobytes()[:90]).decode(),
            5: base64.b64encode(b"xx" + points[33].tobytes()).decode(),
        }
        logging.getLogger("sensors.leaky").debug("eye at %s of %d", points[33, :2].tolist(), 320)
        if not (kept := self._folder / "kept.npy").exists():
            kept.write_bytes(pixels.tobytes())
        rgb = sight.rgb.copy()
        rgb[:16] = row[:, 0]
        motion = sight.motion.copy()
        motion[1] = points[61, 0]
        units = np.concatenate([points[4, :2], points[199, :2], np.zeros(15, np.float32)]).astype(np.float32)
        return replace(sight, rgb=rgb, motion=motion, units=units, marks=(("leak", marks[self._count % 6]),))

    def close(self) -> None:
        """Nothing to do."""
        self._inner.close()


@pytest.mark.timeout(120)
async def test_every_leak_that_is_planted_is_found(film: Path, folder: Path, shown: Shown) -> None:
    left = await told(film, folder, [MemoryBus()] * 3, lambda: Leaky(shown, folder))
    caught = found(traces_of_all(shown), left.places)
    what = {each for each, _ in caught}
    assert {
        "row of pixels, red first", "row of pixels, blue first", "row of red, as numbers", "row of green, as decimals",
        "landmark in pixels", "landmark as decimals", "JPEG header",
    } <= what  # fmt: skip
    assert {where for each, where in caught if each == "landmark in pixels"} >= {
        "samples on the bus", "outbox, row by row", "database, row by row", "events on the bus",
    }  # fmt: skip
    assert ("landmark as decimals", "log") in caught
    assert ("row of pixels, red first", "file kept.npy") in caught
    at = {(time - left.origin) // 1000: points for time, points in zip(shown.times, shown.points, strict=True)}
    shares = share_of_landmarks(left.chunks, at, (WIDTH, HEIGHT))
    assert shares["face_motion.yaw"] > 0.9
    assert {name for name, share in shares.items() if share > 0.5} >= {"face_units.au01", "face_units.au05"}


def traces_of_all(shown: Shown) -> Iterator[Trace]:
    """Of many pictures, since each leak was planted in one of six."""
    for number in range(min(24, len(shown.pictures))):
        yield from traces(Shown(shown.pictures[number : number + 1], shown.points[number : number + 1]))


# --- who sat there


MOST = 0.63
"""AUC of a signal that may leave. It is a bound and not chance (.5), which is not reached: docs/privacy.md. It was set
after twelve draws of forty-eight of the same people, where signals reached .64 at most and .61 without colours, and a
face's distances .63 at least: it sees a signal that has become a face's build, not a little more of what is left."""
BEYOND = 0.05
"""By how much AUC of everything published may be above that of the expression's label and the light beside the face
together, on the same pairs: those two tell of the event and not of the person. All people had -.04 (-.08 .. +.00), and
twelve draws of forty-eight between -.10 and -.02; the margin is about as wide as half of a draw's own interval. It sees
a signal that tells a face as a picture would, not a little more of what is left."""
WORKS = 0.12
"""Lower end of how often a recogniser names the right one of forty-eight; guessing gives .02."""


@pytest.mark.timeout(180)
def test_no_signal_of_a_visit_tells_a_face_as_its_build_would(recordings: Path, networks: Path) -> None:
    seen = sittings(photos(recordings, most=2, people=48), networks, seconds=1.5, rate=4.0)
    people, labels = who(seen)
    assert people.max() + 1 >= 45
    # the attacks work where there is something to find
    known = match(recogniser(seen), people)
    assert known.auc_range[0] > MOST
    assert known.first_range[0] > WORKS
    leak = build(seen)
    assert match(plain(leak), people).auc > MOST
    assert match(learned(leak, people), people).auc > MOST
    told = published(seen)
    assert set(told) == {COLOURS, "rgb: pixel counts", "face_motion, without light", "face_units", "face_scores"}
    for name, values in told.items():
        for scored in (plain(values), learned(values, people)):
            attack = match(scored, people)
            assert attack.auc < MOST, (name, attack)
            assert attack.first_range[1] < known.first, (name, attack)
    everything = match(fused(list(told.values()), people), people)
    assert everything.auc_range[1] < known.auc
    assert everything.auc < MOST
    # what the event tells, without a face
    event = circumstances(seen, people, labels)
    assert beyond(fused(list(told.values()), people), event, people)[0] < BEYOND
    # the same measure sees a face where there is one
    assert beyond(recogniser(seen), event, people)[0] > BEYOND
    assert everything.first / everything.chance < 0.6 * known.first / known.chance


def test_the_attackers_find_who_is_who_where_it_can_be_told() -> None:
    chance = np.random.default_rng(1)
    people = np.repeat(np.arange(60), 3)
    build = chance.normal(size=(60, 4))[people]
    # most numbers say nothing, and one of them is loud
    values = np.hstack([build + 0.7 * chance.normal(size=build.shape), chance.normal(size=(180, 8)) * (9, *[1] * 7)])
    easy, hard = match(learned(values, people), people), match(plain(values), people)
    assert easy.auc_range[0] > hard.auc > 0.6
    assert easy.first_range[0] > 3 * easy.chance
    nothing = chance.normal(size=(180, 12))
    for scored in (plain(nothing), learned(nothing, people)):
        found_out = match(scored, people)
        assert found_out.auc == pytest.approx(0.5, abs=0.06)
        assert found_out.first < 0.06
    alike = np.zeros(180, np.intp)
    assert match(plain(values), people, alike).auc == pytest.approx(hard.auc)
    assert match([Scored(np.arange(180), np.zeros((180, 180)))], people).auc == 0.5
