"""Many seconds looked at as one: what follows a heart stays, what keeps a clock's time is a lamp (synthetic)."""

import numpy as np
import pytest

from analytics import rppg
from analytics.rppg import coherent, course, evidence
from kiosk.messages import SECOND
from tests.analytics.rppg.faces import Face, Floats, colours, track

RATE = 30.0
SECONDS = 24.0
AT = np.arange(round(SECONDS * RATE)) / RATE
BLOOD = np.array([0.43, 1.0, 0.69])


def seen(phase: Floats, *, size: float = 0.001, second: float = 0.4, seed: int = 0) -> Floats:
    """Relative changes of five regions by a wave of this phase (in beats), in noise that they share in part."""
    rng = np.random.default_rng(seed)
    wave = np.sin(2 * np.pi * phase) + second * np.sin(4 * np.pi * phase)
    light = 0.004 * rng.standard_normal((len(phase), 1, 1)) * np.ones(3)
    own = 0.003 * rng.standard_normal((len(phase), 5, 3))
    return np.asarray(size * wave[:, None, None] * BLOOD + light + own)


def beats(hertz: Floats) -> Floats:
    return np.asarray(np.cumsum(hertz) / RATE)


def test_a_rate_that_wanders_is_one_line_along_its_course() -> None:
    hertz = 1.3 + 0.12 * np.sin(2 * np.pi * 0.06 * AT)
    changes = seen(beats(hertz), size=0.003)
    followed = coherent.whole(changes, RATE, hertz)
    straight = coherent.whole(changes, RATE, np.full(len(AT), hertz.mean()))
    assert followed.score > 2.0 * straight.score
    assert followed.shaped
    assert not followed.lamp


def test_longer_is_clearer_and_noise_is_not() -> None:
    steady = np.full(len(AT), 1.3)
    half, gained = len(AT) // 2, []
    for seed in range(6):
        pulse, nothing = seen(beats(steady), size=0.002, seed=seed), seen(beats(steady), size=0.0, seed=seed)
        gained.append(
            coherent.whole(pulse, RATE, steady).score / coherent.whole(pulse[:half], RATE, steady[:half]).score
        )
        assert coherent.whole(nothing, RATE, steady).score < 20.0
    assert np.median(gained) > 1.4


@pytest.mark.parametrize("second", [0.0, 0.4])
def test_a_sine_that_keeps_time_is_a_lamp_and_one_with_a_harmonic_is_none(second: float) -> None:
    steady = np.full(len(AT), 1.3)
    found = coherent.whole(seen(beats(steady), size=0.008, second=second), RATE, steady)
    assert found.lamp == (second == 0.0)
    assert found.shaped == (second > 0.0)


def test_a_sine_that_varies_as_hearts_do_is_no_lamp() -> None:
    hertz = 1.3 * (1.0 + 0.03 * np.sin(2 * np.pi * 0.1 * AT))
    found = coherent.whole(seen(beats(hertz), size=0.008, second=0.0), RATE, np.full(len(AT), 1.3))
    assert not found.lamp


def test_a_tinted_lamp_that_flickers_at_a_rate_of_hearts_is_no_pulse() -> None:
    photo = colours(Face(amplitude=0.0, seed=3, motion=0.001), SECONDS)
    rows = photo.samples.astype(np.float64).reshape(len(photo.times), -1, 4)
    for hertz in (1.0, 1.57, 2.9):
        lit = rows.copy()
        at = photo.times / SECOND
        # more green than red and blue: as near to blood's colours as a lamp's come
        lit[:, :, :3] *= 1.0 + 0.004 * np.sin(2 * np.pi * hertz * at)[:, None, None] * np.array([0.6, 1.0, 0.6])
        assert rppg.heart_rate(rppg.pulse(track(photo.times, lit))).value is None


def test_looks_cover_all_seconds_and_a_short_stretch_is_one() -> None:
    long = np.tile(seen(beats(np.full(len(AT), 1.2))), (3, 1, 1))
    looks, middles = coherent.looks(long, RATE, np.full(len(long), 1.2))
    assert middles[0] == len(AT) / 2
    assert middles[-1] == len(long) - len(AT) / 2
    assert np.diff(middles).max() <= coherent.HOP * RATE + 1
    assert len(looks) == len(middles)
    assert len(coherent.looks(long[:300], RATE, np.full(300, 1.2))[0]) == 1


@pytest.mark.parametrize("value", [0.0, 1e-9, 5.0])
def test_what_does_not_change_is_nothing(value: float) -> None:
    found = coherent.whole(np.full((600, 5, 3), value), RATE, np.full(600, 1.2))
    assert found.score < 10.0
    assert np.isfinite(found.score)


def test_a_look_at_some_frequencies_is_that_at_all_of_them() -> None:
    changes = seen(beats(np.full(360, 1.3)), seed=4)
    every, some = evidence.look(changes, RATE), evidence.look_at(changes, RATE, (1.3, 2.6))
    place = np.searchsorted(every.hertz, some.hertz)
    assert every.hertz[place] == pytest.approx(some.hertz)
    assert every.score[place] == pytest.approx(some.score)
    assert every.weights[place] == pytest.approx(some.weights)


def test_a_course_does_not_turn_for_a_little_more_evidence() -> None:
    hertz = np.arange(0.7, 3.5, 1 / 36)
    rng = np.random.default_rng(2)
    rows = rng.exponential(2.0, (20, len(hertz)))
    true = int(np.argmin(np.abs(hertz - 1.4)))
    rows[:, true] += 8.0
    rows[8:12, true] = 1.0
    rows[8:12, true + 6] += 9.0
    assert set(course.path(hertz, rows)[:8].tolist()) == {true}
    assert np.abs(hertz[course.path(hertz, rows)] - 1.4).max() < 0.1
