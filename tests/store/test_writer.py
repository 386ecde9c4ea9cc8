"""The writer groups, retries, gives up and closes as it says."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from exobridge.store import (
    Store,
    StoreClosedError,
    StoreError,
    StoreFullError,
    StoreOptions,
    StoreRefusedError,
    StoreUnavailableError,
    WriterOptions,
)
from tests.store.conftest import QUICK
from tests.store.samples import answered, ended, started, turn


@pytest.fixture
def lock(path: Path, store: Store) -> Iterator[sqlite3.Connection]:
    """Another process's connection that holds the write lock until it is rolled back."""
    del store  # the tables have to be there
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


async def test_what_waits_is_written_together(store: Store) -> None:
    """500 events that come at once take far fewer transactions."""
    told = await asyncio.gather(*(store.append(answered(f"c{number}")) for number in range(500)))
    assert all(told)
    assert 1 <= store.transactions <= 3
    assert len(await store.calls(1000)) == 500


async def test_a_transaction_has_a_limit(url: str) -> None:
    """No transaction writes more items than the option says."""
    store = await Store.open(url, StoreOptions(writer=WriterOptions(batch_limit=10)))
    try:
        await asyncio.gather(*(store.append(answered(f"c{number}")) for number in range(35)))
        assert store.transactions == 4
    finally:
        await store.aclose()


async def test_a_full_queue_refuses(url: str) -> None:
    """One item more than the queue holds is an error that may pass; the others are written."""
    store = await Store.open(url, StoreOptions(writer=WriterOptions(queue_limit=3)))
    try:
        for number in range(3):
            store.append_soon(answered(f"c{number}"))
        with pytest.raises(StoreFullError, match="3 items wait") as caught:
            store.append_soon(answered("c3"))
        assert caught.value.retryable
        with pytest.raises(StoreFullError):
            await store.append(answered("c3"))
        await store.flush()
        assert {call.call_sid for call in await store.calls()} == {"c0", "c1", "c2"}
        assert await store.append(answered("c3"))
    finally:
        await store.aclose()


async def test_who_waits_is_told_of_a_failure(store: Store, lock: sqlite3.Connection) -> None:
    """A locked database fails what is waited for, with an error that may pass; later it works."""
    with pytest.raises(StoreUnavailableError, match="database is locked") as caught:
        await store.append(answered())
    assert caught.value.retryable
    lock.execute("ROLLBACK")
    assert await store.append(answered())


async def test_reading_goes_on_while_the_database_is_locked(
    store: Store, lock: sqlite3.Connection
) -> None:
    """With the log written ahead, readers do not wait for a writer."""
    assert lock.in_transaction
    assert await store.calls() == []
    await store.ping()


async def test_what_nobody_waits_for_is_tried_again(url: str, path: Path) -> None:
    """Such items outlive a failure, in their place."""
    patient = replace(QUICK, writer=WriterOptions(batch_limit=2, retry_seconds=(0.01,) * 500))
    store = await Store.open(url, patient)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            store.append_soon(started())
            store.append_soon(started(stream_sid="s2"))
            store.add_turn_soon(turn())
            with pytest.raises(StoreUnavailableError):
                await store.append(answered())
            store.append_soon(ended())
            assert store.pending == 4
            connection.execute("ROLLBACK")
        await store.flush()
        assert await store.events("c1") == [
            started(),
            started(stream_sid="s2"),
            ended(),
        ]
        assert await store.turns("c1") == [turn()]
        assert store.dropped == 0
    finally:
        await store.aclose()


async def test_in_the_end_it_is_dropped_and_counted(store: Store, lock: sqlite3.Connection) -> None:
    """After the last retry an item that nobody waits for is given up, and the writer goes on."""
    store.append_soon(answered())
    store.append_soon(started())
    await store.flush()
    assert (store.dropped, store.pending) == (2, 0)
    lock.execute("ROLLBACK")
    assert await store.append(answered())
    assert len(await store.events("c1")) == 1


async def test_a_bad_item_does_not_harm_the_others(store: Store) -> None:
    """A text that no database takes fails alone; what was put beside it is written."""
    bad = answered("c-bad", reason="\ud800")
    bad_sid = answered("\ud800")
    told = await asyncio.gather(
        store.append(answered("c1")),
        store.append(bad_sid),
        store.append(answered("c2")),
        return_exceptions=True,
    )
    assert (told[0], told[2]) == (True, True)
    assert isinstance(told[1], StoreRefusedError)
    assert not told[1].retryable
    assert {call.call_sid for call in await store.calls()} == {"c1", "c2"}
    with pytest.raises(StoreRefusedError):
        await store.append(bad)
    store.append_soon(bad)
    await store.flush()
    assert store.dropped == 1


async def test_a_turn_of_an_unknown_call_is_refused(store: Store) -> None:
    """A turn belongs to a call that has events; the log tells nothing that was said."""
    with capture_logs() as log:
        store.add_turn_soon(turn())
        await store.flush()
    (entry,) = log
    assert (entry["event"], entry["kind"]) == ("store item dropped", "turn")
    assert "FOREIGN KEY" in entry["error"]
    assert turn().text not in str(entry)
    assert store.dropped == 1
    store.append_soon(started())
    store.add_turn_soon(turn())
    await store.flush()
    assert await store.turns("c1") == [turn()]


async def test_being_cancelled_takes_nothing_back(store: Store) -> None:
    """What was put is written even if nobody waits for it any more."""
    waiting = asyncio.create_task(store.append(answered()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    await store.flush()
    assert await store.call("c1") is not None


async def test_closing_writes_what_waits(url: str) -> None:
    """What was put before the store was closed is there when it is opened again."""
    store = await Store.open(url)
    for number in range(700):
        store.append_soon(answered(f"c{number}"))
    await store.aclose()
    assert store.pending == 0
    store = await Store.open(url)
    try:
        assert len(await store.calls(1000)) == 700
    finally:
        await store.aclose()


async def test_a_closed_store_takes_nothing(url: str) -> None:
    """After closing, which may be done twice, everything put in is refused."""
    store = await Store.open(url)
    await store.aclose()
    await store.aclose()
    with pytest.raises(StoreClosedError):
        await store.append(answered())
    with pytest.raises(StoreClosedError):
        store.append_soon(answered())
    assert store.dropped == 1
    with pytest.raises(StoreClosedError):
        await store.flush()


async def test_closing_that_is_cancelled_tells_who_waits(url: str, path: Path) -> None:
    """A store that may not close in peace leaves nobody waiting, and counts what it lost."""
    store = await Store.open(url, replace(QUICK, writer=WriterOptions(retry_seconds=(30.0,))))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        store.append_soon(answered("c1"))
        waiting = asyncio.create_task(store.append(answered("c2")))
        await asyncio.sleep(0.01)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(store.aclose(), 0.05)
    with pytest.raises(StoreError):
        await waiting
    assert store.dropped == 1
