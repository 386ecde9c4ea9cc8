"""What all of Exotel's webhooks share: who may ask, what was sent, one line in the log, a time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from exobridge.exotel.passthru import MissingCallSidError, read_passthru
from exobridge.observe.watch import Watchers
from exobridge.observe.watch import Webhook as Answered
from exobridge.web.body import BadBodyError, parameters
from exobridge.web.guard import TOO_MANY, Guard
from exobridge.web.wire import keep_webhook
from exobridge.wire.recorder import WireRecorder

Pairs = list[tuple[str, str]]
"""All names and values of a request, as they came; the body's before the query's."""

NUMBERS = frozenset({"callto", "callfrom", "to", "from", "direction", "phonenumbersid"})
"""Parameters that tell whose call it is, by their plain names."""
MAX_NUMBER = 64
"""Longest of their values that is passed on, in characters."""

_log = structlog.stdlib.get_logger("exobridge.web")


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a request.

    Attributes:
        outcome: A few words for the log and the metrics, from a small set.
        pairs: All that was sent, once that was read.
    """

    call_sid: str
    outcome: str
    response: Response
    pairs: Sequence[tuple[str, str]] | None = field(default=None, repr=False)


Handle = Callable[[Request, Pairs], Awaitable[Told]]
"""Answers a request that was let in. May raise :class:`MissingCallSidError`, which answers 400."""


class Webhook:
    """One of Exotel's endpoints.

    Args:
        path: Without a secret; it may also stand behind it, as a further part.
        watchers: Told of each request.
        variants: Further parts that mean something to the handler, before or behind the secret.
        wire: Keeps the requests and their answers.
    """

    def __init__(
        self,
        path: str,
        handle: Handle,
        guard: Guard,
        watchers: Watchers,
        variants: Sequence[str] = (),
        wire: WireRecorder | None = None,
    ) -> None:
        self._path = path
        self._variants = variants
        self._handle = handle
        self._guard = guard
        self._watchers = watchers
        self._wire = wire

    def routes(self) -> list[Route]:
        """With and without the secret in the path; GET and POST."""
        paths = ["", "/{secret}", *(["/{secret}/{variant}"] if self._variants else [])]
        return [Route(self._path + path, self.respond, methods=["GET", "POST"]) for path in paths]

    def _offered(self, request: Request) -> str:
        """What stands in the path, for the secret."""
        parts = [request.path_params.get(name, "") for name in ("secret", "variant")]
        return next((part for part in parts if part not in ("", *self._variants)), "")

    async def respond(self, request: Request) -> Response:
        """One request, logged once and timed."""
        begun = time.perf_counter()
        refusal = self._guard.refusal(request, self._offered(request))
        if refusal is not None and refusal.status == TOO_MANY.status:
            # The guard says so, now and then: a flood shall not fill the log.
            return problem(refusal.status, refusal.error, refusal.detail)
        if refusal is not None:
            answer = problem(refusal.status, refusal.error, refusal.detail)
            told = Told("", refusal.error, answer)
        else:
            told = await self._answer(request, begun)
        seconds = time.perf_counter() - begun
        _log.info(
            "webhook",
            endpoint=self._path,
            call_sid=told.call_sid,
            status=told.response.status_code,
            ms=round(seconds * 1000, 1),
            outcome=told.outcome,
        )
        self._watchers.webhook(
            Answered(
                endpoint=self._path,
                method=request.method,
                call_sid=told.call_sid,
                outcome=told.outcome,
                status=told.response.status_code,
                ended_at=datetime.now(UTC),
                seconds=seconds,
                pairs=_of_numbers(told.pairs or request.query_params.multi_items()),
            )
        )
        return told.response

    async def _answer(self, request: Request, begun: float) -> Told:
        try:
            pairs = await parameters(request)
            told = await self._handle(request, pairs)
        except BadBodyError as error:
            answer = problem(error.status, "bad-request", str(error))
            return Told(_call_sid(request), "bad request", answer)
        except MissingCallSidError as error:
            return Told("", "bad request", problem(400, "bad-request", str(error)))
        if self._wire is not None:
            seconds = time.perf_counter() - begun
            keep_webhook(self._wire, request, pairs, told.call_sid, told.response, seconds)
        return replace(told, pairs=pairs)


def _of_numbers(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Those that tell whose call it is."""
    return [
        (name, value[:MAX_NUMBER])
        for name, value in pairs
        if name.lower().replace("_", "") in NUMBERS
    ]


def _call_sid(request: Request) -> str:
    """The call that the query names; empty if it names none."""
    try:
        return read_passthru(request.query_params.multi_items()).call_sid
    except MissingCallSidError:
        return ""


def problem(status: int, error: str, detail: str) -> Response:
    """What is wrong, for a program and for a human."""
    return JSONResponse({"error": error, "detail": detail}, status)
