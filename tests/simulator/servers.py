"""Small real servers for a call to be placed on: bots that behave, and bots that do not."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from exobridge_codecs.tones import tone

Bot = Callable[["BotLine"], Awaitable[None]]


class BotLine:
    """The bot's end of one stream, after its start event."""

    def __init__(self, socket: ServerConnection, start: dict[str, Any]) -> None:
        self.socket = socket
        self.start = start
        self.stream_sid = next(
            str(ids[key])
            for ids in (start, start["start"])
            for key in ("stream_sid", "streamSid")
            if key in ids
        )
        self.heard: list[dict[str, Any]] = []
        self._sent = 0
        self._chunks = 0
        self._sent_ms = 0.0

    async def send(self, event: str, **fields: Any) -> None:
        """One frame, with its number."""
        self._sent += 1
        frame = {"event": event, "stream_sid": self.stream_sid, "sequence_number": self._sent}
        await self.socket.send(json.dumps(frame | fields))

    async def play(self, audio: bytes) -> None:
        """One chunk of PCM16 at 8 kHz, with its numbers."""
        await self.play_payload(base64.b64encode(audio).decode())
        self._sent_ms += len(audio) / 16

    async def play_payload(self, payload: str) -> None:
        """One chunk, as it is written."""
        self._chunks += 1
        timestamp = round(self._sent_ms)
        media = {"payload": payload, "chunk": self._chunks, "timestamp": timestamp}
        await self.send("media", media=media)

    async def next(self, event: str) -> dict[str, Any]:
        """Skip to the next frame of this kind; every frame is kept in ``heard``."""
        return await self.next_of(event)

    async def next_of(self, *events: str) -> dict[str, Any]:
        """Skip to the next frame of any of these kinds."""
        while True:
            frame: dict[str, Any] = json.loads(await self.socket.recv())
            self.heard.append(frame)
            if frame["event"] in events:
                return frame

    async def until_gone(self) -> None:
        """Listen until the caller's side has gone."""
        try:
            await self.next("-")
        except ConnectionClosed:
            return


def beep(milliseconds: float, sample_rate: int = 8000) -> bytes:
    """Something audible: PCM16, whole multiples of 320 bytes."""
    pcm = tone(440, milliseconds, sample_rate)
    return pcm + bytes(-len(pcm) % 320)


@asynccontextmanager
async def bot_server(bot: Bot) -> AsyncGenerator[str, None]:
    """Serve a bot; yields the ``ws://`` URL."""

    async def handle(socket: ServerConnection) -> None:
        try:
            assert json.loads(await socket.recv())["event"] == "connected"
            await bot(BotLine(socket, json.loads(await socket.recv())))
        except ConnectionClosed:
            return

    async with serve(handle, "127.0.0.1", 0, compression=None, close_timeout=0.2) as server:
        yield f"ws://127.0.0.1:{_port(server.sockets[0].getsockname())}"


@asynccontextmanager
async def refusing_server(status: int) -> AsyncGenerator[tuple[str, list[str]], None]:
    """Refuse every handshake; yields the URL and the paths that were asked."""
    asked: list[str] = []

    def refuse(connection: ServerConnection, request: Request) -> Response:
        asked.append(request.path)
        return connection.respond(status, "no\n")

    async def unused(socket: ServerConnection) -> None:
        await socket.close()

    async with serve(unused, "127.0.0.1", 0, process_request=refuse) as server:
        yield f"ws://127.0.0.1:{_port(server.sockets[0].getsockname())}", asked


@asynccontextmanager
async def http_server(
    answer: bytes, delay_s: float = 0.0
) -> AsyncGenerator[tuple[str, list[str]], None]:
    """Answer every request with these bytes; yields the URL and the request lines."""
    asked: list[str] = []
    handlers: set[asyncio.Task[Any] | None] = set()
    over = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.current_task())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            asked.append(head.split(b"\r\n")[0].decode())
            with suppress(TimeoutError):
                async with asyncio.timeout(delay_s):
                    await over.wait()
            writer.write(answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{_port(server.sockets[0].getsockname())}", asked
    finally:
        over.set()
        server.close()
        await server.wait_closed()
        await asyncio.gather(*(task for task in handlers if task is not None))


def http_answer(status: str, body: bytes, kind: str = "application/json") -> bytes:
    """A whole HTTP answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


def _port(address: tuple[Any, ...]) -> int:
    return int(address[1])
