"""The way of a session's events."""

from __future__ import annotations

import asyncio

import pytest

from exobridge_providers.errors import ProviderError
from exobridge_providers.events import EventStream


async def test_events_come_in_the_order_they_were_posted() -> None:
    """Also those posted while the reader waits."""
    stream: EventStream[int] = EventStream()
    events = aiter(stream)
    stream.post(1)
    stream.post(2)
    assert [await anext(events), await anext(events)] == [1, 2]
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    stream.post(3)
    assert await waiting == 3


async def test_closing_ends_a_waiting_reader_and_drops_the_rest() -> None:
    """Nothing posted before or after a close comes out."""
    stream: EventStream[int] = EventStream()

    async def read() -> list[int]:
        return [event async for event in stream]

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    stream.post(1)
    stream.close()
    stream.post(2)
    assert await reading == []


async def test_a_failure_comes_after_what_was_posted_before() -> None:
    """And what is posted after it does not come at all."""
    stream: EventStream[int] = EventStream()
    stream.post(1)
    stream.fail(ProviderError("dead"))
    stream.post(2)
    events = aiter(stream)
    assert await anext(events) == 1
    with pytest.raises(ProviderError, match="dead"):
        await anext(events)


async def test_unread_events_can_be_taken_back() -> None:
    """Only those asked for."""
    stream: EventStream[int] = EventStream()
    for number in range(4):
        stream.post(number)
    stream.drop(lambda number: number % 2 == 0)
    events = aiter(stream)
    assert [await anext(events), await anext(events)] == [1, 3]


async def test_room_is_waited_for_until_the_reader_has_caught_up() -> None:
    """The maker stops at the limit and goes on when one event is read."""
    stream: EventStream[int] = EventStream()
    stream.post(1)
    stream.post(2)
    waiting = asyncio.ensure_future(stream.room(2))
    await asyncio.sleep(0)
    assert not waiting.done()
    await anext(aiter(stream))
    await asyncio.wait_for(waiting, 1)


async def test_closing_frees_a_maker_who_waits_for_room() -> None:
    """Nobody will read, so nobody needs to wait."""
    stream: EventStream[int] = EventStream()
    stream.post(1)
    waiting = asyncio.ensure_future(stream.room(1))
    await asyncio.sleep(0)
    stream.close()
    await asyncio.wait_for(waiting, 1)
