"""What tests do to a database behind the server's back."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path


async def rename(database: Path, table: str, name: str) -> None:
    """Rename a table, so that whoever uses it fails. In a thread: whoever is writing may need this
    loop to be done with it."""
    await asyncio.to_thread(_rename, database, table, name)


def _rename(database: Path, table: str, name: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        # An ALTER by itself is refused at once if somebody has written since it looked.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"ALTER TABLE {table} RENAME TO {name}")
        connection.commit()
