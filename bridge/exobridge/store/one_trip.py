"""SQLite on a thread of its own, one trip to it for each statement.

aiosqlite makes a trip for each of cursor, execute, fetch and close. A trip costs two switches of
threads, and waits for the interpreter's lock there and for the loop's next turn back.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from typing import Any, cast

import aiosqlite

_Executed = tuple[sqlite3.Cursor, list[Any]]
"""A cursor, closed, and all rows."""
_Ask = Callable[[Callable[[], _Executed]], Awaitable[_Executed]]


class OneTripConnection(aiosqlite.Connection):
    """aiosqlite's connection, with cursors that SQLAlchemy takes for aiosqlite's.

    Args:
        path: Of the database's file.
        first: Statements to execute when it is open, before anybody has it.
    """

    def __init__(self, path: str, first: Sequence[str] = ()) -> None:
        self._opened: list[sqlite3.Connection] = []

        def connect() -> sqlite3.Connection:
            # No transaction of the driver's own: it would not open one before DDL, nor with the
            # lock.
            connection = sqlite3.connect(path, isolation_level=None)
            self._opened.append(connection)
            for statement in first:
                connection.execute(statement).close()
            return connection

        super().__init__(connect, iter_chunk_size=64)
        self._thread.daemon = True  # whoever forgets to close it can end nevertheless

    def stop(self) -> asyncio.Future[Any] | None:
        """Close it and end the thread, also if it failed or was given up while it opened."""
        # aiosqlite does not say of what its futures are.
        self._tx.put_nowait((None, self._close))  # pyright: ignore[reportUnknownMemberType]
        return super().stop()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

    def _close(self) -> None:
        for connection in self._opened:
            connection.close()

    def cursor(self) -> OneTripCursor:  # type: ignore[override]  # aiosqlite's makes a trip
        """A new cursor."""
        return OneTripCursor(self)

    async def run(self, method: str, sql: str, parameters: Sequence[Any]) -> _Executed:
        """Execute a statement.

        Args:
            method: ``execute``, or ``executemany``.

        Raises:
            sqlite3.Error: Whatever SQLite says.
        """

        def work() -> _Executed:
            with closing(self._conn.cursor()) as cursor:
                getattr(cursor, method)(sql, parameters)
                return cursor, cursor.fetchall() if cursor.description else []

        # aiosqlite's own cursors go this way, too.
        ask = cast(_Ask, self._execute)  # pyright: ignore[reportUnknownMemberType]
        return await ask(work)


class OneTripCursor:
    """One statement's, then the next one's. Its rows are there when it has been executed."""

    arraysize = 1

    def __init__(self, connection: OneTripConnection) -> None:
        self._connection = connection
        self._cursor: sqlite3.Cursor | None = None
        self._rows: list[Any] = []

    async def __aenter__(self) -> OneTripCursor:
        return self

    @property
    def description(self) -> Any:
        """As PEP 249 has it."""
        return self._cursor.description if self._cursor is not None else None

    @property
    def rowcount(self) -> int:
        """As PEP 249 has it."""
        return self._cursor.rowcount if self._cursor is not None else -1

    @property
    def lastrowid(self) -> int | None:
        """As PEP 249 has it."""
        return self._cursor.lastrowid if self._cursor is not None else None

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> OneTripCursor:
        """Execute, and fetch."""
        self._cursor, self._rows = await self._connection.run("execute", sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> OneTripCursor:
        """Execute once for each set of parameters."""
        self._cursor, self._rows = await self._connection.run("executemany", sql, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """The rows."""
        return self._rows

    async def close(self) -> None:
        """Nothing is open."""
