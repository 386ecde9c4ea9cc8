"""``/api/v1`` over a real socket: who is served, what of a call is told, how its sound is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx

from exobridge.store.recordings import Recording
from tests.database import rename
from tests.keeping.kept import CALLER, EXOPHONE, SUMMARY, WORDS, keep
from tests.server import Server, http_client, serving

KEY = "the-key-of-the-api-0123456789"
SOUND = bytes(range(256)) * 1200
"""Larger than one read of the storage."""

HOSTILE = '..\\a b"\r\n;ü.._.._etc'
AUTHORIZED = {"authorization": f"Bearer {KEY}"}


@dataclass(frozen=True, slots=True)
class Api:
    """A server with calls in its record."""

    server: Server
    client: httpx.AsyncClient
    row: Recording

    async def get(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        """Ask for something below the calls, with the key."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(
            method, f"/api/v1/calls/{path}", headers={**AUTHORIZED, **named}
        )


def kind(answer: httpx.Response) -> str:
    """The word of a problem."""
    return str(answer.json()["type"]).removeprefix("urn:exobridge:problem:")


@asynccontextmanager
async def served(
    folder: Path, key: str = KEY, networks: str = "", rate: str = "1000"
) -> AsyncGenerator[tuple[Server, httpx.AsyncClient]]:
    """A server that hears no calls."""
    async with (
        serving(
            folder, EXOBRIDGE_API_KEY=key, ALLOWED_NETWORKS=networks, REQUEST_RATE=rate
        ) as server,
        http_client(server.url) as client,
    ):
        yield server, client


@asynccontextmanager
async def opened(folder: Path) -> AsyncGenerator[Api]:
    """A server with a key and two calls. Its allow-list is Exotel's: the key's holder is no part
    of it."""
    async with served(folder, networks="203.0.113.0/24") as (server, client):
        store = server.bridge.store
        row = await keep(store, folder / "data", "call", sound=SOUND)
        await keep(store, folder / "data", HOSTILE, sound=SOUND)
        yield Api(server, client, row)


# ------------------------------------------------------------------ who is served

UNPROVEN = ("", KEY, f"Bearer {KEY}x", f"bearer {KEY[:-1]}", "Bearer", f"Basic {KEY}", "Bearer ü")


async def test_without_the_key_nothing_is_told(tmp_path: Path) -> None:
    """Not even whether there is such a call. In the query the key would stand in every proxy's
    log, so there it is none."""
    async with opened(tmp_path) as api:
        for path in ("call", "call/recording", "nobody", f"call?api_key={KEY}&auth_token={KEY}"):
            for offered in UNPROVEN:
                raw = [(b"authorization", offered.encode())]
                answer = await api.client.get(f"/api/v1/calls/{path}", headers=raw)
                assert answer.status_code == 401, (path, offered)
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert kind(answer) == "unauthorized"
        told = api.server.log("api")
        assert {(entry["status"], entry["call_sid"]) for entry in told} == {(401, "")}


async def test_without_a_key_in_the_settings_the_api_is_closed(tmp_path: Path) -> None:
    """And the answer says how it is opened; an empty token opens nothing."""
    async with served(tmp_path, key="") as (_, client):
        for headers in ({}, {"authorization": "Bearer"}):
            answer = await client.get("/api/v1/calls/call", headers=headers)
            assert answer.status_code == 403
            assert "EXOBRIDGE_API_KEY" in answer.json()["detail"]


async def test_an_address_that_asks_too_often_is_put_off(tmp_path: Path) -> None:
    """Guessing keys takes time."""
    async with served(tmp_path, rate="1") as (_, client):
        asked = [await client.get("/api/v1/calls/call") for _ in range(20)]
        assert [answer.status_code for answer in asked].count(429) >= 10


# ------------------------------------------------------------------ a call


async def test_a_call_is_told_whole(tmp_path: Path) -> None:
    """Who, when, what was said, heard and told, with numbers in full; where files lie is ours."""
    async with opened(tmp_path) as api:
        answer = await api.get("call")
        (entry,) = api.server.log("api")
    assert (entry["call_sid"], entry["status"], entry["key"]) == ("call", 200, "admin")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert (told["caller"], told["called"], told["state"]) == (CALLER, EXOPHONE, "ended")
    assert told["transfer"]["target"] == "sales"
    assert [turn["text"] for turn in told["turns"]] == [WORDS, WORDS]
    assert [event["kind"] for event in told["events"]] == [
        "answer",
        "stream-started",
        "transfer-requested",
        "stream-ended",
    ]
    assert told["events"][2]["data"]["summary"] == SUMMARY
    (recording,) = told["recordings"]
    assert (recording["source"], recording["bytes"]) == ("exotel", len(SOUND))
    assert "location" not in recording


