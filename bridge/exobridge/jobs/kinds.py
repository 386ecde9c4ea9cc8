"""What a kind of job is to the runner, and what its handler may say."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from exobridge.errors import ExobridgeError
from exobridge.store.jobs import Job

Handler = Callable[[Job], Awaitable[None]]
"""Does a job. Returning means that it is done. May raise :class:`Later` and :class:`GiveUp`; any
other error means that the job is to be tried again, after a while that grows."""


class Later(ExobridgeError):
    """The job has to wait for something outside; that does not count as a failure.

    Args:
        seconds: How long.
        why: For the record; no secret and no phone number stands in it.
    """

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


class Failed(ExobridgeError):
    """The job was not done this time.

    Args:
        why: For the record; no secret and no phone number stands in it.
        seconds: It is not tried again before, however short its kind's wait is.
    """

    def __init__(self, why: str, seconds: float = 0.0) -> None:
        super().__init__(why)
        self.seconds = seconds


class GiveUp(ExobridgeError):
    """The job cannot be done, now or later. The message says why, without secret or number."""


def _unbounded() -> int:
    return sys.maxsize


@dataclass(frozen=True, slots=True)
class Care:
    """What is special about a kind; times are in seconds.

    Attributes:
        backoff: In place of the runner's own; empty: that.
        keep: How long those that are over stay listed; 0: as long as others do.
        expire: After this, those that nobody is at are given up, tried or not; 0: never.
        room: How many of them may be in hand in this process, asked before any is taken.
    """

    backoff: tuple[float, ...] = ()
    keep: float = 0.0
    expire: float = 0.0
    room: Callable[[], int] = _unbounded


@dataclass(frozen=True, slots=True)
class RunnerOptions:
    """How a runner works; all in seconds.

    Attributes:
        backoff: How long to wait after each failure; after the last, the job is given up.
        jitter: The share of a wait by which it is made longer or shorter at random, so that what
            failed together is not tried together.
        lease: How long a job is another's to take if this process dies; renewed at every third.
        poll: How often to look for jobs that other processes have added.
        gather: How long what was done waits to be settled with others, of a kind with batches.
        drain: How long running jobs may go on when the server stops.
        count: How often the backlog is counted, for the metrics.
        keep: How long jobs that are over stay listed, and are not taken for new ones.
        forget: How often those that are older are deleted.
    """

    backoff: tuple[float, ...] = (5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0)
    jitter: float = 0.2
    lease: float = 60.0
    poll: float = 1.5
    gather: float = 0.25
    drain: float = 3.0
    count: float = 15.0
    keep: float = 30 * 86_400.0
    forget: float = 3600.0


class Kind:
    """A kind of job; see :meth:`JobRunner.register`.

    Attributes:
        in_batches: More are taken at a time than are done.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        limit_seconds: float,
        concurrency: int,
        batch: int,
        pace_seconds: float,
        care: Care,
    ) -> None:
        self.handler = handler
        self.limit_seconds = limit_seconds
        self.concurrency = concurrency
        self.batch = max(batch, concurrency)
        self.care = care
        self.in_batches = batch > concurrency
        self._pace_seconds = pace_seconds
        self._slots = asyncio.Semaphore(concurrency)
        self._next_at = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait until the next may be done, and be one of those that are."""
        async with self._slots:
            now = asyncio.get_running_loop().time()
            begin_at = max(now, self._next_at)
            self._next_at = begin_at + self._pace_seconds
            if begin_at > now:
                await asyncio.sleep(begin_at - now)
            yield


@dataclass(slots=True, eq=False)
class Doing:
    """A job that is held.

    Attributes:
        is_tried: Its try is over, and it is being settled: its lease is renewed no more.
    """

    job: Job
    is_tried: bool = False
