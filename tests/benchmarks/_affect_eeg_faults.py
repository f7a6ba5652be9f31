"""Real EEG with faults that we put in: what becomes of the powers, with and without the cleaning."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import welch

from analytics import eeg
from analytics.eeg import spectra
from analytics.eeg.bands import weights
from kiosk.recording import Track
from sensors.files import read
from tests.benchmarks._measuring import report

Floats = NDArray[np.float64]

SHOWN = ("eeg_delta", "eeg_theta", "eeg_alpha", "eeg_beta", "eeg_gamma")


def _hum(x: Floats, rate: float, _: np.random.Generator) -> Floats:
    return np.asarray(x + 100.0 * np.sin(2 * np.pi * 50.0 * np.arange(len(x)) / rate)[:, None])


def _one(column: Callable[[Floats, np.random.Generator], Floats]) -> Callable[..., Floats]:
    def damaged(x: Floats, _: float, rng: np.random.Generator) -> Floats:
        found, place = x.copy(), int(rng.integers(x.shape[1]))
        found[:, place] = column(found[:, place], rng)
        return found

    return damaged


def _jerks(x: Floats, rate: float, rng: np.random.Generator) -> Floats:
    found = x.copy()
    for begin in rng.choice(len(x) - round(rate), max(1, round(len(x) / rate / 20)), replace=False).tolist():
        found[begin : begin + round(rate / 2)] += rng.normal(0.0, 300.0, x.shape[1])
    return found


def _bursts(x: Floats, rate: float, rng: np.random.Generator) -> Floats:
    found = x.copy()
    for begin in rng.choice(len(x) - round(rate), max(1, round(len(x) / rate / 20)), replace=False).tolist():
        found[begin : begin + round(rate)] += rng.normal(0.0, 40.0, (round(rate), x.shape[1]))
    return found


def _lost(x: Floats, rate: float, rng: np.random.Generator) -> Floats:
    found = x.copy()
    for begin in rng.choice(len(x) - round(rate), max(1, round(len(x) / rate / 20)), replace=False).tolist():
        found[begin : begin + round(rate)] = np.nan
    return found


FAULTS: Mapping[str, Callable[[Floats, float, np.random.Generator], Floats]] = {
    "mains of 100 uV on all channels": _hum,
    "a channel flat": _one(lambda x, _: np.zeros(len(x))),
    "a channel white noise, 50 uV": _one(lambda x, rng: x + rng.normal(0.0, 50.0, len(x))),
    "a channel clipped at its quartiles": _one(lambda x, _: np.clip(x, *np.percentile(x, (25, 75)))),
    "jerks of 300 uV, half a second, 3 a minute": _jerks,
    "muscle of 40 uV, a second, 3 a minute": _bursts,
    "a second lost, 3 a minute": _lost,
}


def faults(folder: Path, *, people: int) -> None:
    """Median absolute error against the same recording without the fault."""
    rows = []
    for name, fault in FAULTS.items():
        ours, plain, usable = [], [], []
        for person in range(people):
            (track,) = read(folder / f"Subject{person:02}_2.edf").of("eeg")
            x, rate = track.samples.astype(np.float64), track.rate or 1.0
            broken = fault(x, rate, np.random.default_rng(person))
            values = _values(track, broken)
            truth = _values(track, x)
            usable.append(values["eeg_usable"])
            ours.append([abs(values[band] / truth[band] - 1) for band in SHOWN])
            plain.append(np.abs(_plain(broken, rate) / _plain(x, rate) - 1))
        rows.append(
            (
                name,
                *(f"{_percent(a)} ({_percent(b)})" for a, b in zip(np.array(ours).T, np.array(plain).T, strict=True)),
                f"{np.median(usable):.0f}",
            )
        )
    report(
        f"injected: EEGMAT, arithmetic, {people} people: median error of the powers with the cleaning (without any)",
        ("fault", *(name.removeprefix("eeg_") for name in SHOWN), "usable %"),
        rows,
    )


def _percent(errors: Floats) -> str:
    return f"{100 * float(np.median(errors)):.1f} %"


def _values(track: Track, x: Floats) -> dict[str, float]:
    found = Track("eeg", track.device, track.channels, track.rate, track.times, x.astype(np.float32))
    return {
        each.finding.measure: np.nan if each.finding.value is None else each.finding.value
        for each in eeg.answers(found)
    }


def _plain(x: Floats, rate: float) -> Floats:
    """Band powers of all channels and windows."""
    held = np.nan_to_num(x)
    _, power = welch(held, rate, nperseg=spectra.size(rate), axis=0)
    found = spectra.frequencies(rate)
    return np.asarray(power[1 : len(found) + 1].mean(axis=1) @ weights(found, rate))
