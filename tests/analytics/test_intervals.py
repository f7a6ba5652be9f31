"""Which intervals a heart can have."""

import numpy as np

from analytics.intervals import possible


def test_a_heart_can_have_intervals_of_a_fifth_of_a_second_to_three() -> None:
    assert possible(np.array([0.19, 0.2, 1.0, 3.0, 3.01, np.nan])).tolist() == [False, True, True, True, False, False]
