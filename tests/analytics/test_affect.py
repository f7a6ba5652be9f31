"""Features of heart and brain mean what they are called, and without a trained network nothing is guessed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics import affect
from analytics.affect import (
    CHANNELS,
    ECG_FEATURES,
    EEG_FEATURES,
    AffectNetwork,
    Opinion,
    ecg_values,
    eeg_values,
    record,
)
from analytics.affect.eeg import BANDS
from analytics.session import session
from kiosk.errors import BadModel
from kiosk.messages import SECOND
from kiosk.recording import Context, Mark, Recording, Track
from sensors.drivers.simulated import Body, Person

Floats = NDArray[np.float64]


def track(signal: str, channels: tuple[str, ...], rate: int, values: Floats) -> Track:
    times = np.arange(len(values), dtype=np.int64) * SECOND // rate
    return Track(signal, "test", channels, float(rate), times, values.reshape(len(values), -1).astype(np.float32))


def heart(rate: float = 66.0, *, seconds: int = 60, gain: float = 1.0, noise: float = 0.0) -> Track:
    """A simulated person's two leads at 256 Hz."""
    from dataclasses import replace

    person = replace(Person.random(4).undisturbed(), heart_rate=rate)
    wave = Body(person).ecg(np.arange(seconds * 256) / 256)[:, :1]
    wave = wave + noise * np.random.default_rng(0).standard_normal(wave.shape)
    return track("ecg", ("ecg1", "ecg2"), 256, 2000.0 + gain * np.hstack([wave, 0.5 * wave]))


def brain(powers: dict[str, float], *, seconds: int = 40, rate: int = 128, seed: int = 0) -> Track:
    """White noise of known variance per band in each electrode by itself, over Emotiv's offset."""
    rng = np.random.default_rng(seed)
    count = seconds * rate
    hertz = np.fft.rfftfreq(count, 1 / rate)
    waves = np.zeros((count, len(CHANNELS)))
    for name, low, high in BANDS:
        spectrum = np.fft.rfft(rng.standard_normal((count, len(CHANNELS))), axis=0)
        spectrum[(hertz < low) | (hertz >= high)] = 0.0
        wave = np.fft.irfft(spectrum, count, axis=0)
        waves += wave / wave.std(axis=0) * np.sqrt(powers[name])
    return track("eeg", CHANNELS, rate, 4200.0 + waves)


USUAL = {"theta": 20.0, "alpha": 40.0, "beta": 10.0, "gamma": 4.0}


def of(values: Floats, names: tuple[str, ...]) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


def test_the_heart_tells_its_rate_and_the_shape_of_its_beats() -> None:
    found = of(ecg_values(heart()), ECG_FEATURES)
    assert found["heart_rate"] == pytest.approx(66.0, abs=3.0)
    assert 0.02 < found["qrs_width"] < 0.15
    assert 0.15 <= found["t_delay"] <= 0.40
    assert 0.0 < found["t_height"] < 1.0
    assert found["r_spread"] < 0.2
    assert abs(found["st_level"]) < 0.3


def test_gain_and_offset_of_the_recorder_are_nothing() -> None:
    assert ecg_values(heart(gain=300.0)) == pytest.approx(ecg_values(heart()), abs=0.02, nan_ok=True)


def test_a_faster_heart_is_a_higher_rate_beside_its_rest() -> None:
    apart = ecg_values(heart(90.0)) - ecg_values(heart(60.0))
    assert apart[0] == pytest.approx(30.0, abs=4.0)


@pytest.mark.parametrize("name", ["short", "flat", "noise", "lost", "no rate"])
def test_a_heart_that_cannot_be_read_is_absent(name: str) -> None:
    fine = heart()
    lost = fine.samples.copy()
    lost[:] = np.nan
    spoilt = {
        "short": fine.part(0, 256 * 20),
        "flat": track("ecg", ("a", "b"), 256, np.full((256 * 60, 2), 2000.0)),
        "noise": track("ecg", ("a", "b"), 256, np.random.default_rng(1).standard_normal((256 * 60, 2))),
        "lost": track("ecg", ("a", "b"), 256, lost.astype(np.float64)),
        "no rate": Track("ecg", "test", fine.channels, None, fine.times, fine.samples),
    }
    assert np.isnan(ecg_values(spoilt[name])[:6]).all()


