"""Batches: lists of people to call, and what became of them."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from uuid import uuid4

from exobridge.errors import ExobridgeError
from exobridge.outbound import csv_results
from exobridge.outbound.checks import check_key
from exobridge.outbound.lists import BatchRefusedError, BatchWish, Judge, Plan, for_all, plan
from exobridge.outbound.models import DialRefusedError, RetryPolicy
from exobridge.store import Store
from exobridge.store.batches import Batch, BatchState, Progress, ResultRow

_PAGE = 200


class UnknownBatchError(ExobridgeError):
    """There is no such batch."""


class BatchOverError(ExobridgeError):
    """The batch is done or was cancelled: its course cannot be changed."""


class BatchKeyReusedError(ExobridgeError):
    """The idempotency key was used for another list, or for other options.

    Attributes:
        batch_id: What it was used for.
    """

    def __init__(self, batch_id: str) -> None:
        self.batch_id = batch_id
        super().__init__("the idempotency key was used for another batch; use a new one")


class Batches:
    """The batches of a store.

    Args:
        judge: What a row becomes; see :meth:`Outbound.judge`.
        clock: The time of day, aware.
        wake: Told when there is somebody to call.
    """

    def __init__(
        self,
        store: Store,
        judge: Judge,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._judge = judge
        self._clock = clock
        self._wake = wake
        self._one_at_a_time = asyncio.Lock()

    async def plan(self, wish: BatchWish) -> Plan:
        """Check a list, in a thread.

        Raises:
            BatchRefusedError: Nobody would be called.
        """
        async with self._one_at_a_time:
            now = self._clock()
            return await asyncio.to_thread(plan, wish, self._judge, now, _let_others_run)

    async def start(self, wish: BatchWish) -> tuple[Batch, bool]:
        """Have all of a list called. It is durable, and whole, when this returns.

        Returns:
            The batch, and whether it is new.

        Raises:
            BatchRefusedError: Nobody is called.
            BatchKeyReusedError: Its key was used for something else.
            StoreError: It could not be kept.
        """
        try:
            check_key(wish.key)
        except DialRefusedError as error:
            raise BatchRefusedError(error.kind, error.detail) from None
        fingerprint = await asyncio.to_thread(_fingerprint, wish)
        if known := await self._known(wish.key, fingerprint):
            return known, False
        planned = await self.plan(wish)
        batch = Batch(
            id=f"b{uuid4().hex[:16]}",
            key=wish.key or None,
            fingerprint=fingerprint,
            name=wish.name,
            state=BatchState.RUNNING,
            calls_at_once=wish.calls_at_once,
            calls_per_minute=wish.calls_per_minute,
            rows=len(planned.rows),
            columns=planned.columns,
            created_at=self._clock(),
        )
        if not await self._store.batches.add(batch, planned.rows):
            known = await self._known(wish.key, fingerprint)
            return known or batch, False
        self._wake()
        return batch, True

    async def _known(self, key: str, fingerprint: str) -> Batch | None:
        batch = await self._store.batches.of_key(key) if key else None
        if batch is not None and batch.fingerprint != fingerprint:
            raise BatchKeyReusedError(batch.id)
        return batch

    # -------------------------------------------------------------- looking up

    async def listed(self, limit: int, before: str | None = None) -> list[Batch]:
        """Batches, the newest first; see :meth:`BatchRows.listed`."""
        return await self._store.batches.listed(limit, before)

    async def find(self, batch_id: str) -> Batch:
        """One batch.

        Raises:
            UnknownBatchError: There is none of this id.
        """
        batch = await self._store.batches.find(batch_id)
        if batch is None:
            raise UnknownBatchError("there is no such batch")
        return batch

    async def progress(self, *batches: Batch) -> list[Progress]:
        """How far they have come."""
        found = await self._store.batches.progress([batch.id for batch in batches])
        return [found[batch.id] for batch in batches]

    async def results(self, batch: Batch) -> AsyncIterator[str]:
        """Its results as CSV, piece by piece, as they are while they are read."""
        yield csv_results.header(batch.columns)
        after = 0
        while rows := await self._store.batches.results(batch.id, after=after, limit=_PAGE):
            for piece in csv_results.pieces(map(_cells, rows)):
                yield piece
            after = rows[-1].row

    # -------------------------------------------------------------- its course

    async def pause(self, batch_id: str) -> Batch:
        """Ask for no further call of it. Those under way go on.

        Raises:
            UnknownBatchError: There is none of this id.
            BatchOverError: It is over.
        """
        return await self._turned(batch_id, BatchState.PAUSED, BatchState.RUNNING)

    async def resume(self, batch_id: str) -> Batch:
        """Go on with it. Raises as :meth:`pause`."""
        known = await self.find(batch_id)
        patience = timedelta(seconds=RetryPolicy().patience)
        more = for_all(known.rows, known.calls_per_minute, known.calls_at_once)
        until = self._clock() + patience + more
        await self._store.dial_upkeep.bear_with(batch_id, until)
        batch = await self._turned(batch_id, BatchState.RUNNING, BatchState.PAUSED)
        self._wake()
        return batch

    async def cancel(self, batch_id: str) -> Batch:
        """Call nobody for it any more. Calls under way go on, and are not repeated. Raises as
        :meth:`pause`."""
        of = (BatchState.RUNNING, BatchState.PAUSED)
        batch = await self._turned(batch_id, BatchState.CANCELLED, *of)
        while await self.settle():
            pass
        return await self.find(batch.id)

    async def _turned(self, batch_id: str, state: BatchState, *of: BatchState) -> Batch:
        changed = await self._store.batches.turn(batch_id, state, of=of)
        batch = await self.find(batch_id)
        if not changed and batch.state != state:
            raise BatchOverError(f"the batch is {batch.state} already")
        return batch

    async def settle(self) -> bool:
        """End what has come to its end; whether there was anything."""
        return await self._store.batches.settle(self._clock())


def _let_others_run() -> None:
    """Calls under way need the interpreter at each of their system calls, and a thread that works
    keeps it for 5 ms at a time unless it lets go of it."""
    time.sleep(0.000_05)


def seconds_left(batch: Batch, progress: Progress, now: datetime) -> float | None:
    """How long it will yet take, by the pace of its calls so far and not faster than it may, if
    nobody has to be called twice; ``None``: that cannot be told, or it is not running."""
    if batch.state != BatchState.RUNNING or not progress.calls:
        return None
    pace = (now - batch.created_at).total_seconds() / progress.calls
    return max(pace, 60 / batch.calls_per_minute) * (batch.rows - progress.done)


def _fingerprint(wish: BatchWish) -> str:
    digest = hashlib.sha256(wish.source)
    options = (
        *(wish.name, wish.template, wish.caller_id, wish.mode),
        *(wish.calls_at_once, wish.calls_per_minute, wish.skip_bad_rows),
    )
    digest.update(repr(options).encode("utf-8", "replace"))
    return digest.hexdigest()


def _cells(row: ResultRow) -> list[str | int | None]:
    return [
        *row.cells,
        row.outcome,
        row.attempts,
        row.call_sid,
        _at(row.asked_at),
        _at(row.call.answered_at if row.call else None),
        _seconds(row),
        row.error,
    ]


def _at(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _seconds(row: ResultRow) -> int | None:
    """As Exotel tells it, else as it was seen here."""
    call = row.call
    if call is None:
        return None
    if call.exotel is not None and call.exotel.seconds is not None:
        return call.exotel.seconds
    if call.answered_at is None or call.ended_at is None:
        return None
    return round((call.ended_at - call.answered_at).total_seconds())
