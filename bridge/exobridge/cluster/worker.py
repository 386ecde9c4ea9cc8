"""One worker as the supervisor sees it: a process, and the channel to it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable
from contextlib import suppress

import msgspec
import structlog

from exobridge.cluster.channel import Channel
from exobridge.cluster.messages import Failed, FromWorker, Metrics, Start, ToWorker, Up, from_worker

START_SECONDS = 60.0
"""Longest start of a worker; an ordinary one takes a second or two."""

FRESH_SECONDS = 3.0
"""Metrics that are older are not shown as present."""

LOOK_SECONDS = 1.0

_log = structlog.stdlib.get_logger("exobridge.cluster")


class Worker:
    """A running worker. Made by :meth:`begin`.

    Args:
        index: 0 for the first.
        silent_seconds: A worker that has said nothing for so long serves nobody, and is killed.
        told: Told each message that concerns the calls of the whole.

    Attributes:
        up_at: When it began to serve, by the loop's clock; ``None``: it has not yet.
        cause: Why it cannot start, in its own words; empty if it has not said so.
        metrics: Its last, as JSON.
        reloads: How often the server had been told to read its templates when this one began.
    """

    def __init__(
        self, index: int, silent_seconds: float, told: Callable[[int, FromWorker], None]
    ) -> None:
        self.index = index
        self._silent_seconds = silent_seconds
        self.up_at: float | None = None
        self.cause = ""
        self.metrics = msgspec.Raw(b"[]")
        self.reloads = 0
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._channel = Channel(from_worker(), self._receive, lambda: None)
        self._process: Process | None = None

    async def begin(self, start: Start) -> None:
        """Start the process and tell it what it is to be.

        Raises:
            OSError: The system does not let it.
        """
        ours, its = socket.socketpair()
        try:
            # A session of its own: Ctrl-C in a terminal reaches the supervisor alone.
            self._process = await asyncio.create_subprocess_exec(
                *_command(its.fileno()),
                stdin=DEVNULL,
                pass_fds=(its.fileno(),),
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
        finally:
            its.close()
        await self._channel.open(ours)
        self.tell(start)

    async def wait(self) -> int:
        """Wait for its end; it is killed if it falls silent.

        Returns:
            The exit status, negative for a signal.
        """
        process = self._process
        assert process is not None
        ended = asyncio.create_task(process.wait())
        try:
            while not ended.done():
                await asyncio.wait({ended}, timeout=LOOK_SECONDS)
                limit = self._silent_seconds if self.is_up else START_SECONDS
                if self._loop.time() - self._heard_at > limit and not ended.done():
                    _log.error("worker does not answer", worker=self.index)
                    self.signal(signal.SIGKILL)
                    await ended
        finally:
            ended.cancel()
            self.signal(signal.SIGKILL)  # if the supervisor fails, nobody is left behind
            self._channel.close()
        return ended.result()

    def tell(self, message: ToWorker) -> None:
        """Send it a message."""
        self._channel.send(message)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; if it has ended, nothing happens."""
        with suppress(ProcessLookupError):
            if self._process is not None and self._process.returncode is None:
                self._process.send_signal(number)

    @property
    def pid(self) -> int:
        """The process's, 0 before there is one."""
        return self._process.pid if self._process is not None else 0

    @property
    def is_up(self) -> bool:
        """Whether it serves."""
        return self.up_at is not None

    @property
    def is_fresh(self) -> bool:
        """Whether its metrics are of late."""
        return self.is_up and self._loop.time() - self._heard_at <= FRESH_SECONDS

    def _receive(self, message: FromWorker) -> None:
        self._heard_at = self._loop.time()
        match message:
            case Metrics(snapshot=snapshot):
                self.metrics = snapshot
            case Failed(cause=cause):
                self.cause = cause
            case Up():
                self.up_at = self._heard_at
                self._told(self.index, message)
            case _:
                self._told(self.index, message)


def _command(channel: int) -> list[str]:
    # As the supervisor's own: with `python -m` modules of the working directory may be imported.
    here = os.getcwd() in sys.path or "" in sys.path
    return [
        *(sys.executable, *([] if here else ["-P"])),
        *("-m", "exobridge.cluster.child", str(channel)),
    ]
