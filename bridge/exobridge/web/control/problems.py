"""What can be wrong with a request, told as problem+json (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:exobridge:problem:"
"""Stands before a problem's kind in its ``type``."""

INSTANCE = "urn:exobridge:request:"
"""Stands before a request's id in a problem's ``instance``."""

UNSTORED = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""For every answer: what is told of calls belongs in no cache."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of problem. Two operations that say the same use the same.

    Attributes:
        status: HTTP's, 400 to 599.
        kind: A word for programs, like ``unknown-call``.
        title: The same for humans; does not change from one occurrence to the other.
    """

    status: int
    kind: str
    title: str


BAD_REQUEST = Problem(400, "bad-request", "The request cannot be read")
BAD_QUERY = Problem(400, "bad-query", "The query, a header or the path holds what it must not")
UNAUTHORIZED = Problem(401, "unauthorized", "The key is missing or wrong")
CLOSED = Problem(403, "closed", "The API is closed")
FORBIDDEN = Problem(403, "forbidden", "The key's role does not suffice")
NOT_FOUND = Problem(404, "not-found", "There is nothing at this path")
NOT_ALLOWED = Problem(405, "method-not-allowed", "The path does not know this method")
TOO_LARGE = Problem(413, "too-large", "The body is too large")
UNSUPPORTED = Problem(415, "unsupported-media-type", "The body's media type is another")
INVALID = Problem(422, "invalid", "The body holds what it must not")
TOO_MANY = Problem(429, "too-many-requests", "This address asks too often")
FAILED = Problem(500, "failed", "Something went wrong on our side")
UNAVAILABLE = Problem(503, "unavailable", "It cannot be had now")

EACH_HAS = (BAD_QUERY, UNAUTHORIZED, CLOSED, FORBIDDEN, TOO_MANY, UNAVAILABLE)
"""What every operation may answer."""

MAX_ERRORS = 20
"""That are told of one request."""

RETRY_AFTER = {429: "2", 503: "5"}
"""Seconds after which it is worth to ask again."""


class ProblemError(Exception):
    """Raised by a handler: the answer is this problem.

    Args:
        problem: One that its operation names, or that all have.
        detail: What is wrong this time, for humans; no secret.
        headers: Further headers of the answer.
        extra: Further members of the answer, like ``errors``.
    """

    def __init__(
        self,
        problem: Problem,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail or problem.title)
        self.problem = problem
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra


def wrong(problem: Problem, found: Sequence[tuple[str, str]]) -> ProblemError:
    """All that is wrong, by place.

    Args:
        found: Each place with what is wrong there, as the rest of a sentence; no value stands in
            it.
    """
    errors = [{"where": where, "problem": what} for where, what in found[:MAX_ERRORS]]
    where, what = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return ProblemError(problem, f"{where} {what}{more}.".lstrip(), errors=errors)


def problem_response(error: ProblemError, request_id: str = "") -> Response:
    """The answer.

    Args:
        request_id: Names this one request, as the log does; the path would hold phone numbers.
            Empty: it is not in the log.
    """
    problem = error.problem
    body: dict[str, Any] = {
        "type": TYPE + problem.kind,
        "title": problem.title,
        "status": problem.status,
        "detail": error.detail or f"{problem.title}.",
    }
    if request_id:
        body["instance"] = INSTANCE + request_id
    headers = {**UNSTORED, **error.headers}
    if after := RETRY_AFTER.get(problem.status):
        headers.setdefault("retry-after", after)
    content = json.dumps(body | error.extra, ensure_ascii=False).encode()
    return Response(content, problem.status, headers, MEDIA_TYPE)
