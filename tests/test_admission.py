"""The slots of a process, on a loop whose clock jumps."""

from __future__ import annotations

import asyncio

import pytest

from exobridge.admission import Slots
from tests.virtual_time import virtual_time


def admission(max_calls: int = 2) -> tuple[Slots, list[str]]:
    unused: list[str] = []
    return Slots(max_calls, 60.0, unused.append), unused


@virtual_time
async def test_there_are_as_many_slots_as_calls() -> None:
    """The next call is turned away until one is over."""
    house, _ = admission()
    assert house.take("a")
    assert house.take("b")
    assert not house.take("c")
    assert house.calls == 2
    house.release("a")
    assert house.take("c")
    assert house.calls == 2


@virtual_time
async def test_a_call_that_asks_again_keeps_its_one_slot() -> None:
    """Also in a full house, before and after its stream has come."""
    house, _ = admission(1)
    for _ in range(3):
        assert house.take("a")
    house.stream_opened("a")
    assert house.take("a")
    assert house.calls == 1
    house.release("a")
    assert house.calls == 0


@virtual_time
async def test_a_slot_without_a_stream_is_freed() -> None:
    """After its time, and whoever keeps the record is told once."""
    house, unused = admission(1)
    house.take("a")
    await asyncio.sleep(59.9)
    assert not house.take("b")
    await asyncio.sleep(0.2)
    assert unused == ["a"]
    assert house.calls == 0
    assert house.take("b")
    await asyncio.sleep(1000)
    assert unused == ["a", "b"]


@virtual_time
async def test_a_slot_whose_stream_came_is_kept() -> None:
    """However long the call lasts."""
    house, unused = admission(1)
    house.take("a")
    await asyncio.sleep(59)
    house.stream_opened("a")
    await asyncio.sleep(3600)
    assert not house.take("b")
    assert unused == []


@virtual_time
async def test_a_released_slot_is_not_freed_again() -> None:
    """The time of a call that is over does not end another one of the same name."""
    house, unused = admission(1)
    house.take("a")
    house.release("a")
    house.take("a")
    house.stream_opened("a")
    await asyncio.sleep(1000)
    assert unused == []
    assert house.calls == 1


@virtual_time
@pytest.mark.parametrize(("max_calls", "refusals"), [(0, 2), (1, 2), (8, 2), (12, 3), (100, 25)])
async def test_refusals_have_a_quarter_as_many_slots_beside(max_calls: int, refusals: int) -> None:
    """At least two; they take nothing from the calls, and the calls nothing from them."""
    house, _ = admission(max_calls)
    calls = [house.take(f"call-{n}") for n in range(max_calls + 5)]
    spoken = [house.take(f"refused-{n}", refusal=True) for n in range(refusals + 5)]
    assert sum(calls) == max_calls
    assert sum(spoken) == refusals
    assert house.calls == max_calls


@virtual_time
async def test_a_refusal_without_a_stream_is_freed_too() -> None:
    """Its slot is as short-lived as any."""
    house, unused = admission(1)
    assert house.take("a", refusal=True)
    assert house.take("b", refusal=True)
    assert not house.take("c", refusal=True)
    await asyncio.sleep(61)
    assert unused == ["a", "b"]
    assert house.take("c", refusal=True)


@virtual_time
async def test_unknown_calls_are_harmless() -> None:
    """A static URL's stream, or a release that comes twice."""
    house, unused = admission()
    house.stream_opened("nobody")
    house.release("nobody")
    house.take("a")
    house.release("a")
    house.release("a")
    assert house.calls == 0
    assert unused == []


@virtual_time
async def test_closing_waits_for_nobody() -> None:
    """No timer is left to fire into a process that has ended."""
    house, unused = admission()
    house.take("a")
    house.close()
    await asyncio.sleep(1000)
    assert unused == []
