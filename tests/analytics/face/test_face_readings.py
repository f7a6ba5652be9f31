import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analytics import face
from analytics.analyzer import Finding
from analytics.face import LiveExpression, LiveUnits
from analytics.face.course import course, summary
from analytics.face.words import BASIC, EXPRESSIONS
from analytics.session import FinalReading, session
from kiosk.messages import SECOND
from kiosk.recording import Context, Recording, Track
from kiosk.signals import MOTION_CHANNELS, UNIT_CHANNELS

Floats = NDArray[np.float64]
SEVEN = tuple(f"faceapi_expression.{name}" for name in BASIC)
TEN = tuple(f"emotieffnet_b0_va.{name}" for name in (*EXPRESSIONS, "valence", "arousal"))


def certain(name: str, sure: float = 0.9) -> Floats:
    rest = (1.0 - sure) / (len(BASIC) - 1)
    return np.array([sure if each == name else rest for each in BASIC])


def scores(rows: Floats, *, every: float = 0.25, channels: tuple[str, ...] = SEVEN, device: str = "camera") -> Track:
    times = np.round(np.arange(len(rows)) * every * SECOND).astype(np.int64)
    return Track("face_scores", device, channels, None, times, np.asarray(rows, np.float32))


def units(seconds: float = 10.0, rate: float = 30.0, *, device: str = "camera", **columns: float) -> Track:
    times = np.round(np.arange(max(1, round(seconds * rate))) / rate * SECOND).astype(np.int64)
    samples = np.zeros((len(times), len(UNIT_CHANNELS)), np.float32)
    for name, value in columns.items():
        samples[:, UNIT_CHANNELS.index(name)] = value
    return Track("face_units", device, UNIT_CHANNELS, None, times, samples)


def motion(seconds: float = 10.0, *, device: str = "camera", **columns: float) -> Track:
    times = np.round(np.arange(max(1, round(seconds * 30))) / 30 * SECOND).astype(np.int64)
    samples = np.zeros((len(times), len(MOTION_CHANNELS)), np.float32)
    for name, value in columns.items():
        samples[:, MOTION_CHANNELS.index(name)] = value
    return Track("face_motion", device, MOTION_CHANNELS, None, times, samples)


def read(*tracks: Track) -> dict[str, FinalReading]:
    told = session(Recording(tracks), Context()).readings
    return {each.measure: each for each in told if each.preferred and each.measure != "respiration_rate"}


def value(reading: FinalReading) -> float:
    assert reading.value is not None, reading.absent
    return reading.value


def test_rules_alone_tell_a_smile() -> None:
    told = read(units(au12=4.0, au06=3.0, au25=3.0))

    assert value(told["face_happiness"]) > 0.9
    assert value(told["face_valence"]) > 0.5
    assert told["face_happiness"].source == "face_units"
    assert told["face_happiness"].method == "facs-rules-1"
    assert told["face_contempt"].absent == "no_trained_model"


def test_networks_and_rules_are_pooled() -> None:
    told = read(scores(np.tile(certain("sadness"), (40, 1))), units(au04=3.0, au15=4.0, au01=3.0))

    assert value(told["face_sadness"]) > 0.8
    assert told["face_sadness"].source == "face_scores+face_units"
    assert "faceapi_expression+facs" in told["face_sadness"].method
    assert sum(value(told[f"face_{name}"]) for name in BASIC) == pytest.approx(1.0, abs=1e-6)


def test_rules_alone_claim_less_quality_than_rules_and_a_network() -> None:
    alone = read(units())["face_neutral"].quality
    together = read(scores(np.tile(certain("neutral"), (40, 1))), units())["face_neutral"].quality

    assert alone is not None
    assert together is not None
    assert alone < 0.5 < together <= 1.0


def test_a_network_that_knows_contempt_valence_and_arousal_is_asked_for_them() -> None:
    row = np.array([0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.1, 0.5, -0.6, 0.3])

    told = read(scores(np.tile(row, (40, 1)), channels=TEN), units())

    assert value(told["face_contempt"]) == pytest.approx(0.5, abs=0.01)
    assert value(told["face_valence"]) == pytest.approx(-0.6, abs=1e-6)
    assert value(told["face_arousal"]) == pytest.approx(0.3, abs=1e-6)
    assert told["face_valence"].method == "pool(emotieffnet_b0_va)-1"


def test_the_note_has_the_statistics_of_the_session_and_says_what_it_is_not() -> None:
    rows = np.vstack((np.tile(certain("neutral"), (60, 1)), np.tile(certain("happiness"), (20, 1))))

    told = read(scores(rows))["face_happiness"]

    for word in ("mean", "sd", "from", "80 pictures", "not what was felt"):
        assert word in told.note


def test_a_single_picture_has_expressions_and_no_statistics() -> None:
    told = read(units(1 / 30, au12=2.5, au25=2.5), scores(certain("happiness")[None]), motion(1 / 30))

    assert value(told["face_happiness"]) > 0.8
    assert "a single picture" in told["face_happiness"].note
    assert told["blink_rate"].absent == "too_short"


def test_pictures_of_a_profile_count_less() -> None:
    rows = np.vstack((np.tile(certain("neutral"), (20, 1)), np.tile(certain("anger"), (20, 1))))
    turned = motion(yaw=0.0)
    turned.samples[150:, MOTION_CHANNELS.index("yaw")] = 70.0

    straight, told = read(scores(rows), motion()), read(scores(rows), turned)

    assert value(told["face_anger"]) < 0.3 < value(straight["face_anger"])


