"""``/api/v1``: what is known of a call, and its recordings, for who has the key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from exobridge.call_view import call_json, event_json, recording_json, turn_json
from exobridge.recordings.errors import MissingError, StorageError
from exobridge.recordings.keys import safe
from exobridge.recordings.storage import Storage
from exobridge.store import Store, StoreError
from exobridge.store.recordings import Recording
from exobridge.web.bearer import UNSTORED, KeyGuard, problem
from exobridge.web.guard import TOO_MANY
from exobridge.web.ranges import UnsatisfiableError, read_range

CALL = "/api/v1/calls/{call_sid}"
RECORDING = "/api/v1/calls/{call_sid}/recording"

MAX_SID_CHARS = 256
"""Of a CallSid in the log."""

_SUFFIXES = {"audio/mpeg": "mp3", "audio/wav": "wav"}

_log = structlog.stdlib.get_logger("exobridge.web")

Answer = Callable[[Request, str], Awaitable[Response]]


class CallApi:
    """The endpoints.

    Args:
        storage: Where the recordings are.
    """

    def __init__(self, store: Store, storage: Storage, guard: KeyGuard) -> None:
        self._store = store
        self._storage = storage
        self._guard = guard

    def routes(self) -> list[Route]:
        """GET and HEAD."""
        return [
            Route(CALL, self._guarded(CALL, self._call), methods=["GET"]),
            Route(RECORDING, self._guarded(RECORDING, self._recording), methods=["GET"]),
        ]

    def _guarded(self, path: str, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """Answers who has the key, and keeps in the log who was told of which call."""

        async def respond(request: Request) -> Response:
            refusal = self._guard.refusal(request)
            call_sid = "" if refusal is not None else str(request.path_params["call_sid"])
            told = refusal or await self._told(answer, request, call_sid)
            if told.status_code != TOO_MANY.status:  # a flood shall not fill the log
                shown = call_sid[:MAX_SID_CHARS]
                _log.info("api", endpoint=path, call_sid=shown, status=told.status_code)
            return told

        return respond

    async def _told(self, answer: Answer, request: Request, call_sid: str) -> Response:
        if "\0" in call_sid:  # PostgreSQL takes no such text, and none is kept
            return problem(404, "unknown-call", "there is no such call")
        try:
            return await answer(request, call_sid)
        except StoreError as error:
            _log.error("api failed", error=str(error))
            return problem(503, "unavailable", "the database cannot be read now")

    # -------------------------------------------------------------- a call

    async def _call(self, request: Request, call_sid: str) -> Response:
        del request
        call = await self._store.call(call_sid)
        if call is None:
            return problem(404, "unknown-call", "there is no such call")
        events = await self._store.events(call_sid)
        turns = await self._store.turns(call_sid)
        recordings = await self._store.recordings.of_call(call_sid)
        told = {
            **call_json(call),
            "events": [event_json(event) for event in events],
            "turns": [turn_json(turn) for turn in turns],
            "recordings": [recording_json(row) for row in recordings],
        }
        return JSONResponse(told, headers=UNSTORED)

    # -------------------------------------------------------------- its recording

    async def _recording(self, request: Request, call_sid: str) -> Response:
        rows = await self._store.recordings.of_call(call_sid)
        row = _wanted(rows, request.query_params.get("source"), request.query_params.get("name"))
        if row is None:
            return problem(404, "no-recording", "there is no such recording, or none yet")
        try:
            size = await self._storage.size(row.location)
        except MissingError:
            return problem(410, "gone", "the recording's file is not there any more")
        except StorageError as error:
            _log.error("api failed", error=str(error))
            return problem(503, "unavailable", "the storage cannot be read now")
        return self._content(request, row, size)

    def _content(self, request: Request, row: Recording, size: int) -> Response:
        suffix = _SUFFIXES.get(row.media_type, "bin")
        etag = f'"{row.sha256}"'
        headers = {
            **UNSTORED,
            "accept-ranges": "bytes",
            "etag": etag,
            "content-type": row.media_type,
            # Letters, digits and - _ . alone, whatever the CallSid holds.
            "content-disposition": f'attachment; filename="{safe(row.call_sid)}.{suffix}"',
        }
        try:
            part = _part(request, etag, size)
        except UnsatisfiableError:
            answer = problem(416, "range-not-satisfiable", f"the recording has {size} bytes")
            answer.headers["content-range"] = f"bytes */{size}"
            return answer
        begin, end = part or (0, size)
        headers["content-length"] = str(end - begin)
        if part is not None:
            headers["content-range"] = f"bytes {begin}-{end - 1}/{size}"
        status = 200 if part is None else 206
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers)
        return StreamingResponse(self._bytes(row, begin, end), status, headers)

    def _bytes(self, row: Recording, begin: int, end: int) -> AsyncIterator[bytes]:
        return self._storage.read(row.location, begin, end)


def _part(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    """What is asked for; ``None``: all. A part of another version is of no use: then all."""
    if request.method == "HEAD" or request.headers.get("if-range", etag) != etag:
        return None
    return read_range(request.headers.get("range", ""), size)


def _wanted(rows: Sequence[Recording], source: str | None, name: str | None) -> Recording | None:
    """The latest that fits; Exotel's goes before our own, as it has all of the call."""
    fitting = [row for row in rows if source in (None, row.source) and name in (None, row.name)]
    return max(fitting, key=lambda row: (row.source == "exotel", row.created_at), default=None)
