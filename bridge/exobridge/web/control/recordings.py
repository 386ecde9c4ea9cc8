"""``/api/v1/recordings``: what is stored of calls' sound, and the sound itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal

import structlog
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from exobridge.recordings.errors import MissingError, StorageError
from exobridge.recordings.keys import safe
from exobridge.recordings.storage import Storage
from exobridge.store import Store
from exobridge.store.recordings import Recording
from exobridge.web.control.call_models import CallRecordingModel, Moment
from exobridge.web.control.operation import (
    Asked,
    Model,
    Operation,
    Problem,
    ProblemError,
    Role,
)
from exobridge.web.control.paging import Page, PageQuery, cursor_of, page_of, read_cursor
from exobridge.web.control.problems import UNAVAILABLE
from exobridge.web.ranges import UnsatisfiableError, read_range

TAG = "Recordings"

NO_RECORDING = Problem(404, "no-recording", "There is no such recording, or none yet")
GONE = Problem(410, "gone", "The recording's file is not there any more")
BEYOND = Problem(416, "range-not-satisfiable", "The recording ends before")

_SUFFIXES = {"audio/mpeg": "mp3", "audio/wav": "wav"}

_log = structlog.stdlib.get_logger("exobridge.web")


class RecordingQuery(PageQuery):
    """Which recordings."""

    source: Literal["exotel", "own"] | None = Field(None, description="Who made it.")
    since: Moment | None = Field(None, description="Those that were stored then or later.")
    until: Moment | None = Field(None, description="Those that were stored before.")


class RecordingPage(Page[CallRecordingModel]):
    """Recordings, those stored last first."""


class SoundQuery(Model):
    """Which of a call's recordings."""

    source: str | None = Field(
        None, max_length=256, description="`exotel` or `own`; without it Exotel's goes first."
    )
    name: str | None = Field(
        None, max_length=256, description="Which of the source's; without it the latest."
    )


class RecordingRoom:
    """The operations on recordings.

    Args:
        storage: Where they are.
    """

    def __init__(self, store: Store, storage: Storage) -> None:
        self._store = store
        self._storage = storage

    def operations(self) -> list[Operation]:
        """All of them, for viewers."""
        return [
            Operation(
                method="GET",
                path="/api/v1/recordings",
                name="listRecordings",
                tag=TAG,
                role=Role.VIEWER,
                summary="List recordings",
                description="Those of all calls; the ones that were stored last come first.",
                query=RecordingQuery,
                result=RecordingPage,
                handler=self.page,
            ),
            Operation(
                method="GET",
                path="/api/v1/calls/{call_sid}/recording",
                name="getRecording",
                tag=TAG,
                role=Role.VIEWER,
                summary="Get a recording of a call",
                description=(
                    "The sound itself, as `audio/wav` or `audio/mpeg`. `Range` and `If-Range` are "
                    "heeded, and `HEAD` tells the length."
                ),
                query=SoundQuery,
                media="audio/*",
                also=(206,),
                problems=(NO_RECORDING, GONE, BEYOND),
                handler=self.sound,
            ),
        ]

    async def page(self, asked: Asked) -> RecordingPage:
        """A page of recordings."""
        query: RecordingQuery = asked.query
        after = read_cursor(query.after, datetime, int)
        rows = await self._store.listing.recordings(
            query.limit + 1,
            source=query.source or "",
            since=query.since,
            until=query.until,
            after=(after[0], after[1]) if after else None,
        )
        page = page_of(
            rows,
            query.limit,
            lambda row: CallRecordingModel.of(row[1]),
            lambda row: cursor_of(row[1].created_at, row[0]),
        )
        return RecordingPage(**page)

    async def sound(self, asked: Asked) -> Response:
        """The bytes, or some of them."""
        query: SoundQuery = asked.query
        rows = await self._store.recordings.of_call(asked.path["call_sid"])
        row = _wanted(rows, query.source, query.name)
        if row is None:
            raise ProblemError(NO_RECORDING)
        try:
            size = await self._storage.size(row.location)
        except MissingError:
            raise ProblemError(GONE) from None
        except StorageError as error:
            _log.error("api failed", error=str(error))
            raise ProblemError(UNAVAILABLE, "The storage cannot be read now.") from None
        return self._content(asked.request, row, size)

    def _content(self, request: Request, row: Recording, size: int) -> Response:
        suffix = _SUFFIXES.get(row.media_type, "bin")
        etag = f'"{row.sha256}"'
        headers = {
            "accept-ranges": "bytes",
            "etag": etag,
            "content-type": row.media_type,
            # Letters, digits and - _ . alone, whatever the CallSid holds.
            "content-disposition": f'attachment; filename="{safe(row.call_sid)}.{suffix}"',
        }
        try:
            part = _part(request, etag, size)
        except UnsatisfiableError:
            told = {"content-range": f"bytes */{size}"}
            raise ProblemError(BEYOND, f"It has {size} bytes.", headers=told) from None
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


def operations(store: Store, storage: Storage) -> list[Operation]:
    """The part of the API that tells of recordings."""
    return RecordingRoom(store, storage).operations()
