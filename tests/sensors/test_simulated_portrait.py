"""The living portrait: pictures and films whose pulse, pose and times are known, and in which a face is found."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal as sp

from sensors.drivers.simulated import Body, Person, Scene, skin
from sensors.drivers.simulated.camera import Camera
from sensors.drivers.simulated.portrait import Portrait, frames, jpeg, write
from sensors.drivers.simulated.portrait.film import CODECS
from sensors.drivers.simulated.skin import TONES
from sensors.face.engines import finder
from sensors.face.seen import Finder, Frame, Pixels

Floats = NDArray[np.float64]
Measure = Callable[[NDArray[np.float32]], float]

STILL = replace(Person(seed=4, heart_rate=72, blink_rate=0, smile_rate=0, gaze=0, breath_nod=0, chest_rise=0,
                       rsa_ms=0, mayer_ms=0, vlf_ms=0).undisturbed(), camera_noise=0.0)  # fmt: skip
CLEAN = Scene.ideal()


@pytest.fixture(scope="module")
def mesh() -> Iterator[Finder]:
    found = finder("mesh", None)
    yield found
    found.close()


@cache
def small(person: Person, scene: Scene = CLEAN) -> Portrait:
    return Portrait(person, scene, width=320, height=240)


def at(portrait: Portrait, *moments: float) -> list[Pixels]:
    return list(portrait.pictures(np.array(moments)))


def points(mesh: Finder, picture: Pixels) -> NDArray[np.float32]:
    """Of the largest face; a picture of another size makes the finder forget whom it followed."""
    mesh.faces(np.zeros((48, 64, 3), np.uint8))
    found = mesh.faces(picture)
    assert found
    return max((face.points for face in found), key=lambda each: float(np.ptp(each[:, 1])))


def opening(face: NDArray[np.float32]) -> float:
    """Of the eyes: height against width."""
    high = np.linalg.norm(face[159, :2] - face[145, :2]) + np.linalg.norm(face[386, :2] - face[374, :2])
    wide = np.linalg.norm(face[33, :2] - face[133, :2]) + np.linalg.norm(face[362, :2] - face[263, :2])
    return float(high / wide)


# --- the pulse


@pytest.mark.parametrize("tone", [TONES[0], TONES[3]])
def test_the_pulse_changes_skin_along_the_blood_vector_by_the_dial_and_nothing_else(tone: skin.Tone) -> None:
    person = replace(STILL, melanin=tone.melanin, rgb_amplitude=0.05)
    living, bloodless = small(person), small(replace(person, rgb_amplitude=0.0))
    moments = np.arange(1.0, 2.0, 0.04)
    height = living.pulse(moments)
    low, high = moments[height.argmin()], moments[height.argmax()]
    (less, more), (plain,) = at(living, low, high), at(bloodless, low)
    change = less.astype(float) - more
    face = cv2.erode((change[:, :, 1] > 1).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert 2000 < face.sum() < 10_000
    shares = change[face].mean(axis=0) / plain[face].mean(axis=0) / np.ptp(height)
    np.testing.assert_allclose(shares, skin.blood(0.05, tone.melanin), rtol=0.12)
    np.testing.assert_allclose(shares / shares[1], skin.BLOOD / skin.BLOOD[1], rtol=0.06)
    # neither wall nor uniform pulse
    assert not change[:, :40].any()
    assert not change[-30:].any()


@pytest.mark.parametrize("heart_rate", [54.0, 96.0])
def test_the_mean_of_the_skin_pulses_at_the_true_rate(heart_rate: float) -> None:
    person = replace(STILL, heart_rate=heart_rate, pixel_noise=3.0, rgb_amplitude=0.004)
    film = list(Portrait(person, replace(CLEAN, frame_rate=15.0), width=320, height=240).frames(16))
    green = np.array([frame.pixels[95:150, 130:190, 1].mean() for frame in film])
    times = np.array([frame.at for frame in film]) / 1e9
    rates = np.arange(42, 180, 0.25)
    power = sp.lombscargle(times, green - green.mean(), rates / 60 * 2 * np.pi)
    assert rates[power.argmax()] == pytest.approx(heart_rate, abs=1.0)
    assert Body(person).truth(0, 16).heart_rate == pytest.approx(heart_rate, abs=0.1)


def test_a_pulse_below_one_step_of_a_pixel_survives_because_noise_dithers_it() -> None:
    person = replace(STILL, pixel_noise=2.0, rgb_amplitude=0.002)
    portrait = small(person)
    moments = np.arange(1, 9, 0.1)
    green = np.array([picture[95:150, 130:190, 1].mean() for picture in portrait.pictures(moments)])
    assert np.ptp(portrait.pulse(moments)) * 0.002 * green.mean() < 1.0
    assert np.corrcoef(green, -portrait.pulse(moments))[0, 1] > 0.9


def test_a_photo_is_the_same_picture_for_ever() -> None:
    photo = small(STILL, replace(CLEAN, visitor="photo"))
    first, later = at(photo, 0.5, 7.3)
    assert np.array_equal(first, later)
    assert not photo.pulse(np.arange(3.0)).any()
    living = at(small(replace(STILL, rgb_amplitude=0.05)), 0.5, 0.8)
    assert not np.array_equal(living[0], living[1])


# --- times and chance


def test_a_picture_depends_on_its_time_alone() -> None:
    person, scene = Person(seed=2, motion_rate=6, turn_rate=6, talking=0.5), Scene.webcam()
    moments = np.array([0.1, 1.7, 4.05, 9.9])
    together = at(small(person, scene), *moments.tolist())
    fresh = Portrait(person, scene, width=320, height=240)
    for moment, picture in zip(moments[::-1].tolist(), together[::-1], strict=True):
        assert np.array_equal(at(fresh, moment)[0], picture)


def test_other_seeds_are_other_pictures() -> None:
    one = at(small(Person(seed=2), Scene()), 1.0)[0]
    for person, scene in ((Person(seed=3), Scene()), (Person(seed=2), Scene(seed=1))):
        assert not np.array_equal(one, at(small(person, scene), 1.0)[0])


def test_frames_have_the_times_of_the_simulated_camera_and_some_are_lost() -> None:
    person, scene = Person(seed=2), Scene(dropped=0.3, burst=3, stamp_error=0.002)
    portrait = Portrait(person, scene, width=64, height=48)
    camera = Camera(Body(person, scene))
    wanted = np.concatenate([camera.shots(second).nanoseconds for second in (1, 2)])
    film = list(portrait.frames(2, start=1))
    assert [frame.at for frame in film] == wanted.tolist()
    assert len(film) < 55
    assert all(frame.pixels.shape == (48, 64, 3) and frame.pixels.dtype == np.uint8 for frame in film)


# --- a face is found


@pytest.mark.parametrize("tone", TONES, ids=[tone.name for tone in TONES])
@pytest.mark.parametrize("scene", [Scene(distance=0.5), Scene(distance=1.2, glasses=True, beard=0.8)])
def test_a_face_of_every_tone_is_found_where_it_is(mesh: Finder, tone: skin.Tone, scene: Scene) -> None:
    portrait = Portrait(Person(seed=3, melanin=tone.melanin, blink_rate=0), scene)
    face = points(mesh, at(portrait, 2.0)[0])
    truth = portrait.body.inside.head.pose(np.array([2.0]))
    assert (face[152, 1] - face[10, 1]) / 480 == pytest.approx(truth.size[0], rel=0.1)
    assert face[:, 0].mean() / 640 == pytest.approx(truth.x[0], abs=0.03)


def test_skin_has_the_mean_colour_of_its_tone() -> None:
    for tone in TONES:
        picture = at(small(replace(STILL, melanin=tone.melanin)), 1.0)[0]
        # cheeks, beside the nose
        mean = picture[122:134, 134:186].reshape(-1, 3).mean(axis=0)
        np.testing.assert_allclose(mean, tone.colour, rtol=0.3)


def test_blinks_close_the_eyes_and_smiles_widen_the_mouth(mesh: Finder) -> None:
    blinking = Portrait(replace(STILL, blink_rate=20.0), CLEAN)
    start, end = blinking.truth(1, 60).blinks[0]
    before, during = (
        opening(points(mesh, picture)) for picture in at(blinking, start - 0.1, start + 0.4 * (end - start))
    )
    assert during < 0.6 * before
    smiling = Portrait(replace(STILL, smile_rate=6.0), CLEAN)
    start, end = smiling.truth(1, 60).smiles[0]
    width = []
    for picture in at(smiling, start - 0.1, (start + end) / 2):
        face = points(mesh, picture)
        width.append(np.linalg.norm(face[61, :2] - face[291, :2]) / np.linalg.norm(face[234, :2] - face[454, :2]))
    assert width[1] > 1.06 * width[0]


def test_turns_nods_and_tilts_go_the_way_that_the_dials_say(mesh: Finder) -> None:
    portrait = Portrait(replace(STILL, sway=8.0), CLEAN)
    moments = np.arange(0, 60, 0.05)
    pose = portrait.body.inside.head.pose(moments)
    measures: tuple[tuple[Floats, Measure, Measure], ...] = (
        # the nose between the cheeks: it goes to the picture's right when the person looks to the left
        (pose.yaw, lambda face: face[1, 0] - face[234, 0], lambda face: face[454, 0] - face[234, 0]),
        # the nose between forehead and chin: up is up
        (pose.pitch, lambda face: face[152, 1] - face[1, 1], lambda face: face[152, 1] - face[10, 1]),
        # towards the left shoulder the left eye is lower
        (pose.roll, lambda face: face[263, 1] - face[33, 1], lambda face: face[263, 0] - face[33, 0]),
    )
    for angle, place, across in measures:
        low, high = (points(mesh, at(portrait, moments[index])[0]) for index in (angle.argmin(), angle.argmax()))
        assert np.ptp(angle) > 8
        assert place(high) / across(high) > place(low) / across(low) + 0.03


def test_breath_lifts_the_shoulders_and_nothing_else() -> None:
    portrait = small(replace(STILL, chest_rise=0.03, rgb_amplitude=0.0))
    moments = np.arange(0, 10, 0.05)
    chest = portrait.body.inside.head.pose(moments).chest
    full, empty = (at(portrait, moments[index])[0] for index in (chest.argmax(), chest.argmin()))
    change = np.abs(full.astype(int) - empty)
    assert change[200:].max() > 20
    assert change[:150].max() <= 1


def test_who_is_away_leaves_an_empty_wall_and_who_comes_close_is_a_second_face(mesh: Finder) -> None:
    empty = at(Portrait(Person(), Scene(visitor="nobody")), 1.0)[0]
    leaving = Portrait(Person(seed=2), Scene(away_rate=4))
    start, end = leaving.truth(0, 60).away[0]
    gone = at(leaving, (start + end) / 2)[0]
    company = at(Portrait(Person(), Scene(faces=2)), 1.0)[0]
    for picture, faces in ((empty, 0), (gone, 0), (company, 2)):
        mesh.faces(np.zeros((48, 64, 3), np.uint8))
        assert len(mesh.faces(picture)) == faces


# --- what spoils it


def test_sensor_noise_is_as_large_as_its_dials() -> None:
    plain = np.array(at(small(replace(STILL, rgb_amplitude=0.0, pixel_noise=4.0)), 1.0, 2.0), dtype=float)
    assert np.std(plain[1] - plain[0]) / np.sqrt(2) == pytest.approx(4.0, rel=0.05)
    shot = Portrait(replace(STILL, rgb_amplitude=0.0), replace(CLEAN, shot_noise=3.0), width=320, height=240)
    pictures = np.array(at(shot, *np.arange(1.0, 3.0, 0.1).tolist()), dtype=float)
    wall = pictures[:, 20:60, 5:60]
    assert wall.std(axis=0).mean() == pytest.approx(3.0 * np.sqrt(wall.mean() / 128.0), rel=0.05)


def test_dim_rooms_are_dark_when_gain_ends_and_noisy_before() -> None:
    noisy = Scene(read_noise=1.0, shot_noise=2.0)
    bright, dim, dark = (at(small(STILL, replace(noisy, light=light)), 1.0)[0] for light in (1.0, 0.2, 0.02))
    assert dim.mean() == pytest.approx(bright.mean(), rel=0.02)
    assert np.std(np.diff(dim[:60, :60].astype(float), axis=1)) > 1.5 * np.std(
        np.diff(bright[:60, :60].astype(float), axis=1)
    )
    assert dark.mean() < 0.6 * bright.mean()


def test_flicker_runs_down_the_rows_of_a_rolling_shutter() -> None:
    scene = replace(CLEAN, flicker=0.2, shutter=0.001)
    flickering, steady = at(small(STILL, scene), 1.0)[0], at(small(STILL), 1.0)[0]
    ratio = (flickering[:, :40].astype(float).mean(axis=(1, 2))) / steady[:, :40].astype(float).mean(axis=(1, 2))
    # two turns of the lamp pass while a picture is read
    crossings = np.sum(np.diff(np.sign(ratio - ratio.mean())) != 0)
    assert np.ptp(ratio) == pytest.approx(0.39, rel=0.1)
    assert 3 <= crossings <= 5


def test_a_lens_out_of_focus_blurs_and_quick_motion_smears() -> None:
    def sharpness(picture: Pixels) -> float:
        return float(np.var(cv2.Laplacian(picture[60:160, 90:230, 1], cv2.CV_64F)))

    sharp = at(small(STILL), 1.0)[0]
    assert sharpness(at(small(STILL, replace(CLEAN, blur=2.0)), 1.0)[0]) < 0.5 * sharpness(sharp)
    person = replace(STILL, turn_rate=6.0)
    start, _ = Body(person).truth(1, 60).turns[0]
    quick, slow = (
        at(Portrait(person, replace(CLEAN, shutter=shutter)), start + 0.1)[0][120:320, 180:460]
        for shutter in (0.06, 0.001)
    )
    assert np.var(cv2.Laplacian(quick, cv2.CV_64F)) < 0.8 * np.var(cv2.Laplacian(slow, cv2.CV_64F))


# --- films


def read(path: Path) -> tuple[list[Pixels], list[float]]:
    film, pictures, times = cv2.VideoCapture(str(path)), list[Pixels](), list[float]()
    while True:
        there, picture = film.read()
        if not there:
            return pictures, times
        pictures.append(np.asarray(picture[:, :, ::-1], dtype=np.uint8))
        times.append(film.get(cv2.CAP_PROP_POS_MSEC))


@pytest.mark.parametrize("codec", CODECS)
def test_a_film_has_all_frames_with_their_true_times(codec: str, tmp_path: Path) -> None:
    seconds = 1 if codec == "vp9" else 3
    portrait = Portrait(Person(seed=1), Scene(dropped=0.25, burst=3), width=160, height=120)
    taken = list(portrait.frames(seconds, start=2))
    path = tmp_path / f"clip{CODECS[codec][1]}"
    table = write(path, iter(taken), codec=codec)
    pictures, times = read(path)
    wanted = [(frame.at - taken[0].at) / 1e6 for frame in taken]
    assert np.ptp(np.diff(wanted)) > 10  # else a constant rate would do
    np.testing.assert_allclose(times, wanted, atol=0.51)
    noted = np.loadtxt(table, delimiter=",", skiprows=1)
    assert np.array_equal(np.rint(noted[:, 1] * 1e9).astype(np.int64), [frame.at for frame in taken])
    errors = [np.abs(got.astype(int) - frame.pixels).mean() for got, frame in zip(pictures, taken, strict=True)]
    if codec == "ffv1":
        assert not any(errors)
    else:
        assert 0 < np.mean(errors) < 8


def test_long_gaps_keep_their_times(tmp_path: Path) -> None:
    portrait = Portrait(Person(seed=1), CLEAN, width=64, height=48)
    taken = [Frame(frame.at * 12, frame.pixels) for frame in portrait.frames(2)]
    write(tmp_path / "slow.mkv", taken)
    np.testing.assert_allclose(
        read(tmp_path / "slow.mkv")[1], [(frame.at - taken[0].at) / 1e6 for frame in taken], atol=0.51
    )
    with pytest.raises(OSError, match="too far"):
        write(tmp_path / "slower.mkv", [Frame(frame.at * 100, frame.pixels) for frame in taken])


def test_jpeg_loses_more_at_lower_quality() -> None:
    taken = list(Portrait(Person(seed=1), CLEAN, width=160, height=120).frames(1))[:3]
    losses = []
    for quality in (95, 70, 30):
        sent = list(jpeg(taken, quality))
        assert [frame.at for frame in sent] == [frame.at for frame in taken]
        losses.append(
            np.mean([np.abs(a.pixels.astype(int) - b.pixels).mean() for a, b in zip(sent, taken, strict=True)])
        )
    assert 0 < losses[0] < losses[1] < losses[2]


def test_films_that_cannot_be_are_refused(tmp_path: Path) -> None:
    film = list(frames(Person(), Scene(frame_rate=2.0), 1))
    with pytest.raises(ValueError, match="no codec"):
        write(tmp_path / "a.mkv", film, codec="h264")
    with pytest.raises(ValueError, match=r"called a\.webm"):
        write(tmp_path / "a.mkv", film, codec="vp8")
    with pytest.raises(ValueError, match="needs frames"):
        write(tmp_path / "a.mkv", [])
    with pytest.raises(OSError, match=r"a\.mkv"):
        write(tmp_path / "missing" / "a.mkv", film)


def test_moments_out_of_order_are_refused() -> None:
    for wrong in ([1.0, 0.5], [1.0, 1.0], [-1.0], [float("nan")]):
        with pytest.raises(ValueError, match="moments"):
            at(small(STILL), *wrong)
    assert not at(small(STILL))
