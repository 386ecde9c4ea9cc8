"""``/api/v1/events``: what happens on calls, as it happens, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from exobridge.call.events import CallEvent, EventKind
from exobridge.call_view import event_json, turn_json
from exobridge.live.feed import TURN, Feed, FeedFullError, Reader, Wanted, kind_of
from exobridge.store import Store, StoreError
from exobridge.store.feed import Cursor, FeedItem
from exobridge.web.control.calls import UNKNOWN_CALL, known_call
from exobridge.web.control.operation import (
    Asked,
    Header,
    Model,
    Operation,
    Problem,
    ProblemError,
    Role,
)
from exobridge.web.control.problems import BAD_QUERY, wrong

TAG = "Events"
MEDIA_TYPE = "text/event-stream"
RETRY_MS = 2000
"""After how long a reader comes again whose stream has ended, in milliseconds."""

FULL = Problem(503, "too-many-streams", "Too many follow already, or the server stops")

_KINDS = frozenset({*EventKind, TURN})
_HEADER = "Last-Event-ID"
_SAYS = (
    "Server-sent events. Each has the `kind` as its `event`, an `id`, and `data`: JSON with `id`, "
    "`type` (`event` or `turn`), `kind`, `call_sid`, `template`, `at`, and the event's `key` and "
    "`data`, or the `turn`. Numbers and words stand there in full, as they are kept. A comment "
    "with an `id` comes first of all that is new, and when there was nothing for 15 s. Send the "
    "last `id` as `Last-Event-ID`, or as `since`, and nothing is left out or told twice. A "
    "reader who falls too far behind is dropped."
)


def _kind(kind: str) -> str:
    if kind not in _KINDS:
        raise ValueError("is no kind of an event, nor `turn`")
    return kind


def _place(text: str) -> str:
    if text and Cursor.read(text) is None:
        raise ValueError("is no id of an event")
    return text


class StreamQuery(Model):
    """From where, and what."""

    since: Annotated[str, AfterValidator(_place)] = Field(
        "",
        max_length=64,
        description="An `id`: begin behind it; `e0.t0`: at the start. Last-Event-ID goes first.",
    )
    kind: list[Annotated[str, AfterValidator(_kind)]] = Field(
        default_factory=list[str],
        max_length=20,
        description="Only these kinds of events; `turn` for turns. May be given more than once.",
    )


class EventQuery(StreamQuery):
    """From where, and what, of all calls."""

    call: str = Field("", max_length=256, description="Only of this call, by its CallSid.")
    template: str = Field("", max_length=64, description="Only of calls with this template.")


class EventStream(Response):
    """Sends what a reader is told, until one of the two has enough."""

    media_type = MEDIA_TYPE

    def __init__(self, reader: Reader) -> None:
        super().__init__(headers={"x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One answer."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        gone = asyncio.create_task(_gone(receive))
        telling = asyncio.create_task(self._tell(start, send))
        try:
            await asyncio.wait({gone, telling}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, telling):
                task.cancel()
            await asyncio.wait({gone, telling})
            await self._reader.aclose()
        if not telling.cancelled() and (error := telling.exception()):
            raise error

    async def _tell(self, start: dict[str, Any], send: Send) -> None:
        await send(start)
        await send(_body(f"retry: {RETRY_MS}\n\n"))
        try:
            async with aclosing(self._reader.items()) as items:
                async for item in items:
                    await send(_body(_written(item)))
        except StoreError:
            pass  # who follows comes again, and is told that it is unavailable
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _body(text: str) -> dict[str, Any]:
    return {"type": "http.response.body", "body": text.encode(), "more_body": True}


def _written(item: FeedItem | Cursor) -> str:
    if isinstance(item, Cursor):
        return f":\nid: {item}\n\n"
    data = json.dumps(item_json(item))  # ASCII: some readers end lines at U+2028 and U+0085 too
    return f"id: {item.cursor}\nevent: {kind_of(item)}\ndata: {data}\n\n"


def item_json(item: FeedItem) -> dict[str, Any]:
    """An event or a turn, for programs."""
    what = item.what
    told: dict[str, Any] = {
        "id": str(item.cursor),
        "type": "event" if isinstance(what, CallEvent) else TURN,
        "kind": kind_of(item),
        "call_sid": what.call_sid,
        "template": item.template,
        "at": item.at.isoformat(),
    }
    if isinstance(what, CallEvent):
        return {**event_json(what), **told}
    return {**told, "turn": turn_json(what)}


class EventRoom:
    """The streams."""

    def __init__(self, store: Store, feed: Feed) -> None:
        self._store = store
        self._feed = feed

    def operations(self) -> list[Operation]:
        """Both, for viewers."""
        common: dict[str, Any] = {
            "method": "GET",
            "tag": TAG,
            "role": Role.VIEWER,
            "media": MEDIA_TYPE,
            "headers": (Header(_HEADER, "The `id` of the last event that was seen.", 64),),
        }
        return [
            Operation(
                **common,
                path="/api/v1/events",
                name="followEvents",
                summary="Follow what happens on calls",
                description=f"{_SAYS} It begins now.",
                query=EventQuery,
                problems=(FULL,),
                handler=self.all,
            ),
            Operation(
                **common,
                path="/api/v1/calls/{call_sid}/events/stream",
                name="followCall",
                summary="Follow one call",
                description=f"{_SAYS} It begins with the call, and stays open when that is over.",
                query=StreamQuery,
                problems=(FULL, UNKNOWN_CALL),
                handler=self.of_call,
            ),
        ]

    async def all(self, asked: Asked) -> Response:
        """All calls."""
        query: EventQuery = asked.query
        wanted = Wanted(query.call, query.template, frozenset(query.kind))
        return self._stream(wanted, _start(asked))

    async def of_call(self, asked: Asked) -> Response:
        """One call."""
        call = await known_call(self._store, asked)
        query: StreamQuery = asked.query
        wanted = Wanted(call.call_sid, kinds=frozenset(query.kind))
        return self._stream(wanted, _start(asked) or Cursor())

    def _stream(self, wanted: Wanted, start: Cursor | None) -> Response:
        try:
            return EventStream(self._feed.reader(wanted, start))
        except FeedFullError:
            raise ProblemError(FULL, "Come again in a moment.") from None


def _start(asked: Asked) -> Cursor | None:
    """The place to begin behind.

    Raises:
        ProblemError: It is none (400).
    """
    written = asked.headers.get(_HEADER.lower(), "")
    if written and Cursor.read(written) is None:
        raise wrong(BAD_QUERY, [(_HEADER, "is no id of an event")])
    return Cursor.read(written or asked.query.since)


def operations(store: Store, feed: Feed) -> list[Operation]:
    """The part of the API that tells of events as they come."""
    return EventRoom(store, feed).operations()
