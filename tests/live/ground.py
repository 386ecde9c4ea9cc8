"""A server with calls under way, and operators with keys."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.peer import Peer
from tests.server import Server, bot, http_client, serving

KEYS = {role: f"the-key-of-the-{role}" for role in ("viewer", "operator")}
SALES = "+918047112299"
BOT = bot(
    transfer={"targets": {"sales": {"numbers": [SALES]}}, "allow_numbers": "listed"},
    texts={"transfer": "Please hold."},
)


def key(role: str) -> dict[str, str]:
    """The header of a key."""
    return {"authorization": f"Bearer {KEYS[role]}"}


@asynccontextmanager
async def operated(
    folder: Path, templates: Mapping[str, str] | None = None
) -> AsyncGenerator[tuple[Server, httpx.AsyncClient]]:
    """A server, and a client with an operator's key."""
    keys = ",".join(f"{role}:{role}:{secret}" for role, secret in KEYS.items())
    chosen = templates or {"default": BOT}
    async with (
        serving(folder, chosen, EXOBRIDGE_API_KEYS=keys) as server,
        http_client(server.url) as client,
    ):
        client.headers.update(key("operator"))
        yield server, client


async def greeted(peer: Peer) -> None:
    """The call has begun, and the bot's greeting has been played."""
    await peer.start()
    await line(peer)


async def line(peer: Peer) -> None:
    """The bot says a line, to its end."""
    await peer.next("media")
    await peer.played()


@dataclass(slots=True)
class Follower:
    """Somebody who follows a stream of events.

    Attributes:
        comments: How often he was told that there was nothing.
        last_id: Of the last event or comment that came.
    """

    lines: AsyncIterator[str]
    comments: int = 0
    last_id: str = ""
    retry: str = field(default="")

    async def next(self) -> dict[str, Any]:
        """The next event's data."""
        fields: dict[str, str] = {}
        async for text in self.lines:
            if text:
                name, _, value = text.partition(":")
                fields[name] = value.strip()
                continue
            self.comments += "" in fields
            self.retry = fields.get("retry", self.retry)
            self.last_id = fields.get("id", self.last_id)
            if "data" in fields:
                told: dict[str, Any] = json.loads(fields["data"])
                assert (told["id"], told["kind"]) == (fields["id"], fields["event"])
                return told
            fields = {}
        raise StopAsyncIteration

    async def kinds(self, until: str) -> list[str]:
        """The kinds of what comes, the last one of this kind."""
        found: list[str] = []
        while until not in found:
            found.append((await self.next())["kind"])
        return found


@asynccontextmanager
async def following(
    client: httpx.AsyncClient, path: str = "/api/v1/events", **asked: Any
) -> AsyncGenerator[Follower]:
    """Follow a stream of events."""
    async with client.stream("GET", path, timeout=20, **asked) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield Follower(answer.aiter_lines())
