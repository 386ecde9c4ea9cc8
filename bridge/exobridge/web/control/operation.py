"""What the control API is made of: operations, each with all that is to be said of it.

A part of the API offers ``operations(…)``, a list of these; ``app.py`` joins the lists. From an
operation follow the route, the checks of what comes in, the OpenAPI document and the reference
page, so that none can say something else. An operation is offered whatever the settings are; what
a setting lacks is a problem it answers.

A handler gets what was asked, checked, and returns the result's model, a :class:`Told`, or a
response of its own (a file, a stream). It raises :class:`ProblemError` for what its operation names
under ``problems``. A late or broken database (``StoreError``) becomes 503 by itself.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from exobridge.api_keys import ApiKey, Role
from exobridge.web.control.problems import Problem, ProblemError

__all__ = ["ApiKey", "Asked", "Header", "Model", "Operation", "Problem", "ProblemError", "Role"]

MAX_BODY = 64 * 1024
"""Largest body of a request, in bytes, where an operation says nothing else."""

HANDLER_SECONDS = 10.0
"""How long a handler may take, where its operation says nothing else."""

PREFIX = "/api/v1"

_PARAMETER = re.compile(r"{(\w+)}")

Method: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]


class Model(BaseModel):
    """Base of what goes in and out: every field is described, and there are no others."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Header:
    """A header that an operation heeds: 1 to ``max_chars`` visible ASCII characters."""

    name: str
    description: str
    max_chars: int = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, its parts checked.

    Attributes:
        path: The path's parameters, unquoted; not empty, without NUL, at most 256 characters.
        query: Of the operation's model; an empty one where it has none.
        body: Of its model; ``None`` where it has none.
        raw: The body as it came, where the operation takes another media type than JSON.
        headers: Those that the operation names, by lower-case name; absent ones are not there.
        key: Whose request it is.
    """

    path: Mapping[str, str]
    query: Any
    body: Any
    raw: bytes
    headers: Mapping[str, str]
    key: ApiKey
    request: Request


@dataclass(frozen=True, slots=True)
class Told:
    """A result with a status or headers of its own.

    Attributes:
        status: The operation's ``status``, or one of ``also``.
    """

    result: BaseModel | None
    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


Handler: TypeAlias = Callable[[Asked], Awaitable[BaseModel | Told | Response | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Something that can be asked for.

    Attributes:
        path: Below ``/api/v1``, with parameters in braces: ``/api/v1/calls/{call_sid}``.
        name: Its ``operationId``: ``listCalls``.
        tag: The heading it stands under on the page.
        summary: One line; ``description`` more, in Markdown's plainest form.
        role: The least that suffices.
        query, body: What may be asked with; pydantic models, :class:`Model` at best.
        result: Of the answer by ``status``; ``None``: there is no body, or ``media`` is no JSON.
        also: Other statuses of success, with the same result: ``(200,)`` beside 201, say.
        problems: Besides what every operation has; validation's 400, 413, 415, 422 follow by
            themselves from ``query`` and ``body``. One with a path parameter has a 404.
        media: Of the answer.
        request_media: Of the body; another than JSON comes as ``Asked.raw``.
        max_body: Bytes.
        seconds: How long the handler may take; then 503, and it goes on by itself.
    """

    method: Method
    path: str
    name: str
    tag: str
    summary: str
    role: Role
    handler: Handler
    description: str = ""
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    headers: tuple[Header, ...] = ()
    result: type[BaseModel] | None = None
    status: int = 200
    also: tuple[int, ...] = ()
    problems: tuple[Problem, ...] = ()
    media: str = "application/json"
    request_media: str = "application/json"
    max_body: int = MAX_BODY
    seconds: float = HANDLER_SECONDS
    example: Mapping[str, Any] | None = None

    @property
    def parameters(self) -> list[str]:
        """The names in the path."""
        return _PARAMETER.findall(self.path)

    @property
    def takes_body(self) -> bool:
        """Whether a body is looked at."""
        return self.body is not None or self.request_media != "application/json"

    @property
    def body_is_needed(self) -> bool:
        """Whether an empty body will not do."""
        if self.body is None:
            return self.takes_body
        return any(each.is_required() for each in self.body.model_fields.values())
