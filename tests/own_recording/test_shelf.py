"""From the spool to the storage and the record: once, and in the end."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from exobridge.call.events import EventKind
from exobridge.own_recording.shelf import Shelf
from exobridge.own_recording.spool import STALE_S, Note, Spool
from exobridge.recorder import StoreRecorder
from exobridge.recordings.errors import StorageError
from exobridge.recordings.folder import FolderStorage
from exobridge.store import Store
from exobridge_codecs.formats import pcm16
from tests.keeping.kept import database, keep


class BadStorage(FolderStorage):
    """A folder that does not take what it is given, or never answers, until ``fault`` is empty. A
    real one may also fail half-way."""

    fault = ""

    async def put(self, file: Path, key: str, media_type: str) -> str:
        """As :meth:`FolderStorage.put`."""
        if self.fault == "hang":
            await asyncio.sleep(60)
        if self.fault:
            raise StorageError("it cannot be put away (no room)")
        return await super().put(file, key, media_type)


@dataclass
class Place:
    """All that a recording needs."""

    folder: Path
    store: Store
    spool: Spool = field(init=False)
    storage: BadStorage = field(init=False)

    def __post_init__(self) -> None:
        self.spool = Spool(self.folder / "spool")
        self.storage = BadStorage(self.folder / "stored")

    def shelf(self) -> Shelf:
        """One that does not wait long."""
        return Shelf(self.spool, self.storage, self.store, StoreRecorder(self.store), store_s=0.2)

    def record(self, call_sid: str = "call", size: int = 400) -> Path:
        """A recording that is whole."""
        path, sound = self.spool.begin(Note(call_sid, "own-stream", pcm16(8000), 1000.0))
        sound.write(bytes(size))
        sound.close()
        return path

    async def stored(self, call_sid: str = "call") -> list[tuple[str, int | None]]:
        """Our own recordings of a call, and how long they are."""
        rows = await self.store.recordings.of_call(call_sid)
        return [(row.name, row.duration_ms) for row in rows if row.source == "own"]

    async def told(self) -> int:
        """How often the record says that there is one."""
        events = await self.store.events("call")
        return [event.kind for event in events].count(EventKind.RECORDING)

    def files(self) -> tuple[int, int]:
        """How many wait, and how many are stored."""
        stored = [path for path in (self.folder / "stored").rglob("*") if path.is_file()]
        return len(list((self.folder / "spool").iterdir())), len(stored)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    """With a call that is known."""
    store = await Store.open(database(tmp_path))
    await keep(store, tmp_path, "call")
    yield Place(tmp_path, store)
    await store.aclose()


async def test_what_is_whole_is_stored_once(place: Place) -> None:
    """However many look, there is one file, one row, one event, and nothing waits any more."""
    place.record()
    await asyncio.gather(*(place.shelf().look() for _ in range(3)))
    await place.shelf().look()
    assert await place.stored() == [("own-stream", 12)]
    assert await place.told() == 1
    assert place.files() == (0, 1)


async def test_it_is_stored_again_after_a_crash_in_the_middle(place: Place) -> None:
    """The file was put away and the record did not learn of it; or it did, and it still waits."""
    place.record()
    await place.shelf().look()
    place.record()
    await place.shelf().look()
    assert await place.stored() == [("own-stream", 12)]
    assert await place.told() == 1
    assert place.files() == (0, 1)


@pytest.mark.parametrize("fault", ["full", "hang"])
async def test_a_storage_that_fails_is_tried_again(place: Place, fault: str) -> None:
    """Nothing is lost meanwhile; one that does not answer is not waited for."""
    place.record()
    place.storage.fault = fault
    await place.shelf().look()
    assert await place.stored() == []
    place.storage.fault = ""
    await place.shelf().look()
    assert await place.stored() == [("own-stream", 12)]
    assert place.files() == (0, 1)


async def test_a_recording_of_nothing_is_none(place: Place) -> None:
    """A stream that ended at once."""
    place.record(size=0)
    await place.shelf().look()
    assert await place.stored() == []
    assert place.files() == (0, 0)


async def test_a_call_that_is_not_known_may_be_yet(place: Place) -> None:
    """For an hour; then its recording goes, too: it was erased."""
    path = place.record("erased")
    await place.shelf().look()
    assert place.files()[1] == 0
    assert await asyncio.to_thread(path.exists)
    long_ago = time.time() - STALE_S - 60
    os.utime(path, (long_ago, long_ago))
    await place.shelf().look()
    assert place.files() == (0, 0)


async def test_it_looks_when_it_is_woken_and_once_more_at_its_end(place: Place) -> None:
    """So a call's recording is there soon after it, and before the process ends."""
    shelf = place.shelf()
    running = asyncio.create_task(shelf.run())
    await asyncio.sleep(0.05)
    place.record()
    shelf.stop()
    await asyncio.wait_for(running, 5)
    assert await place.stored() == [("own-stream", 12)]
