"""Where a channel is, by whatever name a recorder gave it."""

import pytest

from analytics.eeg import montage
from sensors.drivers.simulated import Body, Person

NAMES = {
    "F3": "F3",
    "EEG F3": "F3",
    "eeg fp1-ref": "Fp1",
    "F3-A1": "F3",
    "C4-M1": "C4",
    "O2 - LE": "O2",
    "Pz-A1+A2": "Pz",
    "Fc5.": "FC5",
    "Cz..": "Cz",
    "POZ": "POz",
    "T3": "T7",
    "EEG T6-REF": "P8",
    "T4-AVG": "T8",
    "Af7": "AF7",
    "TP10": "TP10",
    "Iz": "Iz",
    "F3-2": "F3",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_tells_its_electrode(name: str) -> None:
    assert montage.place(name) == montage.Place(name, NAMES[name], "scalp")


@pytest.mark.parametrize("name", ["Fp1-F7", "EEG F3-C3", "P3-O1", "T3-T5"])
def test_a_channel_between_two_electrodes_is_at_neither(name: str) -> None:
    found = montage.place(name)
    assert (found.electrode, found.kind, found.brain) == (None, "bipolar", True)


@pytest.mark.parametrize("name", ["EEG", "1", "Ch 7", "left", "F", "F99", "C9", "Q3", "", "\N{SNOWMAN}", "eeg_1"])
def test_a_name_that_says_nothing_is_of_an_unknown_place(name: str) -> None:
    found = montage.place(name)
    assert (found.electrode, found.kind, found.brain) == (None, "unknown", True)


@pytest.mark.parametrize(
    "name", ["A1", "M2", "ECG", "EKG II", "EMG chin", "Status", "STI 014", "TRIG", "A1-A2", "Resp"]
)
def test_what_is_not_the_brain_is_left_out(name: str) -> None:
    assert not montage.place(name).brain


@pytest.mark.parametrize("name", ["EOG", "EOG left", "VEOG", "HEOG-1", "LOC", "ROC"])
def test_a_channel_of_the_eyes_is_one(name: str) -> None:
    assert montage.place(name).kind == "eye"


def test_of_two_channels_of_one_electrode_the_first_is_taken() -> None:
    found = montage.places(("O1", "F3-A1", "F3-2", "F4"))
    assert montage.at(found, ("F3", "F4", "Cz")) == [1, 3]


def test_every_electrode_of_the_simulator_is_known() -> None:
    names = Body(Person(seed=1)).channels("eeg")
    assert [each.electrode for each in montage.places(names)] == list(names)
