"""What tests do to a database behind the server's back."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
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


HOLD = """
import fcntl, sys, time
with open(sys.argv[1], "r+b") as shared:
    fcntl.lockf(shared, fcntl.LOCK_EX, 8, 120)
    print("held", flush=True)
    time.sleep(60)
"""
"""Holds all of SQLite's locks on a database (wal.c: eight bytes from 120 in the file ``-shm``)."""


@asynccontextmanager
async def held(database: Path) -> AsyncGenerator[None]:
    """Nobody can read or write this database, as on a disk that does not answer."""
    command = [sys.executable, "-c", HOLD, f"{database}-shm"]
    holder = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert holder.stdout is not None
        # The loop goes on meanwhile: what it still does may hold one of the locks.
        assert await holder.stdout.readline() == b"held\n"
        yield
    finally:
        holder.kill()
        await holder.wait()
