"""The whole server as one worker sees it: what it asks of the supervisor, and is told by it."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
from collections.abc import Callable, Set
from contextlib import suppress
from typing import cast

import msgspec
import structlog

from exobridge.admission import Admission, HeldStream, ToldOfCall
from exobridge.cluster.channel import Channel
from exobridge.cluster.messages import (
    AllBegun,
    AllMetrics,
    AskMetrics,
    Calls,
    FromWorker,
    Metrics,
    Moved,
    Start,
    Taken,
    ToWorker,
    Unused,
    Up,
    to_worker,
)
from exobridge.cluster.shared import SharedAdmission
from exobridge.observe.exposition import Snapshot
from exobridge.observe.workers import of_workers
from exobridge.whole import MakeSnapshot

ANSWER_SECONDS = 1.0
"""Longest wait for the supervisor's answer."""

METRICS_SECONDS = 1.0
"""How often the supervisor is told the metrics."""

_log = structlog.stdlib.get_logger("exobridge.cluster")


class Member:
    """A worker's :class:`~exobridge.whole.Whole`.

    Args:
        start: What the supervisor wants it to be.
        max_calls: Of the whole server.

    Attributes:
        complete: As of :class:`~exobridge.whole.Whole`.
    """

    def __init__(self, start: Start, max_calls: int) -> None:
        self._start = start
        self._max_calls = max_calls
        self._channel = Channel(to_worker(), self._receive, self._lost)
        self._asks = itertools.count(1)
        self._answers: dict[int, asyncio.Future[ToWorker | None]] = {}
        self._admission: SharedAdmission | None = None
        self._make_snapshot: MakeSnapshot = list
        self._silent = False
        self._leaving = False
        self.complete = False

    @property
    def token_key(self) -> str:
        """As of :class:`~exobridge.whole.Whole`."""
        return self._start.token_key

    @property
    def lost(self) -> Set[HeldStream] | None:
        """As of :class:`~exobridge.whole.Whole`."""
        return None if self._start.lost is None else set(self._start.lost)

    @property
    def is_first(self) -> bool:
        """As of :class:`~exobridge.whole.Whole`."""
        return self._start.index == 0

    @property
    def alone(self) -> bool:
        """As of :class:`~exobridge.whole.Whole`."""
        return False

    def admission(self, on_unused: ToldOfCall, on_replaced: ToldOfCall) -> Admission:
        """As of :class:`~exobridge.whole.Whole`."""
        self._admission = SharedAdmission(
            self, self._max_calls, self._start.workers, on_unused, on_replaced
        )
        return self._admission

    def watch(self, make_snapshot: MakeSnapshot) -> None:
        """As of :class:`~exobridge.whole.Whole`."""
        self._make_snapshot = make_snapshot

    async def metrics(self) -> list[Snapshot] | None:
        """As of :class:`~exobridge.whole.Whole`."""
        self._tell_metrics()  # so that what is shown is never more than the supervisor knows
        answer = await self.ask(AskMetrics)
        if not isinstance(answer, AllMetrics):
            return None
        snapshots = {
            index: cast(Snapshot, msgspec.json.decode(raw))
            for index, raw in sorted(answer.workers.items())
        }
        gone = cast(Snapshot, msgspec.json.decode(answer.gone))
        return [*snapshots.values(), gone, of_workers(snapshots)]

    # -------------------------------------------------------------- the supervisor

    async def join(self, end: socket.socket) -> None:
        """Begin to talk with the supervisor, on this end of the pair."""
        await self._channel.open(end)

    async def tell_signs_of_life(self) -> None:
        """Tell the metrics every second, without end."""
        while True:
            self._tell_metrics()
            await asyncio.sleep(METRICS_SECONDS)

    def _tell_metrics(self) -> None:
        self.tell(Metrics(msgspec.Raw(msgspec.json.encode(self._make_snapshot()))))

    def up(self) -> None:
        """The worker serves."""
        self.tell(Up())

    def leave(self) -> None:
        """The worker ends; the supervisor may go."""
        self._leaving = True
        self._channel.close()

    def tell(self, message: FromWorker) -> None:
        """Tell the supervisor something."""
        self._channel.send(message)

    async def ask(self, question: Callable[[int], FromWorker]) -> ToWorker | None:
        """Ask the supervisor something.

        Args:
            question: Makes it, with the number that the answer will have.

        Returns:
            ``None`` if no answer came in time; nobody waits again until the supervisor is heard.
        """
        if self._silent:
            return None
        number = next(self._asks)
        answer: asyncio.Future[ToWorker | None] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        message = question(number)
        self.tell(message)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            self._silent = not isinstance(message, AskMetrics)
            return None
        finally:
            self._answers.pop(number, None)

    def _receive(self, message: ToWorker) -> None:
        self._silent = False
        match message:
            case Taken(ask=ask) | Calls(ask=ask) | AllMetrics(ask=ask):
                answer = self._answers.pop(ask, None)
                if answer is not None and not answer.done():
                    if self._admission is not None and isinstance(message, Taken):
                        self._admission.taken(message)
                    answer.set_result(message)
            case Moved(call_sid=call_sid, stream_sid=stream_sid):
                if self._admission is not None:
                    self._admission.moved(call_sid, stream_sid)
            case Unused(call_sid=call_sid):
                if self._admission is not None:
                    self._admission.unused(call_sid)
            case AllBegun():
                self.complete = True
            case Start():
                pass  # taken before there was a channel

    def _lost(self) -> None:
        """The supervisor is gone. Its worker serves its calls to their end, and ends."""
        self._silent = True
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(None)
        if not self._leaving:
            _log.error("the supervisor is gone")
            with suppress(ProcessLookupError):
                os.kill(os.getpid(), signal.SIGTERM)
