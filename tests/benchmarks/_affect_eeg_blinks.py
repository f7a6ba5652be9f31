"""What blinks do to frontal powers, and what takes them out: simulated visitors with and without the same blinks."""

import time

import mne
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from analytics.eeg import blinks as lids
from analytics.eeg import cleaning, montage, spectra
from analytics.eeg.bands import weights
from sensors.drivers.simulated import Body, Person
from tests.benchmarks._measuring import report

Floats = NDArray[np.float64]

NAMES = (
    "Fp1",
    "Fp2",
    "F7",
    "F3",
    "Fz",
    "F4",
    "F8",
    "T7",
    "C3",
    "Cz",
    "C4",
    "T8",
    "P7",
    "P3",
    "Pz",
    "P4",
    "P8",
    "O1",
    "O2",
)
FRONTAL = ("F3", "Fz", "F4")
RATE, SECONDS = 250.0, 120.0


def blinks(*, seeds: int) -> None:
    """Errors of delta, theta and alpha at F3, Fz and F4, and what each way costs."""
    ways = ("as it is", "windows with blinks left out", "regression (ours)", "ICA (mne, infomax)")
    errors = {way: np.zeros((seeds, 3)) for way in ways}
    spent, kept = dict.fromkeys(ways, 0.0), dict.fromkeys(ways, 0.0)
    for seed in range(seeds):
        clean, raw = (_head(seed, size) for size in (0.0, 130.0))
        truth = _powers(clean)
        for way in ways:
            began = time.process_time()
            power, used = _corrected(way, raw)
            spent[way] += time.process_time() - began
            kept[way] += used / seeds
            errors[way][seed] = power / truth - 1
    report(
        f"synthetic: {seeds} simulated visitors, {SECONDS:.0f} s, 19 electrodes, 20 blinks/min of 130 uV "
        "at the forehead; "
        "error of the power at F3, Fz, F4 (mean of absolute errors)",
        ("way", "delta", "theta", "alpha", "windows used", "CPU s"),
        [
            (
                way,
                *(f"{100 * value:.1f} %" for value in np.abs(errors[way]).mean(axis=0)),
                f"{100 * kept[way]:.0f} %",
                f"{spent[way] / seeds:.2f}",
            )
            for way in ways
        ],
    )


def _head(seed: int, blink_size: float) -> Floats:
    person = Person(seed=seed, eeg_channels=NAMES, blink_rate=20, blink_size=blink_size).undisturbed()
    times = 10.0 + np.arange(round(SECONDS * RATE)) / RATE
    return cleaning.whole(Body(person).eeg(times), RATE)


def _windows(x: Floats) -> Floats:
    """(windows, bands) of the frontal channels."""
    size, hop = spectra.size(RATE), spectra.hop(RATE)
    rows = [NAMES.index(name) for name in FRONTAL]
    found = [
        spectra.density(spectra.transformed(x[at : at + size], RATE))[rows].mean(axis=0)
        for at in range(0, len(x) - size + 1, hop)
    ]
    return np.array(found) @ weights(spectra.frequencies(RATE), RATE)


def _powers(x: Floats) -> Floats:
    return np.asarray(_windows(x).mean(axis=0)[:3])


def _corrected(way: str, x: Floats) -> tuple[Floats, float]:
    source, own = lids.eyes(montage.places(NAMES))
    eye = x[:, source].mean(axis=1)
    if way == "as it is":
        return _powers(x), 1.0
    if way == "regression (ours)":
        others = [number for number in range(len(NAMES)) if number not in own]
        found = x.copy()
        found[:, others] = lids.corrected(x[:, others], eye, RATE).samples
        return _powers(found), 1.0
    if way.startswith("windows"):
        during = lids.corrected(x, eye, RATE).during
        size, hop = spectra.size(RATE), spectra.hop(RATE)
        free = np.array([not during[at : at + size].any() for at in range(0, len(x) - size + 1, hop)])
        return np.asarray(_windows(x)[free].mean(axis=0)[:3]) if free.any() else np.full(3, np.nan), float(free.mean())
    return _powers(_by_components(x)), 1.0


def _by_components(x: Floats) -> Floats:
    info = mne.create_info(list(NAMES), RATE, "eeg")
    raw = mne.io.RawArray(x.T * 1e-6, info, verbose="ERROR")
    with threadpool_limits(1):
        found = mne.preprocessing.ICA(
            method="infomax", fit_params={"extended": True}, max_iter=300, random_state=0, verbose="ERROR"
        )
        found.fit(raw.copy().filter(1.0, None, verbose="ERROR"), verbose="ERROR")
        bad, _ = found.find_bads_eog(raw, ch_name=["Fp1", "Fp2"], verbose="ERROR")
        found.apply(raw, exclude=bad, verbose="ERROR")
    return np.asarray(raw.get_data().T * 1e6)
