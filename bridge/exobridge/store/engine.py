"""From a URL to connections, and what SQLite needs that SQLAlchemy does not do by itself."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

from sqlalchemy import Connection, Engine, Insert, Table, event, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import await_only

from exobridge.store.errors import StoreClosedError, StoreOpenError
from exobridge.store.one_trip import OneTripConnection

DRIVERS = {"sqlite": "sqlite+aiosqlite"}
"""The driver of each kind of database."""

EXAMPLE = "sqlite+aiosqlite:///data/exobridge.sqlite3"


def read_url(text: str) -> URL:
    """The URL of a database, its driver put in.

    Raises:
        StoreOpenError: It is no URL of a database that is supported. The message does not repeat
            it: it may hold a password.
    """
    try:
        url = make_url(text)
        kind = url.get_backend_name()
    except (ArgumentError, ValueError):
        raise StoreOpenError(
            f"the database's URL cannot be read; write it like {EXAMPLE}"
        ) from None
    if kind not in DRIVERS or url.drivername not in (kind, DRIVERS[kind]):
        known = ", ".join(sorted(DRIVERS.values()))
        raise StoreOpenError(
            f"there is no database driver {url.drivername!r} here (known: {known}); "
            f"write the URL like {EXAMPLE}"
        )
    if url.database in (None, "", ":memory:") or str(url.database).startswith("file:"):
        raise StoreOpenError(f"the database has to be a file; write its URL like {EXAMPLE}")
    if url.query:
        raise StoreOpenError(f"the database's URL takes no options; write it like {EXAMPLE}")
    return url.set(drivername=DRIVERS[kind])


def make_folder(url: URL) -> None:
    """Make the folder of the database file, for our eyes only as it holds phone numbers.

    Raises:
        StoreOpenError: It cannot be made.
    """
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreOpenError(
            f"cannot make the folder {folder} for the database ({error.strerror}); "
            "make it, or let DATABASE_URL name another"
        ) from error


LOOK_SECONDS = (0.001, 0.01)
"""How often it is looked whether another process has done writing: between these, at random."""

CACHE_KB = 256
"""Pages each connection keeps. Calls are written once and read by their key: the system's cache of
the file serves as well, and is one for all connections and workers."""


def make_engine(
    url: URL, *, busy_timeout_ms: int, writes: bool, durable: bool = False
) -> AsyncEngine:
    """An engine for one writer, or for readers.

    ``synchronous=NORMAL`` with WAL: what is committed survives the death of the process, whatever
    kills it; a power cut may take the last moments, but never corrupts.

    Args:
        busy_timeout_ms: How long to wait for another process's transaction, in milliseconds.
        writes: One connection, whose transactions take the write lock at once; else they only read.
        durable: What is committed survives a power cut, too, for a wait for the disk each time.

    Returns:
        Once disposed of, it is closed for good: what is under way goes on to its end, and what
        comes later raises `StoreClosedError`.
    """
    size = {"pool_size": 1, "max_overflow": 0} if writes else {"pool_size": 4, "max_overflow": 0}
    first = [
        f"PRAGMA busy_timeout={busy_timeout_ms}",
        "PRAGMA foreign_keys=ON",
        f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}",
        f"PRAGMA query_only={'OFF' if writes else 'ON'}",
        "PRAGMA secure_delete=ON",  # what is erased is overwritten, not only given free
        f"PRAGMA cache_size=-{CACHE_KB}",
    ]
    if writes:
        first.append("SELECT count(*) FROM sqlite_master")  # opens the log, maybe waits
        first.append("PRAGMA busy_timeout=0")  # from now on we wait, before writing
    is_closed = False

    def create() -> OneTripConnection:
        if is_closed:
            raise StoreClosedError("the store has been closed")
        return OneTripConnection(str(url.database), first)

    engine = create_async_engine(url, hide_parameters=True, async_creator=create, **size)

    def on_disposed(_engine: Engine) -> None:
        nonlocal is_closed
        is_closed = True

    def on_checkin(_connection: object, record: ConnectionPoolEntry) -> None:
        if is_closed:  # it was in use, so that nobody has closed it
            record.invalidate()

    def on_begin(connection: Connection) -> None:
        if writes:
            _begin_writing(connection, busy_timeout_ms / 1000)
        else:
            connection.exec_driver_sql("BEGIN")

    event.listen(engine.sync_engine, "engine_disposed", on_disposed)
    event.listen(engine.sync_engine, "checkin", on_checkin)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine


def _begin_writing(connection: Connection, wait_seconds: float) -> None:
    """Take the write lock, in competition with other processes.

    SQLite by itself comes to look for it every 100 ms only, so that among busy processes one may
    never find it free.

    Raises:
        OperationalError: It is another's for all of the time.
    """
    until = time.monotonic() + wait_seconds
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() >= until:
                raise
        await_only(asyncio.sleep(random.uniform(*LOOK_SECONDS)))


def insert_new(table: Table, dialect: str) -> Insert:
    """An ``INSERT`` that passes over rows which are there already. Its spelling is the dialect's
    own; everything else the store says is the same for any database."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # 2 MB that SQLite has no use for

        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
