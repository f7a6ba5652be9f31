"""How a sensor on the body sits, told from two seconds: a body, hum, a lead that is off, a converter at its end."""

import numpy as np
import pytest

from sensors.drivers.simulated import Body, Person
from sensors.station.contact import LIMITS, WINDOW, contact

RATES = {"ecg": 250.0, "ppg": 100.0, "eeg": 250.0, "respiration": 25.0, "eda": 4.0}


def seen(signal: str, at: float = 10.0, *, seed: int = 3) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]]:
    rate = RATES[signal]
    body = Body(Person(seed=seed).undisturbed())
    return np.array(body.stretch(signal, rate, round(at * rate), round(WINDOW * rate)))


def times(signal: str) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]]:
    return np.arange(round(WINDOW * RATES[signal]))[:, None] / RATES[signal]


@pytest.mark.parametrize("signal", RATES)
@pytest.mark.parametrize("seed", range(4))
def test_a_body_is_good(signal: str, seed: int) -> None:
    found = [contact(signal, seen(signal, at, seed=seed), RATES[signal]) for at in np.arange(2, 40, 2.0)]
    assert set(found) == {"good"}


@pytest.mark.parametrize("signal", RATES)
def test_nothing_and_lost_samples_are_silence(signal: str) -> None:
    rate = RATES[signal]
    assert contact(signal, np.empty((0, 1)), rate) == "silent"
    assert contact(signal, np.full((round(WINDOW * rate), 1), np.nan), rate) == "silent"


@pytest.mark.parametrize("signal", ["ecg", "ppg", "eeg", "respiration"])
@pytest.mark.parametrize("level", [0.0, 0.4])
def test_a_constant_is_flat(signal: str, level: float) -> None:
    assert contact(signal, np.full_like(seen(signal), level), RATES[signal]) == "flat"


def test_an_amplifier_without_a_body_is_flat() -> None:
    rng = np.random.default_rng(1)
    assert contact("ecg", rng.normal(0, 0.005, (500, 1)), 250.0) == "flat"
    assert contact("eeg", rng.normal(0, 0.2, (500, 8)), 250.0) == "flat"
    assert contact("ppg", 1e5 + rng.normal(0, 1, (200, 1)), 100.0) == "flat"
    assert contact("eda", np.full((8, 1), 0.01), 4.0) == "flat"


@pytest.mark.parametrize(("signal", "hum"), [("ecg", 0.3), ("eeg", 80.0)])
@pytest.mark.parametrize("mains", [50.0, 60.0, 50.1])
def test_hum_of_the_mains_is_noise(signal: str, hum: float, mains: float) -> None:
    shaken = seen(signal) + hum * np.sin(2 * np.pi * mains * times(signal))
    assert contact(signal, shaken, RATES[signal]) == "noisy"
    # a tenth of it does not hide a P wave
    assert contact(signal, seen(signal) + hum / 10 * np.sin(2 * np.pi * mains * times(signal)), RATES[signal]) == "good"


@pytest.mark.parametrize(("signal", "size"), [("ecg", 15.0), ("eeg", 900.0)])
def test_movement_is_noise(signal: str, size: float) -> None:
    assert contact(signal, seen(signal) + size * np.sin(2 * np.pi * 0.7 * times(signal)), RATES[signal]) == "noisy"


def test_a_shaken_finger_is_noise() -> None:
    shaken = seen("ppg") + np.random.default_rng(2).normal(0, 1, seen("ppg").shape)
    assert contact("ppg", shaken, 100.0) == "noisy"


@pytest.mark.parametrize(("signal", "end"), [("ecg", 2.5), ("eeg", 600.0), ("ppg", 0.8)])
def test_an_electrode_that_drifts_to_the_converters_end_is_saturated(signal: str, end: float) -> None:
    drifting = seen(signal) + 2 * end * times(signal) / WINDOW
    assert contact(signal, np.clip(drifting, -end, end), RATES[signal]) == "saturated"


def test_a_coarse_converter_is_not_at_its_end() -> None:
    # steps of 0.05 mV, as old monitors have them
    assert contact("ecg", np.round(seen("ecg") / 0.05) * 0.05, 250.0) == "good"


def test_one_bad_lead_of_few_is_told_and_one_of_a_cap_is_not() -> None:
    three = np.repeat(seen("ecg")[:, :1], 3, axis=1)
    three[:, 1] = 0.0
    assert contact("ecg", three, 250.0) == "flat"
    cap = np.repeat(seen("eeg")[:, :1], 16, axis=1)
    cap[:, 1] = 0.0
    assert contact("eeg", cap, 250.0) == "good"
    cap[:, :4] = 0.0
    assert contact("eeg", cap, 250.0) == "flat"


@pytest.mark.parametrize("signal", LIMITS)
@pytest.mark.parametrize("value", [1e30, -1e30, np.inf], ids=["huge", "low", "infinite"])
def test_whatever_a_device_says_something_is_told(signal: str, value: float) -> None:
    rows = seen(signal)
    rows[::3] = value
    assert contact(signal, rows, RATES[signal]) in ("saturated", "noisy", "good")
    assert contact(signal, rows[:1], RATES[signal]) == "silent"
