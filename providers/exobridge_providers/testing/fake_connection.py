"""One connection of a fake vendor: what comes, what goes out, and what goes wrong with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from websockets.exceptions import ConnectionClosed

from exobridge_codecs.formats import AudioFormat
from exobridge_providers.testing.fake_line import Line
from exobridge_providers.testing.faults import FaultKind

if TYPE_CHECKING:
    from exobridge_providers.testing.fake_vendor import FakeVendor

_FRAGMENT = 7
_MAX_VIOLATIONS = 100


class Gone(Exception):  # no error: the client has left, or a fault cut the line
    """The connection is over."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A message that a fake took or sent.

    Attributes:
        at: When, in seconds of :func:`time.monotonic`.
        connection: The connection's number.
        sent: It was the vendor's; else the client's.
    """

    at: float
    connection: int
    sent: bool
    message: str | bytes


class VendorConnection:
    """One connection of a fake.

    Attributes:
        number: The first is 1.
        path: Without the query.
        query: Its parameters; of one that comes several times, all of them in order.
        headers: By lower-case name.
        received: Messages that came; ``sent``: messages that went out.
        spoken: Those of them that were audio as it is.
    """

    def __init__(self, vendor: FakeVendor, socket: Line, number: int) -> None:
        request = socket.request
        assert request is not None
        parts = urlsplit(request.path)
        self.number = number
        self.path = parts.path
        self.query: dict[str, list[str]] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            self.query.setdefault(name, []).append(value)
        self.headers = {name.lower(): value for name, value in request.headers.raw_items()}
        self.received = 0
        self.sent = 0
        self.spoken = 0
        self._writing = False
        self._vendor = vendor
        self._socket = socket
        self._faults = [each for each in vendor.faults if each.connection in (0, number)]
        self._out: asyncio.Queue[tuple[float, str | bytes] | None] = asyncio.Queue()
        self._due = 0.0
        self._over = False

    def parameter(self, name: str) -> str | None:
        """The only value of a parameter; one that comes several times is a violation."""
        values = self.query.get(name, [])
        if len(values) > 1:
            self.violation(f"{name} stands in the query {len(values)} times")
        return values[0] if values else None

    def violation(self, words: str) -> None:
        """The client broke the vendor's rules."""
        if len(self._vendor.violations) < _MAX_VIOLATIONS:
            self._vendor.violations.append(words)

    # -------------------------------------------------------------- in

    async def receive(self) -> str | bytes:
        """The client's next message. A connection on which none comes for the vendor's
        ``idle_limit`` is closed, as :meth:`FakeVendor.idle_close` says.

        Raises:
            Gone: There is none.
        """
        try:
            async with asyncio.timeout(self._vendor.idle_limit(self)):
                message = await self._socket.recv()
        except ConnectionClosed:
            raise Gone from None
        except TimeoutError:
            self._vendor.idle_closes += 1
            await self._socket.close(*self._vendor.idle_close())
            raise Gone from None
        self.received += 1
        self._vendor.received.append((self.number, message))
        self._tell(message, sent=False)
        for fault in self._faults:
            if fault.kind is FaultKind.DROP_IN and fault.at == self.received:
                self.cut()
                raise Gone
            if fault.kind is FaultKind.DEAF and fault.at <= self.received:
                await self._socket.wait_closed()
                raise Gone
        return message

    def _tell(self, message: str | bytes, *, sent: bool) -> None:
        if self._vendor.watch is not None:
            self._vendor.watch(Passed(time.monotonic(), self.number, sent, message))

    def json(self, message: str | bytes) -> dict[str, Any]:
        """A text message as JSON object; anything else is a violation, and gives an empty one."""
        try:
            if isinstance(message, str):
                return msgspec.json.decode(message, type=dict[str, Any])
        except msgspec.DecodeError:
            pass
        self.violation(f"not a JSON object in a text message: {message[:60]!r}")
        return {}

    # -------------------------------------------------------------- out

    def send(self, message: Mapping[str, Any] | str | bytes, after: float = 0.0) -> None:
        """Send a message; an object goes as JSON. On a line that is broken it goes nowhere.

        Args:
            after: Not before so many seconds from now; the order is kept.
        """
        if self._over:
            return  # nobody would write it, and who closes waits for what is not written
        text = (
            message if isinstance(message, str | bytes) else msgspec.json.encode(message).decode()
        )
        now = asyncio.get_running_loop().time()
        self._due = max(self._due, now + after)
        self._out.put_nowait((self._due, text))

    def speak(
        self,
        pieces: Sequence[bytes],
        audio_format: AudioFormat,
        message: Callable[[bytes], Mapping[str, Any] | bytes] = bytes,
    ) -> None:
        """Send audio, as late and as fast as the vendor makes it.

        Args:
            message: What a piece is sent in; without it, as it is.
        """
        after = self._vendor.first_audio_seconds
        for piece in pieces:
            self.send(message(piece), after)
            after += audio_format.duration_ms(len(piece)) / 1000 * self._vendor.pace

    @property
    def unsent(self) -> int:
        """How many messages wait, the one that is on its way included."""
        return self._out.qsize() + self._writing

    def forget_unsent(self) -> None:
        """What waits is not sent."""
        while not self._out.empty():
            self._out.get_nowait()
            self._out.task_done()
        self._due = 0.0

    async def close(self, code: int, reason: str = "") -> None:
        """Send what waits, and close.

        Raises:
            Gone: Always.
        """
        await self._out.join()
        await self._socket.close(code, reason)
        raise Gone

    def cut(self) -> None:
        """Break the line, without a word."""
        self._socket.transport.abort()

    async def write(self) -> None:
        """Send what waits, faults and all; ends with the connection."""
        try:
            while (item := await self._out.get()) is not None:
                self._writing = True
                try:
                    await self._write_late(*item)
                    self.spoken += isinstance(item[1], bytes)
                finally:
                    self._writing = False
                    self._out.task_done()
        except (ConnectionClosed, Gone):
            pass
        finally:
            self._over = True
            self.forget_unsent()

    async def _write_late(self, due: float, message: str | bytes) -> None:
        late = sum(
            each.seconds
            for each in self._faults
            if each.kind is FaultKind.LATE and each.at <= self.sent + 1
        )
        pause = due + late - asyncio.get_running_loop().time()
        if pause > 0:
            await asyncio.sleep(pause)
        await self._write_one(message)

    async def _write_one(self, message: str | bytes) -> None:
        self.sent += 1
        for fault in self._faults:
            here, from_here = fault.at == self.sent, fault.at <= self.sent
            match fault.kind:
                case FaultKind.DROP_OUT if here:
                    self.cut()
                    raise Gone
                case FaultKind.CLOSE if here:
                    await self._socket.close(fault.code, "an error of the vendor's")
                    raise Gone
                case FaultKind.GARBAGE if here:
                    await self._socket.send('{"\u0000": [garbage')
                    await self._socket.send('["not", "an", "object"]')
                    await self._socket.send('{"type": 7, "event": [], "message_type": {}}')
                case FaultKind.HALF if here:
                    message = message[: len(message) // 2]
                case FaultKind.SILENCE if from_here:
                    return
                case FaultKind.ERROR if here:
                    for words in self._vendor.error_messages(fault.error):
                        await self._socket.send(
                            words if isinstance(words, str) else msgspec.json.encode(words).decode()
                        )
                    await self._socket.close(*self._vendor.error_close(fault.error))
                    raise Gone
                case FaultKind.TRICKLE if from_here:
                    await self._trickle(message, fault.seconds)
                    return
                case _:
                    pass
        self._tell(message, sent=True)
        await self._socket.send(message)

    async def _trickle(self, message: str | bytes, seconds: float) -> None:
        size = max(_FRAGMENT, len(message) // 8)

        async def fragments() -> AsyncGenerator[Any]:
            for at in range(0, max(1, len(message)), size):
                yield message[at : at + size]
                await asyncio.sleep(seconds)

        await self._socket.send(fragments())

    def end(self) -> None:
        """Nothing more will be sent."""
        self._out.put_nowait(None)
