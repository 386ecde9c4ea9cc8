"""Recordings come late, are protected, and can be had by parts."""

from __future__ import annotations

import io
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinytag import TinyTag

from exobridge.simulator.account import (
    Account,
    AccountCall,
    Fault,
    Recording,
    serve_account,
    silent_mp3,
)
from exobridge.simulator.account.recordings import part_of
from exobridge.simulator.flows.model import RecordingTable
from tests.server import http_client


@asynccontextmanager
async def recorded(recording: Recording) -> AsyncGenerator[tuple[Account, httpx.AsyncClient]]:
    """An account with one recorded call, ``c1``."""
    async with serve_account(Account()) as account, http_client(account.url) as http:
        account.calls["c1"] = AccountCall(recording=recording)
        yield account, http


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("seconds", [0.072, 2.16, 61.2])
def test_a_recording_is_an_mp3_of_its_length(seconds: float, channels: int) -> None:
    """As a reader of others finds it."""
    mp3 = silent_mp3(seconds, channels=channels)
    tag = TinyTag.get(filename="a.mp3", file_obj=io.BytesIO(mp3))
    assert tag.duration == pytest.approx(seconds)
    assert (tag.channels, tag.samplerate) == (channels, 8000)


async def test_a_recording_comes_late_and_needs_credentials() -> None:
    """404 at first, then 401 for whoever is nobody."""
    recording = Recording(unready=2, refused=1)
    async with recorded(recording) as (account, http):
        url, known = account.recording_url("c1"), httpx.BasicAuth(account.key, account.token)
        told = [(await http.get(url, auth=known)).status_code for _ in range(4)]
        assert told == [404, 404, 401, 200]
        assert (await http.get(url)).status_code == 401
        assert (await http.get(url, auth=("a", "b"))).status_code == 401
        whole = await http.get(url, auth=known)
        assert whole.content == recording.body
        assert whole.headers["Content-Type"] == "audio/mpeg"
        assert (await http.get(account.recording_url("c2"), auth=known)).status_code == 404


async def test_a_presigned_url_takes_no_credentials_and_expires() -> None:
    """Storage refuses two proofs at once, and a URL that has been used up."""
    async with recorded(Recording(presigned_uses=1)) as (account, http):
        url = account.presigned_url("c1")
        assert (await http.get(url, auth=(account.key, account.token))).status_code == 400
        assert (await http.get(url.partition("?")[0])).status_code == 400
        assert (await http.get(url)).status_code == 200
        assert (await http.get(url)).status_code == 403


async def test_the_rest_of_a_recording_can_be_asked_for() -> None:
    """After one that broke off; another file is sent from its beginning."""
    body = silent_mp3(5)
    async with recorded(Recording(body, cut_at=1000)) as (account, http):
        url = account.presigned_url("c1")
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(url)
        rest = await http.get(url, headers={"Range": "bytes=1000-", "If-Range": '"one"'})
        assert (rest.status_code, rest.content) == (206, body[1000:])
        assert rest.headers["Content-Range"] == f"bytes 1000-{len(body) - 1}/{len(body)}"
        other = await http.get(url, headers={"Range": "bytes=1000-", "If-Range": '"two"'})
        assert (other.status_code, other.content) == (200, body)
        beyond = await http.get(url, headers={"Range": f"bytes={len(body)}-"})
        assert beyond.status_code == 416


async def test_a_recording_may_have_no_end() -> None:
    """Nor a length."""
    async with (
        recorded(Recording(endless=True)) as (account, http),
        http.stream("GET", account.presigned_url("c1")) as response,
    ):
        assert "Content-Length" not in response.headers
        pieces = response.aiter_bytes(1000)
        sizes = [len(await anext(pieces)) for _ in itertools.repeat(None, 20)]
        assert sum(sizes) == 20_000


