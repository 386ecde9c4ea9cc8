"""The OpenAPI document (3.1), made of the operations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from exobridge.web.control.asking import MAX_PATH_CHARS
from exobridge.web.control.operation import Operation
from exobridge.web.control.problems import (
    BAD_REQUEST,
    EACH_HAS,
    INSTANCE,
    INVALID,
    MEDIA_TYPE,
    NOT_FOUND,
    TOO_LARGE,
    TYPE,
    UNSUPPORTED,
    Problem,
)

Json = dict[str, Any]

_REF = "#/components/schemas/{model}"

_ABOUT = f"""The control API of exobridge: what calls there were and are, and what to do with them.

Every request but this document's carries a key as a `Bearer` token. A key has a role: `viewer`
reads, `operator` also calls out and steps into calls, `admin` also changes the numbers. Numbers and
words are given in full.

What goes wrong is told as `application/problem+json` (RFC 9457): `type` is `{TYPE}`
and the word that is named with each operation. Lists come in pages: `next` is the `after` of the
next one. Times are ISO 8601 with a zone. A name that is not known here, in a query or in a body, is
refused.
"""


def openapi(operations: Sequence[Operation]) -> Json:
    """The document."""
    schemas, names = _schemas(operations)
    paths: dict[str, Json] = {}
    for operation in operations:
        told = _operation(operation, schemas, names)
        paths.setdefault(operation.path, {})[operation.method.lower()] = told
    for operation in operations:  # a query's fields stand with its operation
        if operation.query is not None:
            schemas.pop(names[operation.query, "validation"], None)
    schemas["Problem"] = _PROBLEM
    tags = dict.fromkeys(operation.tag for operation in operations)
    return {
        "openapi": "3.1.0",
        "info": {"title": "exobridge", "version": version("exobridge"), "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


_Mode = Literal["validation", "serialization"]
_Names = dict[tuple[type[BaseModel], str], str]

_NAMES = {
    "call_sid": "Exotel's name of the call.",
    "number": "One of ours, written in any way: `+918…`, `08…`.",
    "dial_id": "The `id` of the dial.",
    "batch_id": "The `id` of the batch.",
    "webhook_id": "The `id` of the webhook.",
}
"""What stands in paths."""

_PROBLEM: Json = {
    "type": "object",
    "description": "What is wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": f"`{TYPE}` and a word for programs."},
        "title": {"type": "string", "description": "The kind of problem, for humans."},
        "status": {"type": "integer", "description": "The answer's status."},
        "detail": {"type": "string", "description": "What is wrong this time."},
        "instance": {
            "type": "string",
            "description": f"`{INSTANCE}` and the request's id, as the log has it.",
        },
        "errors": {
            "type": "array",
            "description": "All that is wrong, by place, where that can be said.",
            "items": {
                "type": "object",
                "required": ["where", "problem"],
                "properties": {"where": {"type": "string"}, "problem": {"type": "string"}},
            },
        },
    },
}


def problems_of(operation: Operation) -> list[Problem]:
    """All that an operation may answer, by status."""
    found = {*EACH_HAS, *operation.problems}
    if operation.parameters:
        found.add(NOT_FOUND)
    if operation.takes_body:
        found |= {BAD_REQUEST, TOO_LARGE, UNSUPPORTED}
    if operation.body is not None:
        found.add(INVALID)
    return sorted(found, key=lambda problem: (problem.status, problem.kind))


def _schemas(operations: Iterable[Operation]) -> tuple[Json, _Names]:
    wanted: dict[tuple[type[BaseModel], _Mode], None] = {}
    for operation in operations:
        for model in (operation.query, operation.body):
            if model is not None:
                wanted[model, "validation"] = None
        if operation.result is not None:
            wanted[operation.result, "serialization"] = None
    refs, document = models_json_schema(list(wanted), ref_template=_REF)
    names: _Names = {
        (model, mode): str(schema["$ref"]).rpartition("/")[2]
        for (model, mode), schema in refs.items()
        if issubclass(model, BaseModel)
    }
    return _short(document.get("$defs", {})), {each: _bare(name) for each, name in names.items()}


def _short(schemas: Json) -> Json:
    """The same, under the names of what they are models of."""
    text = re.sub(r"(#/components/schemas/\w+?)Model\"", r'\1"', json.dumps(schemas))
    return {_bare(name): schema for name, schema in json.loads(text).items()}


def _bare(name: str) -> str:
    return name.removesuffix("Model")


def _operation(operation: Operation, schemas: Json, names: _Names) -> Json:
    role = operation.role.name.lower()
    told: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "x-role": role,
        "description": f"{operation.description}\n\nRole: `{role}`.".strip(),
        "parameters": [
            *map(_path_parameter, operation.parameters),
            *_query_parameters(operation, schemas, names),
            *_header_parameters(operation),
        ],
        "responses": _responses(operation, names),
    }
    if operation.takes_body:
        told["requestBody"] = _request_body(operation, names)
    return told


def _path_parameter(name: str) -> Json:
    schema = {"type": "string", "minLength": 1, "maxLength": MAX_PATH_CHARS}
    words = {"in": "path", "required": True, "description": _NAMES.get(name, "")}
    return {"name": name, **words, "schema": schema}


def _query_parameters(operation: Operation, schemas: Json, names: _Names) -> list[Json]:
    if operation.query is None:
        return []
    schema = schemas[names[operation.query, "validation"]]
    needed = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in needed,
            "description": each.get("description", ""),
            "schema": _without_null(each),
        }
        for name, each in schema.get("properties", {}).items()
    ]


def _without_null(schema: Json) -> Json:
    """A query has no null: what may be absent is just not there."""
    plain = {key: value for key, value in schema.items() if key not in ("description", "title")}
    choices = [each for each in plain.pop("anyOf", []) if each != {"type": "null"}]
    if plain.get("default", ...) is None:
        del plain["default"]
    if len(choices) == 1:
        return {**plain, **choices[0]}
    return {**plain, "anyOf": choices} if choices else plain


def _header_parameters(operation: Operation) -> list[Json]:
    return [
        {
            "name": header.name,
            "in": "header",
            "required": False,
            "description": header.description,
            "schema": {"type": "string", "pattern": rf"^[!-~]{{1,{header.max_chars}}}$"},
        }
        for header in operation.headers
    ]


def _request_body(operation: Operation, names: _Names) -> Json:
    if operation.body is None:
        schema: Json = {"type": "string", "format": "binary"}
    else:
        schema = _ref(names[operation.body, "validation"])
    content: Json = {"schema": schema}
    if operation.example is not None:
        content["example"] = dict(operation.example)
    return {"required": operation.body_is_needed, "content": {operation.request_media: content}}


def _responses(operation: Operation, names: _Names) -> Json:
    responses: Json = {}
    for status in (operation.status, *operation.also):
        responses[str(status)] = _success(operation, status, names)
    for problem in problems_of(operation):
        told = responses.setdefault(str(problem.status), _refused(problem.status))
        told["description"] = f"{told['description']}\n- `{problem.kind}`: {problem.title}".lstrip()
    return responses


def _success(operation: Operation, status: int, names: _Names) -> Json:
    told: Json = {"description": HTTPStatus(status).phrase}
    if operation.result is not None:
        schema = _ref(names[operation.result, "serialization"])
        told["content"] = {"application/json": {"schema": schema}}
    elif operation.media != "application/json":
        told["content"] = {operation.media: {"schema": {"type": "string"}}}
    return told


def _refused(status: int) -> Json:
    told: Json = {"description": "", "content": {MEDIA_TYPE: {"schema": _ref("Problem")}}}
    if status in (429, 503):
        schema = {"type": "string", "pattern": "^[0-9]+$"}
        told["headers"] = {"Retry-After": {"description": "Seconds.", "schema": schema}}
    return told


def _ref(name: str) -> Json:
    return {"$ref": _REF.format(model=name)}
