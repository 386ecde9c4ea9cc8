"""The caller hears himself."""

from __future__ import annotations

import asyncio

from exobridge_providers.base import CallContext
from exobridge_providers.realtime.echo import Echo, EchoOptions

FRAMES = [bytes([number]) * 320 for number in range(1, 11)]
CONTEXT = CallContext("call-1")


async def test_each_frame_is_said_back_at_once() -> None:
    """Within the call of ``hear``: no task, no queue."""
    spoken: list[bytes] = []
    before = asyncio.all_tasks()
    session = await Echo(EchoOptions()).open(CONTEXT, 8000, spoken.append)
    for frame in FRAMES:
        session.hear(frame)
        assert spoken[-1] is frame
    assert asyncio.all_tasks() == before


async def test_a_delay_holds_back_exactly_as_much() -> None:
    """100 ms are five frames of 20 ms at 8 kHz; they come in order."""
    spoken: list[bytes] = []
    session = await Echo(EchoOptions(delay_ms=100)).open(CONTEXT, 8000, spoken.append)
    for frame in FRAMES[:5]:
        session.hear(frame)
    assert spoken == []
    for frame in FRAMES[5:]:
        session.hear(frame)
    assert spoken == FRAMES[:5]


async def test_nothing_is_said_after_the_end() -> None:
    """With a delay or without."""
    for delay_ms in (0, 40):
        spoken: list[bytes] = []
        session = await Echo(EchoOptions(delay_ms=delay_ms)).open(CONTEXT, 8000, spoken.append)
        session.hear(FRAMES[0])
        said = len(spoken)
        await session.aclose()
        for frame in FRAMES:
            session.hear(frame)
        assert len(spoken) == said
