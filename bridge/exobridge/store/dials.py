"""The ledger of calls that are to be placed: rows of ``dials``, each with its attempts.

What a dialler does with them is in :mod:`exobridge.store.dial_steps` and
:mod:`exobridge.store.dial_upkeep`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.store.access import reading, writing
from exobridge.store.dial_claims import under_way
from exobridge.store.dial_rows import (
    cancelled,
    change_dial,
    dial_row,
    lock_dial,
    read_attempt,
    read_dial,
)
from exobridge.store.dial_types import ASKED, Attempt, Dial, DialState, NewDial
from exobridge.store.engine import insert_new
from exobridge.store.tables import dial_attempts, dials
from exobridge.store.unbroken import Unbroken, unbroken

MAX_PAGE = 1000
"""Most dials that one :meth:`DialRows.listed` gives."""


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
        unknown = dials.c.state.in_(ASKED)
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


def _cancel(connection: Connection, dial_id: str, now: datetime) -> Dial | None:
    dial = lock_dial(connection, dial_id)
    if dial is None or dial.state is DialState.DONE:
        return dial
    if dial.state in (DialState.WAITING, DialState.CLAIMED):
        change_dial(connection, dial, **cancelled(now))
    else:
        last = replace(dial.request, policy=replace(dial.request.policy, attempts=0))
        query = select(dials.c.request).where(dials.c.id == dial_id)
        kept = dict(connection.execute(query).scalar_one())
        change_dial(connection, dial, request={**kept, **last.data()})
    return lock_dial(connection, dial_id)
