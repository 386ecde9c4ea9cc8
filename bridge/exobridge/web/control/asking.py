"""A request to an operation, read and checked. What cannot be read is a problem, never an error."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request

from exobridge.validation import problems
from exobridge.web.control.operation import ApiKey, Asked, Model, Operation
from exobridge.web.control.problems import (
    BAD_QUERY,
    BAD_REQUEST,
    INVALID,
    NOT_FOUND,
    TOO_LARGE,
    UNSUPPORTED,
    Problem,
    ProblemError,
    wrong,
)

MAX_PATH_CHARS = 256
"""Of one parameter."""

_WORDS = {"must be a table": "must be an object", "there is no such key": "is not known here"}
"""Those of TOML, in JSON's."""

_SUBJECT = re.compile(r"^(?:input|string|list|tuple) should ")


async def read(operation: Operation, request: Request, key: ApiKey) -> Asked:
    """What is asked of the operation.

    Raises:
        ProblemError: It cannot be read, or is not what the operation takes.
    """
    path = _path(request)
    query = _query(operation.query or Model, request)
    headers = _headers(operation, request)
    body, raw = None, b""
    if operation.takes_body:
        raw = await _raw(operation, request)
        if operation.body is not None:
            body = _body(operation.body, raw)
            raw = b""
    return Asked(path, query, body, raw, headers, key, request)


def _path(request: Request) -> dict[str, str]:
    path = {name: str(value) for name, value in request.path_params.items()}
    if any("\0" in value or len(value) > MAX_PATH_CHARS for value in path.values()):
        raise ProblemError(NOT_FOUND)  # nothing of ours has such a name
    return path


def _query(model: type[BaseModel], request: Request) -> BaseModel:
    given = request.query_params.multi_items()
    if "\0" in "".join(name + value for name, value in given):
        raise ProblemError(BAD_QUERY, "It holds a NUL.")
    lists = {name for name, each in model.model_fields.items() if _is_list(each.annotation)}
    counted = Counter(name for name, _ in given)
    if twice := sorted(name for name, n in counted.items() if n > 1 and name not in lists):
        raise wrong(BAD_QUERY, [(name, "is given more than once") for name in twice])
    values: dict[str, Any] = {name: value for name, value in given if name not in lists}
    for name in lists & counted.keys():
        values[name] = request.query_params.getlist(name)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _invalid(BAD_QUERY, error) from None


def _is_list(annotation: Any) -> bool:
    origins = {get_origin(annotation), *map(get_origin, get_args(annotation))}
    return bool(origins & {list, tuple})


def _headers(operation: Operation, request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for header in operation.headers:
        given = request.headers.getlist(header.name)
        if not given:
            continue
        value = given[0]
        plain = value.isascii() and value.isprintable() and " " not in value
        if len(given) > 1 or not plain or not 0 < len(value) <= header.max_chars:
            problem = f"is not 1 to {header.max_chars} visible ASCII characters, once"
            raise wrong(BAD_QUERY, [(header.name, problem)])
        found[header.name.lower()] = value
    return found


async def _raw(operation: Operation, request: Request) -> bytes:
    """The body, within the operation's bounds."""
    try:
        raw = await _parts(request, operation.max_body)
    except ClientDisconnect:  # one that does not come in time is cut off before, too
        raise ProblemError(BAD_REQUEST, "The body broke off.") from None
    if not raw and not operation.body_is_needed:
        return b"{}"
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != operation.request_media:
        raise ProblemError(UNSUPPORTED, f"Send {operation.request_media}.")
    return raw


async def _parts(request: Request, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            detail = f"It is larger than {most} bytes."
            raise ProblemError(TOO_LARGE, detail, headers={"connection": "close"})
        parts.append(part)
    return b"".join(parts)


def _body(model: type[BaseModel], raw: bytes) -> BaseModel:
    try:
        value = from_json(raw, allow_inf_nan=False)
    except ValueError:
        raise ProblemError(BAD_REQUEST, "The body is no JSON.") from None
    if _holds_nul(value):
        raise ProblemError(INVALID, "A text in it holds a NUL.")
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise _invalid(INVALID, error) from None


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        items = cast(dict[str, Any], value).items()
        return any("\0" in name or _holds_nul(inner) for name, inner in items)
    return isinstance(value, list) and any(map(_holds_nul, cast(Iterable[Any], value)))


def _invalid(problem: Problem, error: ValidationError) -> ProblemError:
    return wrong(problem, [(each.dotted, _said_of_it(each.problem)) for each in problems(error)])


def _said_of_it(problem: str) -> str:
    """As the rest of a sentence whose subject is the place."""
    return _WORDS.get(problem) or _SUBJECT.sub("must ", problem)
