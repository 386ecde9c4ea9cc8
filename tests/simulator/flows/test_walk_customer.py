"""Outgoing calls: the customer answers, or the call ends before its flow begins."""

from __future__ import annotations

import asyncio
from typing import Any

from exobridge.simulator.account import Account
from exobridge.simulator.flows.report import Ending
from exobridge.simulator.timeline import Kind
from tests.simulator.flows.ground import Given, flow_of, ground, told, walked

TOLD = """
[applet.first]
type = "passthru"
url = "/told"
ok = "end"
other = "end"
on_timeout = "end"
on_error = "end"
[callback]
url = "/status"
events = ["terminal", "answered"]
content_type = "form"
[recording]
"""
WAITING = """
[applet.first]
type = "gather"
text = "Press a key."
timeout_seconds = 30
on_timeout = "end"
"""


def outgoing(**table: Any) -> dict[str, Any]:
    """``[call]`` of a call that is made."""
    return {"direction": "outgoing", "custom_field": "order-1", **table}


NOT_ANSWERED: list[tuple[dict[str, Any], str, bool]] = [
    ({"customer": "busy"}, "busy", False),
    ({"customer": "fails"}, "failed", False),
    ({"customer": "silent", "ring_limit_seconds": 0.1}, "no-answer", True),
    ({"ring_seconds": 20, "ring_limit_seconds": 0.1}, "no-answer", True),
    ({"customer": "rejects", "ring_seconds": 0.1}, "busy", True),
]


async def test_a_call_that_is_not_answered_enters_no_applet() -> None:
    """The callback and call details say how it ended; there is no recording, and nothing to pay."""
    account = Account()
    async with ground(status=Given()) as server:

        async def ends(does: dict[str, Any], status: str, rings: bool) -> None:
            flow = flow_of(TOLD, server.url, call=outgoing(**does))
            report = await walked(flow, account=account)
            assert (report.ending, report.path, report.problems) == (Ending.NOT_ANSWERED, (), ())
            assert ("rings" in told(report, Kind.PHONE)) == rings, does
            (callback,) = [
                seen for seen in server.at("/status") if seen.told["CallSid"] == report.call_sid
            ]
            assert callback.told["Status"] == status, does
            assert callback.told["CustomField"] == "order-1"
            assert callback.told["ConversationDuration"] == "0"
            assert "RecordingUrl" not in callback.told
            call = account.calls[report.call_sid]
            assert (call.fields["Status"], call.fields["Price"]) == (status, "0.000000")
            assert call.details is not None
            assert (call.details["Leg1Status"], call.recording) == (status, None)

        await asyncio.gather(*(ends(*each) for each in NOT_ANSWERED))


async def test_a_customer_who_answers_is_in_the_flow() -> None:
    """After some ringing; the callback tells of the answer, too."""
    async with ground(status=Given(), told=Given()) as server:
        flow = flow_of(TOLD, server.url, call=outgoing(ring_seconds=0.1))
        report = await walked(flow, account=Account())
        assert (report.ending, report.path) == (Ending.COMPLETED, ("first", "end"))
        assert told(report, Kind.PHONE)[:3] == ["calls", "rings", "answers"]
        events = [seen.told["EventType"] for seen in server.at("/status")]
        assert events == ["answered", "terminal"]


async def test_a_caller_is_not_rung() -> None:
    """``customer`` is of outgoing calls."""
    async with ground(status=Given(), told=Given()) as server:
        report = await walked(flow_of(TOLD, server.url, call={"customer": "busy"}))
        assert report.path == ("first", "end")


async def test_a_call_ends_at_its_time_limit_as_it_was_told_to() -> None:
    """``TimeLimit`` is no failure."""
    report = await walked(flow_of(WAITING, call={"limit_seconds": 1.0}))
    assert (report.ending, report.problems) == (Ending.COMPLETED, ())
    assert "ends the call" in told(report, Kind.PHONE)
    assert report.seconds < 20
