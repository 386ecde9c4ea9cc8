"""URLs are read, and refused with the cure."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from exobridge.store import (
    Store,
    StoreClosedError,
    StoreOpenError,
    StoreOptions,
    StoreUnavailableError,
)
from exobridge.store.access import reading, writing
from exobridge.store.engine import insert_new, make_engine, read_url
from exobridge.store.tables import turns
from tests.server import until
from tests.store.samples import started


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:s3cret@db.example/calls",
        "postgresql+asyncpg://me:s3cret@db.example/calls",
        "sqlite+pysqlite://me:s3cret@/calls.db",
        "nonsense://me:s3cret@db.example/calls",
        "://me:s3cret@db.example",
        "me:s3cret@db.example/calls",
        "postgresql://me:s3cret@db.example:port/calls",
        "s3cret",
        "",
    ],
)
async def test_a_url_that_is_not_supported(url: str) -> None:
    """The error names the cure and keeps the password to itself, in its causes too."""
    with pytest.raises(StoreOpenError, match="sqlite\\+aiosqlite:///data") as caught:
        await Store.open(url)
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cret" not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite+aiosqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true"]
)
async def test_a_database_in_memory(url: str) -> None:
    """What is acknowledged has to survive the process, so the database has to be a file."""
    with pytest.raises(StoreOpenError, match="has to be a file"):
        await Store.open(url)


def test_options_of_the_driver() -> None:
    """None is passed on, so that none is taken and ignored."""
    with pytest.raises(StoreOpenError, match=r"takes no options; write it like sqlite"):
        read_url("sqlite:////srv/calls.db?timeout=30")


def test_the_driver_is_put_in() -> None:
    """A URL without the driver's name is taken as well."""
    assert read_url("sqlite:////srv/calls.db") == make_url("sqlite+aiosqlite:////srv/calls.db")


async def test_the_folder_is_made(tmp_path: Path) -> None:
    """A folder that is not there is made, for its owner only."""
    store = await Store.open(f"sqlite:///{tmp_path}/a/b/calls.db")
    await store.aclose()
    assert (tmp_path / "a/b/calls.db").exists()
    assert (tmp_path / "a/b").stat().st_mode & 0o777 == 0o700


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The error names the folder, the reason and the cure."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreOpenError, match=r"folder .*/file/a.*(DATABASE_URL)"):
        await Store.open(f"sqlite:///{tmp_path}/file/a/calls.db")


async def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    """A folder in the file's place is told of, with the cure."""
    with pytest.raises(StoreOpenError, match=r"unable to open database file.*DATABASE_URL"):
        await Store.open(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_new_rows_are_inserted_alike(kind: str) -> None:
    """The one statement that is spelt by dialect passes over known rows on each."""
    dialect = make_url(f"{kind}://").get_dialect()()
    statement = str(insert_new(turns, kind).compile(dialect=dialect))
    assert statement.endswith("ON CONFLICT DO NOTHING")


async def test_a_writer_waits_for_another_process(store: Store, url: str, path: Path) -> None:
    """As long as it may; the loop goes on meanwhile, and it writes once the lock is free."""
    patient = await Store.open(url, StoreOptions(busy_timeout_ms=20_000))
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(patient.append(started()))
            with pytest.raises(StoreUnavailableError, match="locked"):
                await store.append(started())  # this one waits for 20 ms only
            assert not waiting.done()
            other.execute("COMMIT")
        assert await waiting
    finally:
        await patient.aclose()


async def test_stores_that_open_at_once_do_not_shut_each_other_out(url: str) -> None:
    """Each opens the file and writes while the others do, and none finds it locked."""

    async def write(number: int) -> None:
        store = await Store.open(url)
        await store.append(started(f"call {number}"))
        await store.aclose()

    for round_ in range(3):
        await asyncio.gather(*(write(round_ * 8 + number) for number in range(8)))
    store = await Store.open(url)
    assert len(await store.calls()) == 24
    await store.aclose()


def threads() -> int:
    """Those of this process."""
    return len(threading.enumerate())


async def test_what_is_under_way_while_it_is_closed(tmp_path: Path) -> None:
    """It goes on to its end, and then its connection is closed, too; later there is no other."""
    before = threads()
    url = read_url(f"sqlite:///{tmp_path}/a.sqlite3")
    engine = make_engine(url, busy_timeout_ms=20, writes=False)
    async with reading(engine) as connection:
        await engine.dispose()
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
        assert threads() == before + 1
    await until(lambda: threads() == before)
    with pytest.raises(StoreClosedError):
        async with reading(engine):
            pass
    assert threads() == before


async def test_who_is_cancelled_while_a_connection_is_opened(tmp_path: Path) -> None:
    """Wherever that is, what was opened is closed."""
    before = threads()
    url = read_url(f"sqlite:///{tmp_path}/a.sqlite3")
    engine = make_engine(url, busy_timeout_ms=20, writes=True)

    async def ask() -> None:
        async with writing(engine):
            pass

    for wait in range(40):
        task = asyncio.create_task(ask())
        await asyncio.sleep(wait / 10_000)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        async with engine.connect() as connection:
            await connection.invalidate()  # so that the next one is opened anew
    await engine.dispose()
    await until(lambda: threads() == before)
