"""Asking again what was asked: whatever stands in a file, and whatever the server does."""

from __future__ import annotations

import time

import msgspec
import pytest

from exobridge.replay.script import Names
from exobridge.replay.webhooks import ask_again, stream_url
from exobridge.simulator.client import http_client
from exobridge.wire.records import Webhook
from tests.replay.kept import webhook
from tests.simulator.servers import http_answer, http_server

HOOK = webhook(0, "/exotel/answer")
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


async def asked(kept: Webhook, answer: bytes) -> Webhook:
    """What a server answers now."""
    async with http_server(answer) as (url, _), http_client() as client:
        return await ask_again(client, kept, url, Names(), "", time.monotonic)


async def test_an_answer_is_what_it_is() -> None:
    """Its status, its type and its body."""
    now = await asked(HOOK, http_answer("200 OK", b'{"url":"ws://127.0.0.1:9/x"}'))
    assert (now.status, now.content_type) == (200, "application/json")
    assert stream_url(now) == "ws://127.0.0.1:9/x"


@pytest.mark.parametrize("accept", ["é", "a\r\nX: y", "\x00"])
async def test_what_no_request_can_hold_is_not_sent(accept: str) -> None:
    """A file from elsewhere may hold it; the answer then says that none came."""
    kept = msgspec.structs.replace(HOOK, headers={"accept": accept})
    now = await asked(kept, http_answer("200 OK", b"{}"))
    assert now.status == 0
    assert now.body.endswith("Error")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (OK + b"\r\n" + b"[" * 500_000, 200),
        (OK + b"Content-Encoding: gzip\r\n\r\nnot gzip", 200),
        (b"no HTTP\r\n\r\n", 0),
        (b"", 0),
    ],
)
async def test_no_answer_stops_a_replay(answer: bytes, status: int) -> None:
    """A body without end is not read to its end; what is packed is not unpacked."""
    now = await asked(HOOK, answer)
    assert now.status == status
    assert stream_url(now) is None
