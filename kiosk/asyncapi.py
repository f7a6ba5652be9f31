"""The wire as an AsyncAPI 3 document, made from the code: topics, messages, who sends and who receives."""

import json
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np

from kiosk import topics
from kiosk.measures import MEASURES
from kiosk.messages import (
    ENTRIES,
    EVENTS,
    KINDS,
    MAX_PAYLOAD,
    READINGS,
    SECOND,
    SESSION,
    Agreed,
    Answered,
    Ask,
    Chunk,
    Command,
    ConsentText,
    End,
    Entry,
    Event,
    Lost,
    Message,
    Origin,
    Person,
    Reading,
    Receipt,
    Refusal,
    Results,
    Session,
    Setup,
    Shown,
    Status,
    Stream,
    Wire,
    encode,
)
from kiosk.signals import SIGNALS

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

VERSION = "1.0.0"
"""Of the wire, not of the product: the `v1` of the topics."""
ROLES = {
    "sensors": "A kiosk: devices, outbox and the visitor's page. It speaks under its own kiosk level alone.",
    "recorder": "Commits what comes, then says so.",
    "analytics": "Makes live readings of chunks.",
    "api": "Shows what is live and sends commands.",
}


class Route(NamedTuple):
    """Who says a kind, who listens, and which part of the payload its topic repeats."""

    senders: tuple[str, ...]
    receivers: tuple[str, ...]
    name: str
    """JSON pointer to what stands in the topic's last level."""


ROUTES: dict[str, Route] = {
    "chunk": Route(("sensors",), ("recorder", "analytics", "api"), "/stream/signal"),
    "reading": Route(("sensors", "analytics"), ("recorder", "api", "sensors"), "/measure"),
    "event": Route(("sensors",), ("recorder", "api"), "/event"),
    "entry": Route(("sensors",), ("recorder",), "/content/of"),
    "end": Route(("sensors",), ("recorder",), "/stream/signal"),
    "lost": Route(("sensors",), ("recorder", "api"), "/stream/signal"),
    "receipt": Route(("recorder",), ("sensors",), "/stream/signal"),
    "session": Route(("sensors",), ("recorder", "analytics", "api"), "/stream/session"),
    "status": Route(("sensors",), ("recorder", "api"), "/device"),
    "command": Route(("api",), ("sensors",), "/device"),
    "ask": Route(("sensors",), ("api",), "/session"),
    "results": Route(("api",), ("sensors",), "/session"),
    "setup": Route(("api",), ("sensors",), "/about"),
}


