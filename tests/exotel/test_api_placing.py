"""Calls to be placed: what Exotel is asked for, and what each answer means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from exobridge.exotel.api import CallOrder, ExotelApi, ExotelError, RateLimitedError
from exobridge.exotel.api.exchange import Account
from exobridge.exotel.api.retry import CHANGE, RequestKind
from exobridge.simulator.account import PlacedCall
from tests.exotel_account import KEY, SID, TOKEN, FakeAccount, Fault, exotel_account
from tests.server import until

QUICK = RequestKind(seconds=0.4, tries=1, total_seconds=0.4)
PATIENT = RequestKind(seconds=20.0, tries=1, total_seconds=20.0)
FLOW = CallOrder(
    "+919811122233",
    "+918047112233",
    app_id="4711",
    custom_field="xb:d1:1",
    ring_seconds=25,
    limit_seconds=600,
    status_callback="https://bot.example.com/exotel/callback/status?auth_token=s3cret",
    record=True,
)
STREAM = replace(
    FLOW, app_id="", stream_url="wss://bot.example.com/exotel/stream/token", stream_name="exobridge"
)


@asynccontextmanager
async def asking(
    change: RequestKind = PATIENT, **account: Any
) -> AsyncGenerator[tuple[ExotelApi, FakeAccount]]:
    async with exotel_account() as asked:
        told = {"url": asked.url, "key": KEY, "token": TOKEN, "sid": SID, **account}
        async with ExotelApi(Account(**told), change=change) as api:
            yield api, asked


@pytest.mark.parametrize("form", ["json", "lower"])
async def test_a_call_through_a_flow(form: Any) -> None:
    """Every parameter is as Exotel documents it; the CallSid is read in either spelling."""
    async with asking() as (api, account):
        account.form = form
        placed: list[PlacedCall] = []
        account.place = placed.append
        answer = await api.connect(FLOW)
        assert answer.call_sid in account.calls
        (call,) = placed
        assert (call.customer, call.exophone, call.app_id) == (
            "+919811122233",
            "+918047112233",
            "4711",
        )
        assert (call.ring_seconds, call.limit_seconds, call.record) == (25, 600, True)
        assert (call.custom_field, call.ignored) == ("xb:d1:1", ())
        assert call.callback is not None
        assert (call.callback.url, call.callback.content_type) == (FLOW.status_callback, "json")
        assert call.callback.events == ["terminal", "answered"]


async def test_a_call_straight_to_the_bot() -> None:
    """The stream stands in place of the flow."""
    async with asking() as (api, account):
        await api.connect(STREAM)
        form = parse_qs(account.asked[0].body.decode())
        assert form["StreamUrl"] == [STREAM.stream_url]
        assert (form["StreamType"], form["StreamName"]) == (["bidirectional"], ["exobridge"])
        assert form["CallType"] == ["trans"]
        assert "Url" not in form


@pytest.mark.parametrize(
    "change",
    [
        {"app_id": ""},
        {"stream_url": "wss://x"},
        {"custom_field": "x" * 129},
        {"ring_seconds": 61},
        {"ring_seconds": 0},
        {"limit_seconds": 14_401},
        {"limit_seconds": 0},
        {"stream_name": "x" * 33},
        {"app_id": "", "stream_url": "wss://" + "x" * 594},
    ],
)
def test_what_exotel_would_refuse_is_not_asked_for(change: dict[str, Any]) -> None:
    """Nothing of it stands in the message."""
    with pytest.raises(ValueError, match=r"^(a call|the stream|the CustomField)"):
        replace(FLOW, **change)


def test_an_order_shows_nothing_of_anybody() -> None:
    """Neither whom it is to, nor a token."""
    assert "98111" not in repr(FLOW)
    assert "s3cret" not in repr(FLOW)
    assert "token" not in repr(STREAM)


MAY_HAVE = {
    "no-answer": Fault(how="hang"),
    "reset": Fault(how="reset"),
    "cut": Fault(200, body=b'{"Call": {"Sid": "c1"}}', how="cut"),
    "500": Fault(500),
    "504": Fault(504),
    "unreadable": Fault(200, body=b"<html>"),
    "without-a-sid": Fault(200, body=b'{"Call": {"Status": "queued"}}'),
    "empty": Fault(200, body=b""),
}
DID_NOT = {str(status): Fault(status) for status in (302, 400, 401, 402, 403, 404, 409, 429)}


@pytest.mark.parametrize("fault", [*MAY_HAVE, *DID_NOT])
async def test_an_error_tells_whether_there_may_be_a_call(fault: str) -> None:
    """It is asked for once, whatever comes; and no error holds a number."""
    change = QUICK if fault == "no-answer" else PATIENT
    async with asking(change) as (api, account):
        account.fail({**MAY_HAVE, **DID_NOT}[fault])
        with pytest.raises(ExotelError) as caught:
            await api.connect(FLOW)
        assert caught.value.may_have_happened is (fault in MAY_HAVE)
        assert len(account.asked) == 1
        assert "98111" not in str(caught.value)


async def test_without_a_connection_there_is_no_call() -> None:
    """Nothing was sent."""
    async with asking(url="http://127.0.0.1:9") as (api, _):
        with pytest.raises(ExotelError) as caught:
            await api.connect(FLOW)
        assert not caught.value.may_have_happened


async def test_behind_a_proxy_that_refuses_there_is_no_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing was sent but the wish for a tunnel."""
    asked: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")
        async with asking(url="https://api.exotel.example") as (api, _):
            with pytest.raises(ExotelError) as caught:
                await api.connect(FLOW)
    assert not caught.value.may_have_happened
    assert asked[0].startswith(b"CONNECT api.exotel.example:443 ")


async def test_who_shall_leave_exotel_alone_does_not_ask() -> None:
    """A request that had to wait first would have too little time for its answer: it is given up
    at once, and there is no call."""
    async with asking() as (api, account):
        account.fail(Fault(429, headers={"Retry-After": "0.2"}))
        for _ in range(2):
            with pytest.raises(RateLimitedError) as caught:
                await api.connect(FLOW)
            assert not caught.value.may_have_happened
        assert len(account.asked) == 1
        await asyncio.sleep(0.25)
        await api.connect(FLOW)


async def test_as_many_are_asked_for_at_once_as_a_minute_has() -> None:
    """Requests that block for half a minute hold up no other."""
    async with asking(CHANGE) as (api, account):
        account.connect_seconds = 30.0
        orders = [replace(FLOW, custom_field=f"xb:d{index}:1") for index in range(60)]
        requests = [asyncio.create_task(api.connect(order)) for order in orders]
        await until(lambda: len(account.calls) == len(orders))
        assert not any(request.done() for request in requests)
        for request in requests:
            request.cancel()
        await asyncio.gather(*requests, return_exceptions=True)
