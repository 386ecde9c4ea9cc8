"""Status callbacks: late, repeated or missing, in each content type, as ``[callback]`` says.

A callback that is not answered 200 is sent again, at most twice more.
"""

from __future__ import annotations

from typing import Any

from exobridge.simulator.flows.asking import Question, ask
from exobridge.simulator.flows.model import CallbackTable
from exobridge.simulator.flows.one_call import OneCall
from exobridge.simulator.flows.report import What
from exobridge.simulator.flows.spelling import nested
from exobridge.simulator.rules import Rule

TRIES = 3


async def answered(call: OneCall) -> None:
    """Tell that the call was answered, if that is to be told."""
    table = call.flow.callback
    if table is not None and "answered" in table.events:
        told = call.facts.callback("answered")
        for _ in range(table.times):
            await _send(call, table, told)


async def terminal(call: OneCall) -> None:
    """Tell that the call is over, if that is to be told."""
    table = call.flow.callback
    if table is None or table.events == ["answered"] or not table.times:
        return
    if not await call.patiently(table.delay_seconds):
        return
    told = call.facts.callback("terminal" if table.events else "")
    if not table.recording_url:
        told.pop("RecordingUrl", None)
    for _ in range(table.times):
        await _send(call, table, told)
    if call.around.after is not None:
        await call.around.after("callback")


async def _send(call: OneCall, table: CallbackTable, told: dict[str, str]) -> None:
    question = Question(
        what=What.CALLBACK,
        url=table.url,
        timeout_s=call.around.waits.callback,
        timeout=Rule.CALLBACK_TIMEOUT,
        parameters=told,
        method="POST",
    )
    for attempt in range(TRIES):
        if attempt and not await call.patiently(call.around.waits.retry):
            return
        reply = await ask(call, question, **carried(table, told))
        if reply.status == 200 or reply.why == "abandoned":
            return
        if reply.status is not None:
            call.broken(Rule.CALLBACK_STATUS, f"status {reply.status}")


def carried(table: CallbackTable, told: dict[str, str]) -> dict[str, Any]:
    """The body, as httpx takes it."""
    match table.content_type:
        case "multipart":
            return {"files": {name: (None, value) for name, value in told.items()}}
        case "form":
            return {"data": told}
        case "json":
            return {"json": nested(told)}
