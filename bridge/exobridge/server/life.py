"""One server process, from its listening socket to its last closed provider."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import structlog
import uvicorn
from starlette.applications import Starlette

from exobridge.bridge import Bridge
from exobridge.server.config import server_config
from exobridge.server.drain import Drain
from exobridge.server.reload import reload_templates
from exobridge.settings import Settings
from exobridge.signals import signals_handled
from exobridge.web.http_protocol import HttpLimits

LAST_SECONDS = 1.0
"""What an exit at once takes at most, to keep the facts of the calls that it cuts off."""

_log = structlog.stdlib.get_logger("exobridge")


class ServerLife:
    """The life of one server process.

    Args:
        app: Of :func:`exobridge.app.create_app`, with the same settings.
        listening: Bound; closed at the end.
        on_started: Told once the socket is open.

    SIGTERM and SIGINT are :meth:`stop`, SIGHUP is :meth:`reload`. uvicorn's own handlers are not
    installed: its SIGTERM closes every WebSocket at once.
    """

    def __init__(
        self,
        app: Starlette,
        settings: Settings,
        listening: socket.socket,
        on_started: Callable[[], None] | None = None,
    ) -> None:
        self._app = app
        self._settings = settings
        self._listening = listening
        limits = HttpLimits.of(settings.max_calls)
        config = server_config(app, settings.host, settings.port, limits)
        self._server = _Server(config, self._started)
        self._on_started = on_started
        self._bridge: Bridge | None = None
        self._stops = 0
        self._drain: Drain | None = None
        self._reload_again = False
        self._reloading: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Serve until :meth:`stop`.

        Returns:
            The exit status: 0, or 1 if the server could not start; the log says why.
        """
        with signals_handled(self.stop, self.reload), self._listening:
            try:
                await self._server.serve(sockets=[self._listening])
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
        return 0 if self._server.started else 1

    def stop(self) -> None:
        """Drain, and end. Asked again, calls hear their goodbye now; a third time, it exits at
        once."""
        self._stops += 1
        if self._stops > 2:
            self._spawn(self._exit_now())
        elif self._bridge is None:
            self._server.should_exit = True
        elif self._drain is None:
            self._drain = Drain(self._bridge, self._settings.drain_seconds)
            self._spawn(self._end(self._drain))
        else:
            self._drain.hurry()

    def reload(self) -> None:
        """Read the templates again. While it stops, nothing happens."""
        if self._stops:
            return
        if self._bridge is None or (self._reloading and not self._reloading.done()):
            self._reload_again = True  # what is being read may be older than this wish
        else:
            self._reloading = self._spawn(self._reload(self._bridge))

    # -------------------------------------------------------------- beside the serving

    def _started(self) -> None:
        self._bridge = bridge = self._app.state.bridge
        self._spawn(_freeze(bridge))
        if self._on_started is not None:
            self._on_started()
        if self._reload_again:
            self.reload()

    async def _reload(self, bridge: Bridge) -> None:
        self._reload_again = True
        while self._reload_again:
            self._reload_again = False
            await reload_templates(bridge)

    async def _end(self, drain: Drain) -> None:
        try:
            await drain.run()
        except Exception:
            _log.exception("drain crashed")
        self._server.should_exit = True

    async def _exit_now(self) -> NoReturn:
        """Cut every call off, keep that, and go without waiting for anything else."""
        if (bridge := self._bridge) is not None:
            _log.warning("exiting at once", calls=len(bridge.desk.sessions))
            with suppress(Exception):
                async with asyncio.timeout(LAST_SECONDS):
                    await _cut_off(bridge)
        os._exit(1)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _cut_off(bridge: Bridge) -> None:
    bridge.desk.close()
    # On the loop's next turns each call keeps its facts and closes its socket.
    await asyncio.sleep(0.1)
    await bridge.store.flush()


async def _freeze(bridge: Bridge) -> None:
    """Once everything that stays has been made, keep the garbage collector from going through it
    again and again: its pauses are calls' lateness."""
    if bridge.preloaded is not None:
        await asyncio.wait([bridge.preloaded])
    gc.collect()
    gc.freeze()


class _Server(uvicorn.Server):
    """uvicorn's, without its signal handlers, and without an exit of its own.

    Args:
        started: Called when the application has started and the socket is open.
    """

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell_started = started

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:  # the application could not start, and has logged why
            self.should_exit = True
        else:
            self._tell_started()
