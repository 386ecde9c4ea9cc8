"""The recording of one process: from the tapes of its calls to the storage."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from exobridge.own_recording.recorder import OwnRecorder
from exobridge.own_recording.shelf import Shelf
from exobridge.own_recording.spool import Spool
from exobridge.recorder import StoreRecorder
from exobridge.recordings.storage import Storage
from exobridge.store import Store

CLOSE_S = 5.0
"""How long the end of a process waits for the storage; what is not stored by then is stored at the
next start."""


def spool_of(data_dir: Path) -> Spool:
    """Where recordings wait, in the data directory."""
    return Spool(data_dir / "own-recordings")


@asynccontextmanager
async def own_recordings(
    spool: Spool, storage: Storage, store: Store, recorder: StoreRecorder
) -> AsyncGenerator[OwnRecorder]:
    """Record, and store what was recorded, what a former process left included."""
    shelf = Shelf(spool, storage, store, recorder)
    tapes = OwnRecorder(spool, shelf.wake, time.time)
    storing = asyncio.create_task(shelf.run())
    try:
        yield tapes
    finally:
        await tapes.aclose()
        shelf.stop()
        await asyncio.wait([storing], timeout=CLOSE_S)
        storing.cancel()
        await asyncio.wait([storing])
