"""Batches in the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.outbound.batches import Batches, BatchKeyReusedError, BatchOverError, seconds_left
from exobridge.outbound.lists import BatchRefusedError, BatchWish
from exobridge.store import Store, StoreError
from exobridge.store.access import writing
from exobridge.store.batches import Batch, BatchState, ListRow, Progress
from exobridge.store.engine import make_engine, read_url
from exobridge.store.tables import dial_attempts, dials
from tests.database import migrated
from tests.outbound.test_lists import NOW, judge

LIST = b"number,name\n9876543210,Asha\n9876543211,=1+1\n9876543212,\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The database's file."""
    return tmp_path / "calls.sqlite3"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    """An open store."""
    migrated(path)
    store = await Store.open(f"sqlite+aiosqlite:///{path}")
    yield store
    await store.aclose()


@pytest.fixture
async def engine(path: Path) -> AsyncIterator[AsyncEngine]:
    """For what a dialler writes."""
    url = read_url(f"sqlite+aiosqlite:///{path}")
    engine = make_engine(url, busy_timeout_ms=5000, writes=True)
    yield engine
    await engine.dispose()


def batches(store: Store, now: datetime = NOW) -> Batches:
    """The service, with rows that are called however they are written."""
    return Batches(store, judge, lambda: now, lambda: None)


async def change(engine: AsyncEngine, row: int, **values: object) -> None:
    """Of a row, as the dialler does."""
    async with writing(engine) as connection:
        await connection.execute(update(dials).where(dials.c.row == row).values(values))


async def states(store: Store, batch: Batch) -> list[tuple[str, str | None]]:
    """State and outcome of each row."""
    return [(row.state, row.outcome) for row in await store.batches.results(batch.id)]


async def test_a_batch_is_made_once_of_a_key(store: Store) -> None:
    """Asked for again it is the same, with all its rows; with other rows it is refused."""
    service = batches(store)
    batch, is_new = await service.start(BatchWish(LIST, key="monday", name="Dues"))
    again, is_new_again = await service.start(BatchWish(LIST, key="monday", name="Dues"))
    assert (is_new, is_new_again, again) == (True, False, batch)
    with pytest.raises(BatchKeyReusedError) as caught:
        await service.start(BatchWish(LIST, key="monday"))
    assert caught.value.batch_id == batch.id
    assert await service.listed(10) == [batch]
    assert await service.progress(batch) == [Progress({"waiting": 3})]


@pytest.mark.parametrize("key", ["k" * 201, "k\0", "k\ud800"])
async def test_a_key_that_cannot_be_kept_is_refused(store: Store, key: str) -> None:
    """As it is of a single call."""
    with pytest.raises(BatchRefusedError, match="idempotency key"):
        await batches(store).start(BatchWish(LIST, key=key))
    assert await store.batches.listed() == []


async def test_two_at_once_with_one_key_make_one(store: Store) -> None:
    """Who comes to its end later finds the other's, and leaves nothing behind."""
    service = batches(store)
    made = await service.plan(BatchWish(LIST))
    one = _batch("one", key="k")
    other = _batch("two", key="k")
    renamed = [replace_id(row, f"x{row.dial.id}") for row in made.rows]
    assert await store.batches.add(one, made.rows)
    assert not await store.batches.add(other, renamed)
    assert await store.batches.find("two") is None
    assert (await store.batches.progress(["two"]))["two"] == Progress()


async def test_a_batch_that_was_not_put_in_whole_is_none(store: Store) -> None:
    """Nobody sees it, nobody is called for it, and it is cleared away."""
    made = await batches(store).plan(BatchWish(LIST))
    twice = [*made.rows, made.rows[0]]
    with pytest.raises(StoreError):
        await store.batches.add(_batch("half"), twice)
    assert await store.batches.progress(["half"]) == {"half": Progress()}

    # Its process dies before the rest: nothing public leaves a batch half put in.
    await store.batches._begin(_batch("died"))  # pyright: ignore[reportPrivateUsage]
    assert await store.batches.listed() == []
    assert await store.batches.find("died") is None
    assert not await store.batches.settle(NOW + timedelta(minutes=29))
    assert await store.batches.settle(NOW + timedelta(minutes=31))
    assert await store.batches.add(_batch("died"), made.rows)


