"""When the lines to the vendors are open: before they are needed, and not after the call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from exobridge.simulator import CallPlan, HangUp, Outcome, Wait, events
from exobridge_providers.registry import Kind
from tests.server import until
from tests.vendors.ground import LINES, Callers, Vendor, calling, template, vendor

LONG = "this greeting takes its time to come to an end as some of them do in real life"
"""Two seconds of letters."""


@asynccontextmanager
async def house(
    folder: Path, greeting: str = LONG, **variables: Any
) -> AsyncGenerator[tuple[Callers, Vendor, Vendor]]:
    """A server, an ear, and a voice that keeps a second connection ready."""
    async with vendor(Kind.STT, "deepgram") as stt, vendor(Kind.TTS, "sarvam") as tts:
        templates = {"default": template((stt,), (tts,), greeting=greeting)}
        async with calling(folder, templates, **variables) as callers:
            await until(lambda: open_lines(stt, tts) == 0)  # those of the lines made ahead
            yield callers, stt, tts


def open_lines(*vendors: Vendor) -> int:
    """Connections that are open now."""
    return sum(each.fake.open_connections for each in vendors)


async def test_the_lines_are_open_before_the_greeting_is_over(tmp_path: Path) -> None:
    """So is the voice's spare one; and they are closed with the call."""
    async with house(tmp_path) as (callers, stt, tts):
        plan = CallPlan(
            callers.server.url,
            (Wait(1000), HangUp(wait_for_bot=False)),
            called=callers.numbers["default"],
        )
        spoke = asyncio.Event()

        def tell(event: events.Event) -> None:
            if isinstance(event, events.BotSpeaks):
                spoke.set()

        calling_now = asyncio.create_task(callers.exotel.call(plan, tell))
        await until(spoke.is_set)
        await until(lambda: (open_lines(stt), open_lines(tts)) == (1, 2))
        assert not calling_now.done()
        report = await calling_now
        assert sum(turn.heard_ms for turn in report.bot_turns) < 1500
        await callers.server.until_over(report.call_sid)
        await until(lambda: open_lines(stt, tts) == 0)


async def test_a_call_that_is_refused_opens_none(tmp_path: Path) -> None:
    """What may be open is bounded by the calls that are admitted."""
    async with house(tmp_path, greeting="", MAX_CALLS="1") as (callers, stt, tts):
        first = asyncio.create_task(callers.call("default", LINES[0]))
        await until(lambda: open_lines(stt, tts) == 3)
        made = [len(each.fake.connections) for each in (stt, tts)]
        plan = CallPlan(callers.server.url, called=callers.numbers["default"])
        refused = await asyncio.gather(*(callers.exotel.call(plan) for _ in range(5)))
        assert {report.outcome for report in refused} == {Outcome.REFUSED}
        assert [len(each.fake.connections) for each in (stt, tts)] == made
        assert (await first).understood == LINES[0].split()
        await until(lambda: open_lines(stt, tts) == 0)


async def test_calls_that_are_hung_up_at_once_leave_none(tmp_path: Path) -> None:
    """Fifty of them, some in the middle of connecting."""
    async with house(tmp_path, greeting="") as (callers, stt, tts):
        plans = [
            CallPlan(
                callers.server.url,
                (Wait(number * 15), HangUp(wait_for_bot=False)),
                called=callers.numbers["default"],
                record=False,
            )
            for number in range(50)
        ]
        reports = await asyncio.gather(*map(callers.exotel.call, plans))
        assert {report.outcome for report in reports} == {Outcome.COMPLETED}
        await until(lambda: not callers.server.bridge.desk.sessions)
        await until(lambda: open_lines(stt, tts) == 0)
        assert not callers.server.log("call crashed")
        assert stt.fake.connections
