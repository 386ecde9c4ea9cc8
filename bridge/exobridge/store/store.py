"""The record of calls."""

from __future__ import annotations

import asyncio
from collections.abc import Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.call.events import CallEvent, Turn, no_stream, stream_lost
from exobridge.call.state import Call, State
from exobridge.store import tables
from exobridge.store.access import reading
from exobridge.store.batches import BatchRows
from exobridge.store.counters import Counters
from exobridge.store.dial_steps import DialSteps
from exobridge.store.dial_upkeep import DialUpkeep
from exobridge.store.dials import DialRows
from exobridge.store.engine import make_engine, make_folder, read_url
from exobridge.store.errors import StoreClosedError
from exobridge.store.feed import FeedRows
from exobridge.store.jobs import Jobs
from exobridge.store.keeping import Keeping
from exobridge.store.listing import Listing
from exobridge.store.migrate import migrate
from exobridge.store.numbers import NumberRows
from exobridge.store.orders import OrderRows
from exobridge.store.recordings import RecordingRows
from exobridge.store.rows import read_call, read_event, read_turn
from exobridge.store.transaction import Beside, JobBeside
from exobridge.store.unbroken import Unbroken
from exobridge.store.visits import VisitRows
from exobridge.store.writer import Writer, WriterOptions

MAX_PAGE = 1000
"""Most calls that one :meth:`Store.calls` gives."""

