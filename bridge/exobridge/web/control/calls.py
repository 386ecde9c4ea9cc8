"""``/api/v1/calls``: calls, and what is kept of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import Field

from exobridge.call.events import CallEvent, Turn
from exobridge.call.outcome import Outcome
from exobridge.call.state import Call, State
from exobridge.numbers import normalise
from exobridge.store import Store
from exobridge.store.listing import CallFilter
from exobridge.web.control.call_models import (
    CallModel,
    EventModel,
    Moment,
    TurnModel,
    WholeCallModel,
)
from exobridge.web.control.operation import Asked, Operation, Problem, ProblemError, Role
from exobridge.web.control.paging import (
    Page,
    PageQuery,
    cursor_of,
    page_of,
    read_cursor,
)

UNKNOWN_CALL = Problem(404, "unknown-call", "There is no such call")

RowT = TypeVar("RowT")
TAG = "Calls"


class CallQuery(PageQuery):
    """Which calls."""

    state: State | None = Field(None, description="Where it stands.")
    direction: Literal["incoming", "outgoing"] | None = Field(None, description="Who called.")
    template: str = Field("", max_length=64, description="Who answered, or called.")
    outcome: Outcome | None = Field(None, description="How it ended.")
    number: str = Field("", max_length=64, description="The human's number, or the ExoPhone.")
    since: Moment | None = Field(None, description="Those that began then or later.")
    until: Moment | None = Field(None, description="Those that began before.")

    def filter(self) -> CallFilter:
        """For the store."""
        return CallFilter(
            state=self.state or "",
            direction=self.direction or "",
            template=self.template,
            outcome=self.outcome or "",
            number=normalise(self.number) or self.number,
            since=self.since,
            until=self.until,
        )


class CallPage(Page[CallModel]):
    """Calls, the newest first."""


class TurnPage(Page[TurnModel]):
    """Turns, the streams one after the other."""


class EventPage(Page[EventModel]):
    """Events, in the order in which they came."""


class Calls:
    """The operations on the record of calls."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def operations(self) -> list[Operation]:
        """All of them, for viewers."""
        one = "/api/v1/calls/{call_sid}"
        common: dict[str, Any] = {"method": "GET", "tag": TAG, "role": Role.VIEWER}
        known: dict[str, Any] = {**common, "problems": (UNKNOWN_CALL,)}
        return [
            Operation(
                **common,
                path="/api/v1/calls",
                name="listCalls",
                summary="List calls",
                description="The newest first, by when something was first heard of them.",
                query=CallQuery,
                result=CallPage,
                handler=self.page,
            ),
            Operation(
                **known,
                path=one,
                name="getCall",
                summary="Get a call",
                description="With its events, its turns and its recordings.",
                result=WholeCallModel,
                handler=self.get,
            ),
            Operation(
                **known,
                path=one + "/turns",
                name="listTurns",
                summary="List what was said in a call",
                query=PageQuery,
                result=TurnPage,
                handler=self.turns,
            ),
            Operation(
                **known,
                path=one + "/events",
                name="listEvents",
                summary="List what happened on a call",
                query=PageQuery,
                result=EventPage,
                handler=self.events,
            ),
        ]

    async def page(self, asked: Asked) -> CallPage:
        """A page of calls."""
        query: CallQuery = asked.query
        after = read_cursor(query.after, datetime, str)
        before = (after[0], after[1]) if after else None
        rows = await self._store.listing.calls(query.filter(), query.limit + 1, before)
        return CallPage(**page_of(rows, query.limit, CallModel.of, _cursor))

    async def get(self, asked: Asked) -> WholeCallModel:
        """One call, whole."""
        call = await known_call(self._store, asked)
        return WholeCallModel.of_all(
            call,
            await self._store.events(call.call_sid),
            await self._store.turns(call.call_sid),
            await self._store.recordings.of_call(call.call_sid),
        )

    async def turns(self, asked: Asked) -> TurnPage:
        """A page of a call's turns."""
        call = await known_call(self._store, asked)
        rows: Sequence[Turn] = await self._store.turns(call.call_sid)
        return TurnPage(**_part(rows, asked.query, TurnModel.of))

    async def events(self, asked: Asked) -> EventPage:
        """A page of a call's events."""
        call = await known_call(self._store, asked)
        rows: Sequence[CallEvent] = await self._store.events(call.call_sid)
        return EventPage(**_part(rows, asked.query, EventModel.of))


async def known_call(store: Store, asked: Asked) -> Call:
    """The call of the path.

    Raises:
        ProblemError: There is none (404).
    """
    call = await store.call(asked.path["call_sid"])
    if call is None:
        raise ProblemError(UNKNOWN_CALL)
    return call


def _cursor(call: Call) -> str:
    return cursor_of(call.created_at, call.call_sid)


def _part(rows: Sequence[RowT], query: PageQuery, item: Callable[[RowT], Any]) -> dict[str, Any]:
    """A page of what one call has, which only grows: the cursor counts."""
    after = read_cursor(query.after, int)
    start = max(0, after[0]) if after else 0
    shown = rows[start : start + query.limit]
    end = start + len(shown)
    return {
        "items": [item(row) for row in shown],
        "next": cursor_of(end) if end < len(rows) else None,
    }


def operations(store: Store) -> list[Operation]:
    """The part of the API that tells of calls."""
    return Calls(store).operations()
