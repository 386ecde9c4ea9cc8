"""Plays one kept stream at a server, in real time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from exobridge.replay.listening import Listening
from exobridge.replay.script import SILENT_FRAME_MS, End, Script
from exobridge.simulator.tap import ABNORMAL
from exobridge.wire.reading import Stream
from exobridge.wire.records import Side

LINGER_S = 0.25
"""From ``stop`` to the end of the connection, in seconds."""

SILENCE_S = 10.0
"""How much longer than then a server that ended the call may take, in seconds."""


class Player:
    """One stream.

    Args:
        socket: Open; closed at the end.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, socket: ClientConnection, script: Script, clock: Callable[[], float]
    ) -> None:
        self._socket = socket
        self._script = script
        self._clock = clock
        self._opened = clock()
        self._listening = Listening(script.stream_sid, script.audio)
        self._came = asyncio.Event()

    async def play(self) -> Stream:
        """Play it to its end; the stream as it is now."""
        try:
            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(self._read())
                marks = tasks.create_task(self._give_back_marks())
                with suppress(ConnectionClosed):
                    await self._send_all()
                if self._script.end is End.CALLER:
                    await asyncio.wait([reader], timeout=LINGER_S)
                self._listening.close(self._now(), *self._closed())
                marks.cancel()
                self._socket.transport.abort()  # ends the reader
        finally:
            self._socket.transport.abort()
            await self._socket.wait_closed()
        return self._listening.stream()

    def _now(self) -> float:
        return (self._clock() - self._opened) * 1000

    def _closed(self) -> tuple[Side, int]:
        received = self._socket.protocol.close_rcvd
        if received is None:
            return Side.EXOTEL, ABNORMAL
        return Side.SERVER, received.code

    async def _send_all(self) -> None:
        for at_ms, text in self._script.frames:
            await self._until(at_ms)
            await self._send(text)
        await self._until(self._script.end_ms)
        if self._script.end is not End.SERVER:
            return
        for number in range(round(SILENCE_S * 1000 / SILENT_FRAME_MS)):
            await self._until(self._script.end_ms + number * SILENT_FRAME_MS)
            await self._send(self._script.silence(number))

    async def _send(self, text: str) -> None:
        self._listening.send(self._now(), text)
        await self._socket.send(text)

    async def _until(self, at_ms: float) -> None:
        # What is late yields too, so that catching up does not starve the reader.
        await asyncio.sleep(max(0.0, (at_ms - self._now()) / 1000))
        if self._listening.closed is not None:
            raise _GONE

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                message = await self._socket.recv()
                self._listening.take(self._now(), message)
                self._came.set()
        self._listening.close(self._now(), *self._closed())

    async def _give_back_marks(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                for name in self._listening.due_marks(self._now()):
                    await self._send(self._script.mark(name))
                due_ms = self._listening.next_mark_ms()
                wait_s = None if due_ms is None else max(0.0, (due_ms - self._now()) / 1000)
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._came.wait()
                self._came.clear()


_GONE = ConnectionClosed(None, None)