def test_differential_entropy_is_half_the_logarithm_of_a_bands_power() -> None:
    found = of(eeg_values(brain(USUAL)), EEG_FEATURES)
    for band, power in USUAL.items():
        # the common average takes one fourteenth of what each electrode has by itself
        expected = 0.5 * np.log(2 * np.pi * np.e * power * 13 / 14)
        assert np.mean([found[f"{name}_{band}"] for name in CHANNELS]) == pytest.approx(expected, abs=0.1), band


def test_a_band_of_four_times_the_power_is_a_ln_2_higher_beside_its_rest() -> None:
    apart = eeg_values(brain({**USUAL, "alpha": 160.0})) - eeg_values(brain(USUAL))
    by_band = apart.reshape(len(CHANNELS), len(BANDS))
    assert by_band[:, 1] == pytest.approx(np.log(2.0), abs=0.05)
    assert by_band[:, 3] == pytest.approx(0.0, abs=0.05)


def test_the_order_and_spelling_of_electrodes_is_nothing() -> None:
    fine = brain(USUAL)
    turned = Track(
        "eeg", "test", tuple(name.lower() for name in CHANNELS[::-1]), 128.0, fine.times, fine.samples[:, ::-1]
    )
    assert eeg_values(turned) == pytest.approx(eeg_values(fine))


def test_a_bad_electrode_is_absent_and_the_others_stay() -> None:
    fine = brain(USUAL)
    samples = fine.samples.copy()
    samples[:, 3] = 4200.0
    samples[:, 5] = np.nan
    samples[:, 7] += 1000.0 * np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
    found = eeg_values(Track("eeg", "test", CHANNELS, 128.0, fine.times, samples)).reshape(len(CHANNELS), -1)
    gone = np.isnan(found).all(axis=1)
    assert np.flatnonzero(gone).tolist() == [3, 5, 7]
    assert found[~gone] == pytest.approx(eeg_values(fine).reshape(len(CHANNELS), -1)[~gone], abs=0.15)


def test_missing_electrodes_a_slow_or_a_short_recording_are_absent() -> None:
    fine = brain(USUAL)
    for spoilt in (
        Track("eeg", "test", CHANNELS[1:], 128.0, fine.times, fine.samples[:, 1:]),
        Track("eeg", "test", CHANNELS, 64.0, fine.times * 2, fine.samples),
        Track("eeg", "test", CHANNELS, None, fine.times, fine.samples),
        fine.part(0, 128 * 8),
        fine.part(0, 0),
    ):
        assert np.isnan(eeg_values(spoilt)).all()


def test_until_somebody_trains_it_there_is_no_network_and_no_number(tmp_path: Path) -> None:
    network = AffectNetwork.installed(tmp_path)
    assert network is None
    told = affect.opinion(network, np.zeros(len(ECG_FEATURES)), np.zeros(len(EEG_FEATURES)))
    assert (told.valence, told.arousal, told.absent) == (None, None, "no_trained_model")


def test_a_damaged_network_is_an_error_and_not_an_absence(tmp_path: Path) -> None:
    (tmp_path / "affect_own.onnx").write_bytes(b"anything")
    with pytest.raises(BadModel):
        AffectNetwork.installed(tmp_path)


class Fake:
    """Stands in for a network: high valence by both, low by the ECG alone."""

    def run(self, ecg: NDArray[np.float32], eeg: NDArray[np.float32]) -> tuple[NDArray[np.float32]]:
        assert np.isfinite(ecg).all()
        assert np.isfinite(eeg).all()
        return (np.array([[0.1, 0.5, 0.9, 0.2, 0.6, 0.8]], dtype=np.float32),)


def test_what_is_there_decides_who_is_asked() -> None:
    network = AffectNetwork(Fake())  # type: ignore[arg-type]
    ecg, eeg = np.zeros(len(ECG_FEATURES)), np.zeros(len(EEG_FEATURES))
    both, one, other = network(ecg, eeg), network(ecg, None), network(None, eeg)
    for told, valence, arousal in ((both, 0.8, 0.6), (one, -0.8, -0.6), (other, 0.0, 0.2)):
        assert told.valence == pytest.approx(valence, abs=1e-6)
        assert told.arousal == pytest.approx(arousal, abs=1e-6)
    assert [each.method for each in (one, other, both)] == list(affect.METHODS)
    # a brain of which too little is known is none
    eeg[:40] = np.nan
    assert network(ecg, eeg) == one
    assert network(None, None).absent == "not_present"
    assert network(None, eeg).absent == "insufficient"
    with pytest.raises(ValueError, match="features"):
        network(ecg[1:], None)


