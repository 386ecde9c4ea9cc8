"""The ledger of calls that are to be placed: rows of ``dials``, each with its attempts.

Each step is a transaction that names the state it starts from, so that it happens once, whoever
else takes it, and a process may die between any two. What it dies in says what may have happened:
``claimed``, nothing; ``placing``, perhaps a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.call.state import Call, State
from exobridge.store.access import reading, writing
from exobridge.store.dial_claims import (
    CANCELLED,
    RUNNING,
    Claims,
    Lacks,
    Opening,
    claim,
    due_of,
    minute_is_full,
    running_and_due,
    under_way,
)
from exobridge.store.dial_pace import Limits
from exobridge.store.dial_rows import MAX_ERROR_CHARS, dial_row, read_attempt, read_dial
from exobridge.store.dial_types import Attempt, Dial, DialOutcome, DialState, NewDial
from exobridge.store.engine import insert_new
from exobridge.store.rows import read_call
from exobridge.store.tables import batches, calls, dial_attempts, dials
from exobridge.store.unbroken import Unbroken, unbroken

MAX_PAGE = 1000
"""Most dials that one :meth:`DialRows.listed` gives."""

TOGETHER = 200
"""Most dials that one transaction settles."""

LONGEST_RING = timedelta(seconds=60)
ANSWERED_AFTER = timedelta(seconds=60)
"""So long after it has rung, a webhook would have told of a call that was placed and answered: it
takes no place any more of the calls at once."""

_ASKED = (DialState.PLACING, DialState.UNSURE)
"""A CallSid is waited for."""


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


@dataclass(frozen=True, slots=True)
class Next:
    """What comes after an attempt.

    Attributes:
        outcome: Of the attempt, and of the dial if it is the last.
        at: When the attempt was over.
        again_at: When there is another; ``None``: never.
        give_up_at: Until when that is tried.
    """

    outcome: DialOutcome
    at: datetime
    error: str = ""
    again_at: datetime | None = None
    give_up_at: datetime | None = None


After = Callable[[Dial], Next]
"""What comes after a dial's attempt, from the dial as it stands."""


