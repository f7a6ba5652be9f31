"""A good message of each kind, and how tests spoil it."""

import base64
import json
import re
from typing import Any

import numpy as np
import pytest

from kiosk import asyncapi
from kiosk.errors import Refused
from kiosk.messages import KINDS, Message, address, decode, encode

KIOSK = "kiosk-1"
REASONS = re.compile(r"[a-z_]+")
EXAMPLES: dict[str, Message] = {kind: asyncapi._examples(kind)[0][1] for kind in KINDS}


def plain(message: Message) -> dict[str, Any]:
    """The message as JSON, to be spoilt."""
    made: dict[str, Any] = json.loads(encode(message))
    return made


def floats(*values: float) -> str:
    return base64.b64encode(np.array(values, dtype="<f4").tobytes()).decode()


def ints(*values: int) -> str:
    return base64.b64encode(np.array(values, dtype="<i4").tobytes()).decode()


def refusal(topic: str, payload: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        decode(topic, payload)
    assert REASONS.fullmatch(caught.value.reason)
    assert len(str(caught.value)) < 400
    return caught.value


def spoilt(kind: str, changes: dict[str, Any]) -> tuple[str, bytes]:
    """Topic and payload of an example with some fields changed (`a.b` is a field of a field)."""
    message = plain(EXAMPLES[kind])
    for path, value in changes.items():
        *outer, last = path.split(".")
        inner = message
        for step in outer:
            inner = inner[step]
        inner[last] = value
    return address(KIOSK, EXAMPLES[kind]), json.dumps(message).encode()
