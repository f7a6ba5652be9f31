"""The simulated camera: colours, pose and expression with known truth, each disturbance as large as its dial says."""

import asyncio
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal as sp

from kiosk.messages import Origin
from kiosk.signals import MOTION_CHANNELS, RGB_CHANNELS, SIGNALS, UNIT_CHANNELS
from sensors.clock import ManualClock
from sensors.driver import Block, Visit
from sensors.drivers.simulated import Body, Person, Scene, skin
from sensors.drivers.simulated.camera import Camera, Look, Traces, traces
from sensors.drivers.simulated.driver import camera_factory, visitor
from sensors.drivers.simulated.skin import TONES

Floats = NDArray[np.float64]

STEADY = replace(Person(seed=4, heart_rate=72, rsa_ms=0, mayer_ms=0, vlf_ms=0).undisturbed(), smile_rate=0)
"""A metronome of a heart, and nothing else that moves."""
CLEAN = Scene.ideal()
TROUBLED = Person(seed=6, turn_rate=6, talking=0.3, motion_rate=4, smile_rate=5)
ROUGH = Scene(dropped=0.2, burst=3, stamp_error=0.004, away_rate=4, flicker=0.03, exposure_rate=4, screen=0.01,
              light=0.2, read_noise=1, shot_noise=2, quantised=True, glasses=True, beard=0.5)  # fmt: skip


def wave(seen: Traces, channel: str = "whole_g") -> Floats:
    x = seen.rgb.channel(channel)
    return np.asarray(x / x.mean() - 1.0)


def loudest(x: Floats, rate: float) -> float:
    f, p = sp.periodogram(x, rate, window="hann", nfft=65536)
    some = (f > 0.6) & (f < 4.0)
    return float(60 * f[some][p[some].argmax()])


def rows(look: Look) -> Floats:
    return np.column_stack([look.shots.taken, look.shots.stamped, look.rgb, look.motion, look.units])


# --- truth


@pytest.mark.parametrize("heart_rate", [45.0, 72.0, 130.0])
def test_the_loudest_frequency_of_an_undisturbed_face_is_the_true_rate(heart_rate: float) -> None:
    seen = traces(replace(STEADY, heart_rate=heart_rate), CLEAN, 60)
    assert seen.truth.heart_rate == pytest.approx(heart_rate, abs=0.01)
    assert loudest(wave(seen), 30) == pytest.approx(heart_rate, abs=0.1)


@pytest.mark.parametrize("amplitude", [0.001, 0.0035, 0.02])
def test_the_pulse_is_as_large_as_its_dial_and_darker_when_there_is_more_blood(amplitude: float) -> None:
    person = replace(STEADY, rgb_amplitude=amplitude, melanin=0.0)
    seen = traces(person, CLEAN, 20)
    wanted = Body(person).inside.pulse.at(seen.shots.taken, sooner=0.055)
    slope, _ = np.polyfit(wanted, seen.rgb.channel("whole_g") / skin.colour(0.0)[1], 1)
    # to the float32 of a track, which takes the mean off
    assert -slope == pytest.approx(amplitude, rel=2e-3)


def test_every_disturbance_leaves_the_truth_untouched() -> None:
    calm, rough = traces(STEADY, CLEAN, 30), traces(replace(STEADY, motion_rate=6, turn_rate=6), ROUGH, 30)
    assert calm.truth.beats.tobytes() == rough.truth.beats.tobytes()
    assert calm.truth.pulses.tobytes() == rough.truth.pulses.tobytes()
    assert calm.truth.respiration_rate == rough.truth.respiration_rate
    assert not np.array_equal(calm.rgb.samples[:500], rough.rgb.samples[:500])


def test_a_photo_has_no_pulse_no_breath_and_no_blinks() -> None:
    photo = traces(STEADY, replace(CLEAN, visitor="photo"), 60)
    living = traces(STEADY, CLEAN, 60)
    for number, name in enumerate(RGB_CHANNELS):
        changes = np.ptp(photo.rgb.samples[:, number])
        assert changes == 0, name
        assert np.ptp(living.rgb.samples[:, number]) > 0 or name.endswith("pixels")
    for channel in ("pitch", "chest"):
        assert np.ptp(photo.face_motion.channel(channel)) == 0
        assert np.ptp(living.face_motion.channel(channel)) > 0
    assert photo.face_units.channel("au43").max() == 0
    assert living.face_units.channel("au43").max() == pytest.approx(5)


