"""Orders to calls whose socket another process holds: rows of ``orders``.

Whoever gives one waits for its answer and takes the row away. A row holds words for a caller, so
none is left behind: what a process left that died meanwhile is removed by the others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.store.access import reading, writing
from exobridge.store.tables import orders as table
from exobridge.store.unbroken import Unbroken, unbroken


@dataclass(frozen=True, slots=True)
class GivenOrder:
    """One that was taken.

    Attributes:
        kind, data: As :mod:`exobridge.call.orders` writes it.
    """

    id: int
    call_sid: str
    kind: str
    data: Mapping[str, Any] = field(repr=False)


class OrderRows(Unbroken):
    """The orders of a store. Every method raises ``StoreError`` if the database does not answer."""

    def __init__(self, reader: AsyncEngine, writer: AsyncEngine) -> None:
        super().__init__()
        self._reader = reader
        self._writer = writer

    @unbroken
    async def give(
        self,
        call_sid: str,
        kind: str,
        data: Mapping[str, Any],
        now: datetime,
        expires_at: datetime,
    ) -> int:
        """Lay an order down for the process that holds the call; its id."""
        row = {"call_sid": call_sid, "kind": kind, "data": dict(data), "created_at": now}
        row["expires_at"] = expires_at
        async with writing(self._writer) as connection:
            made = await connection.execute(insert(table).values(row).returning(table.c.id))
            return int(made.scalar_one())

    @unbroken
    async def take(self, call_sids: Collection[str], by: str, now: datetime) -> list[GivenOrder]:
        """The orders to these calls that nobody has taken and that have not expired, the oldest
        first. Each is taken once, by whichever process asks first."""
        waiting = and_(table.c.taken_by == "", table.c.expires_at > now)
        async with reading(self._reader) as connection:
            found = await connection.execute(select(table.c.id, table.c.call_sid).where(waiting))
            wanted = [row.id for row in found if row.call_sid in call_sids]
        if not wanted:
            return []
        taking = update(table).where(waiting, table.c.id.in_(wanted)).values(taken_by=by)
        columns = (table.c.id, table.c.call_sid, table.c.kind, table.c.data)
        async with writing(self._writer) as connection:
            taken = (await connection.execute(taking.returning(*columns))).all()
        orders = [GivenOrder(row.id, row.call_sid, row.kind, row.data) for row in taken]
        return sorted(orders, key=lambda order: order.id)

    @unbroken
    async def answer(self, order_id: int, result: str) -> None:
        """Tell who gave it what came of it, if they still wait."""
        async with writing(self._writer) as connection:
            answered = update(table).where(table.c.id == order_id).values(answer={"result": result})
            await connection.execute(answered)

    async def result(self, order_id: int) -> str | None:
        """What came of it; ``None``: it has not been answered."""
        query = select(table.c.answer).where(table.c.id == order_id)
        async with reading(self._reader) as connection:
            answer = (await connection.execute(query)).scalar_one_or_none()
        return None if answer is None else str(answer.get("result", ""))

    @unbroken
    async def take_back(self, order_id: int) -> bool:
        """Remove it, answered or not; whether somebody had taken it."""
        removing = delete(table).where(table.c.id == order_id).returning(table.c.taken_by)
        async with writing(self._writer) as connection:
            return bool((await connection.execute(removing)).scalar_one_or_none())

    @unbroken
    async def clean(self, before: datetime) -> None:
        """Remove what expired before this time."""
        async with writing(self._writer) as connection:
            await connection.execute(delete(table).where(table.c.expires_at < before))
