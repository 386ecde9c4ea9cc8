"""What is taken out of the record again: words after a time, and one caller's data when asked.

Numbers of rows are bounded in each transaction, so that calls need not wait for the database.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from typing import cast as cast_to

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from exobridge.call.events import EventKind
from exobridge.store.access import reading, writing
from exobridge.store.engine import insert_new
from exobridge.store.tables import call_events, calls, counters, jobs, recordings, turns
from exobridge.store.unbroken import Unbroken, unbroken

WORDS_AT_ONCE = 100
"""Calls whose words go in one transaction."""

CHECKPOINT_MS = 5000
"""How long others' reading and writing is waited for, in milliseconds."""

SIDS_AT_ONCE = 500
"""A database takes only so many values in one query."""

_SWEPT_AT = "swept-at"
_WORDS_UNTIL = "words-until"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Held:
    """What the record holds of some calls: numbers of rows. ``dials`` are of one number."""

    calls: int = 0
    events: int = 0
    turns: int = 0
    recordings: int = 0
    jobs: int = 0
    dials: int = 0

    def __add__(self, other: Held) -> Held:
        """Both together."""
        return Held(
            self.calls + other.calls,
            self.events + other.events,
            self.turns + other.turns,
            self.recordings + other.recordings,
            self.jobs + other.jobs,
            self.dials + other.dials,
        )


@dataclass(frozen=True, slots=True)
class Words:
    """How far words have been taken out.

    Attributes:
        removed: Turns, summaries and webhooks that lost theirs.
        is_done: Nothing is left that is old enough.
    """

    removed: int
    is_done: bool


class Keeping(Unbroken):
    """Of one store. Every method raises :class:`StoreUnavailableError` if the database does not
    answer."""

    def __init__(self, reader: AsyncEngine, writer: AsyncEngine) -> None:
        super().__init__()
        self._reader = reader
        self._writer = writer

    # -------------------------------------------------------------- after a time

    @unbroken
    async def claim_sweep(self, now: datetime, every: timedelta) -> bool:
        """Whether it is time for a sweep, and this process's to make it: no other's then."""
        due, stamp = _micros(now - every), _micros(now)
        async with writing(self._writer) as connection:
            await _make_counter(connection, _SWEPT_AT)
            claimed = await connection.execute(
                update(counters)
                .where(counters.c.name == _SWEPT_AT, counters.c.value <= due)
                .values(value=stamp)
                .returning(counters.c.name)
            )
            return claimed.scalar() is not None

    @unbroken
    async def remove_words(self, before: datetime, calls_at_once: int = WORDS_AT_ONCE) -> Words:
        """Take what was said out of the oldest calls that began before this and still have it:
        the turns' texts and the summaries of transfers, in webhooks that are kept too. When it was
        said stays."""
        async with writing(self._writer) as connection:
            await _make_counter(connection, _WORDS_UNTIL)
            until = await connection.scalar(
                select(counters.c.value).where(counters.c.name == _WORDS_UNTIL)
            )
            after = _EPOCH + timedelta(microseconds=until or 0)
            old = and_(calls.c.created_at > after, calls.c.created_at < before)
            begun = select(calls.c.created_at).where(old).order_by(calls.c.created_at)
            times: Sequence[datetime] = (
                (await connection.execute(begun.limit(calls_at_once))).scalars().all()
            )
            if not times:
                return Words(0, is_done=True)
            these = select(calls.c.call_sid).where(
                and_(calls.c.created_at > after, calls.c.created_at <= times[-1])
            )
            removed = await _blank(connection, these)
            await connection.execute(
                update(counters)
                .where(counters.c.name == _WORDS_UNTIL)
                .values(value=_micros(times[-1]))
            )
            return Words(removed, is_done=len(times) < calls_at_once)

    # -------------------------------------------------------------- one caller's data

    @unbroken
    async def calls_of(self, number: str) -> list[str]:
        """The calls of the human with this number, the oldest first. Where neither an answer nor a
        stream told who called, a call counts whose events name the number.

        Args:
            number: E.164.
        """
        digits = number.removeprefix("+")[-10:]
        named = select(call_events.c.call_sid).where(
            cast(call_events.c.data, Text).contains(digits, autoescape=True)
        )
        untold = or_(
            calls.c.caller == "", and_(calls.c.answered_at.is_(None), calls.c.streams == 0)
        )
        nobody = and_(untold, calls.c.call_sid.in_(named))
        query = (
            select(calls.c.call_sid)
            .where(or_(calls.c.caller == number, nobody))
            .order_by(calls.c.created_at, calls.c.call_sid)
        )
        async with reading(self._reader) as connection:
            return list((await connection.execute(query)).scalars().all())

    @unbroken
    async def held(self, call_sids: Collection[str]) -> Held:
        """What the record holds of these calls."""
        held = Held()
        sids = list(call_sids)
        async with reading(self._reader) as connection:
            for begin in range(0, len(sids), SIDS_AT_ONCE):
                held += await _held(connection, sids[begin : begin + SIDS_AT_ONCE])
        return held

    @unbroken
    async def forget(self, call_sid: str) -> Held:
        """Take a call out of the record, with all that belongs to it; what that was. The files of
        its recordings are not touched."""
        async with writing(self._writer) as connection:
            held = await _held(connection, [call_sid])
            await connection.execute(delete(jobs).where(jobs.c.call_sid == call_sid))
            await connection.execute(delete(calls).where(calls.c.call_sid == call_sid))
            return held

    @unbroken
    async def settle(self) -> None:
        """Have the deleted leave the database's log, too, as far as others' reading allows."""
        async with self._writer.connect() as connection:
            if connection.dialect.name == "sqlite":
                await connection.run_sync(_checkpoint)