def test_a_photo_that_is_held_moves_like_a_face() -> None:
    held = replace(STEADY, sway=1.0, head_motion=0.003)
    photo = traces(held, replace(CLEAN, visitor="photo"), 30)
    assert np.std(photo.face_motion.channel("yaw")) > 0.3
    assert np.std(wave(photo)) > 1e-4


def test_an_empty_room_has_neither_colours_nor_faces() -> None:
    seen = traces(Person(), Scene(visitor="nobody", compression=2.0), 5)
    assert np.isnan(seen.rgb.channel("whole_g")).all()
    assert not seen.rgb.channel("whole_pixels").any()
    assert not seen.face_motion.channel("faces").any()
    assert np.isnan(seen.face_motion.channel("yaw")).all()
    assert len(seen.face_units.times) == 0


def test_who_is_away_is_away_in_every_signal_and_in_the_truth() -> None:
    seen = traces(Person(seed=2), Scene(away_rate=4), 60)
    gone = np.zeros(len(seen.rgb.times), dtype=bool)
    assert 2 <= len(seen.truth.away) <= 7
    for start, end in seen.truth.away:
        gone |= (seen.shots.taken >= start) & (seen.shots.taken < end)
    for region in ("whole", "chin"):
        assert np.array_equal(np.isnan(seen.rgb.channel(f"{region}_r")), gone)
        assert np.array_equal(seen.rgb.channel(f"{region}_pixels") == 0, gone)
    assert np.array_equal(seen.face_motion.channel("faces") == 0, gone)
    assert len(seen.face_units.times) == np.sum(~gone)


# --- skin


def test_six_tones_are_in_order_of_light_and_of_pulse() -> None:
    assert [tone.name for tone in TONES] == ["I", "II", "III", "IV", "V", "VI"]
    means, sizes = [], []
    for tone in TONES:
        seen = traces(replace(STEADY, melanin=tone.melanin), CLEAN, 20)
        mean = [seen.rgb.channel(f"whole_{part}").mean() for part in "rgb"]
        np.testing.assert_allclose(mean, tone.colour, rtol=0.01)
        means.append(mean[1])
        sizes.append(np.std(wave(seen)))
    assert (np.diff(means) < 0).all()
    assert (np.diff(sizes) < 0).all()
    assert sizes[-1] / sizes[0] == pytest.approx(0.35, abs=0.01)


def test_skin_between_two_tones_is_between_their_colours() -> None:
    for one, other in pairwise(TONES):
        middle = skin.colour(0.5 * (one.melanin + other.melanin))
        assert (np.array(one.colour) > middle).all()
        assert (middle > np.array(other.colour)).all()


def test_light_and_shine_change_all_colours_alike_and_blood_does_not() -> None:
    lit = traces(replace(STEADY, rgb_amplitude=0.0, illumination_drift=0.02), CLEAN, 30)
    red, green, blue = (wave(lit, f"whole_{part}") for part in "rgb")
    np.testing.assert_allclose(red, green, atol=2e-6)
    np.testing.assert_allclose(blue, green, atol=2e-6)
    pulsing = traces(STEADY, CLEAN, 30)
    shares = np.array([np.std(wave(pulsing, f"whole_{part}")) for part in "rgb"])
    np.testing.assert_allclose(shares / shares[1], skin.BLOOD / skin.BLOOD[1], rtol=5e-3)


def test_beard_and_glasses_leave_less_skin_and_a_beard_less_pulse() -> None:
    bare, bearded = traces(STEADY, CLEAN, 10), traces(STEADY, replace(CLEAN, beard=0.9), 10)
    glassed = traces(STEADY, replace(CLEAN, glasses=True), 10)
    for seen, less, same in ((bearded, "chin", "forehead"), (glassed, "left_cheek", "chin")):
        assert seen.rgb.channel(f"{less}_pixels").mean() < 0.85 * bare.rgb.channel(f"{less}_pixels").mean()
        assert np.array_equal(seen.rgb.channel(f"{same}_pixels"), bare.rgb.channel(f"{same}_pixels"))
    assert np.std(wave(bearded, "chin_g")) < 0.6 * np.std(wave(bare, "chin_g"))
    assert bearded.rgb.channel("chin_g").mean() < 0.8 * bare.rgb.channel("chin_g").mean()


