"""Stream: the caller's audio goes to a server, which is not heard; the flow goes on at once.

It lasts until a Stream applet stops it, another one begins, or the call ends. What the caller says
in applets that follow is silence on it. Exotel's documents do not say what becomes of audio that
the server sends: here it is heard by nobody, and a note of the report says so.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from exobridge.simulator.flows.applets.voicebot import Telling, keep, stream_plan, throttled
from exobridge.simulator.flows.model import Stream
from exobridge.simulator.flows.one_call import OneCall, Way
from exobridge.simulator.flows.spelling import StreamFacts
from exobridge.simulator.steps import Wait
from exobridge.simulator.timeline import Kind, Party
from exobridge.simulator.verdict import NEVER_HEARD

UNHEARD = "the server sent audio on a one-way stream, where nobody hears it"


async def stream(call: OneCall, name: str, applet: Stream) -> Way:
    """Where the flow goes on."""
    await stop(call)
    if applet.action == "start":
        stopped = asyncio.Event()
        call.tell(Kind.STREAM, Party.EXOTEL, Party.SERVER, "one-way stream", name)
        call.one_way = (stopped, call.beside(_listen(call, applet, stopped)))
    return Way("next", applet.next)


async def stop(call: OneCall) -> None:
    """End the one-way stream that is open, if one is."""
    if call.one_way is not None:
        stopped, task = call.one_way
        call.one_way = None
        stopped.set()
        await task


async def _listen(call: OneCall, applet: Stream, stopped: asyncio.Event) -> None:
    with call.room_for_stream() as has_room:
        if has_room:
            await _streamed(call, applet, stopped)
        else:
            throttled(call)


async def _streamed(call: OneCall, applet: Stream, stopped: asyncio.Event) -> None:
    telling = Telling(call)
    steps = (Wait(call.flow.call.timeout_seconds * 1000),)
    plan = replace(stream_plan(call, applet.url, steps), stop_reason="stopped")
    report = await call.around.exotel.call(plan, telling.event, leave=stopped)
    problems = tuple(problem for problem in report.problems if problem != NEVER_HEARD)
    report = replace(report, problems=problems)
    if report.chunks_received:
        call.book.note(UNHEARD)
    keep(call, telling, report)
    call.facts.streamed(StreamFacts.of(report, report.stream_url))
    call.book.streams.append(report)
    call.book.findings.append(())