class DialRows(Unbroken):
    """The dials of a store. Every method raises :class:`StoreUnavailableError` if the database does
    not answer."""

    def __init__(self, reader: AsyncEngine, writer: AsyncEngine) -> None:
        super().__init__()
        self._reader = reader
        self._writer = writer

    # -------------------------------------------------------------- putting in, looking up

    @unbroken
    async def add(self, new: NewDial, now: datetime) -> tuple[Dial, bool]:
        """Add a dial. It is durable when this returns.

        Returns:
            The dial, and whether it is new: with a key that is known it is the one of this key, and
            nothing has changed.

        Raises:
            StoreRefusedError: Its words cannot be encoded.
        """
        async with writing(self._writer) as connection:
            insert = insert_new(dials, connection.dialect.name).values(dial_row(new, now))
            made = (await connection.execute(insert.returning(*dials.c))).mappings().one_or_none()
            if made is not None:
                return read_dial(made), True
            of_key = select(dials).where(dials.c.key == new.key)
            return read_dial((await connection.execute(of_key)).mappings().one()), False

    async def find(self, dial_id: str) -> Dial | None:
        """One dial; ``None``: there is none."""
        return await self._one(dials.c.id == dial_id)

    async def of_key(self, key: str) -> Dial | None:
        """The dial that was made with this idempotency key; ``None``: none was."""
        return await self._one(dials.c.key == key)

    async def of_call(self, call_sid: str) -> Dial | None:
        """The dial whose latest attempt this call is; ``None``: it is no dial's."""
        return await self._one(dials.c.call_sid == call_sid)

    async def asked_for(self, number: str) -> Dial | None:
        """The dial whose call to this number Exotel has been asked for, and has not told the
        CallSid of; there is one at most. ``None``: there is none."""
        unknown = dials.c.state.in_(_ASKED)
        return await self._one(and_(dials.c.number == number, under_way(), unknown))

    async def _one(self, which: ColumnElement[bool]) -> Dial | None:
        async with reading(self._reader) as connection:
            found = await connection.execute(select(dials).where(which))
            row = found.mappings().first()
        return None if row is None else read_dial(row)

    async def listed(
        self,
        limit: int = 50,
        before: str | None = None,
        *,
        batch_id: str | None = None,
        state: DialState | None = None,
    ) -> list[Dial]:
        """Dials, the newest first.

        Args:
            limit: 1 to ``MAX_PAGE``.
            before: Id of the last one of the page before.

        Raises:
            ValueError: ``limit`` is out of range.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise ValueError(f"limit is 1 to {MAX_PAGE}")
        query = select(dials)
        if batch_id is not None:
            query = query.where(dials.c.batch_id == batch_id)
        if state is not None:
            query = query.where(dials.c.state == state)
        if before is not None:
            at = select(dials.c.created_at).where(dials.c.id == before).scalar_subquery()
            tied = and_(dials.c.created_at == at, dials.c.id < before)
            query = query.where(or_(dials.c.created_at < at, tied))
        query = query.order_by(dials.c.created_at.desc(), dials.c.id.desc()).limit(limit)
        async with reading(self._reader) as connection:
            return [read_dial(row) for row in (await connection.execute(query)).mappings()]

    async def attempts(self, dial_id: str) -> list[Attempt]:
        """What was asked of Exotel for a dial, the first first."""
        table = dial_attempts
        query = select(table).where(table.c.dial_id == dial_id).order_by(table.c.number)
        async with reading(self._reader) as connection:
            return [read_attempt(row) for row in (await connection.execute(query)).mappings()]

    async def states(self) -> dict[DialState, int]:
        """How many dials there are in each state but ``done``."""
        query = (
            select(dials.c.state, func.count())
            .where(dials.c.state.in_([each for each in DialState if each is not DialState.DONE]))
            .group_by(dials.c.state)
        )
        async with reading(self._reader) as connection:
            return {DialState(row[0]): row[1] for row in await connection.execute(query)}

    # -------------------------------------------------------------- what there is to do

    async def todo(self, now: datetime) -> Todo:
        """What there is to do now, by one query that reads indexes only."""
        columns = {
            "due": or_(
                exists().where(due_of(None, now)),
                exists(select(batches.c.id).where(running_and_due(now))),
            ),
            "lapsed": exists().where(_lapsed(now)),
            "ended": exists(_ended()),
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

    # -------------------------------------------------------------- asking Exotel

    @unbroken
    async def claim(
        self, now: datetime, until: datetime, limits: Limits, opening: Opening, lacks: Lacks
    ) -> Claims:
        """Take dials that may be called now; see :mod:`exobridge.store.dial_claims`."""
        async with writing(self._writer) as connection:
            return await connection.run_sync(claim, now, until, limits, opening, lacks)

    @unbroken
    async def begin(
        self, dial: Dial, now: datetime, until: datetime, *, per_minute: int
    ) -> int | None:
        """Exotel is about to be asked: the last word before the request.

        Args:
            until: When it is no longer being asked, whatever has become of the process.

        Returns:
            The attempt's number; ``None``: it shall not be asked, as the dial is another's by now,
            was cancelled, its batch does not run, or the minute is full.
        """
        async with writing(self._writer) as connection:
            return await connection.run_sync(_begin, dial, now, until, per_minute)

    @unbroken
    async def placed(self, dial_id: str, attempt: int, call_sid: str, now: datetime) -> Dial | None:
        """Exotel has placed the call, as its answer or a webhook says. Said again, it changes
        nothing; nor does what is said of an attempt that is not the latest.

        Returns:
            The dial of this attempt, as it stands; ``None``: there is no such attempt, or it is
            another call's.
        """
        async with writing(self._writer) as connection:
            return await connection.run_sync(_placed, dial_id, attempt, call_sid, now)

    async def unsure(self, dial: Dial, now: datetime, error: str) -> bool:
        """No answer tells whether the call was placed. Whether the dial was still being placed."""
        change = {
            "state": DialState.UNSURE,
            "give_up_at": now + dial.request.longest,
            "error": error[:MAX_ERROR_CHARS],
            "lease": "",
            "leased_until": now + timedelta(seconds=dial.request.ring_seconds) + ANSWERED_AFTER,
        }
        return await self._asked(dial, change, {"error": error[:MAX_ERROR_CHARS]})

    async def not_placed(self, dial: Dial, now: datetime, at: datetime, error: str) -> bool:
        """There was surely no call: it does not count, and is tried again ``at``. As
        :meth:`unsure`."""
        change = {
            "state": DialState.WAITING,
            "attempts": dials.c.attempts - 1,
            "due_at": at,
            "give_up_at": dial.give_up_at,
            "call_sid": dial.call_sid or None,
            "error": error[:MAX_ERROR_CHARS],
            **_NO_LEASE,
        }
        return await self._asked(dial, change, _attempt_end(DialOutcome.NOT_PLACED, now, error))

    async def refused(self, dial: Dial, now: datetime, error: str) -> bool:
        """Exotel would not place it. As :meth:`unsure`."""
        change = {
            "state": DialState.DONE,
            "outcome": DialOutcome.REFUSED,
            "done_at": now,
            "error": error[:MAX_ERROR_CHARS],
            **_NO_LEASE,
        }
        return await self._asked(dial, change, _attempt_end(DialOutcome.REFUSED, now, error))

    @unbroken
    async def _asked(
        self, dial: Dial, change: Mapping[str, Any], of_attempt: Mapping[str, Any]
    ) -> bool:
        async with writing(self._writer) as connection:
            return await connection.run_sync(_asked, dial, change, of_attempt)

    @unbroken
    async def give_back(self, dial: Dial, at: datetime) -> bool:
        """Nobody is asked for a dial that is claimed: it waits until ``at``. Whether it was still
        claimed."""
        mine = and_(
            dials.c.id == dial.id, dials.c.lease == dial.lease, dials.c.state == DialState.CLAIMED
        )
        change = {"state": DialState.WAITING, "due_at": at, **_NO_LEASE}
        changed = update(dials).where(mine).values(change).returning(dials.c.id)
        async with writing(self._writer) as connection:
            return (await connection.execute(changed)).scalar() is not None

    # -------------------------------------------------------------- what became of it

    async def ended(self) -> list[tuple[Dial, Call]]:
        """Dials that were placed and whose call is over, ``TOGETHER`` at most."""
        async with reading(self._reader) as connection:
            rows = (await connection.execute(_ended(*dials.c, calls.c.facts))).mappings().all()
        return [(read_dial(row), read_call(row["call_sid"], row["facts"])) for row in rows]

    async def unrecorded(self) -> list[tuple[Dial, Attempt]]:
        """Dials that were placed and of whose call the record knows nothing, as the process died
        that was about to tell it; ``TOGETHER`` at most."""
        query = (
            select(dials.c.id, dials.c.call_sid)
            .outerjoin(calls, calls.c.call_sid == dials.c.call_sid)
            .where(dials.c.state == DialState.PLACED, calls.c.call_sid.is_(None))
            .limit(TOGETHER)
        )
        async with reading(self._reader) as connection:
            rows = (await connection.execute(query)).all()
        found: list[tuple[Dial, Attempt]] = []
        for row in rows:
            dial = await self.find(row.id)
            attempts = [each for each in await self.attempts(row.id) if each.call_sid]
            if dial is not None and attempts and attempts[-1].call_sid == row.call_sid:
                found.append((dial, attempts[-1]))
        return found

    @unbroken
    async def settle(self, dial: Dial, after: After, now: datetime) -> Next | None:
        """The call that a dial has is over.

        Returns:
            What comes next; ``None``: somebody else has settled it.
        """
        async with writing(self._writer) as connection:
            return await connection.run_sync(_settle, dial, after, now)

    @unbroken
    async def resume(self, dial: Dial, call_sid: str, now: datetime) -> bool:
        """The former call of a dial that is claimed goes on after all: wait for its end. Whether
        the dial was still claimed."""
        mine = and_(
            dials.c.id == dial.id, dials.c.lease == dial.lease, dials.c.state == DialState.CLAIMED
        )
        change = {
            "state": DialState.PLACED,
            "call_sid": call_sid,
            "give_up_at": now + dial.request.longest,
            **_NO_LEASE,
        }
        changed = update(dials).where(mine).values(change).returning(dials.c.id)
        async with writing(self._writer) as connection:
            return (await connection.execute(changed)).scalar() is not None

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
            again = update(dials).where(claimed).values(state=DialState.WAITING, **_NO_LEASE)
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
        async with writing(self._writer) as connection:
            expired = update(dials).where(few).values(change).returning(dials.c.id)
            return len((await connection.execute(expired)).all())

    @unbroken
    async def bear_with(self, batch_id: str, until: datetime) -> None:
        """Give up what waits of a batch not before this: it was paused meanwhile."""
        late = and_(dials.c.batch_id == batch_id, dials.c.state == DialState.WAITING)
        change = update(dials).where(late, dials.c.give_up_at < until).values(give_up_at=until)
        async with writing(self._writer) as connection:
            await connection.execute(change)

    @unbroken
    async def cancel(self, dial_id: str, now: datetime) -> Dial | None:
        """Call nobody for it any more: it is done if it waits; if a call is under way there will be
        no other.

        Returns:
            The dial as it stands now; ``None``: there is none.
        """
        async with writing(self._writer) as connection:
            return await connection.run_sync(_cancel, dial_id, now)

    # -------------------------------------------------------------- one person's data

    async def held(self, number: str) -> int:
        """How many dials there are of a number."""
        query = select(func.count()).select_from(dials).where(dials.c.number == number)
        async with reading(self._reader) as connection:
            return (await connection.execute(query)).scalar_one()

    @unbroken
    async def forget(self, number: str) -> int:
        """Take the dials of a number out, unless a call of theirs may be under way; how many."""
        idle = dials.c.state.in_([DialState.WAITING, DialState.DONE])
        gone = dials.delete().where(dials.c.number == number, idle).returning(dials.c.id)
        async with writing(self._writer) as connection:
            return len((await connection.execute(gone)).all())


_NO_LEASE = {"lease": "", "leased_until": None}


def _lapsed(now: datetime) -> ColumnElement[bool]:
    leased = dials.c.state.in_([DialState.CLAIMED, DialState.PLACING])
    return and_(leased, dials.c.leased_until <= now)


def _over(now: datetime) -> ColumnElement[bool]:
    """Dials whose call is over at the latest."""
    waits = dials.c.state.in_([DialState.PLACED, DialState.UNSURE])
    return and_(waits, dials.c.give_up_at <= now)


def _ended(*columns: Any) -> Select[Any]:
    """Dials whose call is over by the record."""
    return (
        select(*(columns or (dials.c.id,)))
        .join(calls, calls.c.call_sid == dials.c.call_sid)
        .where(dials.c.state == DialState.PLACED, calls.c.state == State.ENDED)
        .limit(TOGETHER)
    )


def _latest(dial_id: str) -> Any:
    """The number of a dial's latest attempt."""
    latest = func.max(dial_attempts.c.number)
    return select(latest).where(dial_attempts.c.dial_id == dial_id).scalar_subquery()


