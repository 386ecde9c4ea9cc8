"""Calls, transfers and recordings of the whole record, a page at a time, the newest first.

Each list is read along one index, so that a page costs the same however long the record is; of
several conditions one leads, and the others are looked at call by call. Which one is said here and
not left to the database, that knows nothing of how the values are spread: what shall not lead is
written so that no index serves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Text, and_, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.call.events import CallEvent, EventKind
from exobridge.call.state import Call, State
from exobridge.store import tables
from exobridge.store.access import reading
from exobridge.store.recordings import Recording
from exobridge.store.rows import read_call, read_event
from exobridge.store.unbroken import Unbroken, unbroken

After = tuple[datetime, str] | None
"""``created_at`` and ``call_sid`` of the last call of the page before; ``None``: the first page."""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls are meant; what is empty or ``None`` does not matter.

    Attributes:
        number: The human's or the ExoPhone, E.164 or as the record has it.
        since, until: When the call began: at the first or later, before the second.
    """

    state: str = ""
    direction: str = ""
    template: str = ""
    outcome: str = ""
    number: str = ""
    since: datetime | None = None
    until: datetime | None = None


class Listing(Unbroken):
    """The lists of a store. Every method raises :class:`StoreUnavailableError` if the database does
    not answer. ``limit`` is how many at most."""

    def __init__(self, reader: AsyncEngine) -> None:
        super().__init__()
        self._reader = reader

    @unbroken
    async def calls(self, which: CallFilter, limit: int, after: After = None) -> list[Call]:
        """Calls by their beginning."""
        queries = [query.limit(limit) for query in call_queries(which, after)]
        found: dict[str, Call] = {}
        async with reading(self._reader) as connection:
            for query in queries:
                for row in (await connection.execute(query)).all():
                    found[row.call_sid] = read_call(row.call_sid, row.facts)
        order = sorted(found.values(), key=lambda c: (c.created_at, c.call_sid), reverse=True)
        return order[:limit]

    @unbroken
    async def transfers(self, limit: int, before: int | None = None) -> list[tuple[int, CallEvent]]:
        """The events that asked for a transfer, with the rows' numbers.

        Args:
            before: The number of the last one of the page before.
        """
        table = tables.call_events
        query = transfer_query(before).limit(limit)
        async with reading(self._reader) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [(row[table.c.id], read_event(row)) for row in rows]

    @unbroken
    async def events(self, call_sids: Iterable[str]) -> dict[str, list[CallEvent]]:
        """The events of several calls, each in the order in which they came."""
        table = tables.call_events
        query = select(table).where(table.c.call_sid.in_(list(call_sids))).order_by(table.c.id)
        found: dict[str, list[CallEvent]] = {}
        async with reading(self._reader) as connection:
            for row in (await connection.execute(query)).mappings():
                found.setdefault(row["call_sid"], []).append(read_event(row))
        return found

    @unbroken
    async def recordings(
        self,
        limit: int,
        *,
        source: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        after: tuple[datetime, int] | None = None,
    ) -> list[tuple[int, Recording]]:
        """Recordings by when they were stored, with the rows' numbers.

        Args:
            after: Time and number of the last one of the page before.
        """
        query = recording_query(source, since, until, after).limit(limit)
        async with reading(self._reader) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [(row["id"], Recording(**{name: row[name] for name in _RECORDING})) for row in rows]


_RECORDING = [column.name for column in tables.recordings.c if column.name != "id"]


def call_queries(which: CallFilter, after: After) -> Sequence[Select[*tuple[Any, ...]]]:
    """One query, or one for each end of the line where a number is asked for."""
    table = tables.calls
    query = select(table.c.call_sid, table.c.facts)
    if after is not None:
        at, call_sid = after
        tied = and_(table.c.created_at == at, table.c.call_sid < call_sid)
        query = query.where(table.c.created_at <= at, or_(table.c.created_at < at, tied))
    if which.since is not None:
        query = query.where(table.c.created_at >= which.since)
    if which.until is not None:
        query = query.where(table.c.created_at < which.until)
    query = query.order_by(table.c.created_at.desc(), table.c.call_sid.desc())
    leading, others = _equal(which)
    if which.number:
        rest = [_aside(column) == value for column, value in leading + others]
        return [query.where(end == which.number, *rest) for end in (table.c.caller, table.c.called)]
    conditions = [column == value for column, value in leading]
    return [query.where(*conditions, *(_aside(column) == value for column, value in others))]


_Equal = list[tuple[Column[str], str]]


def _equal(which: CallFilter) -> tuple[_Equal, _Equal]:
    """What must be equal: what leads, and the rest. A state of which there are few calls leads,
    else what has an index with the time in it. ``ended`` never does: nearly all calls have."""
    table = tables.calls
    has_ended = which.state == State.ENDED
    given = [
        (table.c.state, "" if has_ended else which.state),
        (table.c.outcome, which.outcome),
        (table.c.template, which.template),
        (table.c.direction, which.direction),
    ]
    equal = [(column, value) for column, value in given if value]
    return equal[:1], equal[1:] + ([(table.c.state, which.state)] if has_ended else [])


def _aside(column: Column[str]) -> ColumnElement[str]:
    """The same value, for which no index stands."""
    return column.concat(literal_column("''", Text))


def transfer_query(before: int | None) -> Select[*tuple[Any, ...]]:
    """Along an index of these events alone."""
    table = tables.call_events
    kind = literal_column(f"'{EventKind.TRANSFER_REQUESTED.value}'", Text)
    query = select(table).where(table.c.kind == kind).order_by(table.c.id.desc())
    return query if before is None else query.where(table.c.id < before)


def recording_query(
    source: str,
    since: datetime | None,
    until: datetime | None,
    after: tuple[datetime, int] | None,
) -> Select[*tuple[Any, ...]]:
    """Along the index of their time."""
    table = tables.recordings
    query = select(table).order_by(table.c.created_at.desc(), table.c.id.desc())
    if source:
        query = query.where(table.c.source == source)
    if since is not None:
        query = query.where(table.c.created_at >= since)
    if until is not None:
        query = query.where(table.c.created_at < until)
    if after is not None:
        at, number = after
        tied = and_(table.c.created_at == at, table.c.id < number)
        query = query.where(table.c.created_at <= at, or_(table.c.created_at < at, tied))
    return query