def _checkpoint(connection: Connection) -> None:
    cursor = connection.connection.cursor()  # outside a transaction, which SQLAlchemy would begin
    cursor.execute(f"PRAGMA busy_timeout={CHECKPOINT_MS}")
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    cursor.execute("PRAGMA busy_timeout=0")
    cursor.close()


def _micros(at: datetime) -> int:
    """Microseconds of Unix time."""
    return (at - _EPOCH) // timedelta(microseconds=1)


async def _make_counter(connection: AsyncConnection, name: str) -> None:
    insert = insert_new(counters, connection.dialect.name)
    await connection.execute(insert.values(name=name, value=0))


async def _blank(connection: AsyncConnection, these: Select[tuple[str]]) -> int:
    said = await connection.execute(
        update(turns).where(turns.c.call_sid.in_(these), turns.c.text != "").values(text="")
    )
    asked = await connection.execute(
        select(call_events.c.id, call_events.c.data).where(
            call_events.c.call_sid.in_(these),
            call_events.c.kind == EventKind.TRANSFER_REQUESTED.value,
        )
    )
    told = [row for row in asked if row.data.get("summary")]
    for row in told:
        await connection.execute(
            update(call_events)
            .where(call_events.c.id == row.id)
            .values(data={**row.data, "summary": ""})
        )
    kept = select(jobs.c.id, jobs.c.payload).where(jobs.c.call_sid.in_(these), jobs.c.line != "")
    sent = [
        (row.id, left) for row in await connection.execute(kept) if (left := _wordless(row.payload))
    ]
    for job_id, payload in sent:
        await connection.execute(update(jobs).where(jobs.c.id == job_id).values(payload=payload))
    return said.rowcount + len(told) + len(sent)


def _wordless(payload: Mapping[str, Any]) -> dict[str, Any] | None:
    """A webhook with what was said taken out; ``None``: nothing was."""
    data = payload.get("data")
    if not isinstance(data, dict):
        return None
    left = cast_to(dict[str, Any], data).copy()
    for part, word in (("turn", "text"), ("transfer", "summary")):
        fact = cast_to("dict[str, Any] | None", left.get(part))
        if fact and fact.get(word):
            left[part] = {**fact, word: ""}
    return None if left == data else {**payload, "data": left}


async def _held(connection: AsyncConnection, call_sids: Collection[str]) -> Held:
    async def count(table_sid: ColumnElement[str]) -> int:
        query = select(func.count(literal(1))).where(table_sid.in_(call_sids))
        return await connection.scalar(query) or 0

    return Held(
        calls=await count(calls.c.call_sid),
        events=await count(call_events.c.call_sid),
        turns=await count(turns.c.call_sid),
        recordings=await count(recordings.c.call_sid),
        jobs=await count(jobs.c.call_sid),
    )
