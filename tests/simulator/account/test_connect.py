"""What a call can be asked for with, and what Exotel refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.simulator.account.answers import Refusal
from exobridge.simulator.account.connect import read_connect
from exobridge.simulator.account.placing import PlacedCall
from exobridge.simulator.flows.model import CallbackTable

FLOW = {
    "From": "+919811122233",
    "CallerId": "08047112233",
    "Url": "http://my.exotel.com/acme1/exoml/start_voice/1234",
}
DIRECT = {
    "From": "09811122233",
    "CallerId": "0804-711-2233",
    "StreamUrl": "wss://bot.example.com/stream?sample-rate=16000",
    "StreamType": "bidirectional",
}


def read(form: dict[str, str]) -> PlacedCall:
    """What a form asks for."""
    return read_connect(form, "acme1", "c1")


def test_a_call_takes_a_flow() -> None:
    """The one its URL names, on whichever of Exotel's hosts."""
    assert read(FLOW) == PlacedCall("c1", "+919811122233", "08047112233", app_id="1234")
    for url in (
        "https://my.exotel.com/exoml/start/vip-flow",
        "http://my.in.exotel.com/acme1/exoml/start_voice/vip-flow",
        "https://my.exotel.in/exoml/start_voice/vip-flow",
    ):
        assert read({**FLOW, "Url": url}).app_id == "vip-flow"


def test_a_call_goes_straight_to_a_bot() -> None:
    """By the URL of its stream."""
    placed = read({**DIRECT, "StreamName": "orders"})
    assert (placed.app_id, placed.stream_url) == ("", DIRECT["StreamUrl"])
    assert placed.exophone == "08047112233"


def test_each_parameter_is_read() -> None:
    """And what is not documented is told, so that a slip of the pen shows."""
    placed = read(
        {
            **FLOW,
            "CallType": "trans",
            "TimeLimit": "14400",
            "TimeOut": "30",
            "CustomField": "x" * 128,
            "Record": "true",
            "RecordingChannels": "dual",
            "StatusCallback": "https://bot.example.com/status?auth_token=a",
            "StatusCallbackEvents[1]": "answered",
            "StatusCallbackEvents[0]": "terminal",
            "StatusCallbackContentType": "application/json",
            "StatusCallBack": "https://bot.example.com/",
        }
    )
    assert (placed.limit_seconds, placed.ring_seconds) == (14_400, 30)
    assert (placed.record, placed.channels) == (True, "dual")
    assert placed.custom_field == "x" * 128
    assert placed.callback == CallbackTable(
        url="https://bot.example.com/status?auth_token=a",
        content_type="json",
        events=["terminal", "answered"],
    )
    assert placed.ignored == ("StatusCallBack",)


def test_a_callback_is_multipart_and_tells_of_no_event() -> None:
    """Unless another form or events are asked for."""
    callback = read({**FLOW, "StatusCallback": "http://a.example/"}).callback
    assert callback is not None
    assert callback.url == "http://a.example/"
    assert (callback.content_type, callback.events) == ("multipart", [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("From", ""),
        ("From", "12"),
        ("From", "someone"),
        ("From", "+" + "9" * 16),
        ("From", "٩٨١١١٢٢٢٣٣"),
        ("To", "08047112233"),
        ("CallerId", ""),
        ("CallerId", "+91"),
        ("Url", ""),
        ("Url", "http://my.exotel.com/"),
        ("Url", "http://my.exotel.com/other/exoml/start_voice/1"),
        ("Url", "http://my.exotel.com.evil.example/acme1/exoml/start_voice/1"),
        ("Url", "ftp://my.exotel.com/acme1/exoml/start_voice/1"),
        ("Url", "//[bad/"),
        ("StreamUrl", "wss://bot.example.com/"),
        ("CallType", "promo"),
        ("TimeLimit", "0"),
        ("TimeLimit", "14401"),
        ("TimeLimit", "1.5"),
        ("TimeOut", "-1"),
        ("CustomField", "x" * 129),
        ("Record", "yes"),
        ("RecordingChannels", "triple"),
        ("StatusCallback", "bot.example.com/status"),
        ("StatusCallback", "http://a.example/a b"),
        ("StatusCallback", "http://a.example:port/"),
        ("StatusCallback", "http://a.example/" + "x" * 2000),
        ("StatusCallbackContentType", "text/plain"),
        ("StatusCallbackEvents[0]", "ringing"),
        ("StatusCallbackEvents[0]", "terminal"),  # and no StatusCallback
    ],
)
def test_a_flow_call_that_is_out_of_bounds_is_refused(name: str, value: str) -> None:
    """400, with a message that names the parameter and does not repeat its value."""
    with pytest.raises(Refusal) as caught:
        read({**FLOW, name: value})
    assert caught.value.status == 400
    assert name.partition("Events[")[0] in caught.value.message
    assert len(value) < 22 or value not in caught.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("StreamUrl", "wss://bot.example.com/" + "x" * 578),
        ("StreamUrl", "https://bot.example.com/"),
        ("StreamUrl", "wss:///stream"),
        ("StreamType", "unidirectional"),
        ("StreamName", "x" * 33),
    ],
)
def test_a_direct_call_that_is_out_of_bounds_is_refused(name: str, value: str) -> None:
    """A stream's URL has fewer than 600 characters, its name at most 32."""
    with pytest.raises(Refusal, match=name):
        read({**DIRECT, name: value})


def test_the_longest_stream_url_is_taken() -> None:
    """599 characters."""
    url = "wss://bot.example.com/" + "x" * 577
    assert len(read({**DIRECT, "StreamUrl": url}).stream_url) == 599


NAMES = [*FLOW, *DIRECT, "TimeLimit", "Record", "StatusCallback", "StatusCallbackEvents[0]", "To"]


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=9), st.text(max_size=40)))
def test_nothing_but_a_refusal_comes_of_garbage(form: dict[str, str]) -> None:
    """Whatever stands in the form."""
    for base in ({}, FLOW, DIRECT):
        placed, status = read_or_refused({**base, **form})
        assert status == 400 if placed is None else bool(placed.app_id) != bool(placed.stream_url)


def read_or_refused(form: dict[str, str]) -> tuple[PlacedCall | None, int]:
    """What a form asks for, or the status it is refused with."""
    try:
        return read(form), 200
    except Refusal as refusal:
        return None, refusal.status
