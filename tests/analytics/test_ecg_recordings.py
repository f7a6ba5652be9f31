"""Real recordings with human annotations."""

from pathlib import Path

import numpy as np
import pytest

from analytics import ecg as cardiogram
from analytics.ecg.vote import matched
from analytics.session import session
from kiosk.recording import Context
from tests.analytics.stress import electrode_motion, lasting, scaled
from tests.analytics.visitors import Floats, clock, recording

TOLERANCE = 0.150
BEATS = list("NLRBAaJSVrFejnE/fQ?-")
# Weights, limits of trust and quality were set on the records SEEN and on noise stress record 118, whose figures below
# are therefore no held-back ones; no weight was fitted to the records REPORTED.
SEEN = ("100", "106", "119", "123")
REPORTED = ("103", "105", "116", "121")


def mitbih(recordings: Path, name: str) -> tuple[Floats, float, Floats]:
    with np.load(recordings / "ecg" / "mitbih" / f"{name}.npz") as file:
        rate = float(file["fs"])
        chosen = np.isin(file["symbol"], BEATS)
        return file["ecg_adu"] / float(file["adu_per_mV"]), rate, file["r"][chosen] / rate


def score(found: Floats, truth: Floats, tolerance: float = TOLERANCE) -> float:
    return 2 * matched(found, truth, tolerance=tolerance) / (len(found) + len(truth))


def stream(x: Floats, rate: float) -> Floats:
    detector = cardiogram.Detector(rate, 10.0)
    size, times = detector.grid.block, clock(len(x), rate)
    whole = range(0, len(x) - size + 1, size)
    return np.array(
        [at / rate for begin in whole for at, _ in detector.block(times[begin : begin + size], x[begin : begin + size])]
    )


@pytest.mark.parametrize("name", SEEN + REPORTED)
def test_beats_are_where_the_annotators_saw_them(recordings: Path, name: str) -> None:
    x, rate, truth = mitbih(recordings, name)
    # 105 is known for its minutes of noise; in 116 the lead is off for seconds while the other one shows the beats
    assert score(cardiogram.r_peaks(x, rate), truth) > (0.995 if name in ("105", "116") else 0.997)
    assert score(stream(x, rate), truth) > (0.985 if name == "105" else 0.995)


@pytest.mark.parametrize(("decibels", "least"), [(12.0, 0.99), (6.0, 0.96), (0.0, 0.87)])
@pytest.mark.parametrize("name", ["100", "103", "119", "123"])
def test_electrode_motion_hides_few_beats(recordings: Path, name: str, decibels: float, least: float) -> None:
    x, rate, truth = mitbih(recordings, name)
    begin, count = round(60 * rate), round(120 * rate)
    noise = lasting(electrode_motion(recordings), count, 5)
    noisy = x[: round(190 * rate)].copy()
    noisy[begin : begin + count] += scaled(noise, x, truth, rate, decibels)
    found, truth = (times[(times > 60) & (times < 180)] for times in (cardiogram.r_peaks(noisy, rate), truth))
    assert score(found, truth) > least


@pytest.mark.parametrize("name", REPORTED)
def test_the_live_heart_rate_is_that_of_the_annotated_beats(recordings: Path, name: str) -> None:
    x, rate, truth = mitbih(recordings, name)
    x = x[: round(600 * rate)]
    analyzer = cardiogram.LiveHeartRate(rate, ("MLII",))
    errors = []
    for finding in analyzer.feed(clock(len(x), rate), x.astype(np.float32)[:, None]):
        inside = truth[(truth >= finding.start_ns * 1e-9) & (truth <= finding.end_ns * 1e-9)]
        if finding.value is not None:
            errors.append(abs(finding.value - 60.0 / float(np.diff(inside).mean())))
    assert len(errors) > 570
    assert float(np.median(errors)) < 1.0
    assert float(np.quantile(errors, 0.95)) < 4.0


@pytest.mark.parametrize("name", REPORTED)
def test_the_final_heart_rate_is_that_of_the_annotated_beats(recordings: Path, name: str) -> None:
    x, rate, truth = mitbih(recordings, name)
    x = x[: round(300 * rate)]
    inside = truth[truth < 300]
    result = session(recording(x.astype(np.float32)[:, None], rate), Context(), vote=False)
    assert result.readings[0].value == pytest.approx(60.0 / np.diff(inside).mean(), abs=0.5)


def test_noise_costs_quality_before_it_costs_the_truth(recordings: Path) -> None:
    qualities = {}
    for level, least in (("24", 0.99), ("12", 0.98)):
        x = np.loadtxt(recordings / "ecg" / "noise" / f"118e{level}.csv")
        truth = np.loadtxt(recordings / "ecg" / "noise" / f"118e{level}_ann.csv") / 360.0
        assert score(cardiogram.r_peaks(x, 360.0), truth) > least
        reading = session(recording(x.astype(np.float32)[:, None], 360.0), Context(), vote=False).readings[0]
        assert reading.quality is not None
        qualities[level] = reading.quality
    assert qualities["24"] > 0.9
    assert qualities["12"] < 0.75
