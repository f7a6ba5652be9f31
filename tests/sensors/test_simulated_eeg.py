"""The simulated EEG holds what its truth says: powers, alpha, closed eyes, blinks, mains. Synthetic throughout."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from sensors.drivers.simulated.body import Body
from sensors.drivers.simulated.person import Person

CHANNELS = ("Fp1", "F3", "F4", "Cz", "Pz", "O1", "O2")
BANDS = {"theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0), "gamma": (30.0, 45.0)}
QUIET = replace(Person(seed=5, eeg_channels=CHANNELS).undisturbed(), blink_rate=0.0)


def spectrum(x: NDArray[np.float64], rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Welch's, (frequencies, channels)."""
    frequencies, density = signal.welch(x, rate, nperseg=int(4 * rate), axis=0)
    return frequencies, density


def power(x: NDArray[np.float64], rate: float, low: float, high: float) -> NDArray[np.float64]:
    """uV2 of a band, per channel."""
    frequencies, density = spectrum(x, rate)
    inside = (frequencies >= low) & (frequencies <= high)
    return np.asarray(np.trapezoid(density[inside], frequencies[inside], axis=0))


@pytest.mark.parametrize("rate", [125.0, 250.0, 500.0])
@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
def test_band_powers_are_those_of_the_truth(rate: float, closed: bool) -> None:
    person = replace(QUIET, eeg_noise=0.6, eyes_closed=((0.0, 300.0),) if closed else ())
    body = Body(person)
    x = body.eeg(np.arange(int(2 * rate), int(200 * rate)) / rate)
    truth = body.eeg_truth(2.0, 200.0, rate=rate)
    for low, high in BANDS.values():
        expected = truth.power(low, high, closed=closed)
        # 200 s of a band of 4 Hz scatter by 1/sqrt(800); neighbouring channels share sources
        np.testing.assert_allclose(power(x, rate, low, high), expected, rtol=0.15)
    assert truth.power(0.0, rate / 2, closed=closed) == pytest.approx(x.var(axis=0), rel=0.15)


def test_alpha_has_its_peak_and_its_size() -> None:
    body = Body(replace(QUIET, alpha_frequency=9.3, eyes_closed=((0.0, 300.0),)))
    x = body.eeg(np.arange(500, 50_000) / 250)
    truth = body.eeg_truth(0.0, 200.0)
    frequencies, density = spectrum(x, 250.0)
    near = (frequencies > 7) & (frequencies < 13)
    posterior = density[near][:, [CHANNELS.index("O1"), CHANNELS.index("O2")]].mean(axis=1)
    assert frequencies[near][posterior.argmax()] == pytest.approx(truth.alpha_peak, abs=0.5)
    peak = truth.frequencies[truth.density_closed[:, CHANNELS.index("O1")][100:].argmax() + 100]
    assert peak == pytest.approx(9.3, abs=0.2)
    o1 = CHANNELS.index("O1")
    expected = truth.alpha_closed[o1] ** 2 - truth.alpha_open[o1] ** 2
    gained = truth.power(5.0, 14.0, closed=True)[o1] - truth.power(5.0, 14.0)[o1]
    assert gained == pytest.approx(expected, rel=0.02)


def test_closed_eyes_have_more_alpha_at_the_back_and_nothing_else() -> None:
    body = Body(replace(QUIET, eyes_closed=((60.0, 120.0),)))
    truth = body.eeg_truth(0.0, 120.0)
    assert truth.closed == ((60.0, 120.0),)
    x = body.eeg(np.arange(30_000) / 250)
    opened, shut = x[500:14_500], x[15_500:29_500]
    ratio = power(shut, 250.0, 8.0, 13.0) / power(opened, 250.0, 8.0, 13.0)
    expected = truth.power(8.0, 13.0, closed=True) / truth.power(8.0, 13.0)
    np.testing.assert_allclose(ratio, expected, rtol=0.35)
    assert ratio[CHANNELS.index("O1")] > 4
    assert ratio[CHANNELS.index("Fp1")] < ratio[CHANNELS.index("O1")]
    np.testing.assert_allclose(truth.power(14.0, 30.0, closed=True), truth.power(14.0, 30.0), rtol=0.05)


def test_the_asymmetry_is_that_of_frontal_alpha() -> None:
    truth = Body(replace(QUIET, alpha_asymmetry=0.3, eyes_closed=((0.0, 60.0),))).eeg_truth(0.0, 60.0)
    left, right = (truth.alpha_closed[CHANNELS.index(name)] for name in ("F3", "F4"))
    assert np.log(right / left) == pytest.approx(truth.alpha_asymmetry, abs=1e-6)


def test_blinks_are_where_the_truth_says() -> None:
    body = Body(replace(QUIET, blink_rate=15.0))
    truth = body.eeg_truth(0.0, 60.0)
    x = body.eeg(np.arange(15_000) / 250)[:, CHANNELS.index("Fp1")]
    assert 5 <= len(truth.blinks) <= 30
    times = np.arange(15_000) / 250
    inside = np.zeros(15_000, bool)
    for start, end in truth.blinks:
        inside |= (times >= start) & (times <= end)
        assert x[(times >= start) & (times <= end)].max() > 60
    assert np.abs(x[~inside]).max() < 60
    assert truth.blinks == body.truth(0.0, 60.0).blinks


def test_mains_has_its_frequency_and_size() -> None:
    body = Body(replace(QUIET, eeg_mains=4.0, mains_frequency=60.0))
    truth = body.eeg_truth(0.0, 60.0)
    x = body.eeg(np.arange(15_000) / 250)
    found = np.sqrt(power(x, 250.0, 59.0, 61.0) - truth.power(59.0, 61.0))
    np.testing.assert_allclose(found, truth.mains, rtol=0.05)


@pytest.mark.parametrize(("start", "end", "rate"), [(0.0, 10.0, 256.0), (-1.0, 10.0, 250.0), (5.0, 5.0, 250.0)])
def test_a_window_or_rate_without_a_truth_is_refused(start: float, end: float, rate: float) -> None:
    with pytest.raises(ValueError, match="rate that divides"):
        Body(QUIET).eeg_truth(start, end, rate=rate)
