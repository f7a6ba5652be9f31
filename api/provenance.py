"""Which networks are behind a reading: their checksums, as far as a method or a source names them."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from analytics import affect
from analytics.session import FinalReading
from kiosk import models

_NAME = re.compile(r"[a-z0-9_]+")
SCORED = ("face_scores", "voice_scores")
"""Signals that networks made: whatever speaks from them rests on the networks of their own readings."""


def checksums(folder: Path) -> dict[str, str]:
    """The SHA-256 of every network that the product knows, by name; of an operator's own by its file."""
    known = ((network.name, models.identity(network, folder)) for network in models.listed())
    return {name: identity.sha256 for name, identity in known if identity is not None}


def models_of(readings: Iterable[FinalReading], known: Mapping[str, str]) -> list[str | None]:
    """For each reading the SHA-256 of the network behind it, None where there is none or its file is not known.

    Several networks have the SHA-256 of their checksums, in the order of their names, joined by line feeds.
    """
    every = list(readings)
    own = [_named(each, known) for each in every]
    scored: dict[str, set[str]] = {}
    for reading, networks in zip(every, own, strict=True):
        for signal in _signals(reading):
            scored.setdefault(signal, set()).update(networks)
    found = []
    for reading, networks in zip(every, own, strict=True):
        behind = set(networks)
        if not behind and reading.value is not None:
            behind = {name for signal in _signals(reading) for name in scored[signal]}
        found.append(_fingerprint([known[name] for name in sorted(behind)]))
    return found


def _named(reading: FinalReading, known: Mapping[str, str]) -> set[str]:
    names = {affect.NETWORK} if reading.method in affect.METHODS else set(_NAME.findall(reading.method))
    return names & known.keys() if reading.value is not None else set()


def _signals(reading: FinalReading) -> list[str]:
    parts = (part.partition(".")[0] for part in reading.source.split("+"))
    return [part for part in parts if part in SCORED]


def _fingerprint(checksums: list[str]) -> str | None:
    if len(checksums) <= 1:
        return checksums[0] if checksums else None
    return hashlib.sha256("\n".join(checksums).encode()).hexdigest()
