"""Asks every route over a real socket, byte by byte, as whoever means harm would."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from exobridge.web.whisper import WhisperTokens
from tests.keeping.kept import keep
from tests.server import Server, bot, serving

SECRET = "a-secret-of-the-tests"
API_KEY = "the-key-of-the-api-0123456789"
METRICS = "the-token-of-the-metrics"
CALL = "known-call"
HUMAN = "+919811122244"

Pairs = Sequence[tuple[str, str]]

UPGRADE: Pairs = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
)


@dataclass(frozen=True, slots=True)
class Way:
    """A route, and how it is asked by who may.

    Attributes:
        path: As the router has it; ``params`` stand in it.
        closed: How it answers who does not prove himself; 0: it is open to all.
        told: What is told of a call; none but Exotel's webhooks are told anything.
    """

    path: str
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Pairs = ()
    headers: Pairs = ()
    closed: int = 403
    told: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_stream(self) -> bool:
        """It is a WebSocket's."""
        return self.headers == UPGRADE

    def target(self, pairs: Iterable[tuple[str, str]] = (), **params: str) -> str:
        """Path and query of who may ask, ``params`` in place of its own."""
        return _target(self.path, {**self.params, **params}, (*pairs, *self.query))

    def bare(self, offered: str = "x", pairs: Pairs = ()) -> str:
        """Of somebody who has nothing but what he offers in the path."""
        wrong = {name: offered for name in self.params if name in ("secret", "token")}
        return _target(self.path, {**self.params, **wrong}, pairs)


def _target(path: str, params: Mapping[str, str], pairs: Pairs) -> str:
    for name, value in params.items():
        path = path.replace(f"{{{name}}}", quote(value.encode("utf-8", "surrogatepass"), safe=""))
    return f"{path}?{urlencode(pairs, errors='surrogatepass')}" if pairs else path


ASKED = {"CallFrom": "09811100000", "CallTo": "08047112233", "Direction": "incoming"}
TOLD: dict[str, dict[str, str]] = {
    "/exotel/answer": {**ASKED, "RecordingUrl": "https://recordings.exotel.com/a.mp3"},
    "/exotel/passthru": {**ASKED, "DialCallStatus": "busy", "Stream[StreamSID]": "s1"},
    "/exotel/greeting": ASKED,
    "/exotel/dial-up": {**ASKED, "format": "json"},
    "/exotel/dial-up/passthru": ASKED,
    "/exotel/dial-events": {**ASKED, "EventType": "Dial", "DialWhomNumber": HUMAN},
    "/exotel/callback/status": {"Status": "completed", "EventType": "terminal"},
}
"""Exotel's webhooks, and what is told there."""


def _webhooks() -> Iterator[Way]:
    for path, told in TOLD.items():
        yield Way(path, query=(("auth_token", SECRET),), told=told)
        yield Way(path + "/{secret}", {"secret": SECRET}, told=told)
    variant = {"secret": SECRET, "variant": "json"}
    yield Way("/exotel/dial-up/{secret}/{variant}", variant, told=ASKED)


def bearer(token: str) -> Pairs:
    return (("Authorization", f"Bearer {token}"),)


def basic(user: str, password: str) -> Pairs:
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return (("Authorization", f"Basic {pair}"),)


def minted() -> str:
    """A whisper's name, as the server makes it."""
    now = datetime.now(UTC)
    return WhisperTokens(SECRET, lambda: now).mint(CALL, "transfer", now)


ROUTES = {
    way.path: way
    for way in (
        *_webhooks(),
        Way("/exotel/whisper/{token}.wav", {"token": minted()}, closed=404),
        Way("/exotel/stream", query=(("auth_token", SECRET),), headers=UPGRADE),
        Way("/exotel/stream/{token}", {"token": SECRET}, headers=UPGRADE),
        Way("/api/v1/calls/{call_sid}", {"call_sid": CALL}, headers=bearer(API_KEY), closed=401),
        Way(
            "/api/v1/calls/{call_sid}/recording",
            {"call_sid": CALL},
            headers=bearer(API_KEY),
            closed=401,
        ),
        Way("/metrics", headers=bearer(METRICS)),
        Way("/health/live", closed=0),
        Way("/health/ready", closed=0),
    )
}
HOOKS = [way for way in ROUTES.values() if way.told]
SHUT = [way for way in ROUTES.values() if way.closed]
ONCE = [way for way in ROUTES.values() if "secret" not in way.params]
"""Without those that differ in where the secret stands alone."""