def test_a_face_far_away_is_small_and_has_few_pixels() -> None:
    near, far = traces(STEADY, CLEAN, 5), traces(STEADY, replace(CLEAN, distance=1.8), 5)
    ratio = near.face_motion.channel("size").mean() / far.face_motion.channel("size").mean()
    assert ratio == pytest.approx(3.0, rel=0.01)
    pixels = near.rgb.channel("whole_pixels").mean() / far.rgb.channel("whole_pixels").mean()
    assert pixels == pytest.approx(9.0, rel=0.01)


# --- sensor, light, codec


def noise_of(scene: Scene, channel: str = "whole_g") -> float:
    return float(np.std(traces(replace(STEADY, rgb_amplitude=0.0), scene, 40).rgb.channel(channel)))


def test_sensor_noise_is_what_read_and_shot_noise_make_of_the_pixels() -> None:
    scene = replace(CLEAN, read_noise=2.0, shot_noise=3.0)
    plain = traces(replace(STEADY, rgb_amplitude=0.0), CLEAN, 2)
    value, pixels = (plain.rgb.channel(f"forehead_{part}").mean() for part in ("g", "pixels"))
    wanted = np.sqrt((2.0**2 + 3.0**2 * value / 128.0) / pixels)
    assert noise_of(scene, "forehead_g") == pytest.approx(wanted, rel=0.06)


def test_dim_light_is_noisy_as_far_as_gain_reaches_and_then_dark() -> None:
    scenes = [replace(CLEAN, read_noise=1.0, shot_noise=2.0, light=light) for light in (1.0, 0.25, 0.03)]
    noises = [noise_of(scene) for scene in scenes]
    assert noises[1] > 1.8 * noises[0]
    means = [traces(STEADY, scene, 2).rgb.channel("whole_g").mean() for scene in scenes]
    assert means[1] == pytest.approx(means[0], rel=1e-3)
    assert means[2] < 0.6 * means[0]


def test_whole_numbers_stay_in_the_mean_where_nothing_dithers_them() -> None:
    flat = replace(CLEAN, quantised=True, texture=0.0)
    drifting = replace(STEADY, rgb_amplitude=0.0, illumination_drift=0.02)
    true = traces(drifting, CLEAN, 60).rgb.channel("whole_g")
    stepped = traces(drifting, flat, 60).rgb.channel("whole_g") - true
    dithered = traces(drifting, replace(flat, texture=1.0), 60).rgb.channel("whole_g") - true
    assert 0.03 < np.std(stepped) < 0.3
    assert np.std(dithered) < 0.01


@pytest.mark.parametrize("hertz", [100.0, 120.0])
def test_flicker_is_seen_at_the_alias_that_the_frame_rate_gives_it(hertz: float) -> None:
    scene = replace(CLEAN, flicker=0.02, flicker_frequency=hertz, frame_rate=29.0, shutter=0.002)
    x = wave(traces(replace(STEADY, rgb_amplitude=0.0), scene, 60))
    f, p = sp.periodogram(x, 29.0)
    assert f[p.argmax()] == pytest.approx(abs(hertz - 29 * round(hertz / 29)), abs=0.05)
    assert np.std(x) == pytest.approx(0.02 * np.sinc(hertz * 0.002) / np.sqrt(2), rel=0.02)


def test_a_shutter_open_for_a_turn_of_the_lamp_sees_no_flicker() -> None:
    scene = replace(CLEAN, flicker=0.1, shutter=0.01)
    assert noise_of(scene) == pytest.approx(0.0, abs=1e-4)


