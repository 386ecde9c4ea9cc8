"""Lists of people to call: rows of ``batches``. Each row of a list is a dial, in ``dials``.

A batch is put in piece by piece, so that calls under way can write between the pieces, and its last
piece makes it one: nobody is called for a batch that is ``loading``, and one whose maker died is
cleared away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.call.state import Call
from exobridge.store.access import reading, writing
from exobridge.store.dial_rows import dial_row
from exobridge.store.dial_types import DialOutcome, DialState, NewDial
from exobridge.store.rows import Row, read_call
from exobridge.store.tables import UNDER_WAY, calls, dial_attempts, dials
from exobridge.store.tables import batches as table
from exobridge.store.unbroken import Unbroken, unbroken

MAX_PAGE = 1000
"""Most batches that one :meth:`BatchRows.listed` gives, and most rows of one page of results."""

LOADING_MINUTES = 30
"""Longest time that a batch may take to be put in; what is left of it then has been abandoned."""

_ROWS_TOGETHER = 250
_CANCELLED_TOGETHER = 2000
_LEFT = (DialState.WAITING, *UNDER_WAY)


class BatchState(StrEnum):
    """Where a batch stands."""

    LOADING = "loading"
    """It is being put in, and is no batch yet."""
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    """Nobody is called for it any more; calls under way may go on."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Batch:
    """A list of people to call.

    Attributes:
        key: The idempotency key it was made with; ``None``: none.
        fingerprint: Of what it was made of.
        calls_at_once: Most of its calls under way at a time.
        calls_per_minute: Most of its calls that are asked for in a minute.
        rows: Of its list, those that cannot be called included.
        columns: Of its list, in order.
        done_at: When the last of its rows was done.
    """

    id: str
    key: str | None
    fingerprint: str
    name: str
    state: BatchState
    calls_at_once: int
    calls_per_minute: int
    rows: int
    columns: Sequence[str]
    created_at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListRow:
    """A row of a list that is put in.

    Attributes:
        cells: As the list has them, for its results.
    """

    dial: NewDial
    cells: Sequence[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch has come.

    Attributes:
        states: How many rows are in each state of a dial.
        outcomes: How many of those that are done have each outcome.
        calls: How often Exotel was asked for a call.
    """

    states: Mapping[str, int] = field(default_factory=dict[str, int])
    outcomes: Mapping[str, int] = field(default_factory=dict[str, int])
    calls: int = 0

    @property
    def done(self) -> int:
        """Rows with an outcome."""
        return self.states.get(DialState.DONE, 0)

    @property
    def waiting(self) -> int:
        """Rows of which no call is under way, and which are to be called, or called again."""
        return self.states.get(DialState.WAITING, 0)

    @property
    def under_way(self) -> int:
        """Rows of which a call is being asked for, is ringing, or is held."""
        return sum(self.states.values()) - self.done - self.waiting


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What became of a row.

    Attributes:
        cells: As the list has them.
        outcome: ``None``: it is not done.
        asked_at: When Exotel was asked last for a call.
        call: Its latest call, if one is known.
    """

    row: int
    cells: Sequence[str] = field(repr=False)
    state: str
    outcome: str | None
    error: str
    attempts: int
    call_sid: str | None
    asked_at: datetime | None
    call: Call | None = field(repr=False)


class BatchRows(Unbroken):
    """The batches of a store. Every method raises :class:`StoreUnavailableError` if the database
    does not answer."""

    def __init__(self, reader: AsyncEngine, writer: AsyncEngine) -> None:
        super().__init__()
        self._reader = reader
        self._writer = writer

    # -------------------------------------------------------------- putting in

    async def add(self, batch: Batch, rows: Sequence[ListRow]) -> bool:
        """Put a batch in, whole. It is durable when this returns, and runs.

        Returns:
            ``False`` if there is a batch of its key; nothing has changed then.

        Raises:
            StoreRefusedError: Its words cannot be encoded.
        """
        await self._begin(batch)
        try:
            for start in range(0, len(rows), _ROWS_TOGETHER):
                few = rows[start : start + _ROWS_TOGETHER]
                await self._load([_dial_row(batch, row) for row in few])
        except BaseException:
            await self._drop(batch.id)
            raise
        return await self._make(batch)

    @unbroken
    async def _begin(self, batch: Batch) -> None:
        row = asdict(batch) | {
            "key": None,
            "state": BatchState.LOADING,
            "columns": list(batch.columns),
        }
        async with writing(self._writer) as connection:
            await connection.execute(insert(table).values(row))

    @unbroken
    async def _load(self, rows: list[dict[str, Any]]) -> None:
        async with writing(self._writer) as connection:
            await connection.execute(insert(dials), rows)

    @unbroken
    async def _drop(self, batch_id: str) -> None:
        async with writing(self._writer) as connection:
            await connection.execute(delete(table).where(table.c.id == batch_id))

    @unbroken
    async def _make(self, batch: Batch) -> bool:
        async with writing(self._writer) as connection:
            taken = select(table.c.id).where(table.c.key == batch.key)
            if batch.key and (await connection.execute(taken)).scalar() is not None:
                await connection.execute(delete(table).where(table.c.id == batch.id))
                return False
            made = update(table).where(table.c.id == batch.id)
            await connection.execute(made.values(key=batch.key, state=batch.state))
        return True

    # -------------------------------------------------------------- looking up

    async def find(self, batch_id: str) -> Batch | None:
        """One batch; ``None``: there is none."""
        return await self._one(table.c.id == batch_id)

    async def of_key(self, key: str) -> Batch | None:
        """The batch that was made with this idempotency key; ``None``: none was."""
        return await self._one(table.c.key == key)

    async def listed(self, limit: int = 50, before: str | None = None) -> list[Batch]:
        """Batches, the newest first.

        Args:
            limit: 1 to ``MAX_PAGE``.
            before: The id of the last one of the page before.

        Raises:
            ValueError: ``limit`` is out of range.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise ValueError(f"limit is 1 to {MAX_PAGE}")
        query = select(table).where(table.c.state != BatchState.LOADING)
        if before is not None:
            at = select(table.c.created_at).where(table.c.id == before).scalar_subquery()
            tied = and_(table.c.created_at == at, table.c.id < before)
            query = query.where(or_(table.c.created_at < at, tied))
        query = query.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
        async with reading(self._reader) as connection:
            return [_read(row) for row in (await connection.execute(query)).mappings()]

    async def progress(self, batch_ids: Collection[str]) -> dict[str, Progress]:
        """How far each of these has come. An index holds all that is asked."""
        counted = (dials.c.batch_id, dials.c.state, dials.c.outcome)
        query = (
            select(*counted, func.count().label("rows"), func.sum(dials.c.attempts).label("calls"))
            .where(dials.c.batch_id.in_(batch_ids))
            .group_by(*counted)
        )
        async with reading(self._reader) as connection:
            found = (await connection.execute(query)).mappings().all()
        return {
            each: _progress(row for row in found if row["batch_id"] == each) for each in batch_ids
        }

    async def results(self, batch_id: str, *, after: int = 0, limit: int = 500) -> list[ResultRow]:
        """What became of its rows, in the order of the list, from behind row ``after`` on."""
        asked_at = (
            select(func.max(dial_attempts.c.asked_at))
            .where(dial_attempts.c.dial_id == dials.c.id)
            .scalar_subquery()
        )
        query: Select[Any] = (
            select(dials, asked_at.label("asked_at"), calls.c.facts)
            .outerjoin(calls, calls.c.call_sid == dials.c.call_sid)
            .where(dials.c.batch_id == batch_id, dials.c.row > after)
            .order_by(dials.c.row)
            .limit(min(limit, MAX_PAGE))
        )
        async with reading(self._reader) as connection:
            return [_result(row) for row in (await connection.execute(query)).mappings()]

    async def _one(self, which: ColumnElement[bool]) -> Batch | None:
        query = select(table).where(which, table.c.state != BatchState.LOADING)
        async with reading(self._reader) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _read(row)

    # -------------------------------------------------------------- its course

    @unbroken
    async def turn(self, batch_id: str, state: BatchState, *, of: Collection[BatchState]) -> bool:
        """Bring a batch from one of these states into another; whether it was in one of them."""
        this = and_(table.c.id == batch_id, table.c.state.in_(of))
        change = update(table).where(this).values(state=state).returning(table.c.id)
        async with writing(self._writer) as connection:
            return (await connection.execute(change)).scalar() is not None

    async def settle(self, now: datetime) -> bool:
        """End what has come to its end: rows of a cancelled batch that wait, batches whose rows are
        all done. Batches whose makers died are cleared away. To be called again and again.

        Returns:
            Whether anything was to be changed.
        """
        query = select(
            or_(exists(_with_some_to_cancel()), exists(_over()), exists(_abandoned(now)))
        )
        async with reading(self._reader) as connection:
            if not (await connection.execute(query)).scalar():
                return False
        await self._settle(now)
        return True

    @unbroken
    async def _settle(self, now: datetime) -> None:
        waiting = dials.c.id.in_(_to_cancel().limit(_CANCELLED_TOGETHER).scalar_subquery())
        ended = {"state": DialState.DONE, "outcome": DialOutcome.CANCELLED, "done_at": now}
        last = case((table.c.state == BatchState.CANCELLED, table.c.state), else_=BatchState.DONE)
        over = table.c.id.in_(_over().scalar_subquery())
        abandoned = table.c.id.in_(_abandoned(now).scalar_subquery())
        async with writing(self._writer) as connection:
            await connection.execute(update(dials).where(waiting).values(ended))
            await connection.execute(update(table).where(over).values(state=last, done_at=now))
            await connection.execute(delete(table).where(abandoned))


_CANCELLED = and_(table.c.state == BatchState.CANCELLED, table.c.done_at.is_(None))


def _with_some_to_cancel() -> Select[str]:
    """Batches that were cancelled and have rows that wait; the rows of others are not looked at."""
    waits = and_(dials.c.batch_id == table.c.id, dials.c.state == DialState.WAITING)
    return select(table.c.id).where(_CANCELLED, exists().where(waits))


def _to_cancel() -> Select[str]:
    """Rows that wait, of batches that were cancelled."""
    batch = and_(table.c.id == dials.c.batch_id, _CANCELLED)
    return select(dials.c.id).join(table, batch).where(dials.c.state == DialState.WAITING)


def _over() -> Select[str]:
    """Batches whose rows have all come to be done."""
    left = exists().where(dials.c.batch_id == table.c.id, dials.c.state.in_(_LEFT))
    open_batch = and_(table.c.state != BatchState.LOADING, table.c.done_at.is_(None))
    return select(table.c.id).where(open_batch, ~left)


def _abandoned(now: datetime) -> Select[str]:
    """Batches whose maker did not come to the last piece."""
    since = now - timedelta(minutes=LOADING_MINUTES)
    return select(table.c.id).where(table.c.state == BatchState.LOADING, table.c.created_at < since)


def _dial_row(batch: Batch, row: ListRow) -> Row:
    kept = dial_row(replace(row.dial, batch_id=batch.id), batch.created_at)
    return kept | {"request": {**kept["request"], "cells": list(row.cells)}}


def _read(row: Mapping[Any, Any]) -> Batch:
    values: dict[str, Any] = {**row, "state": BatchState(row["state"])}
    values |= {"columns": tuple(row["columns"])}
    return Batch(**values)


def _progress(rows: Iterable[Mapping[Any, Any]]) -> Progress:
    states: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    calls_made = 0
    for row in rows:
        states[row["state"]] = states.get(row["state"], 0) + row["rows"]
        if row["outcome"] is not None and row["state"] == DialState.DONE:
            outcomes[row["outcome"]] = outcomes.get(row["outcome"], 0) + row["rows"]
        calls_made += row["calls"]
    return Progress(states, outcomes, calls_made)


def _result(row: Mapping[Any, Any]) -> ResultRow:
    known = row["call_sid"] and row["facts"] is not None
    return ResultRow(
        row=row["row"],
        cells=row["request"].get("cells", []),
        state=row["state"],
        outcome=row["outcome"],
        error=row["error"],
        attempts=row["attempts"],
        call_sid=row["call_sid"],
        asked_at=row["asked_at"],
        call=read_call(row["call_sid"], row["facts"]) if known else None,
    )
