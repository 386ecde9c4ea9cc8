"""The customer of an outgoing call: whom Exotel calls before a flow begins.

A call that is not answered enters no applet. It ends ``busy``, ``no-answer`` or ``failed``, and
whoever asked for it learns that from the status callback and from call details alone.
"""

from __future__ import annotations

from exobridge.simulator.flows.facts import CallStatus
from exobridge.simulator.flows.one_call import OneCall
from exobridge.simulator.flows.report import Ending
from exobridge.simulator.timeline import Kind, Party


async def answers(call: OneCall) -> bool:
    """Whether the customer answers; ``False``: the call is over."""
    call.tell(Kind.PHONE, Party.EXOTEL, Party.CALLER, "calls")
    status = await _rung(call)
    if status is None:
        call.tell(Kind.PHONE, Party.CALLER, Party.EXOTEL, "answers")
        return True
    if not call.over.is_set():
        call.tell(Kind.PHONE, Party.CALLER, Party.EXOTEL, status)
    call.facts.was_answered = False
    call.facts.end(status)
    call.end(Ending.NOT_ANSWERED)
    return False


async def _rung(call: OneCall) -> CallStatus | None:
    """How the call ended; ``None``: it was answered."""
    table = call.flow.call
    if table.customer in ("busy", "fails"):
        return "busy" if table.customer == "busy" else "failed"
    in_vain = table.customer == "silent" or table.ring_seconds > table.ring_limit_seconds
    began = call.now_ms
    stayed = await call.wait(table.ring_limit_seconds if in_vain else table.ring_seconds)
    if call.now_ms > began:
        call.tell(Kind.PHONE, Party.EXOTEL, Party.CALLER, "rings", since_ms=began)
    if not stayed:
        return "canceled"
    if in_vain:
        return "no-answer"
    return "busy" if table.customer == "rejects" else None
