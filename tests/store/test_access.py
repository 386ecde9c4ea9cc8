"""Whatever part of the store fails, it says so alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from exobridge.store import Store, StoreRefusedError, StoreUnavailableError
from tests.store.samples import answered, at
from tests.store.test_recordings import ONE

Asks = Callable[[Store, str], Awaitable[object]]

READS: dict[str, Asks] = {
    "calls": lambda store, text: store.call(text),
    "jobs": lambda store, text: store.jobs.listed(call_sid=text),
    "recordings": lambda store, text: store.recordings.of_call(text),
    "keeping": lambda store, text: store.keeping.held([text]),
}
WRITES: dict[str, Asks] = {
    "jobs": lambda store, text: store.jobs.add("fetch", text, {}),
    "recordings": lambda store, text: store.recordings.add(replace(ONE, call_sid=text)),
    "keeping": lambda store, text: store.keeping.forget(text),
    "counters": lambda store, text: store.counters.first(text, "answer", lambda _: answered(text)),
}


@pytest.mark.parametrize("part", READS)
async def test_a_database_that_cannot_be_read(store: Store, path: Path, part: str) -> None:
    """It is an error that may pass, and quotes nothing that was asked for."""
    with closing(sqlite3.connect(path)) as admin:
        admin.executescript("DROP TABLE turns; DROP TABLE recordings; DROP TABLE jobs;")
        admin.executescript("DROP TABLE call_events; DROP TABLE calls;")
    with pytest.raises(StoreUnavailableError, match=r"cannot be read .*no such table") as caught:
        await READS[part](store, "9811122233")
    assert caught.value.retryable
    assert "9811122233" not in str(caught.value)


@pytest.mark.parametrize("part", WRITES)
async def test_a_database_that_cannot_be_written(store: Store, path: Path, part: str) -> None:
    """It is an error that may pass; once the other process is done it does."""
    await store.append(answered())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match=r"cannot be written .*locked") as caught:
            await WRITES[part](store, "c1")
    assert caught.value.retryable
    await WRITES[part](store, "c1")


@pytest.mark.parametrize("part", READS)
async def test_words_that_cannot_be_asked_for(store: Store, part: str) -> None:
    """Half a character is refused, and not quoted."""
    with pytest.raises(StoreRefusedError) as caught:
        await READS[part](store, "9811122233\ud800")
    assert "9811122233" not in str(caught.value)


@pytest.mark.parametrize("part", WRITES)
async def test_words_that_cannot_be_written(store: Store, part: str) -> None:
    """Half a character, as JSON may bring it, is refused for good and does no harm."""
    with pytest.raises(StoreRefusedError) as caught:
        await WRITES[part](store, "\ud800")
    assert not caught.value.retryable
    await store.jobs.add("fetch", "a", {}, due_at=at(0))


async def test_what_breaks_a_rule_of_the_record(store: Store) -> None:
    """It is refused for good: a recording belongs to a call that is known."""
    with pytest.raises(StoreRefusedError, match="FOREIGN KEY") as caught:
        await store.recordings.add(replace(ONE, location="9811122233"))
    assert "9811122233" not in str(caught.value)