async def test_what_is_not_there_is_a_404(tmp_path: Path) -> None:
    """Whatever the CallSid looks like, and whichever recording is asked for."""
    asked = (
        "nobody",
        "nobody/recording",
        quote("ü\0%00", safe=""),
        f"{quote('call' + chr(0))}/recording",
        "call/recording?source=own",
    )
    async with opened(tmp_path) as api:
        for path in asked:
            answer = await api.get(path)
            assert answer.status_code == 404, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert set(answer.json()) == {"type", "title", "status", "detail", "instance"}


# ------------------------------------------------------------------ its recording

PARTS = {
    "bytes=0-9": (0, 10),
    "bytes=100000-200000": (100_000, 200_001),
    "bytes=-7": (len(SOUND) - 7, len(SOUND)),
    "bytes=300000-": (300_000, len(SOUND)),
}


async def test_a_recording_is_read_whole(tmp_path: Path) -> None:
    """Byte by byte, with its type and its sum; a ``HEAD`` tells the length alone."""
    async with opened(tmp_path) as api:
        answer = await api.get("call/recording?source=exotel&name=")
        head = await api.get("call/recording", method="HEAD")
    assert answer.status_code == 200
    assert answer.content == SOUND
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["etag"] == f'"{api.row.sha256}"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == 'attachment; filename="call.wav"'
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(SOUND))


async def test_a_part_can_be_had(tmp_path: Path) -> None:
    """As a player seeks; beyond the end it is told what there is."""
    async with opened(tmp_path) as api:
        for asked, (begin, end) in PARTS.items():
            answer = await api.get("call/recording", range=asked)
            assert answer.status_code == 206, asked
            assert answer.content == SOUND[begin:end]
            assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/{len(SOUND)}"
        beyond = await api.get("call/recording", range=f"bytes={len(SOUND)}-")
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(SOUND)}"


async def test_a_part_of_another_version_is_not_given(tmp_path: Path) -> None:
    """``If-Range`` with another sum gets the whole, with this one the part."""
    async with opened(tmp_path) as api:
        other = await api.get("call/recording", range="bytes=0-9", if_range='"other"')
        same = await api.get("call/recording", range="bytes=0-9", if_range=f'"{api.row.sha256}"')
    assert (other.status_code, len(other.content)) == (200, len(SOUND))
    assert (same.status_code, len(same.content)) == (206, 10)


async def test_a_hostile_callsid_names_no_other_file(tmp_path: Path) -> None:
    """The header holds a name of plain letters."""
    async with opened(tmp_path) as api:
        answer = await api.get(f"{quote(HOSTILE, safe='')}/recording")
    assert answer.status_code == 200
    name = answer.headers["content-disposition"].partition("filename=")[2]
    assert name.strip('"').replace(".", "").replace("_", "").replace("-", "").isalnum()


async def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    """The row is there, the file was taken away by hand."""
    async with served(tmp_path) as (server, client):
        row = await keep(server.bridge.store, tmp_path / "data", "call")
        await server.bridge.recordings.storage.delete(row.location)
        answer = await client.get("/api/v1/calls/call/recording", headers=AUTHORIZED)
        assert (answer.status_code, kind(answer)) == (410, "gone")


async def test_a_database_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """With 503, and what failed in the log."""
    async with served(tmp_path) as (server, client):
        await rename(tmp_path / "data" / "exobridge.sqlite3", "calls", "gone")
        answer = await client.get("/api/v1/calls/call", headers=AUTHORIZED)
        assert (answer.status_code, kind(answer)) == (503, "unavailable")
        assert server.log("api failed", level="error")
        await rename(tmp_path / "data" / "exobridge.sqlite3", "gone", "calls")


async def test_a_reader_who_leaves_costs_nothing(tmp_path: Path) -> None:
    """A download that is broken off leaves nothing open, and no error."""
    async with served(tmp_path) as (server, client):
        await keep(server.bridge.store, tmp_path / "data", "call", sound=SOUND * 20)
        async with client.stream(
            "GET", "/api/v1/calls/call/recording", headers=AUTHORIZED
        ) as answer:
            async for _ in answer.aiter_bytes(1000):
                break
        await asyncio.sleep(0.1)
        assert (await client.get("/health/live")).status_code == 200
        assert server.errors() == []
