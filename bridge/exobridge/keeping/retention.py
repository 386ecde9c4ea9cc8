"""Takes away what has been kept for long enough: recordings, and what was said. Closes calls of
which nothing is heard any more.

Once an hour, by one process of all that share the database. A sweep that is cut off goes on where
it was with the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from exobridge.errors import ExobridgeError
from exobridge.recordings.storage import Storage
from exobridge.store import Store

EVERY = timedelta(hours=1)

FIRST_LOOK_S = 30.0
"""After the start, in seconds."""

LOOK_S = 300.0
"""How often it is looked whether an hour has passed, in seconds."""

WORDS_NEEDED = timedelta(hours=4)
"""Where nothing that was said is to be stored, a transfer's summary, which the human who takes the
call is told, is kept for so long: a stream lasts up to an hour, and a transfer 75 minutes more."""

SILENT = timedelta(days=1)
"""A call that is open and of which nothing has been heard for so long is over: none lasts as long,
and Exotel is not asked about it any longer."""

BETWEEN_S = 0.05
"""Pause between two bites, for the calls' own writing."""

_log = structlog.stdlib.get_logger("exobridge.keeping")


@dataclass(frozen=True, slots=True)
class Periods:
    """For how long what is kept; ``None``: for ever."""

    recordings: timedelta | None = None
    words: timedelta | None = None

    @classmethod
    def of(cls, *, recording_days: int, transcript_days: int, store_transcripts: bool) -> Periods:
        """From the settings; 0 days are for ever."""
        words = timedelta(days=transcript_days) if transcript_days else None
        return cls(
            recordings=timedelta(days=recording_days) if recording_days else None,
            words=words if store_transcripts else WORDS_NEEDED,
        )


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep took away, and the recordings whose files could not be deleted."""

    recordings: int = 0
    words: int = 0
    failed: int = 0


@asynccontextmanager
async def retention(store: Store, storage: Storage, periods: Periods) -> AsyncGenerator[None]:
    """Sweep beside what is done in the block."""
    sweeper = Retention(store, storage, periods, lambda: datetime.now(UTC))
    running = asyncio.create_task(sweeper.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


class Retention:
    """One process's part. :meth:`run` is its task.

    Args:
        wall_clock: Aware time.
    """

    def __init__(
        self, store: Store, storage: Storage, periods: Periods, wall_clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._storage = storage
        self._periods = periods
        self._wall_clock = wall_clock

    async def run(self) -> None:
        """Sweep until cancelled. Not at once: a server that starts has its calls to care for."""
        await asyncio.sleep(FIRST_LOOK_S)
        while True:
            try:
                await self.look()
            except ExobridgeError as error:
                _log.warning("old data not removed", error=str(error))
            except Exception:  # the next hour is another try
                _log.exception("sweep crashed")
            await asyncio.sleep(LOOK_S)

    async def look(self) -> Swept | None:
        """Sweep, if it is time and no other process does.

        Raises:
            StoreError: The database does not answer.
        """
        if not await self._store.keeping.claim_sweep(self._wall_clock(), EVERY):
            return None
        return await self.sweep()

    async def sweep(self) -> Swept:
        """Take away what is old enough, and close what nobody tells the end of.

        Raises:
            StoreError: The database does not answer.
        """
        now = self._wall_clock()
        if closed := await self._store.close_silent(now - SILENT):
            _log.info("silent calls closed", calls=closed)
        recordings, failed = await self._sweep_recordings(now)
        swept = Swept(recordings, await self._sweep_words(now), failed)
        if swept != Swept():
            _log.info(
                "old data removed",
                recordings=swept.recordings,
                words=swept.words,
                failed=swept.failed,
            )
        return swept

    async def _sweep_recordings(self, now: datetime) -> tuple[int, int]:
        """How many were deleted, and how many could not be."""
        if self._periods.recordings is None:
            return 0, 0
        before, deleted = now - self._periods.recordings, 0
        while old := await self._store.recordings.older_than(before):
            failed = 0
            for row in old:
                try:
                    await self._storage.delete(row.location)
                except ExobridgeError as error:
                    failed += 1
                    _log.warning("recording not deleted", call_sid=row.call_sid, error=str(error))
                else:
                    await self._store.recordings.delete(row)
                    deleted += 1
            if failed:  # they would come first again: the next sweep tries them anew
                return deleted, failed
            await asyncio.sleep(BETWEEN_S)
        return deleted, 0

    async def _sweep_words(self, now: datetime) -> int:
        """How many turns and summaries lost their words."""
        if self._periods.words is None:
            return 0
        removed = 0
        while True:
            words = await self._store.keeping.remove_words(now - self._periods.words)
            removed += words.removed
            if words.is_done:
                return removed
            await asyncio.sleep(BETWEEN_S)
