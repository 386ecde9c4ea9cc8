"""What tests do to a database behind the server's back."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache
from pathlib import Path

from sqlalchemy.engine import URL

from exobridge.store.migrate import migrate


def migrated(database: Path) -> None:
    """Make a new database at a path where there is none: a copy of one that the migrations made,
    once in this process. They would take most of the time of a test that opens one."""
    if not database.exists():
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        database.write_bytes(_made_by_the_migrations())


@cache
def _made_by_the_migrations() -> bytes:
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as thread:
        made = Path(folder) / "made.sqlite3"
        url = URL.create("sqlite+aiosqlite", database=str(made))
        thread.submit(asyncio.run, migrate(url)).result()  # this one may have a loop that runs
        return made.read_bytes()


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
