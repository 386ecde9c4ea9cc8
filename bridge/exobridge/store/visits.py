"""When each of our URLs was asked last, per ExoPhone: rows of ``visits``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.store.access import reading, writing
from exobridge.store.tables import visits as table
from exobridge.store.unbroken import Unbroken, unbroken


@dataclass(frozen=True, slots=True)
class Visit:
    """What was asked of one URL for one number.

    Attributes:
        endpoint: The URL's path, without a secret.
        number: The ExoPhone, E.164; empty: not told, or none of ours.
        last_at: When it was asked last.
        last_status: What that was answered with, of HTTP.
        count: How often it was asked.
    """

    endpoint: str
    number: str = field(repr=False)
    last_at: datetime
    last_status: int
    count: int


class VisitRows(Unbroken):
    """The visits of a store. Every method raises :class:`StoreUnavailableError` if the database
    does not answer."""

    def __init__(self, reader: AsyncEngine, writer: AsyncEngine) -> None:
        super().__init__()
        self._reader = reader
        self._writer = writer

    async def listed(self) -> list[Visit]:
        """All of them, by number and endpoint."""
        query = select(table).order_by(table.c.number, table.c.endpoint)
        async with reading(self._reader) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [Visit(**row) for row in rows]

    @unbroken
    async def add(self, visits: Iterable[Visit]) -> None:
        """Add what was counted since the last time."""
        async with writing(self._writer) as connection:
            for visit in visits:
                this = (table.c.endpoint == visit.endpoint) & (table.c.number == visit.number)
                query = select(table.c.last_at, table.c.count).where(this).with_for_update()
                row = (await connection.execute(query)).one_or_none()
                if row is None:
                    await connection.execute(insert(table).values(asdict(visit)))
                    continue
                change: dict[str, object] = {"count": row[1] + visit.count}
                if visit.last_at >= row[0]:
                    change |= {"last_at": visit.last_at, "last_status": visit.last_status}
                await connection.execute(update(table).where(this).values(change))
