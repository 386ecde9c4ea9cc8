"""A bounded pool of threads, each job with a worker (a loaded model) to itself.

Local models are not thread-safe and hold a core for tens of milliseconds, so they never run on the
event loop: a job waits in line for one of the workers, and the line has an end. Spare jobs stand in
a line of their own, behind all others.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from exobridge_providers.errors import ProviderUnavailableError

WorkerT = TypeVar("WorkerT")
ResultT = TypeVar("ResultT")


class WorkerPool(Generic[WorkerT]):
    """Runs jobs on ``workers``, one thread each, first come first served.

    Args:
        workers: What a job is given; each is used by one thread at a time.
        limit: How many jobs may wait in each line, beside those that run.
        provider: Name for errors and thread names.
    """

    def __init__(self, workers: Sequence[WorkerT], *, limit: int, provider: str) -> None:
        self._idle: SimpleQueue[WorkerT] = SimpleQueue()
        for worker in workers:
            self._idle.put(worker)
        self._limit = limit + len(workers)
        self._provider = provider
        self._lines: tuple[deque[Callable[[], None]], ...] = (deque(), deque())
        self._jobs: tuple[set[Future[Any]], ...] = (set(), set())
        """Those of each line that are not done."""
        self._threads = ThreadPoolExecutor(len(workers), f"exobridge-{provider}")
        self._closed = False

    def submit(
        self, job: Callable[[WorkerT], ResultT], *, spare: bool = False
    ) -> asyncio.Future[ResultT]:
        """Start ``job(worker)`` on a thread. Cancelling the future drops a job that still waits
        and ignores the result of one that runs. ``aclose`` cancels those that wait.

        Args:
            job: Given a worker.
            spare: It may wait until no other job does.

        Raises:
            ProviderUnavailableError: The line is full, or the pool is closed.
        """
        if self._closed:
            raise ProviderUnavailableError("the provider is closed", provider=self._provider)
        jobs = self._jobs[spare]
        if len(jobs) >= self._limit:
            raise ProviderUnavailableError(
                f"overloaded: {len(jobs)} jobs under way", provider=self._provider
            )
        running: Future[ResultT] = Future()
        jobs.add(running)
        running.add_done_callback(jobs.discard)
        self._lines[spare].append(lambda: self._run(job, running))
        # One for each job in line; which of them it takes is seen when a thread is free.
        self._threads.submit(self._run_next)
        future = asyncio.wrap_future(running)
        future.add_done_callback(_look_at)
        return future

    def _run_next(self) -> None:
        first, spare = self._lines
        try:
            run = first.popleft()
        except IndexError:
            run = spare.popleft()
        run()

    def _run(self, job: Callable[[WorkerT], ResultT], running: Future[ResultT]) -> None:
        if not running.set_running_or_notify_cancel():
            return
        worker = self._idle.get()
        try:
            result = job(worker)
        except BaseException as error:
            self._idle.put(worker)
            running.set_exception(error)
        else:
            self._idle.put(worker)
            running.set_result(result)

    async def aclose(self) -> None:
        """Drop the jobs that wait, wait for those that run, and end the threads."""
        self._closed = True
        running = [job for jobs in self._jobs for job in list(jobs) if not job.cancel()]
        await asyncio.gather(*map(asyncio.wrap_future, running), return_exceptions=True)
        self._threads.shutdown(wait=True)


def _look_at(future: asyncio.Future[Any]) -> None:
    """A failed job whose caller has gone is no news for the loop's exception handler."""
    if not future.cancelled():
        future.exception()
