"""Nobody comes in by what is not theirs, by guessing, or through another site's page."""

import pytest

from tests.api.attacks import coming_in
from tests.api.attacks.siege import Attack, Target


@pytest.mark.parametrize("attack", coming_in.ATTACKS, ids=lambda attack: attack.__name__)
def test_nobody_comes_in(target: Target, attack: Attack) -> None:
    assert not attack(target)
