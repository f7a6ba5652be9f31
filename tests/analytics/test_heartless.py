"""No heart rate from what has no heart: a few hundred windows here, thousands in `kiosk bench heartless`."""

from collections import Counter

import numpy as np
import pytest

from analytics.ecg import LiveHeartRate, beats
from analytics.ecg.trust import ENOUGH, WINDOW, trusts
from analytics.session import session
from kiosk.recording import Context
from tests.analytics.visitors import clock, heartless, recording

RATES = (100.0, 250.0, 500.0, 1000.0)


@pytest.mark.parametrize("rate", RATES)
def test_no_live_heart_rate_comes_from_what_has_no_heart(rate: float) -> None:
    """Every reading of 24 s of every generator."""
    told: Counter[str] = Counter()
    reasons: set[str | None] = set()
    for name, x in heartless(rate, 24.0, round(rate)):
        found = LiveHeartRate(rate, ("II",)).feed(clock(len(x), rate), x.astype(np.float32)[:, None])
        assert len(found) in {23, 24}
        told[name] += sum(finding.value is not None for finding in found)
        reasons |= {finding.absent for finding in found}
    assert not +told
    assert reasons >= {"noisy", "flat", "too_short", "not_delivered"}


@pytest.mark.parametrize("seconds", [12.0, 30.0])
def test_no_final_heart_rate_comes_from_what_has_no_heart(seconds: float) -> None:
    for seed, rate in enumerate(RATES):
        for name, x in heartless(rate, seconds, seed + 100):
            result = session(recording(x.astype(np.float32)[:, None], rate), Context(), vote=False)
            assert {row.value for row in result.readings} == {None}, name


def test_no_beats_of_what_has_no_heart_are_trusted() -> None:
    """Windows of 8 s of every generator but those without a wave."""
    rate, trusted, judged = 250.0, 0, 0
    for seed in range(4):
        for name, x in heartless(rate, 64.0, seed + 200):
            if name == "nothing at all":
                continue
            found = trusts(x, beats(x, rate), rate, np.arange(0, len(x) + 1, round(WINDOW * rate)))
            assert ((found >= 0) & (found <= 1)).all()
            trusted, judged = trusted + int((found >= ENOUGH).sum()), judged + len(found)
    assert judged > 500
    assert trusted <= 0.001 * judged
