"""What a stream says of itself -> ports, units and order, or a refusal in words."""

import numpy as np
import pytest

from kiosk.errors import BadSettings, DriverFailed
from kiosk.signals import SIGNALS
from sensors.drivers.lsl.stream import Channel, Found, Wanted, device_name, exactly, reading, wanted


def found(type_: str, channels: list[Channel], rate: float = 250.0, **changes: object) -> Found:
    """A stream."""
    given = {"uid": "u", "name": "amp", "source": "s1", "host": "lab", "count": len(channels), "is_text": False}
    return Found(type=type_, rate=rate, channels=tuple(channels), **{**given, **changes})  # type: ignore[arg-type]


EEG = [Channel("Fz", "microvolts", "EEG"), Channel("Cz", "uV", "EEG")]


def test_electrodes_and_units_are_those_of_the_description() -> None:
    got = reading(found("EEG", [Channel("EEG F3", "V"), Channel("F4", "mV"), Channel("Pz", "microvolts")]), Wanted())
    assert got.ports[0].channels == ("F3", "F4", "Pz")
    np.testing.assert_array_equal(got.feeds[0].factors, [1e6, 1e3, 1.0])


def test_eeg_without_a_unit_is_in_microvolt_and_that_is_said() -> None:
    got = reading(found("EEG", [Channel("Fz"), Channel("Cz")]), Wanted())
    np.testing.assert_array_equal(got.feeds[0].factors, [1.0, 1.0])
    assert "assumed: eeg is in microvolt" in got.words


def test_a_stream_without_a_description_numbers_its_channels() -> None:
    assert reading(found("EEG", [], count=3), Wanted()).ports[0].channels == ("ch1", "ch2", "ch3")


def test_one_amplifier_may_have_several_signals() -> None:
    channels = [*EEG, Channel("chest", "mV", "ECG"), Channel("belt", "", "RESP"), Channel("trigger", "", "TRIG")]
    got = reading(found("EEG", channels), Wanted())
    assert {feed.port.signal: feed.columns for feed in got.feeds} == {"eeg": (0, 1), "ecg": (2,), "respiration": (3,)}
    assert "left out: trigger (TRIG)" in got.words


def test_types_that_nobody_knows_do_not_hide_the_stream() -> None:
    got = reading(found("ECG", [Channel("II", "mV", "scalp")]), Wanted())
    assert got.ports[0].signal == "ecg"


def test_axes_come_in_order() -> None:
    got = reading(found("ACC", [Channel("acc_z", "mg"), Channel("acc_x", "mg"), Channel("acc_y", "mg")]), Wanted())
    assert got.ports[0].channels == SIGNALS["acceleration"].channels
    assert got.feeds[0].columns == (1, 2, 0)
    np.testing.assert_allclose(got.feeds[0].factors, 1e-3)


@pytest.mark.parametrize(
    ("type_", "unit", "factor"),
    [("GSR", "microsiemens", 1.0), ("EDA", "S", 1e6), ("PPG", "", 1.0), ("BVP", "counts", 1.0), ("ECG", "V", 1e3),
     ("Resp", "", 1.0), ("TEMP", "celsius", 1.0)],
)  # fmt: skip
def test_other_signals_come_in_their_units(type_: str, unit: str, factor: float) -> None:
    assert reading(found(type_, [Channel("a", unit)], rate=60.0), Wanted()).feeds[0].factors.tolist() == [factor]


def test_intervals_have_times_of_their_own() -> None:
    got = reading(found("RR", [Channel("rr", "s")], rate=0.0), Wanted())
    assert got.ports[0].rate is None
    assert got.feeds[0].factors.tolist() == [1e3]


def test_what_a_stream_does_not_say_the_operator_may() -> None:
    raw = found("BITalino", [Channel("A1")], rate=100.0)
    with pytest.raises(DriverFailed, match="as=SIGNAL"):
        reading(raw, Wanted())
    got = reading(raw, wanted("name=amp;as=ecg;unit=mV")[0])
    assert (got.ports[0].signal, got.feeds[0].factors.tolist()) == ("ecg", [1.0])


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (found("EEG", [], count=10_000), "10000 channels, at most 512"),
        (found("EEG", [Channel(f"c{i}", "uV") for i in range(300)]), "at most 256"),
        (found("EEG", EEG, rate=0.0), "eeg at irregular times is not read"),
        (found("EEG", EEG, rate=1e5), "eeg at 100000 Hz is not read"),
        (found("EEG", EEG, rate=float("nan")), "its rate is nan"),
        (found("EEG", EEG, rate=-5.0), "its rate is -5"),
        (found("EEG", [Channel("Fz", "uV"), Channel("Fz", "uV")]), "several channels are called Fz"),
        (found("EEG", [Channel("Fz", "furlong")]), "unit 'furlong' is none of eeg"),
        (found("ECG", [Channel("II")]), "nothing says the unit of its ecg: say it with unit=mV"),
        (found("GSR", [Channel("a", "kOhm")], rate=10.0), "unit 'kOhm' is none of eda"),
        (found("ACC", [Channel("x", "g"), Channel("y", "g")]), "three axes, not 2"),
        (found("EEG", EEG, is_text=True), "texts, not numbers"),
        (found("Mystery", EEG), "'Mystery' is none that we know"),
        (found("", []), "is none that we know"),
        (found("EEG", []), "0 channels"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)  # fmt: skip
def test_nonsense_is_refused_in_words(stream: Found, words: str) -> None:
    with pytest.raises(DriverFailed, match=words):
        reading(stream, Wanted())


def test_an_operator_names_streams_by_what_stays_the_same() -> None:
    eeg, ecg = wanted("type=EEG;name=Muse*, type=ecg;source_id=b7;unit=mV")
    muse = found("EEG", EEG, name="Muse-12 (left)")
    assert eeg.matches(muse)
    assert not eeg.matches(found("EEG", EEG, name="Unicorn"))
    assert not eeg.matches(found("ECG", EEG, name="Muse-12"))
    assert ecg.matches(found("EKG", EEG, source="b7"))
    assert not ecg.matches(found("EKG", EEG, source="b8"))
    assert exactly(muse, Wanted()).matches(muse)
    odd = found("EEG", EEG, name="a[1]*?")
    assert exactly(odd, Wanted()).matches(odd)
    assert not exactly(odd, Wanted()).matches(found("EEG", EEG, name="a1b?"))


@pytest.mark.parametrize("text", ["type", "kind=EEG", "type=EEG;type=ECG", "unit=mV", "name=", "type=EEG;as=love"])
def test_what_an_operator_gets_wrong_is_said_at_once(text: str) -> None:
    with pytest.raises(BadSettings, match="LSL stream"):
        wanted(text)


def test_no_streams_named_are_none() -> None:
    assert wanted("") == wanted(" , ") == ()


@pytest.mark.parametrize("name", ["Muse 12 (EEG)", "../../etc", "§§§", "x" * 300, ""])
def test_any_name_makes_a_device_name(name: str) -> None:
    from kiosk.topics import NAME

    assert NAME.fullmatch(device_name(found("EEG", EEG, name=name)))