async def test_a_batch_is_done_with_its_last_row(store: Store, engine: AsyncEngine) -> None:
    """Not before, and it cannot be paused any more."""
    service = batches(store)
    batch, _ = await service.start(BatchWish(LIST))
    for row in (1, 2):
        await change(engine, row, state="done", outcome="answered", attempts=1)
    await change(engine, 3, state="placed", attempts=2)
    assert not await service.settle()
    (progress,) = await service.progress(batch)
    assert (progress.done, progress.waiting, progress.under_way, progress.calls) == (2, 0, 1, 4)
    await change(engine, 3, state="done", outcome="busy")
    assert await service.settle()
    done = await service.find(batch.id)
    assert (done.state, done.done_at) == (BatchState.DONE, NOW)
    assert (await service.progress(batch))[0].outcomes == {"answered": 2, "busy": 1}
    with pytest.raises(BatchOverError):
        await service.pause(batch.id)


async def test_a_batch_is_paused_and_goes_on(store: Store) -> None:
    """Either may be asked for twice."""
    service = batches(store)
    batch, _ = await service.start(BatchWish(LIST))
    for _ in range(2):
        assert (await service.pause(batch.id)).state == BatchState.PAUSED
    for _ in range(2):
        assert (await service.resume(batch.id)).state == BatchState.RUNNING


async def test_a_cancelled_batch_ends_with_its_last_call(store: Store, engine: AsyncEngine) -> None:
    """Rows that wait are cancelled at once; a call under way goes on to its own end, and one that
    comes to wait again is cancelled then."""
    service = batches(store)
    batch, _ = await service.start(BatchWish(LIST))
    await change(engine, 2, state="placed")
    cancelled = await service.cancel(batch.id)
    assert (cancelled.state, cancelled.done_at) == (BatchState.CANCELLED, None)
    assert await states(store, batch) == [
        ("done", "cancelled"),
        ("placed", None),
        ("done", "cancelled"),
    ]
    await change(engine, 2, state="waiting")
    assert await service.settle()
    assert (await service.find(batch.id)).done_at == NOW
    assert (await states(store, batch))[1] == ("done", "cancelled")
    assert not await service.settle()


async def test_results_are_the_list_and_what_became_of_it(
    store: Store, engine: AsyncEngine
) -> None:
    """The list's own cells in their order, and beside them the facts; formulas are defused."""
    service = batches(store)
    source = LIST + b"12,bad\n"
    batch, _ = await service.start(BatchWish(source, skip_bad_rows=True))
    rows = await store.batches.results(batch.id)
    await change(engine, 2, state="done", outcome="busy", attempts=1, call_sid="c1")
    async with writing(engine) as connection:
        first = dials.select().where(dials.c.row == 2)
        dial_id = (await connection.execute(first)).mappings().one()["id"]
        values = {"dial_id": dial_id, "number": 1, "asked_at": NOW}
        await connection.execute(dial_attempts.insert().values(values))
    text = "".join([piece async for piece in service.results(batch)])
    assert text.split("\r\n") == [
        "number,name,outcome,attempts,call_sid,called_at,answered_at,seconds,error",
        "9876543210,Asha,,0,,,,,",
        "9876543211,'=1+1,busy,1,c1,2026-11-22T06:00:00+00:00,,,",
        "9876543212,,,0,,,,,",
        "12,bad,refused,0,,,,,number: It is no phone number.",
        "",
    ]
    assert len(rows) == 4


async def test_batches_are_listed_a_page_at_a_time(store: Store) -> None:
    """The newest first, and none is left out."""
    made = await batches(store).plan(BatchWish(b"number\n9876543210\n"))
    for at in range(5):
        batch = replace(_batch(f"b{at}"), created_at=NOW + timedelta(seconds=at // 2))
        assert await store.batches.add(batch, [replace_id(made.rows[0], f"d{at}")])
    pages: list[Sequence[str]] = []
    last: str | None = None
    while page := await store.batches.listed(2, last):
        pages.append([batch.id for batch in page])
        last = page[-1].id
    assert pages == [["b4", "b3"], ["b2", "b1"], ["b0"]]


def test_the_time_that_is_left_follows_the_pace() -> None:
    """Not faster than its calls a minute, and told only of what runs and has begun."""
    batch = replace(_batch("b"), rows=100, calls_per_minute=60)
    progress = Progress({"done": 20, "waiting": 80}, calls=20)
    assert seconds_left(batch, progress, NOW + timedelta(seconds=200)) == 800
    assert seconds_left(batch, progress, NOW + timedelta(seconds=2)) == 80
    assert seconds_left(replace(batch, state=BatchState.PAUSED), progress, NOW) is None
    assert seconds_left(batch, Progress({"waiting": 100}), NOW) is None


def replace_id(row: ListRow, dial_id: str) -> ListRow:
    """The same row as another dial."""
    return replace(row, dial=replace(row.dial, id=dial_id))


def _batch(batch_id: str, key: str | None = None) -> Batch:
    return Batch(batch_id, key, "", "", BatchState.RUNNING, 10, 60, 3, ("number", "name"), NOW)
