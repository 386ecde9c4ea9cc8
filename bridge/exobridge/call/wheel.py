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

SLOT_S = 0.005
"""Width of a slot in seconds: the most a timer is late by design."""


class Timer:
    """One call's place on the wheel; it holds at most one time."""

    __slots__ = ("_slot", "_wheel", "fire")

    def __init__(self, wheel: Wheel, fire: Callable[[float], None]) -> None:
        self._wheel = wheel
        self._slot: int | None = None
        self.fire = fire

    def at(self, when: float | None) -> None:
        """Fire once at the loop's time ``when``, in place of the time set before; ``None``: not at
        all."""
        slot = None if when is None else ceil(when / SLOT_S)
        if slot != self._slot:
            self._slot = slot
            if slot is not None:
                self._wheel.enter(slot, self)

    def is_in(self, slot: int) -> bool:
        """Whether this timer still wants to fire in ``slot``; then it is taken out."""
        if self._slot != slot:
            return False
        self._slot = None
        return True


class Wheel:
    """The process's wheel.

    Attributes:
        fired: Timers fired so far.
        lateness_s: The most any slot was late, in seconds.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: dict[int, list[Timer]] = {}
        self._order: list[int] = []
        self._handle: asyncio.TimerHandle | None = None
        self._armed: int | None = None
        self.fired = 0
        self.lateness_s = 0.0

    def timer(self, fire: Callable[[float], None]) -> Timer:
        """A new timer; ``fire(now)`` is called on the loop and must not raise."""
        return Timer(self, fire)

    def enter(self, slot: int, timer: Timer) -> None:
        """Put a timer into a slot. Slots of the past fire on the next turn of the loop."""
        timers = self._slots.get(slot)
        if timers is not None:
            timers.append(timer)
            return
        self._slots[slot] = [timer]
        heappush(self._order, slot)
        if self._armed is None or slot < self._armed:
            self._arm(slot)

    def _arm(self, slot: int) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed = slot
        self._handle = self._loop.call_at(slot * SLOT_S, self._turn)

    def _turn(self) -> None:
        now = self._loop.time()
        self._handle = None
        # While the slots fire, timers enter new ones; none may arm the loop in between.
        self._armed = 0
        while self._order and self._order[0] * SLOT_S <= now:
            slot = heappop(self._order)
            self.lateness_s = max(self.lateness_s, now - slot * SLOT_S)
            for timer in self._slots.pop(slot):
                if timer.is_in(slot):
                    self.fired += 1
                    timer.fire(now)
        self._armed = None
        if self._order:
            self._arm(self._order[0])
