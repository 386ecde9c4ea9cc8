"""The account that tests ask plays Exotel's part about recordings, or they would show nothing."""

from __future__ import annotations

import io
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from tinytag import TinyTag

from tests.exotel_account import FakeAccount, FakeCall, Fault, Recording, exotel_account, silent_mp3
from tests.server import http_client


@asynccontextmanager
async def recorded(recording: Recording) -> AsyncGenerator[tuple[FakeAccount, httpx.AsyncClient]]:
    """An account with one recorded call, ``c1``."""
    async with exotel_account() as account, http_client(account.url) as http:
        account.calls["c1"] = FakeCall(recording=recording)
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
