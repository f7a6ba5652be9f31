"""Another's model of FHIR, and our own value sets, held against what we say."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

from api.interop.fhir.values import strays

Json = dict[str, Any]


def check(resource: Json) -> None:
    """It fits the model, comes through it unchanged, and has no code outside its value sets."""
    model = get_fhir_model_class(resource["resourceType"]).model_validate_json(json.dumps(resource))
    again = json.loads(model.model_dump_json(), parse_float=Decimal)
    assert plain(again) == plain(json.loads(json.dumps(resource), parse_float=Decimal))
    assert strays(resource) == []
    assert not list(empty(resource, resource["resourceType"]))


def plain(value: Any) -> Any:
    """The same, however numbers and moments are written."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return Decimal(value).normalize()
    if isinstance(value, str) and "T" in value:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return value


def empty(value: Any, path: str) -> Any:
    """What FHIR forbids: an empty string, list or object, and null."""
    if value is None or value in ("", [], {}):
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from empty(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from empty(inner, path)


def entries(bundle: Json, kind: str | None = None) -> list[Json]:
    """The resources of a bundle, all or those of a kind."""
    found = [entry["resource"] for entry in bundle.get("entry", [])]
    return [each for each in found if kind in (None, each["resourceType"])]
