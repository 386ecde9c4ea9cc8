"""Exotel's end of a stream, frame by frame, for what a whole simulated call does not do."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from exobridge.simulator.call import new_sid
from exobridge.simulator.wire import Dialect, FrameWriter, Identity
from exobridge_codecs.formats import AudioFormat, pcm16

CALLER, CALLED = "09811122233", "08047112233"


class Peer:
    """An open stream.

    Attributes:
        writer: Builds its frames.
    """

    def __init__(
        self, connection: ClientConnection, writer: FrameWriter, identity: Identity
    ) -> None:
        self.socket = connection
        self.writer = writer
        self.call_sid = identity.call_sid
        self.stream_sid = identity.stream_sid
        self._at_ms = 0

    async def send(self, *texts: str | bytes) -> None:
        """Frames as they are."""
        for text in texts:
            await self.socket.send(text)

    async def start(self) -> None:
        """The first two frames."""
        await self.send(self.writer.connected(), self.writer.start({}))

    async def speak(self, pcm: bytes, *, frame_ms: int = 20) -> None:
        """PCM16 at 8 kHz, in real time."""
        size = 16 * frame_ms
        for start in range(0, len(pcm), size):
            payload = base64.b64encode(pcm[start : start + size]).decode()
            await self.send(self.writer.media(payload, self._at_ms))
            self._at_ms += frame_ms
            await asyncio.sleep(frame_ms / 1000)

    async def silence(self, ms: int) -> None:
        """Silence in real time."""
        await self.speak(bytes(16 * ms))

    async def next(self, event: str) -> dict[str, Any]:
        """Skip to the bot's next frame of this kind, silence flowing meanwhile."""
        flowing = asyncio.create_task(self._flow())
        try:
            async with asyncio.timeout(20):
                while True:
                    frame: dict[str, Any] = json.loads(await self.socket.recv())
                    if frame["event"] == event:
                        return frame
        finally:
            flowing.cancel()
            await asyncio.wait([flowing])

    async def played(self) -> str:
        """Wait for the bot's next mark, and return it as soon as it comes; its name."""
        name = str((await self.next("mark"))["mark"]["name"])
        await self.send(self.writer.mark(name))
        return name

    async def close_code(self) -> int:
        """How the server ended it; what it still says is passed over. Nothing is sent."""
        async with asyncio.timeout(20):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed:
                pass
        return self.socket.close_code or 1006

    async def _flow(self) -> None:
        while True:
            await self.silence(20)


@asynccontextmanager
async def stream(
    url: str,
    *,
    call_sid: str = "",
    stream_sid: str = "",
    audio: AudioFormat | None = None,
    headers: dict[str, str] | None = None,
    receive_buffer: int = 0,
) -> AsyncGenerator[Peer]:
    """Open a stream; at the end the connection is dropped, as Exotel does.

    Args:
        call_sid, stream_sid: Empty: new ones.
        receive_buffer: Bytes that the system takes for a peer that does not read; 0: its default.
    """
    identity = Identity(
        call_sid or new_sid(), stream_sid or new_sid(), "account", "leg", CALLER, CALLED
    )
    writer = FrameWriter(audio or pcm16(8000), identity, Dialect())
    connection = await connect(
        url,
        compression=None,
        ping_interval=None,
        proxy=None,
        additional_headers=headers,
        max_size=1 << 20,
        sock=await _connected(url, receive_buffer) if receive_buffer else None,
    )
    try:
        yield Peer(connection, writer, identity)
    finally:
        connection.transport.abort()
        await connection.wait_closed()


async def _connected(url: str, receive_buffer: int) -> socket.socket:
    parts = urlsplit(url)
    line = socket.socket()
    line.setblocking(False)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    await asyncio.get_running_loop().sock_connect(line, (parts.hostname, parts.port))
    return line


async def refusal(url: str, headers: dict[str, str] | None = None) -> int:
    """The HTTP status that a handshake is refused with; 101 if it is not."""
    try:
        async with stream(url, headers=headers):
            return 101
    except InvalidStatus as error:
        return error.response.status_code
