"""The AsyncAPI document is valid, complete and says what the code does."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from kiosk import asyncapi
from kiosk.measures import MEASURES
from kiosk.messages import KINDS, MAX_PAYLOAD, decode
from kiosk.signals import SIGNALS

DOCUMENT: dict[str, Any] = asyncapi.document()
KEY = "^[A-Za-z0-9._-]+$"
REFERENCE = {
    "type": "object",
    "properties": {"$ref": {"type": "string", "pattern": "^#/"}},
    "required": ["$ref"],
    "additionalProperties": False,
}
TEXT = {"type": "string"}
TAGS = {
    "type": "array",
    "uniqueItems": True,
    "items": {
        "type": "object",
        "properties": {"name": TEXT, "description": TEXT},
        "required": ["name"],
        "additionalProperties": False,
    },
}


def exactly(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object with these fields and no other."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def named(what: dict[str, Any]) -> dict[str, Any]:
    """A map of names that AsyncAPI allows."""
    return {"type": "object", "propertyNames": {"pattern": KEY}, "additionalProperties": what, "minProperties": 1}


# the part of AsyncAPI 3.0 that the document uses, stricter than the specification: nothing else may appear
PARAMETER = exactly(
    {},
    description=TEXT,
    enum={"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True},
    default=TEXT,
    examples={"type": "array", "items": TEXT},
    location={"type": "string", "pattern": r"^\$message\.(header|payload)#(/[^/~]+)*$"},
)
MESSAGE = exactly(
    {"payload": {"type": "object"}},
    name=TEXT,
    title=TEXT,
    summary=TEXT,
    description=TEXT,
    contentType={"const": "application/json"},
    examples={"type": "array", "items": exactly({"payload": True}, name=TEXT, summary=TEXT, headers=True)},
)
OPERATION = exactly(
    {"action": {"enum": ["send", "receive"]}, "channel": REFERENCE},
    title=TEXT,
    tags=TAGS,
    messages={"type": "array", "items": REFERENCE, "minItems": 1},
    bindings=exactly(
        {
            "mqtt": exactly(
                {"qos": {"enum": [0, 1, 2]}, "retain": {"type": "boolean"}, "bindingVersion": {"const": "0.2.0"}}
            )
        }
    ),
)
RULES = exactly(
    {
        "asyncapi": {"const": "3.0.0"},
        "info": exactly(
            {"title": TEXT, "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"}},
            description=TEXT,
            license=exactly({"name": TEXT}, url={"type": "string", "pattern": "^https://"}),
            tags=TAGS,
        ),
        "channels": named(
            exactly(
                {"address": TEXT, "messages": named(REFERENCE)},
                title=TEXT,
                parameters=named({"anyOf": [REFERENCE, PARAMETER]}),
            )
        ),
        "operations": named(OPERATION),
        "components": exactly(
            {
                "schemas": named({"$ref": "http://json-schema.org/draft-07/schema#"}),
                "messages": named(MESSAGE),
                "parameters": named(PARAMETER),
                "securitySchemes": named(exactly({"type": {"const": "userPassword"}}, description=TEXT)),
            }
        ),
    },
    defaultContentType={"const": "application/json"},
    servers=named(
        exactly(
            {"host": TEXT, "protocol": {"const": "mqtt"}},
            protocolVersion=TEXT,
            description=TEXT,
            variables=named(exactly({}, default=TEXT, description=TEXT)),
            security={"type": "array", "items": REFERENCE},
        )
    ),
)


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def pointed(document: Any, pointer: str) -> Any:
    for step in pointer.removeprefix("#").split("/")[1:]:
        document = document[step.replace("~1", "/").replace("~0", "~")]
    return document


def examples() -> Iterator[tuple[str, Any]]:
    for kind, message in DOCUMENT["components"]["messages"].items():
        for example in message["examples"]:
            yield kind, example["payload"]


def payload_validator(kind: str) -> jsonschema_rs.Draft7Validator:
    """What a tool makes of the document alone."""
    return jsonschema_rs.Draft7Validator(
        {"$ref": f"#/components/messages/{kind}/payload", "components": DOCUMENT["components"]}
    )


def test_the_document_keeps_the_rules_of_asyncapi_3() -> None:
    errors = jsonschema_rs.Draft7Validator(RULES).iter_errors(json.loads(asyncapi.text()))
    assert not [f"{list(error.instance_path)}: {error.message}" for error in errors]


def test_the_rules_see_a_wrong_document() -> None:
    broken = json.loads(asyncapi.text())
    broken["operations"]["sensors_send_chunk"]["action"] = "publish"
    assert not jsonschema_rs.Draft7Validator(RULES).is_valid(broken)


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        assert isinstance(pointed(DOCUMENT, reference), dict), reference


def test_operations_and_channels_belong_together() -> None:
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"])
        assert operation["tags"][0]["name"] in {tag["name"] for tag in DOCUMENT["info"]["tags"]}


def test_every_parameter_of_an_address_is_described_and_no_other() -> None:
    for channel in DOCUMENT["channels"].values():
        assert re.findall(r"\{(\w+)\}", channel["address"]) == list(channel["parameters"])
    for server in DOCUMENT["servers"].values():
        assert re.findall(r"\{(\w+)\}", server["host"]) == list(server["variables"])


def test_every_kind_is_there_with_its_topic() -> None:
    assert list(DOCUMENT["channels"]) == list(KINDS) == list(DOCUMENT["components"]["messages"])
    for kind, channel in DOCUMENT["channels"].items():
        assert channel["address"] == f"kiosk/v1/{{kiosk}}/{kind}/{{name}}"


def test_every_kind_has_a_sender_and_a_receiver() -> None:
    ways = {(entry["channel"]["$ref"], entry["action"]) for entry in DOCUMENT["operations"].values()}
    assert ways == {(f"#/channels/{kind}", action) for kind in KINDS for action in ("send", "receive")}


def test_qos_and_retain_are_those_of_the_table() -> None:
    for operation in DOCUMENT["operations"].values():
        wire = KINDS[operation["channel"]["$ref"].rpartition("/")[2]]
        mqtt = operation["bindings"]["mqtt"]
        assert (mqtt["qos"], mqtt["retain"]) == (wire.qos, wire.retain)


@pytest.mark.parametrize(("kind", "payload"), list(examples()))
def test_every_example_is_valid_and_decodes(kind: str, payload: Any) -> None:
    errors = payload_validator(kind).iter_errors(payload)
    assert not [error.message for error in errors]
    channel = DOCUMENT["channels"][kind]
    location = channel["parameters"]["name"]["location"].removeprefix("$message.payload#")
    name = pointed(payload, location)
    assert name in channel["parameters"]["name"].get("enum", [name])
    topic = channel["address"].format(kiosk="kiosk-1", name=name)
    where, message = decode(topic, json.dumps(payload).encode())
    assert (where.kind, type(message)) == (kind, KINDS[kind].shape)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_an_example(kind: str) -> None:
    assert kind in [found for found, _ in examples()]


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("chunk", ("seq",), -1),
        ("chunk", ("stream", "signal"), "audio"),
        ("chunk", ("stream", "signal"), "unheard"),
        ("chunk", ("kind",), "reading"),
        ("reading", ("measure",), "karma"),
        ("receipt", ("refused",), [[1, "not_finite", 2]]),
        ("receipt", ("refused",), [["not_finite", 1]]),
        ("status", ("state",), "bored"),
        ("session", ("stream", "session"), "a/b"),
    ],
)
def test_a_validator_of_the_document_alone_refuses_what_we_refuse(
    kind: str, path: tuple[str, ...], value: object
) -> None:
    payload = json.loads(json.dumps(next(found for name, found in examples() if name == kind)))
    pointed(payload, "".join(f"/{step}" for step in path[:-1]))[path[-1]] = value
    assert not payload_validator(kind).is_valid(payload)


def test_signals_and_measures_are_listed_where_they_bind() -> None:
    messages = DOCUMENT["components"]["messages"]
    leaving = [signal.name for signal in SIGNALS.values() if signal.leaves]
    assert DOCUMENT["channels"]["chunk"]["parameters"]["name"]["enum"] == leaving
    for signal in SIGNALS.values():
        assert signal.name in messages["chunk"]["description"]
        assert signal.leaves == (f"| {signal.name} |" in messages["chunk"]["description"])
    assert DOCUMENT["channels"]["reading"]["parameters"]["name"]["enum"] == list(MEASURES)
    assert all(f"| {measure} |" in messages["reading"]["description"] for measure in MEASURES)
    assert str(MAX_PAYLOAD) in DOCUMENT["info"]["description"]


def test_the_same_code_gives_the_same_bytes() -> None:
    # another process has other hash seeds: sets and their like would show
    program = "from kiosk import asyncapi; print(asyncapi.text())"
    texts = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert texts == {f"{asyncapi.text()}\n"}
