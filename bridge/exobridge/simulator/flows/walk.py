"""Plays one call: from applet to applet, as Exotel would, until somebody hangs up.

Where the caller hangs up no further applet is entered, but for a Passthru applet right behind the
one that they left: Exotel tells it of calls that ended in a Connect, Voicebot or Voicemail applet
(``CallType`` ``client-hangup``, ``Stream[DisconnectedBy]`` ``user``, ``voicemail``). The status
callback comes last.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from exobridge.simulator.flows import callbacks, customer
from exobridge.simulator.flows.applets.connect import connect
from exobridge.simulator.flows.applets.gather import gather
from exobridge.simulator.flows.applets.greeting import greeting
from exobridge.simulator.flows.applets.passthru import passthru
from exobridge.simulator.flows.applets.stream import stop, stream
from exobridge.simulator.flows.applets.voicebot import voicebot
from exobridge.simulator.flows.applets.voicemail import voicemail
from exobridge.simulator.flows.around import Around
from exobridge.simulator.flows.judge import problems
from exobridge.simulator.flows.model import (
    Connect,
    Flow,
    Gather,
    Greeting,
    Hangup,
    Passthru,
    Stream,
    Voicebot,
    Voicemail,
)
from exobridge.simulator.flows.one_call import OneCall, Way
from exobridge.simulator.flows.report import Ending, FlowReport
from exobridge.simulator.flows.talks import prepare
from exobridge.simulator.line_faults import NO_FAULTS
from exobridge.simulator.timeline import Kind, Party

if TYPE_CHECKING:
    from exobridge.simulator.flows.faults import Drawn

__all__ = ["Around", "walk"]

MAX_APPLETS = 1000
"""A call that enters more of them goes round in circles."""
SETTLE_SECONDS = 1.0
"""Exotel takes a moment to see that a call is over: what it was telling by then mostly comes before
the status callback, and does not hold it up."""
_LOOK_SECONDS = 0.1
_TOLD_AFTER_THE_CALLER = (Voicebot, Stream, Connect, Voicemail)


async def walk(
    flow: Flow,
    folder: Path,
    around: Around,
    *,
    call_sid: str = "",
    faults: Drawn | None = None,
    leave: asyncio.Event | None = None,
) -> FlowReport:
    """Play one call through a flow. Whatever the server does is in the report.

    Args:
        flow: What it goes through.
        folder: Where the caller's recordings are.
        around: What it needs.
        call_sid: Exotel's id of the call; empty: a new one.
        faults: What is made to go wrong; its flow is walked in place of ``flow``.
        leave: Once it is set the caller hangs up, nothing more is sent, and the report is of what
            there was.

    Raises:
        SpeechError: Speech that the flow needs is not installed, or failed.
        WavError: A recording of the caller's is none.
        OSError: It cannot be read.
    """
    flow = flow if faults is None else faults.flow
    talks = await prepare(flow, folder, around.speech)
    async with asyncio.TaskGroup() as tasks:
        call = OneCall(
            flow,
            around,
            call_sid=call_sid,
            talks=talks,
            line=NO_FAULTS if faults is None else faults.line,
            tasks=tasks,
        )
        _tell_faults(call, faults)
        async with _guarded(call, leave):
            unconnected = await _through(call)
            fetched = await _afterwards(call)
    return _report(call, faults, unconnected, fetched)


# -------------------------------------------------------------- from applet to applet


async def _through(call: OneCall) -> tuple[str, str] | None:
    """Walk to the end; the applet and the path that was not connected, if the call ends there."""
    if not await _begin(call):
        return None
    name = call.flow.flow.start
    for _ in range(MAX_APPLETS):
        async with _hanging_up(call, name):
            way = await _enter(call, name)
        if call.over.is_set():
            await _told_of_the_end(call, name, way)
            return None
        if way is None or (way.key == "after_conversation" and not way.to):
            call.end(Ending.COMPLETED)
            return None
        if not way.to:
            call.tell(Kind.PHONE, Party.EXOTEL, Party.CALLER, "drops the call", name)
            call.end(Ending.DROPPED)
            return name, way.key
        name = way.to
        await asyncio.sleep(0)
    call.book.note(f"{MAX_APPLETS} applets were entered: the flow goes round in circles")
    call.end(Ending.TIMEOUT)
    return None


async def _begin(call: OneCall) -> bool:
    """Whether there is somebody on the line."""
    table, account = call.flow.call, call.around.account
    outgoing = table.direction == "outgoing"
    if account is not None and call.call_sid not in account.calls:
        account.begin(
            call.call_sid,
            caller=table.caller,
            exophone=table.to,
            outgoing=outgoing,
            custom_field=table.custom_field,
        )
    if not outgoing:
        call.tell(Kind.PHONE, Party.CALLER, Party.EXOTEL, "calls")
    elif not await customer.answers(call):
        return False
    call.beside(callbacks.answered(call))
    return True


async def _enter(call: OneCall, name: str) -> Way | None:
    """Where the flow goes on; ``None``: nowhere, the call is over."""
    applet = call.flow.applet[name]
    call.book.path.append(name)
    call.tell(Kind.APPLET, Party.EXOTEL, Party.EXOTEL, name, applet.type)
    match applet:
        case Passthru():
            return await passthru(call, name, applet)
        case Voicebot():
            return await voicebot(call, name, applet)
        case Stream():
            return await stream(call, name, applet)
        case Greeting():
            return await greeting(call, name, applet)
        case Gather():
            return await gather(call, name, applet)
        case Connect():
            return await connect(call, name, applet)
        case Voicemail():
            return await voicemail(call, applet)
        case Hangup():
            return None


async def _told_of_the_end(call: OneCall, name: str, way: Way | None) -> None:
    """A Passthru applet that follows is told of a call that its caller left."""
    applets = call.flow.applet
    if call.ending is not Ending.CALLER or not isinstance(applets[name], _TOLD_AFTER_THE_CALLER):
        return
    if way is not None and way.to and isinstance(applets[way.to], Passthru):
        await _enter(call, way.to)


# -------------------------------------------------------------- what ends a call


@asynccontextmanager
async def _guarded(call: OneCall, leave: asyncio.Event | None) -> AsyncGenerator[None]:
    """The call's limit, and whoever ends the whole run."""

    async def limit() -> None:
        if await call.wait(call.flow.call.timeout_seconds):
            call.end(Ending.TIMEOUT)

    async def time_limit(seconds: float) -> None:
        if await call.wait(seconds):
            call.tell(Kind.PHONE, Party.EXOTEL, Party.CALLER, "ends the call", "TimeLimit")
            call.end(Ending.COMPLETED)

    async def leaving(event: asyncio.Event) -> None:
        await event.wait()
        call.abandoned.set()
        call.end(Ending.CALLER)

    guards = [call.watch(limit())]
    if call.flow.call.limit_seconds is not None:
        guards.append(call.watch(time_limit(call.flow.call.limit_seconds)))
    if leave is not None:
        guards.append(call.watch(leaving(leave)))
    try:
        yield
    finally:
        for guard in guards:
            guard.cancel()


