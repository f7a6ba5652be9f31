"""The same numbers from other programs, with every difference explained."""

import csv
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics import hrv
from analytics.beats import Intervals
from analytics.hrv import spectrum
from sensors.drivers.simulated import Body, Person

Floats = NDArray[np.float64]


def series(milliseconds: Floats) -> Intervals:
    values = milliseconds / 1000
    follows = np.ones(len(values), dtype=np.bool_)
    follows[0] = False
    return Intervals(np.cumsum(values), values, follows)


def visit() -> Floats:
    """Whole milliseconds of a simulated visitor: what other programs take as sample numbers at 1000 Hz."""
    times = Body(Person(seed=12, rsa_ms=40)).truth(0.0, 400.0).beats
    return np.asarray(np.diff(np.rint(times * 1000)), np.float64)


@pytest.mark.parametrize("number", [1, 2])
def test_kubios_premium_says_the_same(recordings: Path, number: int) -> None:
    folder = recordings / "rr" / "kubios"
    theirs = json.loads((folder / "kubios_reference.json").read_text())["series"][f"series_{number}"]
    given = series(np.loadtxt(folder / f"kubios_series_{number}_rr_ms.txt"))
    exact = {
        hrv.mean_rr: "mean_rr_ms",
        hrv.heart_rate: "mean_hr_bpm",
        hrv.sdnn: "sdnn_ms",
        hrv.rmssd: "rmssd_ms",
        hrv.pnn50: "pnn50_pct",
        hrv.triangular_index: "rr_tri_index",
        hrv.sd1: "sd1_ms",
        hrv.sd2: "sd2_ms",
    }
    for function, name in exact.items():
        assert function(given) == pytest.approx(theirs[name], rel=2e-6), name
    # Kubios joins the ends of the spline and of the segments in its own way
    whole = spectrum.welch(given.ends, given.values, smoothness=None)
    assert spectrum.band(*whole, spectrum.LF) == pytest.approx(theirs["lf_ms2_fft"], rel=0.05)
    assert spectrum.band(*whole, spectrum.HF) == pytest.approx(theirs["hf_ms2_fft"], rel=0.05)
    # it takes a trend away before DFA, and does not say which
    assert hrv.dfa_alpha1(given) == pytest.approx(theirs["dfa_a1"], abs=0.04)


def test_the_windows_of_the_vest_toolbox_are_the_same(recordings: Path) -> None:
    folder = recordings / "rr" / "nsr2db"
    beats = np.loadtxt(folder / "nsr001_rr_fs125.csv", delimiter=",", skiprows=1, usecols=(0, 1))
    compared = 0
    with (folder / "reference_windows.csv").open() as file:
        for row in csv.DictReader(file):
            if (row["all_normal"], row["plain_numpy_agrees"]) != ("True", "True"):
                continue
            inside = (beats[:, 0] > float(row["t_start"])) & (beats[:, 0] <= float(row["t_end"]))
            given = series(beats[inside, 1])
            assert hrv.mean_rr(given) == pytest.approx(float(row["nn_mean_ms"]), abs=1e-4)
            assert hrv.sdnn(given) == pytest.approx(float(row["sdnn_ms"]), abs=1e-4)
            assert hrv.rmssd(given) == pytest.approx(float(row["rmssd_ms"]), abs=1e-4)
            assert hrv.pnn50(given) == pytest.approx(100 * float(row["pnn50_ratio"]), abs=1e-4)
            assert hrv.sd1(given) == pytest.approx(float(row["sd1"]), rel=1e-4)
            # its SD2 is not of the plotted pairs but sqrt(2 SDNN^2 - SD1^2), which neglects the ends
            across, deviation = hrv.sd1(given), hrv.sdnn(given)
            assert across is not None
            assert deviation is not None
            assert (2 * deviation**2 - across**2) ** 0.5 == pytest.approx(float(row["sd2"]), rel=1e-4)
            assert hrv.sd2(given) == pytest.approx(float(row["sd2"]), rel=0.02)
            compared += 1
    assert compared > 0


def test_neurokit2_says_the_same() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import neurokit2

        rr = visit()
        peaks = np.concatenate(([0], np.cumsum(rr))).astype(int)
        time = neurokit2.hrv_time(peaks, sampling_rate=1000).iloc[0]
        rest = neurokit2.hrv_nonlinear(peaks, sampling_rate=1000).iloc[0]
        bands = neurokit2.hrv_frequency(peaks, sampling_rate=1000, normalize=False).iloc[0]
    given, count = series(rr), len(rr)
    # its pNN divides by the number of intervals, not of differences; its CVNN is a ratio
    ours = {
        "HRV_MeanNN": hrv.mean_rr(given),
        "HRV_SDNN": hrv.sdnn(given),
        "HRV_RMSSD": hrv.rmssd(given),
        "HRV_SDSD": hrv.sdsd(given),
    }
    for name, value in ours.items():
        assert value == pytest.approx(time[name], rel=1e-9), name
    assert hrv.cvnn(given) == pytest.approx(100 * time["HRV_CVNN"], rel=1e-9)
    assert hrv.pnn50(given) == pytest.approx(time["HRV_pNN50"] * count / (count - 1), rel=1e-9)
    assert hrv.pnn20(given) == pytest.approx(time["HRV_pNN20"] * count / (count - 1), rel=1e-9)
    assert hrv.sd1(given) == pytest.approx(rest["HRV_SD1"], rel=1e-9)
    assert hrv.sd2(given) == pytest.approx(rest["HRV_SD2"], rel=1e-9)
    assert hrv.sample_entropy(given) == pytest.approx(rest["HRV_SampEn"], rel=1e-9)
    # boxes that overlap, and scales of its own choice
    assert hrv.dfa_alpha1(given) == pytest.approx(rest["HRV_DFA_alpha1"], abs=0.15)
    # a quadratic spline and other segments
    power = hrv.power(given)
    assert power is not None
    assert power.hf == pytest.approx(bands["HRV_HF"], rel=0.15)
    assert power.lf_hf == pytest.approx(bands["HRV_LFHF"], rel=0.25)


def test_heartpy_says_the_same() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from heartpy.analysis import calc_ts_measures

        rr = visit()
        steps = np.abs(np.diff(rr))
        theirs = calc_ts_measures(rr, steps, steps**2, {}, {})[1]
    given = series(rr)
    assert hrv.heart_rate(given) == pytest.approx(theirs["bpm"], rel=1e-9)
    assert hrv.mean_rr(given) == pytest.approx(theirs["ibi"], rel=1e-9)
    assert hrv.rmssd(given) == pytest.approx(theirs["rmssd"], rel=1e-9)
    assert hrv.pnn50(given) == pytest.approx(100 * theirs["pnn50"], rel=1e-9)
    assert hrv.pnn20(given) == pytest.approx(100 * theirs["pnn20"], rel=1e-9)
    # it divides by N; its "sdsd" is of the absolute differences, which is another measure
    assert hrv.sdnn(given) == pytest.approx(theirs["sdnn"] * np.sqrt(len(rr) / (len(rr) - 1)), rel=1e-9)