def document() -> dict[str, Json]:
    """The whole document; the same code gives the same bytes."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "health-kiosk",
            "version": VERSION,
            "description": (
                "A screening kiosk's sensors, recorder, analytics and API meet on these topics. Measurements are "
                "never retained. Receipts, not the broker, promise that nothing is lost. "
                f"No payload is larger than {MAX_PAYLOAD} bytes."
            ),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "tags": [{"name": name, "description": text} for name, text in ROLES.items()],
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "{host}:{port}",
                "protocol": "mqtt",
                "protocolVersion": "3.1.1",
                "description": "The floor is MQTT 3.1.1; a newer broker serves as well.",
                "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "1883"}},
                "security": [{"$ref": "#/components/securitySchemes/password"}],
            }
        },
        "channels": {kind: _channel(kind, wire) for kind, wire in KINDS.items()},
        "operations": {
            f"{role}_{action}_{kind}": _operation(kind, wire, role, action)
            for kind, wire in KINDS.items()
            for action, roles in (("send", ROUTES[kind].senders), ("receive", ROUTES[kind].receivers))
            for role in roles
        },
        "components": {
            "schemas": _schemas(),
            "messages": {kind: _message(kind, wire) for kind, wire in KINDS.items()},
            "parameters": {
                "kiosk": {
                    "description": f"Name of the kiosk: {topics.NAME.pattern}. Access lists guard this level.",
                    "examples": [EXAMPLE_KIOSK],
                }
            },
            "securitySchemes": {
                "password": {
                    "type": "userPassword",
                    "description": "A kiosk's user name is its name on the wire; services have one each.",
                }
            },
        },
    }


def text() -> str:
    """The document as JSON for people."""
    return json.dumps(document(), indent=2, ensure_ascii=False)


def _channel(kind: str, wire: Wire) -> Json:
    name: dict[str, Json] = {
        "description": "What the message is about.",
        "location": f"$message.payload#{ROUTES[kind].name}",
    }
    values = _topic_names(kind)
    if values is not None:
        name["enum"] = list(values)
    return {
        "address": topics.pattern(kind, kiosk="{kiosk}", name="{name}"),
        "title": wire.shape.__name__,
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"}},
        "parameters": {"kiosk": {"$ref": "#/components/parameters/kiosk"}, "name": name},
    }


def _operation(kind: str, wire: Wire, role: str, action: str) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{kind}"},
        "title": f"{role} {action} {kind}",
        "tags": [{"name": role}],
        "bindings": {"mqtt": {"qos": wire.qos, "retain": wire.retain, "bindingVersion": "0.2.0"}},
        "messages": [{"$ref": f"#/channels/{kind}/messages/{kind}"}],
    }


def _message(kind: str, wire: Wire) -> Json:
    return {
        "name": kind,
        "title": wire.shape.__name__,
        "summary": (wire.shape.__doc__ or "").strip(),
        "description": _tables(kind),
        "contentType": "application/json",
        "payload": _payload(kind, wire),
        "examples": [
            {"name": f"{kind}{number}", "summary": summary, "payload": json.loads(encode(message))}
            for number, (summary, message) in enumerate(_examples(kind), 1)
        ],
    }


def _payload(kind: str, wire: Wire) -> Json:
    """The shape, and beside it the tables of signals and measures where they bind."""
    shape: Json = {"$ref": f"#/components/schemas/{wire.shape.__name__}"}
    seal: Json = {
        "type": "string",
        "pattern": "^[0-9a-f]{8}$",
        "description": "CRC-32 of the JSON without this last member. It may be left out; where it is it must fit.",
    }
    sealed: Json = {"properties": {"crc": seal}}
    if kind == "chunk":
        signal: Json = {"properties": {"signal": {"enum": list(_leaving())}}}
        return {"allOf": [shape, sealed, {"properties": {"stream": signal}}]}
    if kind == "reading":
        return {"allOf": [shape, sealed, {"properties": {"measure": {"enum": list(MEASURES)}}}]}
    return {"allOf": [shape, sealed]}


def _topic_names(kind: str) -> Iterable[str] | None:
    """What the last level may be, where a table says so."""
    if kind == "chunk":
        return _leaving()
    if kind == "reading":
        return MEASURES
    if ROUTES[kind].name == "/stream/signal":
        return (*_leaving(), READINGS, EVENTS, SESSION, ENTRIES)
    return None


def _leaving() -> tuple[str, ...]:
    return tuple(signal.name for signal in SIGNALS.values() if signal.leaves)


def _tables(kind: str) -> str:
    """The rows that bind a kind, as a Markdown table."""
    if kind == "chunk":
        rows = ["| signal | what | unit | channels | rate, Hz | bytes/s |", "|---|---|---|---|---|---|"]
        for signal in (SIGNALS[name] for name in _leaving()):
            channels = ", ".join(signal.channels) if signal.channels else f"1 to {signal.most_channels}"
            rates = [f"{signal.rates[0]:g} to {signal.rates[1]:g}"] if signal.rates else []
            rate = " or ".join([*rates, *(["own times"] if signal.irregular else [])])
            rows.append(f"| {signal.name} | {signal.title} | {signal.unit} | {channels} | {rate} | {signal.budget} |")
        kept = ", ".join(signal.name for signal in SIGNALS.values() if not signal.leaves)
        return "\n".join([*rows, "", f"Refused, because they never leave the sensor process: {kept}."])
    if kind == "reading":
        rows = ["| measure | what | unit | possible | code |", "|---|---|---|---|---|"]
        for measure in MEASURES.values():
            bounds = f"{measure.low:g} to {measure.high:g}"
            code = f"LOINC {measure.loinc}" if measure.loinc else measure.name
            rows.append(f"| {measure.name} | {measure.title} | {measure.unit} | {bounds} | {code} |")
        return "\n".join(rows)
    wire = KINDS[kind]
    return f"QoS {wire.qos}, {'retained; an empty payload clears it' if wire.retain else 'not retained'}."


def _schemas() -> dict[str, Json]:
    _, shapes = msgspec.json.schema_components(
        [wire.shape for wire in KINDS.values()], ref_template="#/components/schemas/{name}"
    )
    return {name: _in_draft_7(shapes[name]) for name in sorted(shapes)}


def _in_draft_7(schema: Json) -> Json:
    """AsyncAPI's schemas are draft 7, where a tuple is `items`; msgspec writes the later `prefixItems`."""
    if isinstance(schema, list):
        return [_in_draft_7(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {key: _in_draft_7(part) for key, part in schema.items()}
    if "prefixItems" in converted:
        converted["items"] = converted.pop("prefixItems")
        converted["additionalItems"] = False
    return converted


EXAMPLE_KIOSK = "kiosk-1"


def _stream(signal: str, device: str = "chest-strap") -> Stream:
    return Stream(session="s-20250102-0001", device=device, signal=signal, run="r1")


def _examples(kind: str) -> list[tuple[str, Message]]:
    """Messages that a receiver takes, one at least of each kind."""
    ecg, readings, third = _stream("ecg"), _stream(READINGS, "cuff"), SECOND // 30
    wave = np.array([0.02, 0.05, 0.11, np.nan, 0.92], dtype="<f4").tobytes()
    intervals = np.array([812, 798], dtype="<f4").tobytes()
    offsets = np.array([0, 798_000], dtype="<i4").tobytes()
    origin = Origin(utc=1_735_808_400 * SECOND, boot=5_000 * SECOND, boot_id="b7f0c1d2")
    examples: dict[str, list[tuple[str, Message]]] = {
        "chunk": [
            ("Five samples at 250 Hz; the device lost the fourth.", Chunk(ecg, 7, 140_000_000, 250.0, ("I",), wave)),
            ("Two beat intervals with their own times.",
             Chunk(_stream("rr"), 0, third, None, ("rr",), intervals, offsets)),
        ],
        "reading": [
            ("A number.", Reading(readings, 0, "systolic", 121.0, "cuff", "spot", "oscillometric", 0, 30 * SECOND,
                                  quality=0.9)),
            ("No number, and why.", Reading(readings, 1, "heart_rate", None, "cuff", "spot", "oscillometric", 0,
                                            30 * SECOND, absent="noisy")),
        ],
        "event": [("A step began.", Event(_stream(EVENTS, "station"), 0, "step_began", 12 * SECOND, "sit still"))],
        "end": [("The run is over.", End(ecg, 1234))],
        "lost": [("The outbox was full.", Lost(ecg, 100, 163, "outbox_full"))],
        "receipt": [("Committed up to 41, 17 never taken.", Receipt(ecg, 41, refused=(Refusal(17, "not_finite"),)))],
        "session": [
            ("A visit began.", Session(_stream(SESSION, "station"), 0, "open", origin)),
            ("A visit ended.", Session(_stream(SESSION, "station"), 1, "ended", origin, 180 * SECOND, (ecg, readings))),
        ],
        "status": [("A simulated device runs.", Status("chest-strap", "running", simulated=True, drift_ppm=-11.5))],
        "command": [("Begin a visit.", Command("c-17", "start"))],
        "entry": [
            ("What the visitor agreed to.",
             Entry(_stream(ENTRIES, "station"), 1, 4 * SECOND, Agreed(("measure", "store"), "2026-1", "en"))),
            ("Who the visitor says to be.",
             Entry(_stream(ENTRIES, "station"), 2, 9 * SECOND, Person(birth_year=1981, sex="female"))),
            ("Answers to a questionnaire.",
             Entry(_stream(ENTRIES, "station"), 3, 90 * SECOND, Answered("phq2", "1", "en", {"1": 0, "2": 1}))),
        ],
        "ask": [("How did it go?", Ask("s-20250102-0001"))],
        "results": [
            ("Not analysed yet.", Results("s-20250102-0001", "waiting")),
            ("A number with what is usual, and one that is absent.",
             Results("s-20250102-0001", "ready", "K7QF-9M2X", values=(
                 Shown("heart_rate", 68.0, 67.6, 68.5, 0.93, source="ecg", usual=(52.0, 88.0)),
                 Shown("sdnn", None, absent="too_short")))),
        ],
        "setup": [
            ("A clinic's texts.",
             Setup("Main clinic", (ConsentText("2026-1", "en", "What you may agree to ..."),), ("quick", "full"))),
        ],
    }  # fmt: skip
    return examples[kind]