def test_exposure_control_goes_in_steps_and_comes_back() -> None:
    x = wave(traces(replace(STEADY, rgb_amplitude=0.0), replace(CLEAN, exposure_rate=6, exposure_size=0.5), 60))
    usual = np.median(x)
    levels = np.log2((1.0 + x) / (1.0 + usual))
    assert 0.2 < np.abs(levels).max() < 0.76
    assert np.mean(np.abs(levels) < 1e-4) > 0.4
    assert len(np.unique(np.round(levels, 5))) < 100


def test_a_codec_flattens_small_pulses_and_its_key_frames_are_the_same_however_one_asks() -> None:
    person = replace(STEADY, rgb_amplitude=0.004)
    plain, coded = traces(person, CLEAN, 20), traces(person, replace(CLEAN, compression=4.0), 20)
    keys = np.flatnonzero(np.diff(plain.rgb.seconds // 5, prepend=-1))
    between = np.diff(coded.rgb.channel("whole_g"))
    still = np.delete(between, keys[1:] - 1) == 0
    assert np.mean(still) > 0.9
    # coarse it may be, but not somebody else's face
    np.testing.assert_allclose(coded.rgb.channel("whole_g"), plain.rgb.channel("whole_g"), atol=4.0)


def test_a_fine_codec_keeps_the_pulse() -> None:
    person = replace(STEADY, rgb_amplitude=0.02, melanin=0.0)
    plain, coded = traces(person, CLEAN, 20), traces(person, replace(CLEAN, compression=0.2), 20)
    assert np.corrcoef(wave(plain), wave(coded))[0, 1] > 0.99


# --- frames


@pytest.mark.parametrize(("dropped", "burst"), [(0.0, 1.0), (0.05, 1.0), (0.3, 1.0), (0.3, 5.0)])
def test_as_many_frames_are_lost_as_the_dial_says_in_bursts_as_long(dropped: float, burst: float) -> None:
    scene = Scene(dropped=dropped, burst=burst, jitter=0.0)
    camera = Camera(Body(Person(seed=1), scene))
    taken = np.concatenate([camera.shots(second).taken for second in range(300)])
    assert 1.0 - taken.size / 9000 == pytest.approx(dropped, abs=0.03)
    gaps = np.rint(np.diff(taken) * 30).astype(int) - 1
    if dropped:
        # chance may join bursts of one frame: 1 / (1 - share) on average
        wanted = 1.0 / (1.0 - dropped) if burst == 1 else burst
        assert gaps[gaps > 0].mean() == pytest.approx(wanted, rel=0.35)
    else:
        assert not gaps.any()


@settings(max_examples=40, deadline=None)
@given(
    rate=st.floats(5, 120),
    jitter=st.floats(0, 0.95),
    error=st.floats(0, 0.1),
    dropped=st.floats(0, 0.9),
    second=st.integers(0, 5000),
)
def test_times_increase_within_their_second_whatever_the_camera(
    rate: float, jitter: float, error: float, dropped: float, second: int
) -> None:
    camera = Camera(Body(Person(), Scene(frame_rate=rate, jitter=jitter, stamp_error=error, dropped=dropped)))
    for number in (second, second + 1):
        shots = camera.shots(number)
        for times in (shots.taken, shots.stamped):
            assert (np.diff(times) > 0).all()
            assert not times.size or number <= times[0] <= times[-1] < number + 1
        assert (np.diff(shots.nanoseconds) >= 1000).all()


def test_stamps_are_as_far_from_the_truth_as_the_dial_says() -> None:
    seen = traces(Person(), Scene(stamp_error=0.003), 120)
    assert np.std(seen.shots.stamped - seen.shots.taken) == pytest.approx(0.003, rel=0.1)
    assert np.array_equal(traces(Person(), Scene(), 5).shots.stamped, traces(Person(), Scene(), 5).shots.taken)


@pytest.mark.parametrize("compression", [0.0, 2.0])
def test_seconds_one_by_one_are_the_whole_bit_for_bit(compression: float) -> None:
    scene = replace(ROUGH, compression=compression, keyframes=2)
    whole = rows(Camera(Body(TROUBLED, scene)).between(3, 12))
    camera = Camera(Body(TROUBLED, scene))
    parts = {second: rows(camera.second(second)) for second in (11, 3, 7, 4, 5, 6, 10, 9, 8)}
    assert np.concatenate([parts[second] for second in range(3, 12)]).tobytes() == whole.tobytes()
    assert rows(Camera(Body(TROUBLED, scene)).between(5, 7)).tobytes() == (
        np.concatenate([parts[5], parts[6]]).tobytes()
    )


def test_the_same_seeds_are_the_same_visit_and_others_are_others() -> None:
    one = traces(TROUBLED, ROUGH, 5)
    assert one.rgb.samples.tobytes() == traces(TROUBLED, ROUGH, 5).rgb.samples.tobytes()
    for person, scene in ((replace(TROUBLED, seed=7), ROUGH), (TROUBLED, replace(ROUGH, seed=1))):
        assert traces(person, scene, 5).rgb.times.tobytes() != one.rgb.times.tobytes()


# --- head and face


def test_pose_is_what_the_dials_say() -> None:
    still = traces(replace(STEADY, breath_nod=0.0, chest_rise=0.0), CLEAN, 30).face_motion
    for channel in ("yaw", "pitch", "roll", "chest"):
        assert not still.channel(channel).any()
    breathing = traces(replace(STEADY, breath_nod=0.8, chest_rise=0.02, respiration_variation=0.0), CLEAN, 60)
    volume = Body(STEADY).inside.breath.volume(breathing.shots.taken)
    for channel, size in (("pitch", 0.8), ("chest", 0.02)):
        x = breathing.face_motion.channel(channel)
        f, p = sp.periodogram(x - x.mean(), 30, nfft=65536)
        assert 60 * f[p.argmax()] == pytest.approx(breathing.truth.respiration_rate, abs=0.3)
        assert np.ptp(x) == pytest.approx(size * np.ptp(volume), rel=0.3)
    swaying = traces(replace(STEADY, sway=3.0), CLEAN, 120).face_motion
    assert np.std(swaying.channel("yaw")) == pytest.approx(3.0, rel=0.3)


def test_sudden_turns_are_where_the_truth_has_them() -> None:
    seen = traces(replace(STEADY, turn_rate=5, turn_size=25), CLEAN, 60)
    turned = np.abs(seen.face_motion.channel("yaw")) > 10
    inside = np.zeros(turned.size, dtype=bool)
    for start, end in seen.truth.turns:
        inside |= (seen.shots.taken >= start) & (seen.shots.taken < end)
    assert len(seen.truth.turns) >= 2
    assert turned.any()
    assert not turned[~inside].any()
    assert np.mean(turned[inside]) > 0.7


def test_blinks_are_as_many_and_as_long_as_the_truth_says() -> None:
    seen = traces(Person(seed=3, blink_rate=20), replace(CLEAN, frame_rate=60), 120)
    closed = seen.face_units.channel("au43") > 2.5
    edges = np.flatnonzero(np.diff(closed.astype(int)) == 1)
    assert len(seen.truth.blinks) == pytest.approx(40, abs=14)
    assert edges.size == len(seen.truth.blinks)
    lengths = np.array([end - start for start, end in seen.truth.blinks])
    assert 0.1 < lengths.min() < lengths.max() < 0.4


def test_the_brain_and_the_camera_see_the_same_blinks() -> None:
    body = Body(Person(seed=3, blink_rate=20, eeg_channels=("Fpz",)).undisturbed())
    times = np.arange(0, 60, 0.02)
    lids = body.face_units(times)[:, UNIT_CHANNELS.index("au43")]
    assert np.corrcoef(lids, body.eeg(times)[:, 0])[0, 1] > 0.85


def test_smiles_raise_cheeks_and_corners_together() -> None:
    seen = traces(replace(STEADY, smile_rate=6), CLEAN, 60)
    smiling = seen.face_units.channel("au12") > 1.0
    assert len(seen.truth.smiles) >= 3
    assert seen.face_units.channel("au06")[smiling].min() > 0.5
    assert not smiling.all()


def test_motion_is_how_far_the_face_went_since_the_frame_before() -> None:
    still, moving = (traces(replace(STEADY, breath_nod=0.0, turn_rate=rate), CLEAN, 60) for rate in (0, 6))
    assert not still.face_motion.channel("motion").any()
    assert moving.face_motion.channel("motion").max() > 0.5


# --- devices


def test_the_camera_is_one_device_with_three_signals_of_the_same_frames() -> None:
    async def seen() -> tuple[tuple[str, ...], dict[str, list[Block]]]:
        clock = ManualClock()
        visit = Visit("s1", Origin(clock.utc(), clock.now(), clock.boot_id), simulated=True)
        device = camera_factory(person=Person(seed=1), scene=ROUGH)(visit, clock)
        blocks: dict[str, list[Block]] = {port.signal: [] for port in device.ports}
        items = device.items()
        for _ in range(15):
            waiting = asyncio.ensure_future(anext(items))
            await asyncio.sleep(0)
            if not waiting.done():
                await clock.advance(1.0)
            item = await waiting
            assert isinstance(item, Block)
            assert item.times is not None
            blocks[item.signal].append(replace(item, times=item.times - visit.origin.boot))
        return tuple(port.signal for port in device.ports), blocks

    signals, blocks = asyncio.run(seen())
    assert signals == ("rgb", "face_motion", "face_units")
    wanted = traces(Person(seed=1), ROUGH, 5)
    for signal, track in (("rgb", wanted.rgb), ("face_motion", wanted.face_motion), ("face_units", wanted.face_units)):
        times = np.concatenate([block.times for block in blocks[signal] if block.times is not None])
        samples = np.concatenate([block.samples for block in blocks[signal]]).astype(np.float32)
        assert np.array_equal(times, track.times), signal
        assert samples.tobytes() == track.samples.tobytes(), signal


def test_every_signal_of_the_simulated_visitor_may_leave_and_comes_from_one_device() -> None:
    clock = ManualClock()
    visit = Visit("s1", Origin(clock.utc(), clock.now(), clock.boot_id), simulated=True)
    devices = [make(visit, clock) for make in visitor()]
    ports = [port for device in devices for port in device.ports]
    assert len({device.name for device in devices}) == len(devices)
    assert len({port.signal for port in ports}) == len(ports)
    assert {"rgb", "face_motion", "face_units"} < {port.signal for port in ports}
    assert all(SIGNALS[port.signal].leaves and SIGNALS[port.signal].accepts_rate(port.rate) for port in ports)


def test_what_the_camera_says_stays_within_its_budgets_and_ranges() -> None:
    seen = traces(TROUBLED, replace(ROUGH, dropped=0.0, away_rate=0.0), 10)
    for track, channels in ((seen.rgb, RGB_CHANNELS), (seen.face_motion, MOTION_CHANNELS),
                            (seen.face_units, UNIT_CHANNELS)):  # fmt: skip
        row = SIGNALS[track.signal]
        assert track.channels == channels
        assert row.low <= track.samples.min() <= track.samples.max() <= row.high
        # base64 of float32 and of a time, per second
        assert (track.samples.nbytes + 4 * len(track.times)) * 4 / 3 / 10 < row.budget


# --- the scene


def test_dials_out_of_range_are_refused() -> None:
    for wrong in (
        {"dropped": 0.95},
        {"jitter": 1.5},
        {"distance": 0.0},
        {"distance": float("nan")},
        {"frame_rate": 0.0},
        {"light": 0.0},
        {"most_gain": 0.5},
        {"flicker": -0.1},
        {"burst": 0.5},
        {"keyframes": 0},
        {"faces": 0},
        {"visitor": "ghost"},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Scene(**wrong)
    with pytest.raises(ValueError, match="talking"):
        Person(talking=1.5)
    for start, seconds in ((-1.0, 5.0), (0.0, 0.2)):
        with pytest.raises(ValueError, match="traces begin"):
            traces(Person(), Scene(), seconds, start=start)


@pytest.mark.parametrize("seed", range(20))
def test_a_random_scene_is_possible_and_shows_a_face(seed: int) -> None:
    assert Scene.random(seed) == Scene.random(seed)
    seen = traces(Person.random(seed), Scene.random(seed), 3)
    assert np.isfinite(seen.rgb.samples).all()
    assert 15 < seen.rgb.channel("whole_g").mean() < 250