# ------------------------------------------------------------------ the wire


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; without an answer its status is 0."""

    status: int
    body: bytes


def written(method: str, target: str, headers: Pairs = (), body: bytes = b"") -> bytes:
    """A request's bytes, each character of its head one (Latin-1)."""
    named = {name.lower() for name, _ in headers}
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [] if "host" in named else ["Host: localhost"]
    lines += [] if "connection" in named else ["Connection: close"]
    lines += [f"Content-Length: {len(body)}"] if body or method == "POST" else []
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


FORM = "application/x-www-form-urlencoded"


def form(way: Way, pairs: Pairs) -> bytes:
    """A POST of who may ask."""
    body = urlencode(pairs, errors="surrogatepass").encode()
    return written("POST", way.target(), (*way.headers, ("Content-Type", FORM)), body)


class Asker:
    """Sends requests, a few at a time, and looks at each answer."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.port = int(server.url.rpartition(":")[2])
        self._turns = asyncio.Semaphore(20)

    async def ask(self, request: bytes) -> Answer:
        """The answer to these bytes. The line of a WebSocket that opens is dropped."""
        async with self._turns, asyncio.timeout(15):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            answer = b""
            try:
                writer.write(request)
                while not (answer.startswith(b"HTTP/1.1 101") and b"\r\n\r\n" in answer):
                    if not (part := await reader.read(65536)):
                        break
                    answer += part
            except ConnectionError:  # cut off while there was more to say
                pass
            finally:
                writer.transport.abort()
                with suppress(OSError):  # what it ended with; asyncio tells of it if nobody asks
                    await writer.wait_closed()
        return sound(answer)

    async def statuses(self, requests: Iterable[bytes]) -> set[int]:
        """Those of all the answers."""
        answers = await asyncio.gather(*map(self.ask, requests))
        return {answer.status for answer in answers}

    async def noticed(self) -> dict[str, Any]:
        """What requests have left: facts, work for later, places taken."""
        bridge = self.server.bridge
        await bridge.store.flush()
        calls = await bridge.store.calls(500)
        return {
            "facts": {
                call.call_sid: [event.key for event in await bridge.store.events(call.call_sid)]
                for call in calls
            },
            "jobs": [(job.kind, job.key) for job in await bridge.store.jobs.listed(limit=500)],
            "places": bridge.desk.calls_left,
        }

    async def all_is_well(self) -> None:
        """No request was an error of ours, and the next one is answered. A recording that is not to
        be had, or a busy machine's database, is none."""
        for entry in self.server.log(level="error"):
            assert "exception" not in entry
            assert entry["logger"] != "uvicorn.error"
        assert (await self.ask(written("GET", "/health/live"))).status == 200


def sound(answer: bytes) -> Answer:
    """An answer whose head holds nothing that a request brought in."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *headers = head.decode("latin-1").split("\r\n")
    for header in headers:
        name, colon, _ = header.partition(":")
        assert colon, header
        assert name.isascii(), header
        assert header.isprintable(), header
        assert name.lower() != "set-cookie", header
    return Answer(int(status.split()[1]) if answer else 0, body)


@asynccontextmanager
async def asking(folder: Path) -> AsyncGenerator[Asker]:
    """A server with all its secrets, and a call in its record."""
    async with serving(
        folder,
        {"default": bot(transfer={"target": HUMAN, "whisper": "text"})},
        EXOBRIDGE_SECRET=SECRET,
        EXOBRIDGE_API_KEY=API_KEY,
        METRICS_TOKEN=METRICS,
        REQUEST_RATE="0",
    ) as server:
        await keep(server.bridge.store, folder / "data", CALL)
        yield Asker(server)
