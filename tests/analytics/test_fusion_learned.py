"""The learned fusion at run time: windows beside their person's own rest, and a number or a reason for each."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics import fusion_learned as learned_fusion
from analytics.fusion_learned import FEATURES, MODALITIES, Deviations, LearnedFusion, Signals, deviations, reference
from analytics.fusion_learned.features import SIGNALS
from kiosk import models
from kiosk.errors import BadModel
from kiosk.messages import SECOND
from kiosk.recording import Recording, Track

Floats = NDArray[np.float64]
OWNERS = np.array([MODALITIES.index(feature.modality) for feature in FEATURES])


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> LearnedFusion:
    return LearnedFusion.installed(tmp_path_factory.mktemp("models"))


def test_a_deviation_hangs_on_the_rest_and_its_own_window_alone() -> None:
    rng = np.random.default_rng(0)
    rest, later = rng.standard_normal((7, len(FEATURES))), rng.standard_normal((9, len(FEATURES)))
    usual = reference(rest)
    whole_day = deviations(later, usual)
    for row in range(len(later)):
        assert deviations(later[[row]], usual).z[0] == pytest.approx(whole_day.z[row])
    wild = later.copy()
    wild[1:] = 1e6
    assert deviations(wild, usual).z[0] == pytest.approx(whole_day.z[0])


def test_what_the_rest_did_not_show_has_no_deviation() -> None:
    rest = np.ones((3, len(FEATURES)))
    rest[:, OWNERS == 1] = np.nan
    seen = deviations(np.full((1, len(FEATURES)), 2.0), reference(rest))
    assert seen.present.tolist() == [[True, False, True, True]]
    assert not seen.z[0, OWNERS == 1].any()
    assert np.isfinite(deviations(np.full((2, len(FEATURES)), np.nan), reference(np.empty((0, len(FEATURES))))).z).all()


def signals(seconds: int = 300, *, gone: tuple[str, ...] = ()) -> Signals:
    """Synthetic: a pulse of 72 a minute, sweat, warmth and an arm that moves a little."""
    rng = np.random.default_rng(0)

    def track(signal: str, channels: tuple[str, ...], rate: int, values: NDArray[np.floating]) -> Track:
        times = np.arange(seconds * rate, dtype=np.int64) * SECOND // rate
        return Track(signal, "wrist", channels, float(rate), times, values.reshape(len(times), -1).astype(np.float32))

    at = np.arange(seconds * 64) / 64
    phase = 2 * np.pi * 1.2 * at
    tracks = (
        track("ppg", ("ppg",), 64, np.sin(phase) + 0.4 * np.sin(2 * phase - 0.8) + 0.01 * rng.standard_normal(len(at))),
        track("eda", ("eda",), 4, 2.0 + 0.01 * rng.standard_normal(seconds * 4)),
        track("skin_temperature", ("skin",), 4, 33.0 + 0.001 * np.arange(seconds * 4)),
        track("acceleration", ("x", "y", "z"), 32, rng.normal([0.0, 0.0, 1.0], 0.02, (seconds * 32, 3))),
    )
    return Signals.of(Recording(tuple(each for each in tracks if each.signal not in gone)))


def test_features_are_what_they_are_called() -> None:
    found = dict(zip([each.name for each in FEATURES], learned_fusion.values(signals(), 0, 60 * SECOND), strict=True))
    assert found["heart_rate"] == pytest.approx(72.0, abs=1.0)
    assert found["ln_conductance"] == pytest.approx(np.log(2.0), abs=0.01)
    assert found["temperature"] == pytest.approx(33.1, abs=0.1)
    assert found["temperature_drift"] == pytest.approx(0.24, abs=0.01)
    assert found["ln_motion"] == pytest.approx(np.log(0.02), abs=0.1)
    assert found["stillness"] == 0.0


def test_a_window_sees_nothing_outside_itself() -> None:
    whole_visit = signals()
    assert whole_visit.pulse is not None
    cut = replace(whole_visit, pulse=whole_visit.pulse.between(60 * SECOND, 120 * SECOND))
    one, other = (learned_fusion.values(each, 60 * SECOND, 120 * SECOND) for each in (whole_visit, cut))
    assert one == pytest.approx(other, nan_ok=True)


@pytest.mark.parametrize("gone", ["ppg", "eda", "skin_temperature", "acceleration"])
def test_a_sensor_that_is_not_there_is_imagined_and_named_so(gone: str, shipped: LearnedFusion) -> None:
    said = shipped.course(signals(gone=(gone,)), rest_ns=(0, 120 * SECOND), end_ns=300 * SECOND)
    assert len(said) == 3
    expected = tuple(each for each in MODALITIES if SIGNALS[each] != gone)
    assert all(each.modalities == expected for each in said)
    assert all(each.stress is not None and 0.0 < each.stress < 1.0 for each in said)


def test_without_sensors_or_rest_there_is_a_reason_and_no_number(shipped: LearnedFusion) -> None:
    nothing = shipped.course(Signals(), rest_ns=(0, 120 * SECOND), end_ns=240 * SECOND)
    assert [(each.stress, each.absent) for each in nothing] == [(None, "insufficient")] * 2
    restless = shipped.course(signals(), rest_ns=(0, 30 * SECOND), end_ns=150 * SECOND)
    assert [(each.stress, each.absent) for each in restless] == [(None, "no_reference")] * 2
    assert shipped.course(signals(), rest_ns=(0, 120 * SECOND), end_ns=150 * SECOND) == ()


def test_a_pulse_that_cannot_be_read_is_no_pulse() -> None:
    fine = signals()
    assert fine.pulse is not None
    noise = np.random.default_rng(3).standard_normal(fine.pulse.samples.shape).astype(np.float32)
    found = learned_fusion.values(replace(fine, pulse=replace(fine.pulse, samples=noise)), 0, 60 * SECOND)
    assert np.isnan(found[OWNERS == 0]).all()


def test_the_shipped_network_is_what_its_card_says(shipped: LearnedFusion) -> None:
    listed = models.known("fusion_cra")
    text = (models.SHIPPED / "fusion_cra.md").read_text()
    assert listed.sha256 in text
    assert "Copyright (c) 2022 Talha Iqbal" in text
    assert "Talha Iqbal, MIT" in listed.attribution
    assert ("It becomes the default." in text) == learned_fusion.IS_DEFAULT
    assert ("It does not become the default." in text) != learned_fusion.IS_DEFAULT
    nothing = Deviations(np.zeros((1, len(FEATURES))), np.zeros((1, 4), dtype=np.bool_))
    assert np.isnan(shipped.probability(nothing)).all()


def test_a_network_of_ones_own_is_not_there_until_it_is_installed(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="not installed"):
        LearnedFusion.installed(tmp_path, "fusion_own")
