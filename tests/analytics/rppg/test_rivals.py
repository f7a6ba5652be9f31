"""What the camera's benchmark holds us against is what was published, and its truth is true."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.benchmarks import _rppg_rivals as rivals
from tests.benchmarks._rppg_clip import BLOOD, Clip, Played, Scene, skin, written
from tests.benchmarks._rppg_pulse import Known
from tests.benchmarks._rppg_rivals import asked
from tests.benchmarks._rppg_scores import HEAD, Answer, interval, rows, summed, worst

Floats = NDArray[np.float64]

RATE = 30.0
SKIN = np.array([180.0, 130.0, 110.0])


def colours(pulse: Known, seconds: float, *, amplitude: float = 0.005, seed: int = 1) -> Floats:
    """Skin with a pulse along the published vector under a light that drifts, with noise."""
    times = np.arange(round(seconds * RATE)) / RATE
    blood = amplitude * pulse.wave(times)[:, None] * rivals.BLOOD / rivals.BLOOD[1]
    light = 1.0 + 0.02 * np.sin(2 * np.pi * 0.09 * times)
    noise = np.random.default_rng(seed).standard_normal((len(times), 3)) * 0.05
    return np.asarray(SKIN * (1.0 - blood) * light[:, None] + noise)


@pytest.mark.parametrize("name", rivals.RIVALS)
@pytest.mark.parametrize("rate", [50.0, 77.0, 130.0])
def test_every_rival_finds_a_plain_pulse_and_has_systole_up(name: str, rate: float) -> None:
    known = Known(rate, 30.0, seed=4)
    pulse = rivals.finished(rivals.RIVALS[name](colours(known, 30.0), RATE), RATE)
    assert rivals.heart_rate(pulse, RATE) == pytest.approx(rate, abs=0.5)
    assert np.corrcoef(pulse, known.wave(np.arange(len(pulse)) / RATE))[0, 1] > 0.85


@pytest.mark.parametrize("name", ["CHROM", "POS", "PBV", "LGI", "OMIT"])
def test_a_light_that_beats_misleads_green_and_not_who_looks_at_colours(name: str) -> None:
    x = colours(Known(72.0, 30.0), 30.0)
    x *= 1.0 + 0.02 * np.sin(2 * np.pi * 1.9 * np.arange(len(x)) / RATE)[:, None]
    answers = {each: asked(rivals.RIVALS[each], x, beats=False)["heart_rate"] for each in ("GREEN", name)}
    assert answers["GREEN"] == pytest.approx(114.0, abs=1.0)
    assert answers[name] == pytest.approx(72.0, abs=1.0)


def test_jade_separates_what_was_mixed() -> None:
    rng = np.random.default_rng(2)
    times = np.arange(2000) / RATE
    sources = np.column_stack((np.sin(7 * times), np.sign(np.sin(5.1 * times)), rng.laplace(size=len(times))))
    found = rivals.jade(sources @ rng.normal(size=(3, 3)))
    same = np.abs(np.corrcoef(found.T, sources.T)[:3, 3:])
    assert (same.max(axis=0) > 0.99).all()
    assert np.allclose(found.T @ found / len(found), np.eye(3), atol=1e-6)


def test_detrending_takes_the_slow_and_leaves_the_pulse() -> None:
    times = np.arange(900) / RATE
    pulse = np.sin(2 * np.pi * 1.2 * times)
    left = rivals.detrended(pulse + 3.0 * times + 5.0 * np.sin(2 * np.pi * 0.02 * times))
    assert np.abs(left - pulse)[60:-60].max() < 0.05


@pytest.mark.parametrize("rate", [45.0, 72.4, 149.0])
def test_beats_of_a_clean_wave_are_where_they_were(rate: float) -> None:
    known = Known(rate, 60.0, 0.04, seed=2)
    times = np.arange(1800) / RATE
    found = np.diff(rivals.beats(known.wave(times), RATE))
    true = known.intervals(0.0, 60.0)
    assert abs(len(found) - len(true)) <= 2
    assert found.mean() == pytest.approx(true.mean(), rel=0.01)
    assert found.std() == pytest.approx(true.std(), rel=0.15)


@pytest.mark.parametrize("name", rivals.RIVALS)
def test_a_rival_without_a_wave_or_without_pictures_has_no_answer(name: str) -> None:
    nothing = dict.fromkeys(("heart_rate", "sdnn", "rmssd"))
    assert asked(rivals.RIVALS[name], np.empty((0, 3)), beats=True) == nothing
    if name not in ("ICA", "PBV", "CHROM"):  # rounding alone makes these a wave
        assert asked(rivals.RIVALS[name], np.full((300, 3), 64.0), beats=True) == nothing


def test_the_known_pulse_keeps_its_own_truth() -> None:
    known = Known(72.0, 60.0, 0.05, seed=9)
    assert np.array_equal(known.wave(np.arange(100) / 30), Known(72.0, 60.0, 0.05, seed=9).wave(np.arange(100) / 30))
    steps = known.intervals(0.0, 60.0)
    assert known.heart_rate(0.0, 60.0) == pytest.approx(60.0 / steps.mean(), abs=0.6)
    assert known.sdnn(0.0, 60.0) == pytest.approx(1000 * 0.05 * 60 / 72, rel=0.25)
    plain = Known(60.0, 10.0).wave(np.arange(10_000) / 1000)
    assert plain.mean() == pytest.approx(0.0, abs=0.01)
    assert np.ptp(plain) == pytest.approx(2.0, abs=0.01)
    # a third of the beat up, the rest down
    top = int(np.argmax(plain[1000:2000])) + 1000
    foot = int(np.argmin(plain[top - 999 : top])) + top - 999
    assert 0.2 < (top - foot) / 1000 < 0.4


def test_the_injected_pulse_is_in_the_skin_and_only_there(tmp_path: Path) -> None:
    grey = np.full((120, 160, 3), 120, np.uint8)
    path = written((grey for _ in range(60)), "MJPG 95", tmp_path)
    turn = np.linspace(0, 2 * np.pi, 478, endpoint=False)
    points = np.zeros((478, 3), np.float32)
    points[:, :2] = np.column_stack((80 + 3 * np.cos(turn), 60 + 3 * np.sin(turn)))
    oval = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
            150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]  # fmt: skip
    around = np.linspace(0, 2 * np.pi, len(oval), endpoint=False)
    points[oval, :2] = np.column_stack((80 + 35 * np.cos(around), 60 + 45 * np.sin(around)))
    clip = Clip(path, np.arange(60) / RATE, (points,) * 60)
    known = Known(90.0, 3.0)
    frames, kilobits = Played(known, 0.01, Scene("plain"), 1).frames(clip, tmp_path)
    pictures = np.array([frame.pixels for frame in frames], dtype=np.float64)
    assert kilobits is None
    assert len(pictures) == 60
    top, left, mask = skin(points, grey.shape[:2])
    inside = np.zeros(grey.shape[:2], dtype=np.bool_)
    inside[top : top + mask.shape[0], left : left + mask.shape[1]] = mask > 0.999
    assert inside.sum() > 1500
    told = pictures[:, inside].mean(axis=1) / pictures[:, inside].mean(axis=(0, 1)) - 1.0
    wave = -known.wave(clip.seconds)
    for part, share in enumerate(BLOOD):
        slope = float(told[:, part] @ wave / (wave @ wave))
        assert slope == pytest.approx(0.01 * share, rel=0.05)
    outside = pictures[:, :10].mean(axis=(1, 2, 3))
    assert np.ptp(outside) < 0.1


def test_lost_pictures_are_lost_and_the_others_keep_rising_times() -> None:
    clip = Clip(Path("nowhere"), np.arange(600) / RATE, ())
    order, seconds = Played(Known(60.0, 20.0), 0.01, Scene("", lost=0.3), 3).kept(clip)
    assert 380 < len(order) < 460
    assert (np.diff(seconds) > 0).all()
    assert np.abs(seconds - clip.seconds[order]).max() < 0.012
    longer = Clip(Path("nowhere"), np.arange(600) / RATE, (), times_over=3)
    assert (np.diff(longer.order[1]) > 0).all()
    assert longer.order[1][-1] == pytest.approx(60.0, abs=0.1)


def test_a_codec_gives_back_as_many_pictures_as_it_got(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rough = rng.integers(0, 255, (12, 96, 128, 3), dtype=np.uint8)
    soft = [np.asarray(cv2.GaussianBlur(each, (0, 0), 5), dtype=np.uint8) for each in rough]
    from sensors.frames.file import video

    for codec in ("MJPG 60", "mp4v", "VP80"):
        path = written(iter(soft), codec, tmp_path)
        back = [frame.pixels for frame in video(path)]
        assert len(back) == 12
        assert np.abs(back[5].astype(float) - soft[5]).mean() < 12


def test_sums_count_what_was_asked_answered_and_wrong() -> None:
    told = [70.0, 74.0, None, 60.0]
    answers = [Answer("ours", "", "heart_rate", 70.0, value) for value in told]
    cells = dict(zip(HEAD[1:-1], summed(answers), strict=True))
    assert cells["asked"] == "4"
    assert cells["answered"] == "3 (75 %)"
    assert float(cells["MAE"]) == pytest.approx(14 / 3, abs=0.01)
    assert cells["worst"] == "10.0"
    assert cells["> 3"] == "2 (67 %)"
    assert cells["> 5"] == "1 (33 %)"
    other = [Answer("ICA", "", "heart_rate", 70.0, 75.0, "easy"), Answer("ICA", "", "heart_rate", 70.0, 171.0, "hard")]
    mine = [Answer("ours", "", "heart_rate", 70.0, 71.0, "easy"), Answer("ours", "", "heart_rate", 70.0, None, "hard")]
    table = rows([*other, *mine], "heart_rate")
    assert [(row[1], row[4], row[-1]) for row in table] == [("ours", "1.00", "1.00"), ("ICA", "53.00", "5.00")]


def test_an_interval_of_a_share_is_exact() -> None:
    # the rule of three, exactly: 1 - 0.025 ** (1 / 3000)
    assert interval(0, 3000) == "0/3000 = 0.00 % (0.00 .. 0.12 %)"
    assert interval(1, 10) == "1/10 = 10.00 % (0.25 .. 44.50 %)"
    assert interval(0, 0) == "-"


def test_the_worst_answers_are_named_per_measure() -> None:
    rates = [Answer("ours", "", "heart_rate", 70.0, 70.0 + off, f"{off}") for off in (1.0, -9.0, 3.0)]
    spreads = [Answer("ours", "", "rmssd", 30.0, 60.0, "wide"), Answer("ICA", "", "rmssd", 30.0, 900.0, "theirs")]
    assert [row[3] for row in worst([*rates, *spreads], 2)] == ["-9.0", "3.0", "wide"]
