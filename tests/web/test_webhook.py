"""What all webhooks write of a request that they do not answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.server import http_client, serving

SECRET = "a-secret-of-the-tests"
MULTIPART = {"content-type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize(
    ("how", "status", "call_sid"),
    [
        ({"content": b"garbage", "headers": MULTIPART, "params": {"CallSid": "c1"}}, 400, "c1"),
        ({"content": b"garbage", "headers": MULTIPART}, 400, ""),
        ({"content": bytes(70_000), "params": {"callsid": "c1"}}, 413, "c1"),
        ({"content": b"{", "params": {"CallSid": "c1"}}, 400, "c1"),
        ({"params": {"CallTo": "08047112233"}}, 400, ""),
    ],
)
async def test_a_body_that_cannot_be_read_is_one_line(
    tmp_path: Path, how: dict[str, Any], status: int, call_sid: str
) -> None:
    """Which names the call, where the query did."""
    async with (
        serving(tmp_path, EXOBRIDGE_SECRET=SECRET) as server,
        http_client(server.url) as http,
    ):
        before = len(server.log())
        answer = await http.post(f"/exotel/passthru/{SECRET}", **how)
        assert answer.status_code == status
        [line] = server.log()[before:]
        assert (line["event"], line["status"], line["outcome"]) == (
            "webhook",
            status,
            "bad request",
        )
        assert line["call_sid"] == call_sid


async def test_who_is_refused_names_no_call(tmp_path: Path) -> None:
    """Whoever has no secret writes nothing of their own into the log."""
    async with (
        serving(tmp_path, EXOBRIDGE_SECRET=SECRET) as server,
        http_client(server.url) as http,
    ):
        answer = await http.get("/exotel/passthru", params={"CallSid": "a-strangers-words"})
        assert answer.status_code == 403
        [line] = server.log("webhook")
        assert (line["call_sid"], line["outcome"]) == ("", "forbidden")
        assert "a-strangers-words" not in server.text.getvalue()
