"""A call that the API was asked for becomes a flow."""

from __future__ import annotations

import pytest

from exobridge.simulator.account import PlacedCall, direct_flow, placed_flow
from exobridge.simulator.flows.model import (
    CallbackTable,
    CallTable,
    Flow,
    FlowTable,
    Hangup,
    RecordingTable,
    Voicebot,
)

DIRECT = PlacedCall("c1", "+919811122233", "08047112233", stream_url="wss://bot.example.com/stream")
IN_FLOW = PlacedCall("c1", "+919811122233", "08047112233", app_id="7", custom_field="order-1")


def flow(**tables: object) -> Flow:
    """A flow of one applet."""
    base = {"flow": FlowTable(start="end", app_id="7"), "applet": {"end": Hangup(type="hangup")}}
    return Flow.model_validate({**base, **tables})


def test_a_direct_call_is_one_stream_and_the_end() -> None:
    """To the URL it was asked for with, from the account to the customer."""
    made = direct_flow(DIRECT)
    applet = made.applet[made.flow.start]
    assert isinstance(applet, Voicebot)
    assert applet.url == "wss://bot.example.com/stream"
    assert isinstance(made.applet[applet.next], Hangup)
    assert (made.call.caller, made.call.to) == ("+919811122233", "08047112233")
    assert made.call.direction == "outgoing"
    assert (made.callback, made.recording) == (None, None)
    assert made.call.timeout_seconds == 3600, "a stream lasts an hour at most"


def test_a_call_with_a_flow_has_no_flow_of_its_own() -> None:
    """It cannot be played without it."""
    with pytest.raises(ValueError, match="'7'"):
        direct_flow(IN_FLOW)


def test_a_flow_takes_over_what_its_call_was_asked_for_with() -> None:
    """Numbers, custom field, where its end is told."""
    callback = CallbackTable(url="http://a.example/", content_type="json")
    call = PlacedCall(
        "c1", "+919811122233", "08047112233", "7", custom_field="order-1", callback=callback
    )
    made = placed_flow(flow(), call)
    assert (made.call.caller, made.call.custom_field) == ("+919811122233", "order-1")
    assert made.callback == callback
    late = CallbackTable(url="/mine", delay_seconds=3, times=2, content_type="form")
    both = placed_flow(flow(callback=late), call).callback
    assert both == CallbackTable(
        url="http://a.example/", content_type="json", delay_seconds=3, times=2
    )
    assert placed_flow(flow(callback=late), IN_FLOW).callback is None, "nobody asked for it"


def test_a_call_has_the_limits_that_it_was_asked_for_with() -> None:
    """``TimeLimit`` and ``TimeOut``; else those of its flow, whose other values hold."""
    of_flow = CallTable(limit_seconds=60, customer="silent", timeout_seconds=90)
    call = PlacedCall("c1", "+919811122233", "08047112233", "7", limit_seconds=20, ring_seconds=10)
    made = placed_flow(flow(call=of_flow), call).call
    assert (made.limit_seconds, made.ring_limit_seconds) == (20, 10)
    assert (made.customer, made.timeout_seconds) == ("silent", 90)
    made = placed_flow(flow(call=of_flow), IN_FLOW).call
    assert (made.limit_seconds, made.ring_limit_seconds) == (60, 30)


def test_a_call_is_recorded_when_it_is_asked_to_be() -> None:
    """As the flow says, if it says how."""
    call = PlacedCall("c1", "+919811122233", "08047112233", "7", record=True)
    assert placed_flow(flow(), call).recording == RecordingTable()
    assert placed_flow(flow(), IN_FLOW).recording is None
    how = RecordingTable(not_ready=2)
    assert placed_flow(flow(recording=how), call).recording == how
    assert placed_flow(flow(recording=how), IN_FLOW).recording == how, "a Connect records it"
