"""The timer wheel, on a loop whose clock jumps."""

from __future__ import annotations

import asyncio
from itertools import accumulate

import pytest

from exobridge.call.wheel import SLOT_S, Timer, Wheel
from tests.virtual_time import virtual_time


class Bell:
    """Notes when it was rung, by the loop's clock and by what it was told."""

    def __init__(self, wheel: Wheel) -> None:
        self.loop = asyncio.get_running_loop()
        self.rung: list[float] = []
        self.told: list[float] = []
        self.timer = wheel.timer(self.ring)

    def ring(self, now: float) -> None:
        self.rung.append(self.loop.time())
        self.told.append(now)


def wheel() -> Wheel:
    return Wheel(asyncio.get_running_loop())


def now() -> float:
    return asyncio.get_running_loop().time()


@virtual_time
async def test_a_timer_fires_once_within_a_slot_of_its_time() -> None:
    """At or after it, at most 5 ms."""
    turning = wheel()
    start = now()
    bells = [Bell(turning) for _ in range(200)]
    for index, bell in enumerate(bells):
        bell.timer.at(start + index * 0.00137)
    await asyncio.sleep(1)
    for index, bell in enumerate(bells):
        when = start + index * 0.00137
        [told] = bell.told
        assert when <= told <= when + SLOT_S + 1e-6
        assert bell.rung == pytest.approx([told], abs=1e-5)
    assert turning.fired == 200


@virtual_time
async def test_a_time_that_is_a_slot_is_not_missed_by_rounding() -> None:
    """Times that are whole multiples of a slot fire at once when they come."""
    turning = wheel()
    late: list[float] = []

    def fire_at(when: float) -> Timer:
        timer = turning.timer(lambda at: late.append(at - when))
        timer.at(when)
        return timer

    times = [1000 + index * 5 / 1000 for index in range(1, 2000)]
    times += accumulate([0.1] * 100, initial=1000.1)
    timers = [fire_at(when) for when in times]
    await asyncio.sleep(12)
    assert len(late) == len(timers)
    assert min(late) >= 0
    assert max(late) < 1e-5


@virtual_time
async def test_timers_fire_in_the_order_of_their_slots() -> None:
    """Whatever order they were set in."""
    turning = wheel()
    order: list[int] = []

    def number(index: int) -> None:
        turning.timer(lambda _: order.append(index)).at(start + index * 0.01)

    start = now()
    for index in (3, 1, 4, 0, 2):
        number(index)
    await asyncio.sleep(1)
    assert order == [0, 1, 2, 3, 4]


@virtual_time
async def test_a_timer_holds_one_time() -> None:
    """A new time takes the old one's place, earlier or later; back to the first one too."""
    turning = wheel()
    start = now()
    later, earlier, back = Bell(turning), Bell(turning), Bell(turning)
    for bell, times in ((later, (0.1, 0.5)), (earlier, (0.5, 0.1)), (back, (0.1, 0.5, 0.1))):
        for seconds in times:
            bell.timer.at(start + seconds)
    await asyncio.sleep(2)
    assert [len(bell.told) for bell in (later, earlier, back)] == [1, 1, 1]
    fired = [bell.told[0] - start for bell in (later, earlier, back)]
    assert fired == pytest.approx([0.5, 0.1, 0.1], abs=SLOT_S)


@virtual_time
async def test_a_timer_can_be_taken_back() -> None:
    """``None`` is not at all, also from another timer of the same slot."""
    turning = wheel()
    cancelled = Bell(turning)
    when = now() + 0.1
    turning.timer(lambda _: cancelled.timer.at(None)).at(when)
    cancelled.timer.at(when)
    plain = Bell(turning)
    plain.timer.at(when)
    plain.timer.at(None)
    await asyncio.sleep(1)
    assert cancelled.told == plain.told == []
    plain.timer.at(now() + 0.1)
    await asyncio.sleep(1)
    assert len(plain.told) == 1


@virtual_time
async def test_lateness_never_adds_up() -> None:
    """A timer that sets its next time from its last due time is, an hour on, late by no slot
    more."""
    turning = wheel()
    start = now()
    due = start
    worst = 0.0
    count = 0

    def tick(at: float) -> None:
        nonlocal due, worst, count
        worst = max(worst, at - due)
        count += 1
        due += 0.1
        timer.at(due)

    timer = turning.timer(tick)
    timer.at(due)
    await asyncio.sleep(3600)
    assert count == 36_000 or count == 36_001
    assert worst <= SLOT_S + 1e-6
    assert turning.lateness.total_s <= count * SLOT_S


@virtual_time
async def test_a_time_in_the_past_fires_on_the_next_turn() -> None:
    """At once, but the loop's other work gets its turn in between."""
    turning = wheel()
    order: list[str] = []

    def again(at: float) -> None:
        order.append("timer")
        if order.count("timer") < 5:
            timer.at(at)

    timer = turning.timer(again)
    timer.at(now() - 10)
    assert order == []
    for _ in range(20):
        await asyncio.sleep(0)
        order.append("other")
    assert order.count("timer") == 5
    assert "timer,timer" not in ",".join(order)
    assert now() == pytest.approx(1000, abs=2 * SLOT_S)


@virtual_time
async def test_a_timer_that_crashes_stops_no_other() -> None:
    """One call's bug costs that call its timer, not all calls their playout."""
    turning = wheel()
    when = now() + 0.1

    def crash(_: float) -> None:
        raise ZeroDivisionError

    turning.timer(crash).at(when)
    same_slot, later = Bell(turning), Bell(turning)
    same_slot.timer.at(when)
    later.timer.at(when + 1)
    await asyncio.sleep(2)
    assert len(same_slot.told) == len(later.told) == 1


@virtual_time
async def test_a_thousand_calls_share_one_timer_of_the_loop() -> None:
    """Each keeps its own pace of 100 ms for ten seconds."""
    turning = wheel()
    start = now()
    counts = [0] * 1000

    def call(index: int) -> None:
        due = start + index * 0.0001

        def tick(at: float) -> None:
            nonlocal due
            assert due <= at <= due + SLOT_S + 1e-6
            counts[index] += 1
            due += 0.1
            timer.at(due)

        timer = turning.timer(tick)
        timer.at(due)

    for index in range(1000):
        call(index)
    await asyncio.sleep(10)
    assert min(counts) >= 99
    assert turning.fired == sum(counts)
