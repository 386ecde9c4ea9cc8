"""Time for the work that is kept in the database: what is not due yet is made so."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

EVERY_S = 0.2


@asynccontextmanager
async def hurried(folder: Path) -> AsyncGenerator[None]:
    """While the block runs, no job of the server whose data is in this folder waits for its
    time."""
    task = asyncio.create_task(_hurry(folder / "exobridge.sqlite3"))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _hurry(database: Path) -> None:
    while True:
        await asyncio.to_thread(_make_due, database)
        await asyncio.sleep(EVERY_S)


def _make_due(database: Path) -> None:
    if not database.is_file():  # the server has yet to start
        return
    with (
        closing(sqlite3.connect(database, timeout=5)) as connection,
        suppress(sqlite3.OperationalError),  # or to make its tables
        connection,
    ):
        connection.execute("UPDATE jobs SET due_at = created_at WHERE state = 'waiting'")
