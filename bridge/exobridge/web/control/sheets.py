"""What the reference says, for a page and for a document: read out of the OpenAPI document, so that
both say what it says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a key of an object.

    Attributes:
        where: ``path``, ``query``, ``header``; empty for a key.
        kind: Its type in words; ``model`` the object's name, where it is one of ours.
        bounds: ``1 to 200``, ``default 50``, and so on.
    """

    name: str
    where: str
    kind: str
    model: str
    needed: bool
    bounds: str
    text: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One operation.

    Attributes:
        body, result: Media types, with the object's name where there is one.
        answers: Status and what it means.
    """

    name: str
    tag: str
    method: str
    path: str
    summary: str
    text: str
    fields: Sequence[Field]
    body: tuple[str, str] | None
    answers: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class ModelSheet:
    """One object."""

    name: str
    text: str
    fields: Sequence[Field]


def sheets(document: Json) -> list[Sheet]:
    """All operations, by tag, in the document's order."""
    found = [
        _sheet(method.upper(), path, told)
        for path, room in document["paths"].items()
        for method, told in room.items()
    ]
    tags = [tag["name"] for tag in document["tags"]]
    return sorted(found, key=lambda sheet: tags.index(sheet.tag))


def model_sheets(document: Json) -> list[ModelSheet]:
    """All objects, by name."""
    return [
        ModelSheet(
            name,
            schema.get("description", ""),
            [
                _field(key, "", each, key in schema.get("required", []))
                for key, each in schema.get("properties", {}).items()
            ]
            or [_field("one of", "", schema, needed=True)],
        )
        for name, schema in document["components"]["schemas"].items()
    ]


def _sheet(method: str, path: str, told: Json) -> Sheet:
    body: tuple[str, str] | None = None
    if "requestBody" in told:
        body = _content(told["requestBody"])
    return Sheet(
        name=told["operationId"],
        tag=told["tags"][0],
        method=method,
        path=path,
        summary=told["summary"],
        text=told["description"],
        fields=[
            _field(each["name"], each["in"], each["schema"], each["required"], each)
            for each in told["parameters"]
        ],
        body=body,
        answers=[_answer(status, each) for status, each in told["responses"].items()],
    )


def _answer(status: str, told: Json) -> tuple[str, str, str]:
    """Its status, words, and the name of its object."""
    words = told["description"].replace("\n- ", "; ").removeprefix("- ")
    return status, words, _content(told)[1] if int(status) < 400 else ""


def _content(told: Json) -> tuple[str, str]:
    for media, content in told.get("content", {}).items():
        return media, _model(content["schema"])
    return "", ""


def _field(
    name: str, where: str, schema: Json, needed: bool, parameter: Json | None = None
) -> Field:
    text = (parameter or schema).get("description", "")
    return Field(name, where, _kind(schema), _model(schema), needed, _bounds(schema), text)


def _model(schema: Json) -> str:
    """The name of the object that this is, or holds."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    inner = [*_choices(schema), _part(schema, "items"), _part(schema, "additionalProperties")]
    return next((name for each in inner if each and (name := _model(each))), "")


def _choices(schema: Json) -> list[Json]:
    return [each for key in ("anyOf", "oneOf", "allOf") for each in schema.get(key, [])]


def _part(schema: Json, key: str) -> Json:
    """A schema in the schema; ``additionalProperties`` may be ``true`` or ``false``."""
    part: Any = schema.get(key)
    return cast(Json, part) if isinstance(part, dict) else {}


def _kind(schema: Json) -> str:
    if "$ref" in schema:
        return _model(schema)
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if choices := _choices(schema):
        return " | ".join(map(_kind, choices))
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_kind(_part(schema, 'items'))}"
    if kind == "object" and (values := _part(schema, "additionalProperties")):
        return f"object of {_kind(values)}"
    return {"date-time": "time"}.get(schema.get("format", ""), kind)


def _bounds(schema: Json) -> str:
    """Those of the schema itself, or of the one choice that is not null."""
    choices = [each for each in _choices(schema) if each.get("type") != "null"]
    whole: Json = {**choices[0], **schema} if len(choices) == 1 else schema
    parts = [
        _span(whole.get("minimum"), whole.get("maximum"), ""),
        _span(whole.get("minLength"), whole.get("maxLength"), " characters"),
        _span(whole.get("minItems"), whole.get("maxItems"), " items"),
    ]
    default: Any = whole.get("default")
    if default not in (None, "", [], {}):
        parts.append(f"default {json.dumps(default) if isinstance(default, bool) else default}")
    return ", ".join(filter(None, parts))


def _span(least: Any, most: Any, unit: str) -> str:
    if least is None and most is None:
        return ""
    if most is None:
        return f"at least {least}{unit}"
    return f"{least} to {most}{unit}" if least is not None else f"at most {most}{unit}"
