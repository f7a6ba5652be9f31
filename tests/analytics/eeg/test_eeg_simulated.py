"""Simulated visitors: what the final analysis says of them against what they are."""

import numpy as np
import pytest

from analytics import eeg
from kiosk.measures import MEASURES
from kiosk.recording import Track
from sensors.drivers.simulated import Body, Person
from tests.analytics.eeg.brains import TEN_TWENTY, told, track, values

RATE = 250.0


def head(person: Person, seconds: float = 90.0) -> Track:
    body = Body(person)
    times = 5.0 + np.arange(round(seconds * RATE)) / RATE
    return track(body.eeg(times), RATE, tuple(body.channels("eeg")))


@pytest.mark.parametrize("frequency", [8.8, 10.0, 11.4])
def test_the_alpha_peak_is_the_visitors(frequency: float) -> None:
    found = values(head(Person(seed=3, alpha_frequency=frequency).undisturbed()))
    assert found["eeg_alpha_peak"] == pytest.approx(frequency, abs=0.4)


def test_asymmetry_follows_the_visitors() -> None:
    found = [
        values(head(Person(seed=4, alpha_asymmetry=asymmetry, alpha_open=20.0).undisturbed()))["eeg_asymmetry"] or 0.0
        for asymmetry in (-0.8, 0.0, 0.8)
    ]
    assert found[0] < found[1] - 0.1 < found[2] - 0.2


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_a_disturbed_visitor_is_read_nearly_as_an_undisturbed_one(seed: int) -> None:
    disturbed = Person(seed=seed, eeg_channels=TEN_TWENTY, blink_rate=16)
    answers, truth = told(head(disturbed)), values(head(disturbed.undisturbed()))
    assert (answers["eeg_usable"].finding.value or 0.0) > 60.0
    for measure in ("eeg_theta", "eeg_alpha", "eeg_alpha_relative", "eeg_slowing"):
        assert answers[measure].finding.value == pytest.approx(truth[measure], rel=0.2), measure


def test_every_eeg_measure_of_the_catalogue_is_answered() -> None:
    assert sorted(eeg.MEASURED) == sorted(name for name in MEASURES if name.startswith("eeg_"))
