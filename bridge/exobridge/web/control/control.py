"""The control API's door: finds the operation, asks for the key, and sees to an answer."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from exobridge.store import StoreError
from exobridge.store.patience import CLOSE_SECONDS
from exobridge.web.control.asking import read
from exobridge.web.control.keys import KeyGuard
from exobridge.web.control.operation import PREFIX, Asked, Operation, Told
from exobridge.web.control.pages import pages
from exobridge.web.control.problems import (
    FAILED,
    FORBIDDEN,
    NOT_ALLOWED,
    NOT_FOUND,
    TOO_MANY,
    UNAVAILABLE,
    UNSTORED,
    ProblemError,
    problem_response,
)

HTTP_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
"""Others do not come into the log."""

MAX_SID_CHARS = 256
"""Of a CallSid in the log."""

_log = structlog.stdlib.get_logger("exobridge.web")


class Control:
    """The operations of one process, as routes."""

    def __init__(self, operations: Sequence[Operation], guard: KeyGuard) -> None:
        self._guard = guard
        self._running: set[asyncio.Future[Any]] = set()
        self._rooms: dict[str, dict[str, Operation]] = {}
        for operation in operations:
            room = self._rooms.setdefault(operation.path, {})
            if operation.method in room:
                raise ValueError(f"two operations at {operation.method} {operation.path}")
            room[operation.method] = operation

    def routes(self) -> list[BaseRoute]:
        """Those of the operations, a path without parameters before one that would take it too;
        and what answers all other paths below ``/api/v1``."""
        paths = sorted(self._rooms, key=lambda path: path.replace("{", "~"))
        return [
            *(Route(path, _Door(self, path, self._rooms[path])) for path in paths),
            Route(PREFIX, _Door(self, "", {})),
            Route(PREFIX + "/{rest:path}", _Door(self, "", {})),
        ]

    async def aclose(self) -> None:
        """Let what is late come to its end, before the database is closed."""
        if self._running:
            await asyncio.wait(self._running, timeout=CLOSE_SECONDS)

    async def answer(self, request: Request, path: str, room: dict[str, Operation]) -> Response:
        """One request to a path that has these operations, by method; none: there is no such."""
        key, request_id = "", secrets.token_hex(6)
        try:
            self._guard.let_by(request)
            if not room:
                raise ProblemError(NOT_FOUND, f"{PREFIX}/docs tells what there is.")
            known = self._guard.key(request)
            key = known.name
            operation = _wanted(request.method, room)
            if known.role < operation.role:
                detail = f"It takes the role {operation.role.name.lower()}."
                raise ProblemError(FORBIDDEN, detail)
            asked = await read(operation, request, known)
            response = _response(operation, await self._handled(operation, asked))
        except Exception as error:
            response = problem_response(_problem(error, request_id), request_id)
        if path and response.status_code != TOO_MANY.status:  # a flood shall not fill the log
            _write(request, path, key, request_id, response.status_code)
        return response

    async def _handled(
        self, operation: Operation, asked: Asked
    ) -> BaseModel | Told | Response | None:
        """What the handler returns. One that is late goes on by itself, as a transaction cannot be
        broken off, and what becomes of it is dropped."""
        task = asyncio.ensure_future(operation.handler(asked))
        self._running.add(task)
        task.add_done_callback(self._over)
        done, _ = await asyncio.wait({task}, timeout=operation.seconds)
        if not done:
            raise ProblemError(UNAVAILABLE, "There was no answer in time.")
        return task.result()

    def _over(self, task: asyncio.Future[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # asked for: nobody may be left who does


class _Door:
    """The ASGI application behind one path."""

    def __init__(self, control: Control, path: str, room: dict[str, Operation]) -> None:
        self._control = control
        self._path = path
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request = Request(scope, receive, send)
        response = await self._control.answer(request, self._path, self._room)
        await response(scope, receive, send)


def _wanted(method: str, room: dict[str, Operation]) -> Operation:
    """HEAD is answered as GET, which the server sends without its body; a stream has no end."""
    known = dict(room)
    if (get := known.get("GET")) and get.media != "text/event-stream":
        known["HEAD"] = get
    if operation := known.get(method):
        return operation
    allowed = ", ".join(sorted(known))
    raise ProblemError(NOT_ALLOWED, f"It knows {allowed}.", headers={"allow": allowed})


def _response(operation: Operation, told: BaseModel | Told | Response | None) -> Response:
    if isinstance(told, Response):
        for name, value in UNSTORED.items():
            told.headers.setdefault(name, value)
        return told
    if not isinstance(told, Told):
        told = Told(told, operation.status)
    headers = {**UNSTORED, **told.headers}
    if told.result is None:
        return Response(status_code=told.status, headers=headers)
    body = told.result.model_dump_json(by_alias=True)
    return Response(body, told.status, headers, "application/json")


def _problem(error: Exception, request_id: str) -> ProblemError:
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, StoreError):
        _log.error("api failed", request=request_id, error=str(error))
        return ProblemError(UNAVAILABLE, "The database cannot be used now.")
    _log.error("api failed", request=request_id, error=type(error).__name__, exc_info=error)
    return ProblemError(FAILED, "The log says what, under this instance.")


def _write(request: Request, path: str, key: str, request_id: str, status: int) -> None:
    """Who was told of which call, into the log."""
    call_sid = str(request.path_params.get("call_sid", "")) if key else ""
    _log.info(
        "api",
        method=request.method if request.method in HTTP_METHODS else "",
        endpoint=path,
        key=key,
        request=request_id,
        call_sid=call_sid[:MAX_SID_CHARS],
        status=status,
    )


@asynccontextmanager
async def control_routes(
    operations: Sequence[Operation], guard: KeyGuard
) -> AsyncGenerator[list[BaseRoute]]:
    """The routes of the control API, and of the pages that tell of it."""
    control = Control(operations, guard)
    try:
        yield [*pages(operations, guard), *control.routes()]
    finally:
        await control.aclose()