def _attempt_end(outcome: DialOutcome, now: datetime, error: str) -> dict[str, Any]:
    return {"outcome": outcome, "ended_at": now, "error": error[:MAX_ERROR_CHARS]}


def _locked(connection: Connection, dial_id: str) -> Dial | None:
    """A dial that nobody else changes before this transaction is over."""
    query = select(dials).where(dials.c.id == dial_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else read_dial(row)


def _change(connection: Connection, dial: Dial, **values: Any) -> None:
    connection.execute(update(dials).where(dials.c.id == dial.id).values(values))


def _begin(
    connection: Connection, dial: Dial, now: datetime, until: datetime, per_minute: int
) -> int | None:
    known = _locked(connection, dial.id)
    if known is None or known.state is not DialState.CLAIMED or known.lease != dial.lease:
        return None
    of_batch = select(batches.c.state).where(batches.c.id == dial.batch_id)
    paused = dial.batch_id is not None and connection.execute(of_batch).scalar() != RUNNING
    if paused or minute_is_full(connection, per_minute, now):
        _change(connection, dial, state=DialState.WAITING, **_NO_LEASE)
        return None
    number: int = (connection.execute(select(_latest(dial.id))).scalar() or 0) + 1
    _change(
        connection,
        dial,
        state=DialState.PLACING,
        attempts=dials.c.attempts + 1,
        leased_until=until,
        give_up_at=now + dial.request.longest,
        call_sid=None,
    )
    row = {"dial_id": dial.id, "number": number, "asked_at": now}
    connection.execute(dial_attempts.insert().values(row))
    return number


def _asked(
    connection: Connection,
    dial: Dial,
    change: Mapping[str, Any],
    of_attempt: Mapping[str, Any],
) -> bool:
    known = _locked(connection, dial.id)
    if known is None or known.state is not DialState.PLACING or known.lease != dial.lease:
        return False
    _change(connection, dial, **change)
    latest = and_(dial_attempts.c.dial_id == dial.id, dial_attempts.c.number == _latest(dial.id))
    connection.execute(update(dial_attempts).where(latest).values(of_attempt))
    if change["state"] is DialState.WAITING and not known.request.policy.attempts:
        ended_at = of_attempt["ended_at"]  # it was cancelled while Exotel was asked
        _change(connection, dial, **_cancelled(ended_at))
    return True


def _cancelled(now: datetime) -> dict[str, Any]:
    ended = {"state": DialState.DONE, "outcome": DialOutcome.CANCELLED, "done_at": now}
    return {**ended, **_NO_LEASE}


def _placed(
    connection: Connection, dial_id: str, attempt: int, call_sid: str, now: datetime
) -> Dial | None:
    dial = _locked(connection, dial_id)
    this = and_(dial_attempts.c.dial_id == dial_id, dial_attempts.c.number == attempt)
    known = connection.execute(select(dial_attempts).where(this)).mappings().one_or_none()
    if dial is None or known is None or known["call_sid"] not in (None, call_sid):
        return None
    if known["call_sid"] is None:
        connection.execute(update(dial_attempts).where(this).values(call_sid=call_sid))
    if attempt != connection.execute(select(_latest(dial_id))).scalar():
        return dial
    values: dict[str, Any] = {"call_sid": call_sid}
    if dial.state in _ASKED:
        values |= {"state": DialState.PLACED, "error": "", **_NO_LEASE}
        values |= {"give_up_at": now + dial.request.longest}
    elif dial.call_sid or dial.state is not DialState.DONE:
        return dial
    _change(connection, dial, **values)
    return _locked(connection, dial_id)


def _settle(connection: Connection, dial: Dial, after: After, now: datetime) -> Next | None:
    known = _locked(connection, dial.id)
    if known is None or known.state is not DialState.PLACED or known.call_sid != dial.call_sid:
        return None
    found = after(known)
    of_batch = select(batches.c.state).where(batches.c.id == known.batch_id)
    if known.batch_id and connection.execute(of_batch).scalar() == CANCELLED:
        found = replace(found, again_at=None, give_up_at=None)
    values: dict[str, Any] = {"error": found.error[:MAX_ERROR_CHARS]}
    if found.again_at is None:
        values |= {"state": DialState.DONE, "outcome": found.outcome, "done_at": now}
    else:
        values |= {"state": DialState.WAITING, "due_at": found.again_at}
        values |= {"give_up_at": found.give_up_at}
    _change(connection, known, **values)
    this = and_(dial_attempts.c.dial_id == dial.id, dial_attempts.c.call_sid == dial.call_sid)
    ended = _attempt_end(found.outcome, found.at, found.error)
    connection.execute(update(dial_attempts).where(this).values(ended))
    return found


def _cancel(connection: Connection, dial_id: str, now: datetime) -> Dial | None:
    dial = _locked(connection, dial_id)
    if dial is None or dial.state is DialState.DONE:
        return dial
    if dial.state in (DialState.WAITING, DialState.CLAIMED):
        _change(connection, dial, **_cancelled(now))
    else:
        last = replace(dial.request, policy=replace(dial.request.policy, attempts=0))
        query = select(dials.c.request).where(dials.c.id == dial_id)
        kept = dict(connection.execute(query).scalar_one())
        _change(connection, dial, request={**kept, **last.data()})
    return _locked(connection, dial_id)
