"""The end of a process without dropped calls: those under way go on, new ones are turned away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from exobridge.bridge import Bridge

TOLD_EVERY = 5.0
"""How often the log says how many calls are left, in seconds."""

LOOK_EVERY = 0.1
"""How often it is looked whether calls are left, in seconds."""

_log = structlog.stdlib.get_logger("exobridge")


class Drain:
    """One process's drain.

    Args:
        bridge: What is drained.
        limit_s: How long calls may go on, in seconds; then they hear their goodbye line.
    """

    def __init__(self, bridge: Bridge, limit_s: float) -> None:
        self._bridge = bridge
        self._limit_s = limit_s
        self._hurried = asyncio.Event()
        self._now = asyncio.get_running_loop().time

    def hurry(self) -> None:
        """Let the calls hear their goodbye line now."""
        self._hurried.set()

    async def run(self) -> None:
        """Wait until no call is left, and no telephone rings that we have called; none is after the
        limit and the length of a goodbye."""
        desk, waits = self._bridge.desk, self._bridge.services.waits
        begun = self._now()
        desk.drain()
        _log.info("draining", calls=desk.calls_left, seconds=self._limit_s)
        await self._until(lambda: self._is_idle() or self._hurried.is_set(), self._limit_s)
        if desk.sessions:
            _log.info("saying goodbye", calls=len(desk.sessions))
        desk.say_goodbye()
        await self._until(lambda: not desk.sessions, waits.greeting + waits.goodbye)
        if desk.sessions:
            _log.warning("calls cut off", calls=len(desk.sessions))
            desk.close()
            await self._until(lambda: not desk.sessions, 2 * waits.close)
        _log.info("drained", seconds=round(self._now() - begun, 1))

    def _is_idle(self) -> bool:
        dialler = self._bridge.dialler
        return not self._bridge.desk.calls_left and not (dialler and dialler.is_ringing)

    async def _until(self, over: Callable[[], bool], limit_s: float) -> None:
        now = self._now()
        ends_at, tell_at = now + limit_s, now + TOLD_EVERY
        while not over() and now < ends_at:
            await asyncio.sleep(min(LOOK_EVERY, ends_at - now))
            now = self._now()
            if now >= tell_at:
                tell_at += TOLD_EVERY
                left = self._bridge.desk.calls_left
                _log.info("calls left", calls=left, seconds=max(0, round(ends_at - now)))
