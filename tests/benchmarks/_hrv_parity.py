"""Our numbers beside those of other programs, of the same intervals."""

import importlib
import json
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics import hrv
from analytics.beats import Intervals
from analytics.hrv import spectrum
from tests.analytics.test_correction import series as healthy
from tests.benchmarks._measuring import report

Floats = NDArray[np.float64]
NAMES = ("mean_rr", "sdnn", "rmssd", "sdsd", "pnn50", "pnn20", "triangular_index", "sd1", "sd2", "sample_entropy",
         "dfa_alpha1", "lf_hf")  # fmt: skip


def parity(folder: Path) -> None:
    """Kubios on its two hours, the libraries on 50 series of five minutes."""
    for number in (1, 2):
        _kubios(folder / "rr" / "kubios", number)
    programs = {"neurokit2": _neurokit, "heartpy": _heartpy}
    if _installed("pyhrv"):
        programs["pyhrv"] = _pyhrv
    ours: list[dict[str, float | None]] = []
    theirs: dict[str, list[dict[str, float]]] = {name: [] for name in programs}
    for times in healthy(folder):
        rr = np.rint(np.diff(times) * 1000)
        given = _series(rr)
        power = hrv.power(given)
        values = {name: getattr(hrv, name)(given) for name in NAMES if name != "lf_hf"}
        assert power is not None
        ours.append({**values, "lf_hf": power.lf_hf})
        for name, program in programs.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs[name].append(program(rr))
    rows = []
    for measure in NAMES:
        cells = []
        for answers in theirs.values():
            pairs = zip(answers, ours, strict=True)
            apart = [
                abs(answer[measure] / value - 1)
                for answer, own in pairs
                if measure in answer and (value := own[measure])
            ]
            cells.append(f"{np.median(apart):.2e}, {np.max(apart):.2e}" if apart else "")
        rows.append((measure, *cells))
    title = "real: 50 NN series of 5 min, |theirs / ours - 1|: median, worst"
    report(f"{title}{'' if 'pyhrv' in programs else ' (pyhrv is not installed)'}", ("measure", *programs), rows)


def _installed(name: str) -> bool:
    """Whether it can be imported: pyhrv is in no lock, and breaks where what it needs is of another version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            importlib.import_module(name)
        except (ImportError, TypeError):
            return False
    return True


def _series(milliseconds: Floats) -> Intervals:
    values = milliseconds / 1000
    follows = np.ones(len(values), dtype=np.bool_)
    follows[0] = False
    return Intervals(np.cumsum(values), values, follows)


def _kubios(folder: Path, number: int) -> None:
    theirs = json.loads((folder / "kubios_reference.json").read_text())["series"][f"series_{number}"]
    given = _series(np.loadtxt(folder / f"kubios_series_{number}_rr_ms.txt"))
    whole = spectrum.welch(given.ends, given.values, smoothness=None)
    ours = {
        "mean_rr_ms": hrv.mean_rr(given),
        "mean_hr_bpm": hrv.heart_rate(given),
        "sdnn_ms": hrv.sdnn(given),
        "rmssd_ms": hrv.rmssd(given),
        "pnn50_pct": hrv.pnn50(given),
        "rr_tri_index": hrv.triangular_index(given),
        "sd1_ms": hrv.sd1(given),
        "sd2_ms": hrv.sd2(given),
        "vlf_ms2_fft": spectrum.band(*whole, (0.0, spectrum.VLF[1])),
        "lf_ms2_fft": spectrum.band(*whole, spectrum.LF),
        "hf_ms2_fft": spectrum.band(*whole, spectrum.HF),
        "lf_hf_fft": spectrum.band(*whole, spectrum.LF) / spectrum.band(*whole, spectrum.HF),
        "dfa_a1": hrv.dfa_alpha1(given),
        "sampen": hrv.sample_entropy(given),
        "stress_index": hrv.stress_index(given),
    }
    rows = [
        (name, f"{theirs[name]:.4f}", f"{value:.4f}", f"{value / theirs[name] - 1:+.3%}")
        for name, value in ours.items()
        if value is not None
    ]
    report(
        f"real: one hour ({number}), no correction, no detrending",
        ("value", "Kubios Premium 3.1.0", "ours", "ours / Kubios - 1"),
        rows,
    )


def _neurokit(rr: Floats) -> dict[str, float]:
    import neurokit2

    peaks = np.concatenate(([0], np.cumsum(rr))).astype(int)
    time = neurokit2.hrv_time(peaks, sampling_rate=1000).iloc[0]
    rest = neurokit2.hrv_nonlinear(peaks, sampling_rate=1000).iloc[0]
    bands = neurokit2.hrv_frequency(peaks, sampling_rate=1000).iloc[0]
    return {
        "mean_rr": time["HRV_MeanNN"],
        "sdnn": time["HRV_SDNN"],
        "rmssd": time["HRV_RMSSD"],
        "sdsd": time["HRV_SDSD"],
        "pnn50": time["HRV_pNN50"],
        "pnn20": time["HRV_pNN20"],
        "triangular_index": time["HRV_HTI"],
        "sd1": rest["HRV_SD1"],
        "sd2": rest["HRV_SD2"],
        "sample_entropy": rest["HRV_SampEn"],
        "dfa_alpha1": rest["HRV_DFA_alpha1"],
        "lf_hf": bands["HRV_LFHF"],
    }


def _heartpy(rr: Floats) -> dict[str, float]:
    from heartpy.analysis import calc_ts_measures

    steps = np.abs(np.diff(rr))
    found = calc_ts_measures(rr, steps, steps**2, {}, {})[1]
    return {
        "mean_rr": found["ibi"],
        "sdnn": found["sdnn"],
        "rmssd": found["rmssd"],
        "sdsd": found["sdsd"],
        "pnn50": 100 * found["pnn50"],
        "pnn20": 100 * found["pnn20"],
    }


def _pyhrv(rr: Floats) -> dict[str, float]:
    from pyhrv import nonlinear, time_domain

    plot = nonlinear.poincare(nni=rr, show=False)
    return {
        "mean_rr": time_domain.nni_parameters(nni=rr)["nni_mean"],
        "sdnn": time_domain.sdnn(nni=rr)["sdnn"],
        "rmssd": time_domain.rmssd(nni=rr)["rmssd"],
        "sdsd": time_domain.sdsd(nni=rr)["sdsd"],
        "pnn50": time_domain.nn50(nni=rr)["pnn50"],
        "pnn20": time_domain.nn20(nni=rr)["pnn20"],
        "triangular_index": time_domain.triangular_index(nni=rr, show=False, plot=False)["tri_index"],
        "sd1": plot["sd1"],
        "sd2": plot["sd2"],
        "sample_entropy": nonlinear.sample_entropy(nni=rr)["sampen"],
    }
