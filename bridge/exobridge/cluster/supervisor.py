"""Starts the workers, replaces those that die, and keeps what they have in common."""

from __future__ import annotations

import asyncio
import secrets
import signal
from dataclasses import dataclass, field

import msgspec
import structlog

from exobridge.admission import HeldStream
from exobridge.cluster.house import House
from exobridge.cluster.messages import (
    AllBegun,
    AllMetrics,
    AskCalls,
    AskMetrics,
    Calls,
    FromWorker,
    Heed,
    Hold,
    Release,
    Start,
    Take,
    ToWorker,
    Up,
)
from exobridge.cluster.worker import Worker
from exobridge.errors import ExobridgeError
from exobridge.signals import signals_handled

EARLY_SECONDS = 5.0
"""A worker that dies sooner after it began to serve has died at once."""

MAX_EARLY = 5
"""Deaths at once, one after the other, after which a worker is taken to be unable to start."""

WAITS = (0.0, 0.1, 0.2, 0.5, 1.0, 5.0, 10.0, 30.0)
"""Before a worker is started again, by its deaths at once so far, in seconds."""

LAST_SECONDS = 60.0
"""What a worker may take longer to stop than ``DRAIN_SECONDS``: goodbye lines, what is still to be
written, providers that close. Then it is killed."""

EXIT_SECONDS = 5.0
"""The same, when it has been told a third time."""

_log = structlog.stdlib.get_logger("exobridge.cluster")


class WorkerStartError(ExobridgeError):
    """No worker can start; the message, which is the worker's own, says what has to be mended."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the supervisor is to do.

    Attributes:
        workers: How many.
        variables: The settings, by the names of their environment variables.
        host, port: Where to listen.
        max_calls: Of the whole server.
        unused_seconds, drain_seconds: As the settings say.
        silent_seconds: See :class:`~exobridge.cluster.worker.Worker`.
    """

    workers: int
    variables: dict[str, str] = field(repr=False)
    host: str
    port: int
    max_calls: int
    unused_seconds: float
    drain_seconds: float
    silent_seconds: float = 30.0


