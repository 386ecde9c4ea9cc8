"""The database's thread is asked once for each statement, and answers as aiosqlite would."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import IntegrityError

from exobridge.store.engine import make_engine
from exobridge.store.one_trip import OneTripConnection


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncGenerator[OneTripConnection]:
    """Open, with an empty table."""
    opened = OneTripConnection(str(tmp_path / "a.sqlite3"))
    await opened
    await opened.cursor().execute(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL)"
    )
    yield opened
    await opened.close()


async def test_a_cursor_tells_what_its_statement_did(connection: OneTripConnection) -> None:
    """Rows, how many, the last row's id, the columns: the last statement's alone."""
    cursor = connection.cursor()
    assert (cursor.description, cursor.rowcount, cursor.lastrowid) == (None, -1, None)
    await cursor.execute("INSERT INTO t (name) VALUES (?)", ("one",))
    assert (cursor.description, cursor.rowcount, cursor.lastrowid) == (None, 1, 1)
    assert await cursor.fetchall() == []
    await cursor.executemany("INSERT INTO t (name) VALUES (?)", [("two",), ("three",)])
    assert cursor.rowcount == 2
    await cursor.execute("SELECT id, name FROM t ORDER BY id")
    assert [column[0] for column in cursor.description] == ["id", "name"]
    assert await cursor.fetchall() == [(1, "one"), (2, "two"), (3, "three")]
    await cursor.execute("DELETE FROM t WHERE id > 1 RETURNING name")
    assert sorted(await cursor.fetchall()) == [("three",), ("two",)]
    await cursor.close()


async def test_an_error_is_sqlites_own_and_leaves_the_connection_usable(
    connection: OneTripConnection,
) -> None:
    """Also in the middle of many."""
    cursor = connection.cursor()
    with pytest.raises(sqlite3.IntegrityError):
        await cursor.executemany("INSERT INTO t (name) VALUES (?)", [("one",), ("one",)])
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        await cursor.execute("SELECT * FROM nowhere")
    await cursor.execute("SELECT name FROM t")
    assert await cursor.fetchall() == [("one",)]


async def test_a_closed_connection_says_so(tmp_path: Path) -> None:
    """As aiosqlite does, which SQLAlchemy knows how to read."""
    connection = OneTripConnection(str(tmp_path / "a.sqlite3"))
    await connection
    await connection.close()
    with pytest.raises(ValueError, match="Connection closed"):
        await connection.cursor().execute("SELECT 1")


async def test_a_transaction_asks_its_thread_once_a_statement(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """BEGIN, what is said, COMMIT, and the pool's own ROLLBACK; an error comes as SQLAlchemy's."""
    url = make_url(f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite3'}")
    engine = make_engine(url, busy_timeout_ms=1000, writes=True)
    said = list[str]()
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *about: said.append(about[2]))
    try:
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE t (a INTEGER UNIQUE)"))
        caplog.set_level(logging.DEBUG, "aiosqlite")
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO t VALUES (1)"))
            rows = await connection.execute(text("SELECT a FROM t"))
            assert rows.scalars().all() == [1]
        assert said[-3:] == ["BEGIN IMMEDIATE", "INSERT INTO t VALUES (1)", "SELECT a FROM t"]
        trips = [each.msg for each in caplog.records if each.msg == "executing %s"]
        assert len(trips) == 5
        with pytest.raises(IntegrityError):
            async with engine.begin() as connection:
                await connection.execute(text("INSERT INTO t VALUES (1)"))
    finally:
        await engine.dispose()
