"""The page of the voice and the code say the same."""

import re
from pathlib import Path

from kiosk.signals import SIGNALS, VOICE_CHANNELS

PAGE = (Path(__file__).parents[3] / "docs" / "voice.md").read_text(encoding="utf-8")


def test_every_channel_is_defined() -> None:
    table = PAGE.split("## The channels of `voice_functionals`")[1].split("\n## ")[0]
    named = set(re.findall(r"`([a-z0-9_]+)`", table))
    for channel in VOICE_CHANNELS:
        plain = re.sub(r"(_sd|_unvoiced|_width|_p50|_p80)$", "", channel)
        plain = "mfcc1" if plain.startswith("mfcc") else plain
        assert {channel, plain, f"{plain}_p20"} & named, channel


def test_what_leaves_is_told_with_its_size() -> None:
    assert f"{len(VOICE_CHANNELS)} numbers" in PAGE
    assert f"{4 * len(VOICE_CHANNELS) + 4} bytes" in PAGE
    for name in ("voice_functionals", "voice_scores"):
        assert f"`{name}`" in PAGE
        assert f"{SIGNALS[name].budget:,} bytes/s" in PAGE
