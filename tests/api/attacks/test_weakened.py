"""Each attack succeeds against a build without the protection that stops it: so its test can fail."""

from pathlib import Path

import pytest

from tests.api.attacks import coming_in, feeding, in_pages, reaching
from tests.api.attacks.siege import on_sqlite
from tests.api.attacks.weakenings import WEAKENINGS, Weakening

NEVER = {
    # nothing that is one line of ours stops these: there is no code that would read what they send
    coming_in.conflicting_credentials, coming_in.foreign_tokens, coming_in.token_in_address, coming_in.fixed_session,
    coming_in.overridden_methods, coming_in.forged_family, feeding.hostile_bodies, feeding.impossible_numbers,
    reaching.merged_and_erased, reaching.pulled_up, reaching.outlived_idempotency_key,
}  # fmt: skip


@pytest.mark.parametrize("weakening", WEAKENINGS, ids=lambda each: each.name.replace(" ", "-"))
def test_a_weakened_build_is_broken_into(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, weakening: Weakening
) -> None:
    weakening.weaken(monkeypatch)
    with on_sqlite(tmp_path, sqlite_template, upload_bytes=200_000) as target:
        assert weakening.attack(target)
        assert weakening.crashes or not [line for line in target.ear.lines if " failed: " in line]


def test_every_attack_is_shown_to_succeed_or_is_named_here() -> None:
    shown = {each.attack for each in WEAKENINGS}
    every = {*coming_in.ATTACKS, *reaching.ATTACKS, *feeding.ATTACKS, feeding.few_fields, in_pages.written_pages}
    assert every == shown | NEVER
    assert not shown & NEVER