def test_a_profile_all_the_time_is_not_judged() -> None:
    told = read(units(), motion(yaw=75.0))

    assert {told[f"face_{name}"].absent for name in BASIC} == {"insufficient"}


def test_without_a_face_the_reason_is_that() -> None:
    told = read(units(au01=np.nan), motion(yaw=np.nan, pitch=np.nan))

    assert {told[measure].absent for measure in (*face.EXPRESSION, *face.LIDS_AND_JAW, face.GAZE)} == {"no_face"}


def test_without_a_camera_nothing_is_said() -> None:
    assert face.answers(Recording(()), "camera") == ()
    assert read() == {}


def test_scores_that_are_nonsense_leave_the_rules() -> None:
    for rows in (np.full((10, 7), np.nan), np.full((10, 7), 0.9), np.full((10, 7), 1e30)):
        told = read(scores(rows), units(au12=4.0, au06=3.0, au25=3.0))
        assert value(told["face_happiness"]) > 0.9, rows[0, 0]
    unknown = scores(np.ones((10, 2)), channels=("a", "b.c"))
    assert value(read(unknown, units())["face_neutral"]) > 0.4


def test_two_cameras_are_told_apart() -> None:
    recording = Recording((units(au12=4.0, au06=3.0, device="left"), units(device="right")))

    sources = {each.source for each in session(recording, Context()).readings if each.measure == "face_neutral"}

    assert sources == {"face_units.left", "face_units.right"}


def test_attention_is_a_weighted_mean_and_the_range_is_of_all() -> None:
    told = summary(np.array([0.0, 1.0, np.nan]), np.array([1.0, 3.0, 9.0]))

    assert told is not None
    assert (told.value, told.mean, told.low, told.high) == (0.75, 0.5, 0.0, 1.0)
    assert summary(np.array([np.nan]), np.ones(1)) is None


def test_one_wrong_picture_among_many_is_smoothed() -> None:
    rows = np.tile(certain("neutral"), (41, 1))
    rows[20] = certain("anger", 0.99)
    seen = course(None, scores(rows), None)

    assert seen is not None
    assert seen.probabilities[:, EXPRESSIONS.index("anger")].max() < 0.5


@pytest.mark.parametrize("kind", ["scores", "units"])
@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, 149), max_size=12), seed=st.integers(0, 100))
def test_no_chunking_changes_what_is_told_live(kind: str, cuts: list[int], seed: int) -> None:
    chance = np.random.default_rng(seed)
    times = np.cumsum(chance.integers(10, 200, 150)).astype(np.int64) * (SECOND // 1000)
    if kind == "scores":
        make, channels, rows = LiveExpression, SEVEN, chance.dirichlet(np.ones(7), 150)
    else:
        make, channels, rows = LiveUnits, UNIT_CHANNELS, chance.uniform(0, 5, (150, len(UNIT_CHANNELS)))  # type: ignore[assignment]
    samples = rows.astype(np.float32)
    whole = make(None, channels).feed(times, samples)
    live = make(None, channels)
    parts: list[Finding] = []
    for at, part in zip(np.split(times, sorted(set(cuts))), np.split(samples, sorted(set(cuts))), strict=True):
        parts += live.feed(at, part)

    assert parts == whole
    assert len(whole) > 30


def test_live_tells_each_second_what_the_last_three_showed() -> None:
    rows = np.vstack((np.tile(certain("neutral"), (20, 1)), np.tile(certain("happiness"), (20, 1))))
    told = LiveExpression(None, SEVEN).feed(scores(rows).times, rows.astype(np.float32))
    happy = [each.value for each in told if each.measure == "face_happiness"]

    assert len(happy) == 9
    assert happy[0] == pytest.approx(certain("neutral")[1], abs=1e-6)
    assert happy[-1] == pytest.approx(0.9, abs=1e-6)
    assert "face_contempt" not in {each.measure for each in told}
    assert all(each.end_ns - each.start_ns <= 3 * SECOND for each in told)


def test_live_and_batch_agree_on_a_steady_face() -> None:
    track = units(8.0, au12=4.0, au06=3.0, au25=3.0)
    live = {each.measure: each.value for each in LiveUnits(None, UNIT_CHANNELS).feed(track.times, track.samples)}
    final = read(track)

    for name in BASIC:
        assert live[f"face_{name}"] == pytest.approx(value(final[f"face_{name}"]), abs=1e-9)
    assert live["face_valence"] == pytest.approx(value(final["face_valence"]), abs=1e-9)


def test_live_without_a_face_says_so_and_forgets_on_reset() -> None:
    live = LiveUnits(None, UNIT_CHANNELS)
    nobody = np.full((90, len(UNIT_CHANNELS)), np.nan, np.float32)
    times = units(3.0).times

    assert {each.absent for each in live.feed(times, nobody)} == {"no_face"}

    live.reset()
    assert live.feed(times[:29], nobody[:29] * 0 + 0) == []


def test_the_same_recording_gives_the_same_readings() -> None:
    chance = np.random.default_rng(5)
    recording = Recording((scores(chance.dirichlet(np.ones(7), 100)), units(25.0, au12=1.0), motion(25.0, yaw=3.0)))

    assert session(recording, Context()) == session(recording, Context())
