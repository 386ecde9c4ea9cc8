"""The one task that writes. Whatever waits is written in one transaction (group commit)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.call.events import CallEvent, Turn
from exobridge.store.errors import (
    StoreClosedError,
    StoreError,
    StoreFullError,
    StoreRefusedError,
    StoreUnavailableError,
    cause,
)
from exobridge.store.transaction import Besides, write

_log = structlog.get_logger(__name__)

_MAY_PASS = (OperationalError, InterfaceError, PoolTimeoutError, OSError)
"""Failures of the database, not of what was to be written."""


@dataclass(frozen=True, slots=True)
class WriterOptions:
    """How the writer works.

    Attributes:
        queue_limit: Most items that may wait; one more is refused.
        batch_limit: Most items in one transaction.
        retry_seconds: Waits before an item that nobody waits for is tried again, one per failure;
            after the last it is dropped and counted.
    """

    queue_limit: int = 10_000
    batch_limit: int = 500
    retry_seconds: tuple[float, ...] = (0.1, 0.3, 1.0, 3.0)


@dataclass(slots=True)
class _Item:
    """Something to write; without ``what``, only a mark that all before it has been settled."""

    what: CallEvent | Turn | None
    done: asyncio.Future[bool] | None = None
    failures: int = 0

    def resolve(self, is_new: bool) -> None:
        """Tell who waits, if anyone still does."""
        if self.done and not self.done.done():
            self.done.set_result(is_new)

    def reject(self, error: StoreError) -> None:
        """Tell who waits that it was not written."""
        if self.done and not self.done.done():
            self.done.set_exception(error)


class Writer:
    """Writes events and turns in the order in which they were put.

    Attributes:
        besides: Say which facts leave jobs behind; none of them may raise.
        transactions: Transactions committed so far.
        dropped: Items given up, of those that nobody waited for.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        options: WriterOptions,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._options = options
        self._clock = clock
        self._queue: deque[_Item] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._run(), name="exobridge-store-writer")
        self.besides = Besides()
        self.transactions = 0
        self.dropped = 0

    @property
    def pending(self) -> int:
        """Items that wait to be written."""
        return len(self._queue)

    @property
    def alive(self) -> bool:
        """Whether what is put now will be written."""
        return not (self._closing or self._task.done())

    def put(self, what: CallEvent | Turn) -> None:
        """Write this soon; nobody waits for it.

        Raises:
            StoreFullError: Too much waits already.
            StoreClosedError: The store has been closed.
        """
        self._put(_Item(what))

    async def settle(self, what: CallEvent | None) -> bool:
        """Write this and wait until it is committed. ``None``: wait for all that was put before.

        Being cancelled does not take back what was put.

        Returns:
            Whether it was new.

        Raises:
            StoreError: It was not written.
        """
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._put(_Item(what, done))
        return await done

    async def aclose(self) -> None:
        """Write what waits, then stop."""
        self._closing = True
        self._wake.set()
        await self._task

    def _put(self, item: _Item) -> None:
        if not self.alive:
            self.dropped += item.done is None
            raise StoreClosedError("the store has been closed")
        if item.what is not None and len(self._queue) >= self._options.queue_limit:
            self.dropped += item.done is None
            raise StoreFullError(f"{len(self._queue)} items wait to be written, and no more may")
        self._queue.append(item)
        self._wake.set()

    async def _run(self) -> None:
        try:
            while self._queue or not self._closing:
                await self._wake.wait()
                if wait := await self._write_next():
                    await asyncio.sleep(wait)
                if not self._queue and not self._closing:
                    self._wake.clear()
        finally:
            self._give_up()

    async def _write_next(self) -> float:
        """Write the next batch.

        Returns:
            How long to wait before the one after it, in seconds.
        """
        items = list(islice(self._queue, self._options.batch_limit))
        try:
            await self._write(items)
        except _MAY_PASS as error:
            return self._postpone(len(items), error)
        except Exception:
            return await self._write_one_by_one(len(items))
        self._forget(len(items))
        return 0

    async def _write_one_by_one(self, count: int) -> float:
        """One item of the batch is bad; the others shall not suffer for it."""
        for left in range(count, 0, -1):
            item = self._queue[0]
            try:
                await self._write([item])
            except _MAY_PASS as error:
                return self._postpone(left, error)
            except Exception as error:
                self._drop(item, StoreRefusedError(f"the database refused it ({cause(error)})"))
            self._forget(1)
        return 0

    async def _write(self, items: Sequence[_Item]) -> None:
        told = [item.what for item in items if item.what is not None]
        fresh: Iterator[bool] = iter(())
        if told:
            async with self._engine.begin() as connection:
                now = self._clock()
                written = await connection.run_sync(write, told, self.besides, now)
            fresh = iter(written.is_new)
            self.transactions += 1
            if written.has_due:
                self.besides.wake_soon()
        for item in items:
            item.resolve(item.what is None or next(fresh))

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._queue.popleft()

    def _postpone(self, count: int, error: Exception) -> float:
        """The database cannot be written now. Whoever waits is told, wherever in the queue; the
        rest stays in its place. Only the ``count`` items that were tried have failed once more.

        Returns:
            How long to wait before they are tried again, in seconds.
        """
        waits = self._options.retry_seconds
        failure = StoreUnavailableError(f"the database cannot be written ({cause(error)})")
        kept: deque[_Item] = deque()
        for index, item in enumerate(self._queue):
            item.failures += index < count and item.what is not None
            if item.what is None or (item.done is None and item.failures <= len(waits)):
                kept.append(item)
            else:
                self._drop(item, failure)
        self._queue = kept
        _log.warning("store write failed", cause=cause(error), kept=len(kept))
        failures = max((item.failures for item in kept), default=0)
        return waits[failures - 1] if failures else 0

    def _drop(self, item: _Item, error: StoreError) -> None:
        if item.done is None:
            self.dropped += 1
            kind = item.what.kind.value if isinstance(item.what, CallEvent) else "turn"
            _log.error("store item dropped", kind=kind, error=str(error))
        item.reject(error)

    def _give_up(self) -> None:
        """Nothing is left here unless the task was cancelled."""
        while self._queue:
            self._drop(self._queue.popleft(), StoreClosedError("the store was closed before"))
