"""What a visit asks for: to be done by whoever runs it, in the order in which it is asked."""

from dataclasses import dataclass

from kiosk.messages import Content


@dataclass(frozen=True, slots=True)
class Start:
    """A session begins. Until then nothing was measured."""


@dataclass(frozen=True, slots=True)
class End:
    """The session ends."""


@dataclass(frozen=True, slots=True)
class Tell:
    """An entry of the record."""

    content: Content


@dataclass(frozen=True, slots=True)
class Note:
    """An event of the session."""

    event: str
    at: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A number that the visitor told."""

    measure: str
    value: float


@dataclass(frozen=True, slots=True)
class Reply:
    """The assistant is to speak."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing of the visit is kept any more."""


Effect = Start | End | Tell | Note | Told | Reply | Forget
