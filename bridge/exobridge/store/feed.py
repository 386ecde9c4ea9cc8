"""What is written of calls, in the order in which it was: events and turns, from a place on.

A place (:class:`Cursor`) is the last event and the last turn that somebody has seen, by row. Rows
are numbered as they are committed, since one transaction writes at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, Table, and_, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.call.events import CallEvent, EventKind, Turn
from exobridge.store.access import reading
from exobridge.store.rows import read_event, read_turn
from exobridge.store.tables import call_events, calls, turns
from exobridge.store.unbroken import Unbroken, unbroken

CURSOR = r"e\d{1,18}\.t\d{1,18}"
"""How a place is written: ``e12.t7``."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last event and the last turn that were seen; 0: none was."""

    event: int = 0
    turn: int = 0

    def __str__(self) -> str:
        return f"e{self.event}.t{self.turn}"

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """What was written; ``None``: it is no place."""
        if not re.fullmatch(CURSOR, text, re.ASCII):
            return None
        event, turn = text[1:].split(".t")
        return cls(int(event), int(turn))


@dataclass(frozen=True, slots=True)
class FeedItem:
    """An event or a turn of a call.

    Attributes:
        cursor: The place behind it.
        at: When it happened; a turn when it was over.
    """

    cursor: Cursor
    template: str
    at: datetime
    what: CallEvent | Turn


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One as it was read.

    Attributes:
        id: Its row's.
    """

    id: int
    template: str
    at: datetime
    what: CallEvent | Turn


class FeedRows(Unbroken):
    """What was written to a store. Every method raises ``StoreError`` if the database does not
    answer."""

    def __init__(self, reader: AsyncEngine) -> None:
        super().__init__()
        self._reader = reader

    @unbroken
    async def end(self) -> Cursor:
        """The place behind all that was written."""
        async with reading(self._reader) as connection:
            event = (await connection.execute(select(func.max(call_events.c.id)))).scalar()
            turn = (await connection.execute(select(func.max(turns.c.id)))).scalar()
        return Cursor(event or 0, turn or 0)

    @unbroken
    async def read(
        self, after: Cursor, limit: int, *, until: Cursor | None = None, call_sid: str = ""
    ) -> list[FeedItem]:
        """What follows a place, up to another.

        Args:
            limit: How many events at most, and how many turns.
            call_sid: Of this call only; empty: of all.
        """
        events = _events(after.event, until.event if until else None, call_sid).limit(limit)
        spoken = _turns(after.turn, until.turn if until else None, call_sid).limit(limit)
        async with reading(self._reader) as connection:
            found = (await connection.execute(events)).mappings().all()
            said = (await connection.execute(spoken)).mappings().all()
        return list(
            in_order(
                after,
                [FeedRow(row["id"], row["template"], row["at"], read_event(row)) for row in found],
                [_turn_row(row) for row in said],
                limit,
            )
        )


def in_order(
    after: Cursor, events: Sequence[FeedRow], spoken: Sequence[FeedRow], limit: int
) -> Iterator[FeedItem]:
    """Events and turns as one line, by time as far as their own orders allow. Where one of the two
    goes on behind ``limit``, what of the other may come later waits for the next page."""
    place = after
    rows = [*_timed(events), *_timed(spoken)]
    full = [side for side in (events, spoken) if len(side) >= limit]
    end = min((max(at for at, _ in _timed(side)) for side in full), default=None)
    for at, row in sorted(rows, key=lambda timed: timed[0]):
        if end is not None and at > end:
            return
        if isinstance(row.what, Turn):
            place = Cursor(place.event, row.id)
        else:
            place = Cursor(row.id, place.turn)
        yield FeedItem(place, row.template, row.at, row.what)


def _timed(rows: Iterable[FeedRow]) -> Iterator[tuple[datetime, FeedRow]]:
    """Each with a time that never goes back, as rows are told in the order of their ids."""
    latest: datetime | None = None
    for row in rows:
        latest = row.at if latest is None else max(latest, row.at)
        yield latest, row


def _events(after: int, until: int | None, call_sid: str) -> Select[Any]:
    table = call_events
    query = select(table, calls.c.template).join(calls, calls.c.call_sid == table.c.call_sid)
    return query.where(*_wanted(table, after, until, call_sid)).order_by(table.c.id)


def _turns(after: int, until: int | None, call_sid: str) -> Select[Any]:
    table, started = turns, call_events.alias()
    key = f"{EventKind.STREAM_STARTED}:" + table.c.stream_sid
    began = and_(started.c.call_sid == table.c.call_sid, started.c.key == key)
    query = (
        select(table, calls.c.template, func.coalesce(started.c.at, calls.c.created_at).label("at"))
        .join(calls, calls.c.call_sid == table.c.call_sid)
        .outerjoin(started, began)
    )
    return query.where(*_wanted(table, after, until, call_sid)).order_by(table.c.id)


def _wanted(
    table: Table, after: int, until: int | None, call_sid: str
) -> Iterator[ColumnElement[bool]]:
    yield table.c.id > after
    if until is not None:
        yield table.c.id <= until
    if call_sid:
        yield table.c.call_sid == call_sid


def _turn_row(row: RowMapping) -> FeedRow:
    at = row["at"] + timedelta(milliseconds=row["end_ms"])
    return FeedRow(row["id"], row["template"], at, read_turn(row))
