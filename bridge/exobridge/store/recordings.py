"""What is stored of calls' sound: rows of ``recordings``. The files themselves are elsewhere."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.store.access import reading, writing
from exobridge.store.engine import insert_new
from exobridge.store.tables import recordings as table
from exobridge.store.unbroken import Unbroken, unbroken


@dataclass(frozen=True, slots=True)
class Recording:
    """One file.

    Attributes:
        source: ``exotel``, or ``own``: made of the stream by ourselves.
        name: Which of the source's; an own one is named after its stream.
        location: Where it is, in the storage's words.
        media_type: ``audio/mpeg`` or ``audio/wav``.
        bytes: Its size.
        sha256: Of its bytes, in hexadecimal.
        duration_ms, channels, sample_rate: As the file tells them, the rate in Hz; ``None``: it
            does not.
    """

    call_sid: str
    source: str
    name: str
    location: str
    media_type: str
    bytes: int
    sha256: str
    duration_ms: int | None
    channels: int | None
    sample_rate: int | None
    created_at: datetime


class RecordingRows(Unbroken):
    """The recordings of a store. Every method raises :class:`StoreUnavailableError` if the database
    does not answer."""

    def __init__(self, reader: AsyncEngine, writer: AsyncEngine) -> None:
        super().__init__()
        self._reader = reader
        self._writer = writer

    @unbroken
    async def add(self, recording: Recording) -> bool:
        """Keep a row, of a call that is known. It is durable when this returns.

        Returns:
            ``False`` if the call has one of this source and name; nothing changed then.

        Raises:
            StoreRefusedError: The call is not known.
        """
        async with writing(self._writer) as connection:
            insert = insert_new(table, connection.dialect.name).values(asdict(recording))
            return (await connection.execute(insert.returning(table.c.id))).scalar() is not None

    async def of_call(self, call_sid: str) -> list[Recording]:
        """A call's recordings, in the order in which they came."""
        return await self._read(table.c.call_sid == call_sid, None)

    async def get(self, call_sid: str, source: str, name: str) -> Recording | None:
        """One recording; ``None``: there is none."""
        found = await self._read(
            and_(
                table.c.call_sid == call_sid,
                table.c.source == source,
                table.c.name == name,
            ),
            1,
        )
        return found[0] if found else None

    async def older_than(self, before: datetime, *, limit: int = 100) -> list[Recording]:
        """Recordings that were kept before this, the oldest first."""
        return await self._read(table.c.created_at < before, limit)

    @unbroken
    async def delete(self, recording: Recording) -> bool:
        """Forget a row, once its file is gone; whether there was one."""
        this = and_(
            table.c.call_sid == recording.call_sid,
            table.c.source == recording.source,
            table.c.name == recording.name,
        )
        async with writing(self._writer) as connection:
            gone = await connection.execute(delete(table).where(this).returning(table.c.id))
            return gone.scalar() is not None

    @unbroken
    async def _read(self, which: ColumnElement[bool], limit: int | None) -> list[Recording]:
        columns = [column for column in table.c if column.name != "id"]
        query = select(*columns).where(which).order_by(table.c.created_at, table.c.id)
        async with reading(self._reader) as connection:
            rows = (await connection.execute(query.limit(limit))).mappings().all()
        return [Recording(**row) for row in rows]
