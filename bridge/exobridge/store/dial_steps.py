"""The steps of a call that is to be placed, from its claim to its end.

Each is a transaction that names the state it starts from, so that it happens once, whoever else
takes it, and a process may die between any two. What it dies in says what may have happened:
``claimed``, nothing; ``placing``, perhaps a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.store.access import writing
from exobridge.store.dial_claims import (
    CANCELLED,
    RUNNING,
    Claims,
    Lacks,
    Opening,
    claim,
    minute_is_full,
)
from exobridge.store.dial_pace import Limits
from exobridge.store.dial_rows import MAX_ERROR_CHARS, NO_LEASE, cancelled, change_dial, lock_dial
from exobridge.store.dial_types import ANSWERED_AFTER, ASKED, Dial, DialOutcome, DialState
from exobridge.store.tables import batches, dial_attempts, dials
from exobridge.store.unbroken import Unbroken, unbroken


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


class DialSteps(Unbroken):
    """What a dialler does with a dial. Every method raises :class:`StoreUnavailableError` if the
    database does not answer.

    Args:
        durable: Writes what a power cut must not take either: that somebody is being called.
    """

    def __init__(self, writer: AsyncEngine, durable: AsyncEngine) -> None:
        super().__init__()
        self._writer = writer
        self._durable = durable

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
        async with writing(self._durable) as connection:
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
            **NO_LEASE,
        }
        return await self._asked(dial, change, _attempt_end(DialOutcome.NOT_PLACED, now, error))

    async def refused(self, dial: Dial, now: datetime, error: str) -> bool:
        """Exotel would not place it. As :meth:`unsure`."""
        change = {
            "state": DialState.DONE,
            "outcome": DialOutcome.REFUSED,
            "done_at": now,
            "error": error[:MAX_ERROR_CHARS],
            **NO_LEASE,
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
        change = {"state": DialState.WAITING, "due_at": at, **NO_LEASE}
        changed = update(dials).where(mine).values(change).returning(dials.c.id)
        async with writing(self._writer) as connection:
            return (await connection.execute(changed)).scalar() is not None

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
            **NO_LEASE,
        }
        changed = update(dials).where(mine).values(change).returning(dials.c.id)
        async with writing(self._writer) as connection:
            return (await connection.execute(changed)).scalar() is not None


def _latest(dial_id: str) -> Any:
    """The number of a dial's latest attempt."""
    latest = func.max(dial_attempts.c.number)
    return select(latest).where(dial_attempts.c.dial_id == dial_id).scalar_subquery()


def _attempt_end(outcome: DialOutcome, now: datetime, error: str) -> dict[str, Any]:
    return {"outcome": outcome, "ended_at": now, "error": error[:MAX_ERROR_CHARS]}


def _begin(
    connection: Connection, dial: Dial, now: datetime, until: datetime, per_minute: int
) -> int | None:
    known = lock_dial(connection, dial.id)
    if known is None or known.state is not DialState.CLAIMED or known.lease != dial.lease:
        return None
    of_batch = select(batches.c.state).where(batches.c.id == dial.batch_id)
    paused = dial.batch_id is not None and connection.execute(of_batch).scalar() != RUNNING
    if paused or minute_is_full(connection, per_minute, now):
        change_dial(connection, dial, state=DialState.WAITING, **NO_LEASE)
        return None
    number: int = (connection.execute(select(_latest(dial.id))).scalar() or 0) + 1
    change_dial(
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
    known = lock_dial(connection, dial.id)
    if known is None or known.state is not DialState.PLACING or known.lease != dial.lease:
        return False
    change_dial(connection, dial, **change)
    latest = and_(dial_attempts.c.dial_id == dial.id, dial_attempts.c.number == _latest(dial.id))
    connection.execute(update(dial_attempts).where(latest).values(of_attempt))
    if change["state"] is DialState.WAITING and not known.request.policy.attempts:
        ended_at = of_attempt["ended_at"]  # it was cancelled while Exotel was asked
        change_dial(connection, dial, **cancelled(ended_at))
    return True


def _placed(
    connection: Connection, dial_id: str, attempt: int, call_sid: str, now: datetime
) -> Dial | None:
    dial = lock_dial(connection, dial_id)
    this = and_(dial_attempts.c.dial_id == dial_id, dial_attempts.c.number == attempt)
    known = connection.execute(select(dial_attempts).where(this)).mappings().one_or_none()
    if dial is None or known is None or known["call_sid"] not in (None, call_sid):
        return None
    if known["call_sid"] is None:
        connection.execute(update(dial_attempts).where(this).values(call_sid=call_sid))
    if attempt != connection.execute(select(_latest(dial_id))).scalar():
        return dial
    values: dict[str, Any] = {"call_sid": call_sid}
    if dial.state in ASKED:
        values |= {"state": DialState.PLACED, "error": "", **NO_LEASE}
        values |= {"give_up_at": now + dial.request.longest}
    elif dial.call_sid or dial.state is not DialState.DONE:
        return dial
    change_dial(connection, dial, **values)
    return lock_dial(connection, dial_id)


def _settle(connection: Connection, dial: Dial, after: After, now: datetime) -> Next | None:
    known = lock_dial(connection, dial.id)
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
    change_dial(connection, known, **values)
    this = and_(dial_attempts.c.dial_id == dial.id, dial_attempts.c.call_sid == dial.call_sid)
    ended = _attempt_end(found.outcome, found.at, found.error)
    connection.execute(update(dial_attempts).where(this).values(ended))
    return found
