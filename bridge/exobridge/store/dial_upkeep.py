"""What the ledger of calls to be placed asks for by itself: calls that are over, leases that have
run out, dials that have waited too long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.call.state import Call, State
from exobridge.store.access import reading, writing
from exobridge.store.dial_claims import RUNNING, due_of, running_and_due
from exobridge.store.dial_rows import NO_LEASE, read_dial
from exobridge.store.dial_types import ANSWERED_AFTER, Dial, DialOutcome, DialState
from exobridge.store.rows import read_call
from exobridge.store.tables import batches, calls, dial_attempts, dials
from exobridge.store.unbroken import Unbroken, unbroken

TOGETHER = 200
"""Most dials that one transaction looks after."""

PATIENT_TOGETHER = 2000
"""The same of dials that are only to wait longer."""

LONGEST_RING = timedelta(seconds=60)
"""Of a dial whose process is gone, in place of its own."""


@dataclass(frozen=True, slots=True)
class Todo:
    """What there is to do now.

    Attributes:
        due: Somebody may be called, as far as the time goes.
        lapsed: A lease has run out.
        ended: A call that was placed is over.
        given_up: A call is over at the latest.
        is_open: There are dials that are not done.
    """

    due: bool
    lapsed: bool
    ended: bool
    given_up: bool
    is_open: bool


class DialUpkeep(Unbroken):
    """Looks after all dials. Every method raises :class:`StoreUnavailableError` if the database
    does not answer."""

    def __init__(self, reader: AsyncEngine, writer: AsyncEngine) -> None:
        super().__init__()
        self._reader = reader
        self._writer = writer

    async def todo(self, now: datetime) -> Todo:
        """What there is to do now, by one query that reads indexes only."""
        columns = {
            "due": or_(
                exists().where(due_of(None, now)),
                exists(select(batches.c.id).where(running_and_due(now))),
            ),
            "lapsed": exists().where(_lapsed(now)),
            "ended": exists(_ended(now)),
            "given_up": exists().where(_over(now)),
            "is_open": exists().where(
                dials.c.state.in_([each for each in DialState if each is not DialState.DONE])
            ),
        }
        labelled: list[Any] = [column.label(name) for name, column in columns.items()]
        query = select(*labelled)
        async with reading(self._reader) as connection:
            row = (await connection.execute(query)).mappings().one()
        return Todo(**{name: bool(row[name]) for name in columns})

    async def states(self) -> dict[DialState, int]:
        """How many dials there are in each state but ``done``."""
        query = (
            select(dials.c.state, func.count())
            .where(dials.c.state.in_([each for each in DialState if each is not DialState.DONE]))
            .group_by(dials.c.state)
        )
        async with reading(self._reader) as connection:
            return {DialState(row[0]): row[1] for row in await connection.execute(query)}

    async def ended(self, now: datetime) -> list[tuple[Dial, Call]]:
        """Dials that were placed and whose call is over, ``TOGETHER`` at most; not those that were
        put off."""
        query = _ended(now, *dials.c, calls.c.facts)
        async with reading(self._reader) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [(read_dial(row), read_call(row["call_sid"], row["facts"])) for row in rows]

    @unbroken
    async def put_off(self, dial_ids: Sequence[str], until: datetime) -> None:
        """The calls of these dials go on without us: look at them again ``until``."""
        placed = and_(dials.c.id.in_(dial_ids), dials.c.state == DialState.PLACED)
        async with writing(self._writer) as connection:
            await connection.execute(update(dials).where(placed).values(leased_until=until))

    async def unrecorded(self) -> list[tuple[Dial, int, datetime]]:
        """Dials that were placed and of whose call the record knows nothing, as the process died
        that was about to tell it; ``TOGETHER`` at most. Each with its attempt's number, and when
        Exotel was asked."""
        table = dial_attempts
        theirs = and_(table.c.dial_id == dials.c.id, table.c.call_sid == dials.c.call_sid)
        query = (
            select(dials, table.c.number.label("attempt"), table.c.asked_at)
            .join(table, theirs)
            .outerjoin(calls, calls.c.call_sid == dials.c.call_sid)
            .where(dials.c.state == DialState.PLACED, calls.c.call_sid.is_(None))
            .limit(TOGETHER)
        )
        async with reading(self._reader) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [(read_dial(row), row["attempt"], row["asked_at"]) for row in rows]

    @unbroken
    async def lapse(self, now: datetime) -> tuple[int, int]:
        """Take what a process has left that is gone.

        Returns:
            How many dials wait again, and of how many it is not known whether they were placed.
        """
        claimed = and_(dials.c.state == DialState.CLAIMED, dials.c.leased_until <= now)
        placing = and_(dials.c.state == DialState.PLACING, dials.c.leased_until <= now)
        error = "the server stopped while it asked Exotel"
        async with writing(self._writer) as connection:
            again = update(dials).where(claimed).values(state=DialState.WAITING, **NO_LEASE)
            unsure = update(dials).where(placing)
            rung = {"lease": "", "leased_until": now + LONGEST_RING + ANSWERED_AFTER}
            unsure = unsure.values(state=DialState.UNSURE, error=error, **rung)
            taken = (await connection.execute(again.returning(dials.c.id))).all()
            left = (await connection.execute(unsure.returning(dials.c.id))).all()
        return len(taken), len(left)

    @unbroken
    async def give_up(self, now: datetime) -> int:
        """End what nobody has told the end of, as ``unknown``; how many."""
        query = select(dials.c.id).where(_over(now)).limit(TOGETHER)
        async with writing(self._writer) as connection:
            ids = (await connection.execute(query)).scalars().all()
            change = {"state": DialState.DONE, "outcome": DialOutcome.UNKNOWN, "done_at": now}
            await connection.execute(update(dials).where(dials.c.id.in_(ids)).values(change))
            opened = and_(dial_attempts.c.dial_id.in_(ids), dial_attempts.c.outcome.is_(None))
            ended = update(dial_attempts).where(opened)
            await connection.execute(ended.values(outcome=DialOutcome.UNKNOWN, ended_at=now))
        return len(ids)

    @unbroken
    async def expire(self, now: datetime) -> int:
        """End what waits and is not to be called any more, ``TOGETHER`` at most; how many. Of a
        batch that is paused nothing expires."""
        runs = exists().where(batches.c.id == dials.c.batch_id, batches.c.state == RUNNING)
        late = and_(dials.c.state == DialState.WAITING, dials.c.give_up_at <= now)
        mine = and_(late, or_(dials.c.batch_id.is_(None), runs))
        few = dials.c.id.in_(select(dials.c.id).where(mine).limit(TOGETHER).scalar_subquery())
        change = {"state": DialState.DONE, "outcome": DialOutcome.EXPIRED, "done_at": now}
        async with reading(self._reader) as connection:
            if not (await connection.execute(select(exists().where(mine)))).scalar():
                return 0
        async with writing(self._writer) as connection:
            expired = update(dials).where(few).values(change).returning(dials.c.id)
            return len((await connection.execute(expired)).all())

    async def bear_with(self, batch_id: str, until: datetime) -> None:
        """Give up what waits of a batch not before this: it was paused meanwhile."""
        while await self._bear_with(batch_id, until) == PATIENT_TOGETHER:
            pass

    @unbroken
    async def _bear_with(self, batch_id: str, until: datetime) -> int:
        late = and_(
            dials.c.batch_id == batch_id,
            dials.c.state == DialState.WAITING,
            dials.c.give_up_at < until,
        )
        few = select(dials.c.id).where(late).limit(PATIENT_TOGETHER).scalar_subquery()
        change = update(dials).where(dials.c.id.in_(few)).values(give_up_at=until)
        async with writing(self._writer) as connection:
            return len((await connection.execute(change.returning(dials.c.id))).all())


def _lapsed(now: datetime) -> ColumnElement[bool]:
    leased = dials.c.state.in_([DialState.CLAIMED, DialState.PLACING])
    return and_(leased, dials.c.leased_until <= now)


def _over(now: datetime) -> ColumnElement[bool]:
    """Dials whose call is over at the latest."""
    waits = dials.c.state.in_([DialState.PLACED, DialState.UNSURE])
    return and_(waits, dials.c.give_up_at <= now)


def _ended(now: datetime, *columns: Any) -> Select[Any]:
    """Dials whose call is over by the record, and that were not put off."""
    return (
        select(*(columns or (dials.c.id,)))
        .join(calls, calls.c.call_sid == dials.c.call_sid)
        .where(dials.c.state == DialState.PLACED, calls.c.state == State.ENDED)
        .where(func.coalesce(dials.c.leased_until <= now, True))
        .limit(TOGETHER)
    )
