"""The assistant: explains results within limits, at the kiosk and to the clinician. Never a diagnosis.

The one that works by rules (`rules`) is the default and needs nothing; another speaks to a language model by settings.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from kiosk.messages import Shown

Audience = Literal["visitor", "clinician"]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line of a talk."""

    who: Literal["visitor", "assistant"]
    """`visitor` is whoever asks: a clinician too."""
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that an assistant may know: numbers and their absence. No name, no code, no free text of the record."""

    values: tuple[Shown, ...] = ()
    age: float | None = None
    sex: str | None = None
    simulated: bool = False
    stage: Literal["talk", "results"] = "results"
    """talk: before the results are there, the visitor is asked how they are; results: they are explained."""


class Assistant(Protocol):
    """Answers the last line of a talk."""

    def reply(
        self, talk: Sequence[Spoken], facts: Facts, language: str, audience: Audience = "visitor"
    ) -> AsyncIterator[str]:
        """The answer in pieces, as they come; their concatenation is the answer. An empty talk: the first words."""
        ...
