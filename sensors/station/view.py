"""What the visitor's page and the station say to each other over the socket `/visit`: JSON, one struct a message.

The station says what is to be seen, whole, whenever it changes (`View`), and the signals that are drawn live (`Wave`).
The page says what the visitor did (an `Act`). The page decides nothing: it draws a view and reports a touch.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from kiosk.messages.shapes import Language, Line, Name, Short
from kiosk.visitor.tiles import Tile

Screen = Literal[
    "welcome",  # choose language and visit
    "consent",
    "check_in",
    "position",
    "electrodes",
    "measure",
    "spot",
    "questionnaire",
    "conversation",
    "results",
    "goodbye",  # after refusal or leaving: nothing is kept on the screen
    "trouble",  # the kiosk cannot measure at all; `trouble` says why
]

# ---- from the page: first `{"kind": "hello", "token": ...}`, then acts


class Begin(Struct, frozen=True, tag="begin", tag_field="act", forbid_unknown_fields=True):
    """A visit of this kind, in this language."""

    protocol: Name
    language: Language


class Speak(Struct, frozen=True, tag="speak", tag_field="act", forbid_unknown_fields=True):
    """Go on in another language."""

    language: Language


class Agree(Struct, frozen=True, tag="agree", tag_field="act", forbid_unknown_fields=True):
    """To these purposes; `measure` must be among them for the visit to go on."""

    purposes: Annotated[tuple[Name, ...], Meta(max_length=16)]


class CheckIn(Struct, frozen=True, tag="check_in", tag_field="act", forbid_unknown_fields=True):
    """What the visitor told about themselves; all of it may be left out."""

    code: Short | None = None
    given: Line | None = None
    family: Line | None = None
    birth_year: Annotated[int, Meta(ge=1880, le=2200)] | None = None
    sex: Literal["female", "male"] | None = None
    height: Annotated[float, Meta(ge=50, le=260)] | None = None
    """cm"""
    weight: Annotated[float, Meta(ge=10, le=500)] | None = None
    """kg"""


class Answer(Struct, frozen=True, tag="answer", tag_field="act", forbid_unknown_fields=True):
    """To the item that is shown."""

    item: Name
    value: Annotated[int, Meta(ge=-1000, le=1000)]


class Say(Struct, frozen=True, tag="say", tag_field="act", forbid_unknown_fields=True):
    """To the assistant."""

    text: Annotated[str, Meta(min_length=1, max_length=500)]


class Do(Struct, frozen=True, tag="do", tag_field="act", forbid_unknown_fields=True):
    """A button without more to say."""

    what: Literal[
        "next",  # go on: past the guide, the electrodes, a spot device, the talk, a question that is not answered
        "back",  # to the question before
        "refuse",  # no consent
        "here",  # I am still here
        "leave",  # end the visit; with results on the screen: done, forget them
    ]


Act = Begin | Speak | Agree | CheckIn | Answer | Say | Do

# ---- to the page


class Offer(Struct, frozen=True):
    """A visit that may be chosen, in the language of the view."""

    id: str
    title: str
    about: str
    minutes: float


class Consent(Struct, frozen=True):
    """What is asked."""

    version: str
    text: str
    purposes: tuple[str, ...]
    """Each has its words in the visitor's catalogue, `consent.purpose.NAME`."""


class Contact(Struct, frozen=True):
    """How a sensor on the body sits: what its last two seconds look like, before any analysis."""

    signal: str
    device: str
    state: Literal["good", "noisy", "flat", "saturated", "silent"]
    """silent: nothing comes from it."""


class Position(Struct, frozen=True):
    """How the visitor sits, where the camera is not the page's own (that one is told over its own socket)."""

    advice: str
    """nobody, several, darker, brighter, closer, farther, middle, still or good."""
    near: float
    """How far the visitor has come, 0..1; 1 is near enough."""
    x: float | None
    y: float | None
    size: float | None
    """The face's middle and height, shares of the picture."""


class Measuring(Struct, frozen=True):
    """A step of measuring."""

    mark: str
    say: str
    """What the visitor is asked to do; empty where the catalogue's words do."""
    seconds: float
    left: float
    rates: dict[str, float]
    """Live readings to be shown: heart_rate, respiration_rate, with their values; those that are fresh."""


class Option(Struct, frozen=True):
    """An answer that may be given."""

    value: int
    text: str


class Question(Struct, frozen=True):
    """One item of a questionnaire."""

    title: str
    instruction: str
    item: str
    text: str
    options: tuple[Option, ...]
    number: int
    count: int
    chosen: int | None
    note: str
    """Where the words are from, if they are no validated translation."""


class SpeechLine(Struct, frozen=True):
    """Of the talk."""

    who: Literal["visitor", "assistant"]
    text: str


class Spot(Struct, frozen=True):
    """A spot measurement that is waited for, or that is there."""

    measure: str
    value: float | None


class Outcome(Struct, frozen=True):
    """The results."""

    state: Literal["working", "follow", "ready", "refused"]
    """working: soon; follow: the kiosk is offline, they come later; refused: the clinic tells none here."""
    tiles: tuple[Tile, ...] = ()
    code: str | None = None
    link: str | None = None
    qr: str | None = None
    """The link as an SVG path (`d`) on a grid of `qr_size` modules, quiet zone included."""
    qr_size: int | None = None
    minutes: int | None = None
    """For how long the link opens them."""
    warning: str = ""
    """Said above all else where a value must not wait."""


class View(Struct, frozen=True, tag="view", tag_field="kind"):
    """All that is to be seen. What does not belong to the screen is null or empty."""

    screen: Screen
    language: str
    simulated: bool
    online: bool
    clinic: str = ""
    offers: tuple[Offer, ...] = ()
    step: int = 0
    """Which of `steps`, counted from 1; 0 outside a visit."""
    steps: int = 0
    consent: Consent | None = None
    contacts: tuple[Contact, ...] = ()
    """At the electrodes; and while measuring, those that are not good."""
    measuring: Measuring | None = None
    question: Question | None = None
    spots: tuple[Spot, ...] = ()
    talk: tuple[SpeechLine, ...] = ()
    thinking: bool = False
    """The assistant is about to answer."""
    outcome: Outcome | None = None
    leaving: int | None = None
    """Seconds until the visit is given up, once nobody has touched the screen for long."""
    trouble: str = ""
    """One word of the catalogue's `trouble.*`: no_devices, disk_full, ..."""
    code: str | None = None
    """At check-in: what the camera read from the QR code that the visitor held up. They may take it or not."""
    position: Position | None = None
    """At the guide."""


class Wave(Struct, frozen=True, tag="wave", tag_field="kind"):
    """Samples to be drawn, thinned out to about 60 a second."""

    signal: str
    device: str
    at: float
    """Milliseconds of the first, since the visit began."""
    step: float
    """Milliseconds from one to the next."""
    values: tuple[float | None, ...]


class Ready(Struct, frozen=True, tag="ready", tag_field="kind"):
    """The page is welcome; the token is for its next connection."""

    token: str


Shown = View | Wave | Ready
