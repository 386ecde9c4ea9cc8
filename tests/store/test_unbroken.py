"""Who is cancelled in the middle of a transaction does not leave it open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from exobridge.call.events import CallEvent
from exobridge.store import Store, StoreRefusedError
from tests.store.samples import answered, at, ended
from tests.store.test_recordings import ONE


def events(count: int) -> CallEvent:
    """What a counter makes."""
    return replace(ended(seconds=count), key="a-key")


WORK: dict[str, Callable[[Store], Coroutine[Any, Any, object]]] = {
    "add": lambda store: store.jobs.add("fetch", "b", {}),
    "amend": lambda store: store.jobs.amend("fetch", "a", {}, due_at=at(0)),
    "lease": lambda store: store.jobs.lease("fetch", now=at(9), until=at(9), limit=5),
    "revive": lambda store: store.jobs.revive(1, now=at(0)),
    "forget": lambda store: store.jobs.forget(at(0)),
    "list": lambda store: store.jobs.listed(),
    "next": lambda store: store.jobs.next_due(["fetch"]),
    "backlog": lambda store: store.jobs.backlog(at(0)),
    "recording": lambda store: store.recordings.add(ONE),
    "recordings": lambda store: store.recordings.of_call("c1"),
    "count": lambda store: store.counters.first("c1", "a-key", events, counter="transfers"),
    "sweep": lambda store: store.keeping.remove_words(at(0)),
}


@pytest.mark.parametrize("name", WORK)
async def test_a_cancelled_transaction_leaves_no_lock(store: Store, name: str) -> None:
    """Wherever it is cancelled, what others write is written."""
    await store.append(answered())
    await store.jobs.add("fetch", "a", {}, due_at=at(0))
    for turns in range(12):
        task = asyncio.create_task(WORK[name](store))
        for _ in range(turns):
            await asyncio.sleep(0)
        await asyncio.sleep(turns / 5000)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert await store.append(answered(f"other-{turns}"))


async def test_what_was_begun_is_done(store: Store) -> None:
    """Though nobody waits for it any more; closing the store waits."""
    task = asyncio.create_task(store.jobs.add("fetch", "a", {}))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await store.jobs.finish()
    assert [job.key for job in await store.jobs.listed()] == ["a"]


async def test_a_failure_that_nobody_asks_for_is_dropped(store: Store) -> None:
    """It is no error of the loop's."""
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    task = asyncio.create_task(store.recordings.add(ONE))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await store.recordings.finish()
    assert reported == []
    with pytest.raises(StoreRefusedError):
        await store.recordings.add(ONE)
