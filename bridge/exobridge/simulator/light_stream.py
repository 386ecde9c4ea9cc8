"""A stream for hundreds of calls at once: it says a little, hears nothing, and costs next to
nothing. :class:`~exobridge.simulator.call.Exotel` plays a whole call.

Unrealistic: marks come back at once, whatever was sent before them has taken.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from exobridge.simulator.wire import Dialect, FrameWriter, Identity, stream_format
from exobridge_codecs.formats import Encoding
from exobridge_codecs.tones import tone

CHUNK_MS = 200
RATE = 8000
OPEN_SECONDS = 10.0
_CHUNK_BYTES = RATE * 2 * CHUNK_MS // 1000


class NoStreamError(Exception):
    """The server opened none."""


async def light_stream(
    url: str, identity: Identity, *, seconds: float, voice_seconds: float = 0.0
) -> bool:
    """Hold a stream until the bot closes it or the caller hangs up.

    Args:
        url: ``ws://`` or ``wss://``.
        seconds: When the caller hangs up.
        voice_seconds: So long a voice talks at first, as a machine does; then there is silence.

    Returns:
        Whether the bot closed it.

    Raises:
        NoStreamError: There was none.
    """
    try:
        socket = await connect(
            url,
            compression=None,
            ping_interval=None,
            proxy=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=1,
        )
    except (OSError, TimeoutError, InvalidHandshake, InvalidMessage) as error:
        raise NoStreamError(type(error).__name__) from None
    with _heard(socket):
        closed = await _talk(socket, identity, seconds, voice_seconds)
    await socket.close()
    return closed


async def _talk(
    socket: ClientConnection, identity: Identity, seconds: float, voice_seconds: float
) -> bool:
    writer = FrameWriter(stream_format(Encoding.PCM16, RATE), identity, Dialect())
    clock = asyncio.get_running_loop().time
    began, at_ms = clock(), 0
    try:
        await socket.send(writer.connected())
        await socket.send(writer.start({}))
        while (left := began + seconds - clock()) > 0:
            payload = _payload(voice=at_ms < voice_seconds * 1000)
            await socket.send(writer.media(payload, at_ms))
            at_ms += CHUNK_MS
            due = began + at_ms / 1000 - clock()
            await asyncio.sleep(max(0.0, min(due, left)))
        await socket.send(writer.stop("callended"))
    except ConnectionClosed:
        return True
    return False


@contextmanager
def _heard(socket: ClientConnection) -> Generator[None]:
    """Read what the bot sends, and give its marks back."""

    async def hear() -> None:
        try:
            async for frame in socket:
                if '"mark"' in str(frame) and json.loads(frame).get("event") == "mark":
                    await socket.send(frame)
        except ConnectionClosed:
            return

    hearing = asyncio.create_task(hear())
    try:
        yield
    finally:
        hearing.cancel()


@lru_cache(maxsize=2)
def _payload(*, voice: bool) -> str:
    audio = tone(330, CHUNK_MS, RATE)[:_CHUNK_BYTES] if voice else bytes(_CHUNK_BYTES)
    return base64.b64encode(audio).decode()
