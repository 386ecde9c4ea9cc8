"""Callers of a server that is being stopped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed

from exobridge.call.events import EventKind
from exobridge.call.state import Call
from exobridge.store import Store
from tests.peer import CALLED, CALLER, Peer, stream
from tests.process import Serving
from tests.server import http_client

FRAME_MS = 100


async def ask(url: str, call_sid: str) -> httpx.Response:
    """Ask the webhook, as Exotel does."""
    parameters = {"CallSid": call_sid, "CallFrom": CALLER, "CallTo": CALLED}
    async with http_client() as http:
        return await http.get(f"{url}/exotel/answer", params=parameters)


def entries(running: Serving, event: str) -> list[dict[str, Any]]:
    """The entries of this name in the log of a process."""
    found = [json.loads(line) for line in running.lines if line.startswith("{")]
    return [entry for entry in found if entry["event"] == event]


async def health(url: str, which: str) -> tuple[int, object]:
    """Status and body of a health endpoint."""
    async with http_client() as http:
        answer = await http.get(f"{url}/health/{which}")
        return answer.status_code, answer.json()


@dataclass(slots=True)
class Caller:
    """One who listens and says nothing. Marks are returned as they come, as if all were heard.

    Attributes:
        code: How the server closed the call; ``None``: it did not.
        deaf: Returns no marks.
    """

    call_sid: str
    deaf: bool = False
    code: int | None = None
    marks: int = 0

    async def call(self, stream_url: str, hangs_up: asyncio.Event | None = None) -> None:
        """Hold a call until the server closes it, or until ``hangs_up``."""
        async with stream(stream_url, call_sid=self.call_sid) as peer:
            await peer.start()
            async with asyncio.TaskGroup() as tasks:
                flowing = tasks.create_task(self._flow(peer))
                hanging_up = tasks.create_task(self._hang_up(peer, hangs_up))
                await self._listen(peer)
                flowing.cancel()
                hanging_up.cancel()

    async def _listen(self, peer: Peer) -> None:
        try:
            async with asyncio.timeout(30):
                while True:
                    frame = json.loads(await peer.socket.recv())
                    if frame["event"] == "mark" and not self.deaf:
                        await peer.send(peer.writer.mark(str(frame["mark"]["name"])))
                        self.marks += 1
        except ConnectionClosed:
            self.code = peer.socket.close_code

    async def _flow(self, peer: Peer) -> None:
        try:
            while True:
                await peer.speak(bytes(16 * FRAME_MS), frame_ms=FRAME_MS)
        except ConnectionClosed:
            return

    async def _hang_up(self, peer: Peer, hangs_up: asyncio.Event | None) -> None:
        if hangs_up is not None:
            await hangs_up.wait()
            await peer.send(peer.writer.stop("callended"))


@dataclass(frozen=True, slots=True)
class Kept:
    """What the record has of a call.

    Attributes:
        close_code: Of its stream.
        last_words: The bot's last turn.
    """

    call: Call
    close_code: object
    last_words: str


async def kept(folder: Path, call_sid: str) -> Kept:
    """Read the record of a process that has ended."""
    return (await all_kept(folder, [call_sid]))[0]


async def all_kept(folder: Path, call_sids: Sequence[str]) -> list[Kept]:
    """Read many."""
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'data' / 'exobridge.sqlite3'}")
    try:
        return [await _kept(store, call_sid) for call_sid in call_sids]
    finally:
        await store.aclose()


async def _kept(store: Store, call_sid: str) -> Kept:
    call = await store.call(call_sid)
    assert call is not None
    ends = [e for e in await store.events(call_sid) if e.kind is EventKind.STREAM_ENDED]
    words = [turn.text for turn in await store.turns(call_sid)]
    code = ends[-1].data["close_code"] if ends else None
    return Kept(call, code, words[-1] if words else "")
