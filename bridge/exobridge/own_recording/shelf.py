"""Puts recordings that are whole from the spool into the storage, and into the record.

The spool is the list of what is to be done: what was not stored, as the storage or the database
failed or the process died, is found there again, by whichever process looks first.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog

from exobridge.call.events import recording
from exobridge.errors import ExobridgeError
from exobridge.own_recording.spool import CHANNELS, STALE_S, Spool, Waiting
from exobridge.recorder import StoreRecorder
from exobridge.recordings.keys import key_of
from exobridge.recordings.storage import Storage
from exobridge.store import Store, StoreRefusedError
from exobridge.store.recordings import Recording

SOURCE = "own"
MEDIA_TYPE = "audio/wav"

LOOK_S = 60.0
"""How often the spool is looked at without a call having ended, in seconds."""

STORE_S = 300.0
"""Longest wait for the storage to take one recording."""

_log = structlog.stdlib.get_logger("exobridge.recording")


class Shelf:
    """One process's. :meth:`run` is its task.

    Args:
        recorder: Told of each recording.
        store_s: Longest wait for one to be stored, in seconds.
    """

    def __init__(
        self,
        spool: Spool,
        storage: Storage,
        store: Store,
        recorder: StoreRecorder,
        store_s: float = STORE_S,
    ) -> None:
        self._spool = spool
        self._storage = storage
        self._store = store
        self._recorder = recorder
        self._store_s = store_s
        self._wake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """A recording is whole."""
        self._wake.set()

    def stop(self) -> None:
        """Look once more, then end."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Look until stopped."""
        is_last = False
        while not is_last:
            self._wake.clear()
            is_last = self._stopping
            await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(0 if is_last else LOOK_S):
                    await self._wake.wait()

    async def look(self) -> None:
        """Store what nobody works on."""
        try:
            for path in await asyncio.to_thread(self._spool.paths):
                await self._store_one(path)
        except Exception as error:  # one bad file must not end the task
            _log.error("recordings not stored", error=type(error).__name__, exc_info=error)

    async def _store_one(self, path: Path) -> None:
        with ExitStack() as held:
            claim = self._spool.claim(path)
            waiting = await asyncio.to_thread(held.enter_context, claim)
            if waiting is None:
                return
            try:
                async with asyncio.timeout(self._store_s):
                    done = not waiting.data_bytes or await self._put(waiting)
            except (ExobridgeError, OSError, TimeoutError) as error:
                why = str(error) if isinstance(error, ExobridgeError) else type(error).__name__
                _log.warning("recording not stored", call_sid=waiting.note.call_sid, error=why)
            else:
                if done:
                    await asyncio.to_thread(self._spool.drop, path)

    async def _put(self, waiting: Waiting) -> bool:
        """Store one; whether it is done with."""
        note, path = waiting.note, waiting.path
        size, digest = await asyncio.to_thread(_measure, path)
        began = datetime.fromtimestamp(note.began_at, UTC)
        key = key_of(note.call_sid, SOURCE, note.stream_sid, "wav", began)
        # By another name: the storage may move what it is given, and this one is needed until the
        # record knows of it.
        other = path.with_suffix(".put")
        await asyncio.to_thread(_link, path, other)
        location = await self._storage.put(other, key, MEDIA_TYPE)
        await asyncio.to_thread(other.unlink, missing_ok=True)
        row = Recording(
            call_sid=note.call_sid,
            source=SOURCE,
            name=note.stream_sid,
            location=location,
            media_type=MEDIA_TYPE,
            bytes=size,
            sha256=digest,
            duration_ms=waiting.duration_ms,
            channels=CHANNELS,
            sample_rate=note.audio.sample_rate,
            created_at=datetime.now(UTC),
        )
        await self._store.flush()  # the call's own first event may still wait to be written
        try:
            await self._store.recordings.add(row)
        except StoreRefusedError:
            await self._storage.delete(location)
            return await self._unknown(waiting)
        told = recording(
            note.call_sid,
            row.created_at,
            source=SOURCE,
            name=note.stream_sid,
            duration_ms=row.duration_ms,
            size=size,
        )
        await self._recorder.append(told)
        _log.info(
            "own recording stored",
            call_sid=note.call_sid,
            seconds=round(waiting.duration_ms / 1000, 1),
            bytes=size,
        )
        return True

    async def _unknown(self, waiting: Waiting) -> bool:
        """The record knows no such call: it was erased, or could not be written and may be yet."""
        age = time.time() - (await asyncio.to_thread(waiting.path.stat)).st_mtime
        if age > STALE_S:
            _log.warning("recording dropped", call_sid=waiting.note.call_sid, why="unknown call")
        return age > STALE_S


def _measure(path: Path) -> tuple[int, str]:
    """Size, and SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.seek(0, os.SEEK_END), digest


def _link(path: Path, other: Path) -> None:
    other.unlink(missing_ok=True)
    try:
        os.link(path, other)
    except OSError:  # a file system without such names
        shutil.copyfile(path, other)