def visit(**tracks: Track) -> Recording:
    return Recording(tuple(tracks.values()))


def test_a_stretch_of_a_recording_is_asked_beside_its_rest() -> None:
    class Spy(Fake):
        def run(self, ecg: NDArray[np.float32], eeg: NDArray[np.float32]) -> tuple[NDArray[np.float32]]:
            self.ecg, self.eeg = ecg, eeg
            return super().run(ecg, eeg)

    calm, quick = heart(60.0, seconds=40), heart(80.0, seconds=40)
    samples = np.concatenate([calm.samples, quick.samples]).astype(np.float64)
    spy = Spy()
    spans = {"rest_ns": (0, 40 * SECOND), "asked_ns": (40 * SECOND, 80 * SECOND)}
    whole = visit(ecg=track("ecg", ("ecg1", "ecg2"), 256, samples), eeg=brain(USUAL, seconds=80))
    told = affect.answer(whole, AffectNetwork(spy), **spans)  # type: ignore[arg-type]
    assert told.method == affect.METHODS[2]
    assert spy.ecg[0, 0] == pytest.approx(20.0, abs=3.0)
    assert np.abs(spy.eeg).mean() < 0.1


def test_a_recording_without_what_it_takes_says_why() -> None:
    network = AffectNetwork(Fake())  # type: ignore[arg-type]
    rest, asked = (0, 30 * SECOND), (30 * SECOND, 60 * SECOND)
    fine = visit(ecg=heart())
    assert affect.answer(fine, None, rest_ns=rest, asked_ns=asked).absent == "no_trained_model"
    assert affect.answer(visit(), network, rest_ns=rest, asked_ns=asked).absent == "not_present"
    assert affect.answer(fine, network, rest_ns=(0, SECOND), asked_ns=asked).absent == "no_reference"
    assert affect.answer(fine, network, rest_ns=rest, asked_ns=(asked[0], asked[0] + SECOND)).absent == "too_short"
    flat = visit(eeg=track("eeg", CHANNELS, 128, np.zeros((128 * 60, len(CHANNELS)))))
    assert affect.answer(flat, network, rest_ns=rest, asked_ns=asked).absent == "insufficient"


def test_a_visit_with_heart_and_brain_says_that_nobody_trained_the_network() -> None:
    recording = visit(ecg=heart(), eeg=brain(USUAL, seconds=60))
    found = {each.measure: each for each in session(recording, Context(), vote=False).readings}
    assert found["valence"].absent == "no_trained_model"
    assert found["valence"].source == "ecg+eeg"
    assert not affect.findings(visit(ecg=heart()), None)
    assert not affect.findings(visit(eeg=brain(USUAL)), None)


def test_an_installed_network_is_asked_about_what_follows_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AffectNetwork, "installed", classmethod(lambda cls, folder: object()))
    recording = visit(ecg=heart(), eeg=brain(USUAL, seconds=60))
    assert {each.absent for each in affect.findings(recording, Path())} == {"no_reference"}
    asked = []

    def answer(
        recording: Recording, network: object, *, rest_ns: tuple[int, int], asked_ns: tuple[int, int]
    ) -> Opinion:
        asked.append((rest_ns, asked_ns))
        return Opinion(0.2, -0.4, "affect-ecg+eeg-1")

    monkeypatch.setattr(record, "answer", answer)
    end = max(int(each.times[-1]) for each in recording.tracks)
    for marks, until in (
        ((Mark(0, "Rest", 25.0),), 25 * SECOND),
        ((Mark(0, "rest"), Mark(30 * SECOND, "film")), 30 * SECOND),
    ):
        told = affect.findings(replace(recording, marks=marks), Path())
        assert {each.measure: each.value for each in told} == {"valence": 0.2, "arousal": -0.4}
        assert asked.pop() == ((0, until), (until, end))
