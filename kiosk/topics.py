"""Topic strings: `kiosk/v1/{kiosk}/{kind}/{name}`. No other file spells one."""

import re
from typing import NamedTuple

from kiosk.errors import Refused

ROOT = "kiosk/v1"
# what a level may hold: no wildcard, no separator, nothing that a log or a page must escape
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Topic(NamedTuple):
    """A topic taken apart. The kiosk is in the topic alone, because that is what a broker's access list guards."""

    kiosk: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{ROOT}/{self.kiosk}/{self.kind}/{self.name}"


def parse(topic: str) -> Topic:
    """The parts of a topic of ours, or Refused."""
    parts = topic.split("/")
    if len(parts) != 5 or parts[0] != "kiosk" or parts[1] != "v1" or not all(map(NAME.fullmatch, parts[2:])):
        raise Refused("bad_topic", f"not kiosk/v1/KIOSK/KIND/NAME: {topic[:120]!r}")
    return Topic(*parts[2:])


def pattern(kind: str, *, kiosk: str = "+", name: str = "+") -> str:
    """A subscription filter for one kind of message."""
    return f"{ROOT}/{kiosk}/{kind}/{name}"


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic falls under an MQTT filter."""
    wanted, got = pattern.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(got) or level not in ("+", got[index]):
            return False
    return len(wanted) == len(got)