class Supervisor:
    """The server of several workers.

    Args:
        plan: What it is to do.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._loop = asyncio.get_running_loop()
        self._token_key = secrets.token_urlsafe(32)
        self._house = House(plan.workers, plan.max_calls, plan.unused_seconds, self._tell)
        self._workers: dict[int, Worker] = {}
        self._lost: dict[int, set[HeldStream]] = {n: set() for n in range(plan.workers)}
        self._gone = msgspec.Raw(b"[]")
        self._reloads = 0
        self._stops = 0
        self._stopping = asyncio.Event()
        self._first_up = asyncio.Event()
        self._begun: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._status = 0
        self._to_mend = ""

    async def run(self) -> int:
        """Serve until :meth:`stop`.

        Returns:
            The exit status: 0; 1 if a worker could not be started or did not stop by itself.

        Raises:
            WorkerStartError: The first one could not start and told what has to be mended.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                for index in range(self._plan.workers):
                    tasks.create_task(self._keep(index))
        finally:
            self._house.close()
            if self._timer is not None:
                self._timer.cancel()
        if self._to_mend:
            raise WorkerStartError(self._to_mend)
        return self._status

    def stop(self) -> None:
        """Let every worker drain; a second time, hurry; a third time, exit at once."""
        self._stops += 1
        self._stopping.set()
        self._first_up.set()
        for worker in self._workers.values():
            worker.signal(signal.SIGTERM)
        if self._timer is not None:
            self._timer.cancel()
        limits = (self._plan.drain_seconds + LAST_SECONDS, LAST_SECONDS, EXIT_SECONDS)
        self._timer = self._loop.call_later(limits[min(self._stops, 3) - 1], self._kill)

    def reload(self) -> None:
        """Let every worker read its templates again; one that is starting, once it serves."""
        self._reloads += 1
        for worker in self._workers.values():
            if worker.is_up:
                worker.signal(signal.SIGHUP)

    def _kill(self) -> None:
        for worker in self._workers.values():
            _log.error("worker does not stop", worker=worker.index)
            worker.signal(signal.SIGKILL)

    # -------------------------------------------------------------- the workers' lives

    async def _keep(self, index: int) -> None:
        """Keep one worker running until the server stops."""
        if index > 0:  # the first one brings the database up to date before others open it
            await self._first_up.wait()
        early = 0
        while not self._stopping.is_set():
            worker = Worker(index, self._plan.silent_seconds, self._receive)
            status = await self._live(worker)
            if self._stopping.is_set():
                self._end(worker, status)
                return
            up_for = 0.0 if worker.up_at is None else self._loop.time() - worker.up_at
            early = early + 1 if up_for < EARLY_SECONDS else 0
            cause = worker.cause or _told(status)
            if worker.cause and not self._begun:
                self._to_mend = cause
                return self.stop()
            if self._is_hopeless(worker, early):
                _log.error("worker cannot start", worker=index, cause=cause)
                self._status = 1
                return self.stop()
            wait = WAITS[min(early, len(WAITS) - 1)]
            _log.error("worker died", worker=index, cause=cause, again_in=wait)
            await self._pause(wait)

    async def _live(self, worker: Worker) -> int:
        """One worker's life, and what is left to do after it; its exit status."""
        index, plan = worker.index, self._plan
        self._workers[index] = worker
        worker.reloads = self._reloads
        lost = list(self._lost[index]) if self._begun else None
        start = Start(
            index, plan.workers, plan.variables, plan.host, plan.port, self._token_key, lost
        )
        try:
            await worker.begin(start)
            if self._stopping.is_set():  # told while there was nobody to be told yet
                worker.signal(signal.SIGTERM)
            return await worker.wait()
        except OSError as error:
            worker.cause = f"cannot be started ({error.strerror or error})"
            return 1
        finally:
            del self._workers[index]
            self._lost[index] |= self._house.bury(index)
            if not self._stopping.is_set():
                self._remember_metrics(worker)

    def _end(self, worker: Worker, status: int) -> None:
        """A worker ended as the server stops. One that had not begun to serve knew of nothing that
        it should have finished."""
        if status != 0 and worker.is_up:
            _log.error("worker did not stop cleanly", worker=worker.index, cause=_told(status))
            self._status = 1

    def _is_hopeless(self, worker: Worker, early: int) -> bool:
        """Whether to give up. While others serve, one that served before is tried for ever: half a
        server is better than none."""
        others_serve = any(other.is_up for other in self._workers.values())
        return early >= MAX_EARLY and not (worker.index in self._begun and others_serve)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    # -------------------------------------------------------------- what they have in common

    def _tell(self, index: int, message: ToWorker) -> bool:
        worker = self._workers.get(index)
        if worker is None or not worker.is_up:
            return False
        worker.tell(message)
        return True

    def _receive(self, index: int, message: FromWorker) -> None:
        match message:
            case Take():
                self._tell(index, self._house.take(index, message))
            case Hold():
                self._house.hold(index, message)
            case Release():
                self._house.release(index, message)
            case Heed():
                self._house.heed(message)
            case AskCalls(ask=ask):
                self._tell(index, Calls(ask, self._house.calls))
            case AskMetrics(ask=ask):
                self._tell(index, self._all_metrics(ask))
            case Up():
                self._is_up(index)
            case _:
                pass  # the worker's own affair

    def _is_up(self, index: int) -> None:
        worker = self._workers[index]
        _log.info("worker serves", worker=index, pid=worker.pid)
        if worker.reloads != self._reloads:
            worker.signal(signal.SIGHUP)
        self._begun.add(index)
        if len(self._begun) == self._plan.workers:
            for other in self._workers:
                self._tell(other, AllBegun())
        self._lost[index].clear()
        self._first_up.set()

    def _all_metrics(self, ask: int) -> AllMetrics:
        fresh = {n: worker.metrics for n, worker in self._workers.items() if worker.is_fresh}
        return AllMetrics(ask, fresh, self._gone)

    def _remember_metrics(self, worker: Worker) -> None:
        """What a worker counted stays counted, so that no total goes back."""
        # Only here, as it takes memory that a supervisor seldom needs.
        from exobridge.observe.exposition import Snapshot, fold, remains

        both: list[Snapshot] = [
            remains(msgspec.json.decode(raw)) for raw in (self._gone, worker.metrics)
        ]
        self._gone = msgspec.Raw(msgspec.json.encode(fold(both)))


def _told(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"ended by signal {-status}"


async def supervise(plan: Plan) -> int:
    """Run the server of several workers to its end, by signals as a server of one process.

    Returns and raises as :meth:`Supervisor.run`.
    """
    supervisor = Supervisor(plan)
    with signals_handled(supervisor.stop, supervisor.reload):
        return await supervisor.run()
