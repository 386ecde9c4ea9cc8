"""One timer for every call's playout.

A sleep per call and frame costs more than the frame itself, so all calls share a wheel: slots of a
few milliseconds, one loop timer while any slot is taken. A timer fires in the first slot at or
after its time; lateness does not add up, as each next time is absolute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from math import ceil

import structlog

from exobridge.call.lateness import Lateness

SLOT_S = 0.005
"""Width of a slot in seconds: the most a timer is late by design."""

_ROUNDING_S = 1e-6
"""What a clock's rounding may hide; without it a time that falls on a slot would often miss it."""

_log = structlog.stdlib.get_logger(__name__)


class Timer:
    """One call's place on the wheel; it holds at most one time."""

    __slots__ = ("_fire", "_slot", "_wheel", "_when")

    def __init__(self, wheel: Wheel, fire: Callable[[float], None]) -> None:
        self._wheel = wheel
        self._fire = fire
        self._slot: int | None = None
        self._when = 0.0

    def at(self, when: float | None) -> None:
        """Fire once at the loop's time ``when``, in place of the time set before; ``None``: not at
        all. A time that has passed fires on the loop's next turn."""
        if when is None:
            self._slot = None
            return
        self._when = when
        slot = ceil((when - _ROUNDING_S) / SLOT_S)
        if slot != self._slot:
            self._slot = slot
            self._wheel.enter(slot, self)

    def run(self, slot: int, now: float) -> bool:
        """Fire if this timer is still to fire in ``slot``; whether it did."""
        if self._slot != slot:
            return False
        self._slot = None
        self._wheel.lateness.note(now - self._when)
        self._fire(max(now, self._when))
        return True


class Wheel:
    """The process's wheel.

    Attributes:
        fired: Timers fired so far.
        lateness: How long after its time each timer fired; up to a slot by design.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: dict[int, list[Timer]] = {}
        self._order: list[int] = []
        self._handle: asyncio.TimerHandle | None = None
        self._armed: int | None = None
        self._turning = False
        self.fired = 0
        self.lateness = Lateness()

    def timer(self, fire: Callable[[float], None]) -> Timer:
        """A new timer; ``fire(now)`` is called on the loop, ``now`` never before the time that was
        set. It should not raise: what it raises is logged, and the other timers go on."""
        return Timer(self, fire)

    def enter(self, slot: int, timer: Timer) -> None:
        """Put a timer into a slot. Slots of the past fire on the next turn of the loop."""
        timers = self._slots.get(slot)
        if timers is not None:
            timers.append(timer)
            return
        self._slots[slot] = [timer]
        heappush(self._order, slot)
        if not self._turning and (self._armed is None or slot < self._armed):
            self._arm(slot)

    def _arm(self, slot: int) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed = slot
        self._handle = self._loop.call_at(slot * SLOT_S, self._turn)

    def _turn(self) -> None:
        now = self._loop.time()
        self._handle = self._armed = None
        # Taken out before any fires: a timer set to the past waits for the loop's other work.
        due = self._take_due(now + _ROUNDING_S)
        self._turning = True
        for slot, timers in due:
            for timer in timers:
                self._run(timer, slot, now)
        self._turning = False
        if self._order:
            self._arm(self._order[0])

    def _take_due(self, until: float) -> list[tuple[int, list[Timer]]]:
        due: list[tuple[int, list[Timer]]] = []
        while self._order and self._order[0] * SLOT_S <= until:
            slot = heappop(self._order)
            due.append((slot, self._slots.pop(slot)))
        return due

    def _run(self, timer: Timer, slot: int, now: float) -> None:
        try:
            self.fired += timer.run(slot, now)
        except Exception:  # one call's bug must not stop the playout of all others
            _log.exception("timer crashed")
