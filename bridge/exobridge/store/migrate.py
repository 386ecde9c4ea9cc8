"""Brings the database up to date when the server starts.

Several processes may start at once: the first takes the database's write lock, the others wait for
it and find the work done. Alembic keeps its current context in module globals, so within one
process only one migration runs at a time, in a thread with an event loop of its own. It is imported
only where there is something to do: it takes 0.1 s and 8 MB.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from exobridge.store.engine import make_engine
from exobridge.store.errors import StoreOpenError, cause

MIGRATIONS = Path(__file__).parent / "migrations"

NEWEST = max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("*_*.py"))
"""The revision of an up-to-date database: each file begins with its own, and they are in order."""

WAIT_SECONDS = 30.0
"""How long another process's migration is waited for."""

_POLL_SECONDS = 0.05

_one_at_a_time = threading.Lock()


async def migrate(url: URL) -> None:
    """Bring the database up to the newest migration, making it if it is not there.

    Raises:
        StoreOpenError: It cannot be opened or written, is no database of ours, or was written by a
            newer release.
    """
    await asyncio.to_thread(_migrate, url)


def _migrate(url: URL) -> None:
    with _one_at_a_time:
        try:
            if _revision(str(url.database)) != NEWEST:
                asyncio.run(_upgrade(url))
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise StoreOpenError(
                f"cannot open the database {url.database} ({cause(error)}); check that this is a "
                "file exobridge may write, on a disk with space, or let DATABASE_URL name another"
            ) from error


async def _upgrade(url: URL) -> None:
    engine = make_engine(url, busy_timeout_ms=round(WAIT_SECONDS * 1000), writes=True)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(upgrade)
    finally:
        await engine.dispose()


def upgrade(connection: Connection) -> None:
    """Run what is missing on this connection, inside its transaction.

    Raises:
        StoreOpenError: The database is none of ours.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreOpenError(
            "the database is of a newer release of exobridge, or of something else; "
            "install that release, or let DATABASE_URL name another file"
        ) from error


def _revision(path: str) -> str:
    """The revision that the database is at; empty for a new one."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=WAIT_SECONDS)) as connection:
        _use_wal(connection)
        named = "SELECT name FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.execute(named).fetchone() is None:
            return ""
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return "" if row is None else str(row[0])


def _use_wal(connection: sqlite3.Connection) -> None:
    """Write ahead: readers and the writer do not wait for each other. The file remembers it.

    SQLite does not wait by itself for the lock that this switch needs.
    """
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(_POLL_SECONDS)