@asynccontextmanager
async def _hanging_up(call: OneCall, name: str) -> AsyncGenerator[None]:
    """The caller hangs up in this applet, if that is what they do."""
    table = call.flow.caller.hangs_up
    if table is None or table.during != name:
        yield
        return

    async def hang_up() -> None:
        if await call.wait(table.after_seconds):
            call.end(Ending.CALLER)

    task = call.watch(hang_up())
    try:
        yield
    finally:
        task.cancel()


# -------------------------------------------------------------- after the call


async def _afterwards(call: OneCall) -> bool | None:
    """What Exotel does once the call is over; whether the recording was fetched."""
    await stop(call)
    account, facts = call.around.account, call.facts
    if facts.over_at is None:
        facts.end()
    await call.beside_done(SETTLE_SECONDS)
    if account is not None and call.call_sid in account.calls:
        seconds = call.ended_ms / 1000
        recording = call.flow.recording if facts.was_answered else None
        legs = [(str(facts.status), seconds if facts.was_answered else 0)]
        legs += [(each.status or "canceled", each.seconds) for each in facts.attempts]
        account.end(
            call.call_sid,
            status=facts.status,
            seconds=seconds,
            conversation_seconds=facts.conversation_seconds,
            legs=legs,
            recording=recording,
        )
        if recording is not None:
            facts.recording_url = account.recording_url(call.call_sid)
    await callbacks.terminal(call)
    return await _fetched(call)


async def _fetched(call: OneCall) -> bool | None:
    """Whether the server fetched the recording; waits for it if the flow expects it."""
    account, expect = call.around.account, call.flow.expect
    if account is None or call.flow.recording is None:
        return None
    if expect.recording_fetched:
        until = call.now_ms + expect.within_seconds * 1000
        most = f"for {expect.within_seconds:g} s at most"
        call.tell(Kind.PHONE, Party.EXOTEL, Party.EXOTEL, "waits for the recording's fetch", most)
        while not account.was_fetched(call.call_sid) and call.now_ms < until:
            if not await call.patiently(_LOOK_SECONDS):
                break
    fetched = account.was_fetched(call.call_sid)
    if fetched:
        call.tell(Kind.REQUEST, Party.SERVER, Party.EXOTEL, "has fetched the recording")
    return fetched


def _tell_faults(call: OneCall, faults: Drawn | None) -> None:
    if faults is None:
        return
    for sentence in faults.told:
        call.tell(Kind.FAULT, Party.EXOTEL, Party.EXOTEL, sentence)
    if call.around.account is not None:
        call.around.account.fail(*faults.api)


def _report(
    call: OneCall,
    faults: Drawn | None,
    unconnected: tuple[str, str] | None,
    fetched: bool | None,
) -> FlowReport:
    book = call.book
    report = FlowReport(
        call_sid=call.call_sid,
        seed=None if faults is None else faults.seed,
        ending=call.ending or Ending.COMPLETED,
        seconds=call.ended_ms / 1000,
        path=tuple(book.path),
        streams=tuple(book.streams),
        dialled=tuple(book.dialled),
        asked=tuple(sorted(book.asked, key=lambda asked: asked.at_ms)),
        violations=book.violations.kept,
        timeline=book.timeline.entries,
        notes=book.told,
        findings=tuple(book.findings),
        unconnected=unconnected,
        unheld=len(call.talks),
        recording_fetched=fetched,
    )
    return replace(report, problems=problems(call.flow, report))