_RECOVERED_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How the store works.

    Attributes:
        busy_timeout_ms: How long a transaction waits for another process's, in milliseconds.
        writer: See :class:`~exobridge.store.writer.WriterOptions`.
    """

    busy_timeout_ms: int = 5000
    writer: WriterOptions = field(default_factory=WriterOptions)


async def check_store(url: str) -> None:
    """Open the store once before anything is served, so that its trouble is told in a line.

    Raises:
        StoreOpenError: It cannot be used.
    """
    store = await Store.open(url)
    await store.aclose()


class Store:
    """Calls, their events and their turns. Made by :meth:`open`, in the loop that uses it.

    Everything put in is written in the order in which it was put, by one task, many items in one
    transaction. What a method has acknowledged survives the death of the process.

    Attributes:
        jobs: Work that must not be lost.
        counters: Of transfers, and facts of which the first stands.
        recordings: What is stored of calls' sound.
        batches: Lists of people to call.
        dials: People to call, and what became of it.
        dial_steps: From a dial's claim to its call's end.
        dial_upkeep: What there is to do for all dials.
        listing: Calls, transfers and recordings, a page at a time.
        keeping: Takes out of the record what shall not be kept.
        numbers: ExoPhones, besides those of the environment.
        visits: When each of our URLs was asked last.
        orders: To calls whose socket another process holds.
        feed: What is written, as one line.
    """

    def __init__(
        self, reader: AsyncEngine, writer_engine: AsyncEngine, durable: AsyncEngine, writer: Writer
    ) -> None:
        self._reader = reader
        self._writer_engine = writer_engine
        self._durable = durable
        self._writer = writer
        self.jobs = Jobs(reader, writer_engine, added=writer.besides.added)
        self.counters = Counters(writer_engine, writer.besides)
        self.recordings = RecordingRows(reader, writer_engine)
        self.batches = BatchRows(reader, writer_engine)
        self.dials = DialRows(reader, writer_engine)
        self.dial_steps = DialSteps(writer_engine, durable)
        self.dial_upkeep = DialUpkeep(reader, writer_engine)
        self.listing = Listing(reader)
        self.keeping = Keeping(reader, writer_engine)
        self.numbers = NumberRows(reader, writer_engine)
        self.visits = VisitRows(reader, writer_engine)
        self.orders = OrderRows(reader, writer_engine)
        self.feed = FeedRows(reader)
        self._parts: tuple[Unbroken, ...] = (
            *(self.jobs, self.counters, self.recordings, self.listing, self.keeping),
            *(self.numbers, self.visits, self.batches, self.orders, self.feed),
            *(self.dials, self.dial_steps, self.dial_upkeep),
        )

    @classmethod
    async def open(cls, url: str, options: StoreOptions | None = None) -> Self:
        """Open the database, make it if it is not there, and bring it up to date.

        Args:
            url: ``sqlite+aiosqlite:///`` and a path, absolute if it begins with a further slash.

        Raises:
            StoreOpenError: It cannot be used; the message names the cure and holds no password.
        """
        options = options or StoreOptions()
        where = read_url(url)
        make_folder(where)
        await migrate(where)
        timeout = options.busy_timeout_ms
        reader = make_engine(where, busy_timeout_ms=timeout, writes=False)
        writer_engine = make_engine(where, busy_timeout_ms=timeout, writes=True)
        durable = make_engine(where, busy_timeout_ms=timeout, writes=True, durable=True)
        return cls(reader, writer_engine, durable, Writer(writer_engine, options.writer))

    async def aclose(self) -> None:
        """Write what waits, then close. May be called more than once."""
        try:
            await self._writer.aclose()
            for part in self._parts:
                await part.finish()
        finally:
            await self._durable.dispose()
            await self._writer_engine.dispose()
            await self._reader.dispose()

    # -------------------------------------------------------------- putting in

    def leave_beside(self, job_beside: JobBeside) -> None:
        """From now on, write the jobs that this makes of events with the events themselves."""
        self._writer.besides.events.append(job_beside)

    def leave_all_beside(self, beside: Beside) -> None:
        """Likewise, the jobs of events and turns."""
        self._writer.besides.all.append(beside)

    async def append(self, event: CallEvent) -> bool:
        """Add an event. It is durable when this returns, and the call's row shows it.

        Returns:
            ``False`` if the call had an event of this key; nothing has changed then.

        Raises:
            StoreError: It was not written.
        """
        return await self._writer.settle(event)

    def append_soon(self, event: CallEvent) -> None:
        """Add an event, in its turn, without waiting. Failures are retried, then logged.

        Raises:
            StoreFullError: Too much waits already.
            StoreClosedError: The store has been closed.
        """
        self._writer.put(event)

    def add_turn_soon(self, turn: Turn) -> None:
        """Add a turn of a call that has events. As :meth:`append_soon`."""
        self._writer.put(turn)

    async def flush(self) -> None:
        """Wait until everything put in so far has been written or given up."""
        await self._writer.settle(None)

    async def recover(
        self, now: datetime, lost: Set[tuple[str, str]] | None = None
    ) -> list[CallEvent]:
        """Close what a former process left open. Call it once, before the first webhook.

        Each open stream gets ``stream-lost``. Each answered call without a stream gets
        ``no-stream``, as nobody waits for it any more; a stream that comes yet re-opens it.

        Args:
            lost: ``call_sid`` and ``stream_sid`` of what a process held that is gone, while others
                are serving: only these are closed. ``None``: everything open, as nobody serves.

        Returns:
            The events that were added.

        Raises:
            StoreError: They could not be.
        """
        whose = None if lost is None else {call_sid for call_sid, _ in lost}
        events: list[CallEvent] = []
        for call in await self.open_calls():
            if whose is None or call.call_sid in whose:
                events += _closing(call, now, lost)
        for start in range(0, len(events), _RECOVERED_TOGETHER):
            few = events[start : start + _RECOVERED_TOGETHER]
            await asyncio.gather(*(self.append(event) for event in few))
        return events

    async def close_silent(self, before: datetime) -> int:
        """Close what is open and of which nothing was heard since ``before``, as of then when it
        was heard of last. A stream that comes yet re-opens its call.

        Returns:
            How many calls that were.

        Raises:
            StoreError: They could not be closed. Those that were stay so.
        """
        closed = 0
        while silent := await self._silent(before, _RECOVERED_TOGETHER):
            events = [event for call, at in silent for event in _closing(call, at, None)]
            await asyncio.gather(*(self.append(event) for event in events))
            closed += len(silent)
        return closed

    async def _silent(self, before: datetime, limit: int) -> list[tuple[Call, datetime]]:
        """Open calls, with the time of their last event."""
        table, events = tables.calls, tables.call_events
        last = func.max(events.c.at)
        query = (
            select(table.c.call_sid, table.c.facts, last.label("last"))
            .join(events, events.c.call_sid == table.c.call_sid)
            .where(table.c.state != State.ENDED, table.c.created_at < before)
            .group_by(table.c.call_sid)
            .having(last < before)
            .limit(limit)
        )
        async with reading(self._reader) as connection:
            rows = (await connection.execute(query)).all()
        return [(read_call(row.call_sid, row.facts), row.last) for row in rows]

    # -------------------------------------------------------------- looking up

    async def call(self, call_sid: str) -> Call | None:
        """One call, or ``None`` if it is not known."""
        query = select(tables.calls.c.facts).where(tables.calls.c.call_sid == call_sid)
        async with reading(self._reader) as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else read_call(call_sid, row.facts)

    async def events(self, call_sid: str) -> list[CallEvent]:
        """A call's events, in the order in which they came."""
        table = tables.call_events
        query = select(table).where(table.c.call_sid == call_sid).order_by(table.c.id)
        async with reading(self._reader) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [read_event(row) for row in rows]

    async def turns(self, call_sid: str) -> list[Turn]:
        """A call's turns: the streams in the order of their first turn, each by number."""
        table = tables.turns
        query = select(table).where(table.c.call_sid == call_sid).order_by(table.c.id)
        async with reading(self._reader) as connection:
            rows = (await connection.execute(query)).mappings().all()
        found = [read_turn(row) for row in rows]
        streams = list(dict.fromkeys(turn.stream_sid for turn in found))
        return sorted(found, key=lambda turn: (streams.index(turn.stream_sid), turn.number))

    async def calls(self, limit: int = 100, before: str | None = None) -> list[Call]:
        """Calls, the newest first.

        Args:
            limit: 1 to ``MAX_PAGE``.
            before: ``call_sid`` of the last call of the page before; one that is not known gives
                an empty page.

        Raises:
            ValueError: ``limit`` is out of range.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise ValueError(f"limit is 1 to {MAX_PAGE}")
        table = tables.calls
        query = select(table.c.call_sid, table.c.facts)
        if before is not None:
            at = select(table.c.created_at).where(table.c.call_sid == before).scalar_subquery()
            tied = and_(table.c.created_at == at, table.c.call_sid < before)
            query = query.where(or_(table.c.created_at < at, tied))
        query = query.order_by(table.c.created_at.desc(), table.c.call_sid.desc()).limit(limit)
        async with reading(self._reader) as connection:
            rows = (await connection.execute(query)).all()
        return [read_call(row.call_sid, row.facts) for row in rows]

    async def open_calls(self) -> list[Call]:
        """Calls that are answered or streaming, the oldest first."""
        table = tables.calls
        query = (
            select(table.c.call_sid, table.c.facts)
            .where(table.c.state.in_([State.ANSWERED, State.STREAMING]))
            .order_by(table.c.created_at, table.c.call_sid)
        )
        async with reading(self._reader) as connection:
            rows = (await connection.execute(query)).all()
        return [read_call(row.call_sid, row.facts) for row in rows]

    async def ping(self) -> None:
        """Check that the database answers and the writer works, for readiness.

        Raises:
            StoreError: It does not.
        """
        if not self._writer.alive:
            raise StoreClosedError("the store has been closed")
        async with reading(self._reader) as connection:
            await connection.execute(select(tables.calls.c.call_sid).limit(1))

    # -------------------------------------------------------------- counting

    @property
    def transactions(self) -> int:
        """Transactions committed since the store was opened."""
        return self._writer.transactions

    @property
    def pending(self) -> int:
        """Items that wait to be written."""
        return self._writer.pending

    @property
    def dropped(self) -> int:
        """Items given up, after their last retry or because too much waited already, of those that
        nobody waited for."""
        return self._writer.dropped


def _closing(call: Call, now: datetime, lost: Set[tuple[str, str]] | None) -> list[CallEvent]:
    """What closes an open call in the record, or only its streams that are among the lost."""
    events = [
        stream_lost(call.call_sid, now, stream_sid=stream_sid)
        for stream_sid in call.open_streams
        if lost is None or (call.call_sid, stream_sid) in lost
    ]
    if call.state in (State.NEW, State.ANSWERED):
        events.append(no_stream(call.call_sid, now))
    return events