async def test_a_fault_meets_the_path_it_is_meant_for() -> None:
    """Once, in the order in which they were told."""
    async with recorded(Recording()) as (account, http):
        account.fail(Fault(418), Fault(419), where="presigned")
        assert (await http.get("/v1")).status_code == 401
        url = account.presigned_url("c1")
        assert [(await http.get(url)).status_code for _ in range(3)] == [418, 419, 200]


async def test_a_recording_is_ready_some_time_after_the_call() -> None:
    """And a presigned URL works for five minutes, or as long as it was asked to."""
    now = 100.0
    account = Account(clock=lambda: now)
    account.begin("c1", caller="09811122233", exophone="08047112233")
    table = RecordingTable(ready_after_seconds=60, not_ready=1, refused=1)
    account.end("c1", seconds=61.2, recording=table)
    async with serve_account(account), http_client(account.url) as http:
        url, known = account.recording_url("c1"), httpx.BasicAuth(account.key, account.token)

        async def status(where: str) -> int:
            return (await http.get(where, auth=known if where == url else None)).status_code

        assert [await status(url) for _ in range(3)] == [404, 404, 404]
        now += 60
        assert [await status(url) for _ in range(3)] == [404, 401, 200]
        presigned, longer = account.presigned_url("c1"), account.sign("c1", 3600)
        assert account.presigned_url("c1") == longer, "the last one that works"
        now += 299
        assert await status(presigned) == 200
        now += 1
        assert await status(presigned) == 403
        assert await status(longer) == 200
        assert await status(longer.replace("c1", "c2")) == 404
        account.calls["c2"] = AccountCall(recording=Recording())
        assert await status(longer.replace("c1", "c2")) == 403, "it is of another call"


async def test_it_is_known_whether_a_recording_was_fetched() -> None:
    """To its last byte, in one piece or by parts."""
    async with recorded(Recording(silent_mp3(5), cut_at=1000)) as (account, http):
        url = account.presigned_url("c1")
        assert not account.was_fetched("c1")
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(url)
        part = await http.get(url, headers={"Range": "bytes=1000-1999"})
        assert (part.status_code, len(part.content)) == (206, 1000)
        assert not account.was_fetched("c1")
        await http.get(url, headers={"Range": "bytes=2000-"})
        assert account.was_fetched("c1")
        assert not account.was_fetched("c2")


@pytest.mark.parametrize("asked", ["bytes=5-4", "bytes=999999-", "bytes=999999-1000000"])
async def test_a_part_that_there_is_not_is_refused(asked: str) -> None:
    """With the file's size."""
    async with recorded(Recording(b"0123456789")) as (account, http):
        answer = await http.get(account.presigned_url("c1"), headers={"Range": asked})
        assert (answer.status_code, answer.content) == (416, b"")
        assert answer.headers["Content-Range"] == "bytes */10"


@pytest.mark.parametrize("asked", ["bytes=-5", "bytes=a-", "lines=1-2", "bytes=0-1,4-5", "bytes"])
async def test_a_part_that_is_not_understood_is_the_whole(asked: str) -> None:
    """As RFC 9110 lets a server do."""
    async with recorded(Recording(b"0123456789")) as (account, http):
        answer = await http.get(account.presigned_url("c1"), headers={"Range": asked})
        assert (answer.status_code, answer.content) == (200, b"0123456789")


@given(st.from_regex(r"bytes=[0-9]{0,3}-[0-9]{0,3}") | st.text(max_size=30), st.binary(max_size=50))
def test_whatever_is_asked_for_lies_in_the_file(asked: str, body: bytes) -> None:
    """A part, the whole, or nothing."""
    part = part_of(Recording(body), {"range": asked})
    assert 0 <= part.first <= part.behind <= len(body)
    if part.answer.status == 206:
        told = f"bytes {part.first}-{part.behind - 1}/{len(body)}"
        assert part.answer.headers["Content-Range"] == told
    elif part.answer.status == 200:
        assert (part.first, part.behind) == (0, len(body))
    else:
        assert (part.answer.status, part.first, part.behind) == (416, 0, 0)
