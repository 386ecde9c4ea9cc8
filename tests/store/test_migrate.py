"""Opening a database makes it, and brings it up to date."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from exobridge.call.events import JSON
from exobridge.call.facts import Usage
from exobridge.call.state import Outcome
from exobridge.store import Store, StoreOpenError
from exobridge.store.migrate import MIGRATIONS
from exobridge.store.tables import metadata
from tests.store.samples import ROOT, answered, ended


async def test_the_migrations_make_the_tables(store: Store, path: Path) -> None:
    """What the migrations have made is what the code works with."""
    del store
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
            found = inspect(connection)
            assert set(found.get_table_names()) == {*metadata.tables, "alembic_version"}
            # Alembic does not compare these.
            for table in metadata.tables.values():
                keys = found.get_foreign_keys(table.name)
                assert [key.get("options") for key in keys] == [
                    {"ondelete": key.ondelete} for key in table.foreign_keys
                ]
    finally:
        engine.dispose()


async def test_the_log_is_written_ahead(store: Store, path: Path) -> None:
    """The database file is one that readers and a writer use at once."""
    del store
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_opening_again_keeps_what_is_there(url: str) -> None:
    """A database that is up to date is left as it is."""
    for is_new in (True, False, False):
        store = await Store.open(url)
        assert await store.append(answered()) is is_new
        await store.aclose()


async def test_a_percent_sign_in_the_path(tmp_path: Path) -> None:
    """Any path will do; as in any URL, an escaped character stands for itself."""
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/100%(x)s of/what%3F.sqlite3")
    await store.aclose()
    assert (tmp_path / "100%(x)s of" / "what?.sqlite3").exists()


async def test_opening_leaves_logging_as_it_is(url: str) -> None:
    """The migrations configure no logging."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.getLogger("alembic").level)
    store = await Store.open(url)
    await store.aclose()
    assert (root.level, root.handlers, logging.getLogger("alembic").level) == before
    assert not logging.getLogger("exobridge").disabled


async def test_many_opening_at_once_in_one_process(url: str) -> None:
    """One makes the tables and the others find them made."""
    stores = await asyncio.gather(*(Store.open(url) for _ in range(4)))
    try:
        for number, store in enumerate(stores):
            assert await store.append(answered(f"c{number}"))
        assert len(await stores[0].calls()) == 4
    finally:
        for store in stores:
            await store.aclose()


OPENS_AND_APPENDS = """
import asyncio, sys
from exobridge.store import Store
from tests.store.samples import answered

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    store = await Store.open(sys.argv[1])
    for number in range(20):
        assert await store.append(answered(f"c{sys.argv[2]}-{number}"))
    told = await store.append(answered("c-both"))
    await store.aclose()
    print(told)

asyncio.run(main())
"""


async def test_processes_that_start_at_once(url: str) -> None:
    """Both come up, both write, and what both tell is new to one of them."""
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", OPENS_AND_APPENDS, url, name, stdin=pipe, stdout=pipe, cwd=ROOT
        )
        for name in ("a", "b")
    ]
    for process in processes:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"
    answers = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(out for out, _ in answers) == [b"False\n", b"True\n"]
    store = await Store.open(url)
    try:
        assert len(await store.calls()) == 41
    finally:
        await store.aclose()


async def test_a_database_of_a_newer_release_is_refused(url: str, path: Path) -> None:
    """Rows that this release does not know are not touched."""
    await (await Store.open(url)).aclose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(StoreOpenError, match="newer release"):
        await Store.open(url)


def test_a_file_that_is_no_database_is_refused(url: str, path: Path) -> None:
    """Garbage is named as such, and left as it is."""
    garbage = b"this is no database, but long enough to look like one\n" * 40
    path.write_bytes(garbage)
    with pytest.raises(StoreOpenError, match="file is not a database"):
        asyncio.run(Store.open(url))
    assert path.read_bytes() == garbage


OLD_CALL = {
    "direction": "incoming",
    "caller": "+919811122233",
    "called": "+918047112233",
    "template": "sales",
    "state": "ended",
    "outcome": "completed",
    "reason": "",
    "custom_field": "",
    "stream_sid": "s1",
    "streams": 1,
    "encoding": "",
    "created_at": "2026-11-21 10:00:01.123456",
    "end_reason": "stop",
}
"""Of a release that kept no usage."""

OLD_FACTS = {
    "first_at": "2026-11-21T10:00:01.123456Z",
    "answer": None,
    "no_stream_at": None,
    "streams": [
        {
            "stream_sid": "s1",
            "start": {
                "at": "2026-11-21T10:00:01.123456Z",
                "template": "sales",
                "caller": "+919811122233",
                "called": "+918047112233",
            },
            "end": {"at": "2026-11-21T10:00:09Z", "by": "caller", "reason": "stop"},
        }
    ],
}


async def test_a_database_of_the_release_before_is_brought_up_to_date(url: str, path: Path) -> None:
    """Its calls stay as they are, with no usage known, and can go on: a further stream's usage is
    added."""
    await (await Store.open(url)).aclose()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "0001")
            row = {"call_sid": "old", **OLD_CALL, "facts": json.dumps(OLD_FACTS)}
            names = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO calls ({names}) VALUES ({values})"), row)
    finally:
        engine.dispose()
    store = await Store.open(url)
    try:
        old = await store.call("old")
        assert old is not None
        assert (old.outcome, old.usage) == (Outcome.COMPLETED, Usage())
        usage: dict[str, dict[str, JSON]] = {"tts": {"provider": "acme", "characters": 40}}
        at_end = ended("old", "s2", 60)
        await store.append(replace(at_end, data={**at_end.data, "usage": usage}))
        again = await store.call("old")
        assert again is not None
        assert again.usage == Usage(tts_characters=40)
    finally:
        await store.aclose()
    with closing(sqlite3.connect(path)) as connection:
        columns = "stt_seconds, tts_characters, input_tokens"
        assert connection.execute(f"SELECT {columns} FROM calls").fetchone() == (0, 40, 0)
