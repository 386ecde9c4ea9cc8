"""The WebSocket under a call: uvicorn's own, with a short way for audio.

uvicorn hands every message to the application through a queue and a task, and ``websockets`` parses
each frame in steps of a generator: right for any peer, and most of what a 20 ms frame costs. Once a
call has taken the socket over, a whole text frame goes straight to it, by a plain call; everything
else (fragments, control frames, whatever is wrong) is left to ``websockets``, which always gets
whole frames, so that it stands between two of them whenever the short way is taken.

It derives from a class that is not part of uvicorn's public interface, which is why the lock pins
uvicorn, and ``tests/web/test_protocol.py`` compares the two ways.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

from starlette.types import Scope
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.speedups import apply_mask

EXTENSION = "exobridge.media"
"""Where the ASGI scope's ``extensions`` hold the protocol."""

CLOSE_SECONDS = 5.0
"""How long a peer may take to answer our close frame before its connection is cut."""

_TEXT = 0x81
"""First byte of an unfragmented text frame (RFC 6455, section 5.2)."""

_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Taker(Protocol):
    """Who takes a socket over."""

    def received(self, message: bytes) -> None:
        """A text message; whether it is UTF-8 has not been looked at. Must not raise."""
        ...

    def closed(self, code: int) -> None:
        """Nothing more comes, and nothing can be sent; the peer's close code, 1005 without."""
        ...

    def writable(self) -> None:
        """The peer reads again."""
        ...


class MediaProtocol(WebSocketsSansIOProtocol):
    """One connection.

    Attributes:
        stalled: The peer reads more slowly than is written: what is written now would pile up.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stalled = False
        self._taker: Taker | None = None
        self._rest = bytearray()
        self._needed = 0
        self._max_size: int = self.config.ws_max_size

    async def run_asgi(self) -> None:
        """Lets the application find this protocol in its scope."""
        extensions = cast(dict[str, object], self.scope.get("extensions"))
        extensions[EXTENSION] = self
        await super().run_asgi()

    async def send(self, message: ASGISendEvent) -> None:
        """As uvicorn's, which takes a handshake that was refused for one that was forgotten: each
        would be an error in the log."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True

    # -------------------------------------------------------------- in

    def take_over(self, taker: Taker) -> None:
        """From now on messages go to ``taker``, those that have come already first. To be called
        once the socket is accepted."""
        self._taker = taker
        self._hand_over()
        self._read_on()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return
            data = bytes(self._rest)
            self._rest.clear()
        if self._taker is None:
            super().data_received(data)
            if self.conn.handshake_exc is not None:
                self._refuse()
            return
        at = self._take_frames(data)
        if at < len(data):
            self._rest += data[at:]
        self._read_on()

    def _refuse(self) -> None:
        """The handshake cannot be read: it has a body, or a very long line. Nobody else would
        answer it, or hang up."""
        if not self.transport.is_closing():
            self.transport.write(b"".join(self.conn.data_to_send()) or _BAD_REQUEST)
            self.transport.close()

    def _take_frames(self, data: bytes) -> int:
        """Take what is whole.

        Returns:
            Where the first frame begins that is not.
        """
        at, size = 0, len(data)
        while at < size:
            if self._taker is None:  # gone in the middle: the rest is the parser's
                super().data_received(data[at:])
                return size
            self._needed = 2
            if size - at < 2:
                return at
            second = data[at + 1]
            length = second & 0x7F
            begin = at + 2
            if length >= 126:
                begin += 2 if length == 126 else 8
                self._needed = begin - at
                if size < begin:
                    return at
                length = int.from_bytes(data[at + 2 : begin], "big")
            if second < 0x80 or length > self._max_size:
                self._parse(data[at:])  # not masked, or too large: refused by its head
                return size
            begin += 4
            end = begin + length
            if end > size:
                self._needed = end - at
                return at
            # Text in the middle of fragments is the peer's error, and the parser's to say.
            if data[at] == _TEXT and self.conn.current_size is None:
                self._taker.received(apply_mask(data[begin:end], data[begin - 4 : begin]))
            else:
                self._parse(data[at:end])
            at = end
        return at

    def _parse(self, frame: bytes) -> None:
        """Have ``websockets`` read a frame, and hand on what it makes of it."""
        super().data_received(frame)
        self._hand_over()

    def _hand_over(self) -> None:
        while self._taker is not None and not self.queue.empty():
            message: Any = self.queue.get_nowait()
            if message["type"] == "websocket.disconnect":
                self._leave(message["code"])
            elif (text := message.get("text")) is not None:
                self._taker.received(text.encode())
            # A binary message is none of Exotel's; it is passed over.

    def _leave(self, code: int) -> None:
        taker, self._taker = self._taker, None
        if taker is not None:
            taker.closed(code)

    def _read_on(self) -> None:
        """uvicorn stops reading until its queue has been emptied."""
        if self.read_paused and not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        super().connection_lost(exc)
        self._leave(1005)

    def shutdown(self) -> None:
        """The server stops now."""
        super().shutdown()
        self._leave(1012)

    # -------------------------------------------------------------- out

    def send_text(self, text: str) -> None:
        """Send a text frame, whether the peer reads or not. The socket must be open."""
        payload = text.encode()
        size = len(payload)
        if size < 126:
            head = bytes((_TEXT, size))
        elif size < 65536:
            head = b"\x81\x7e" + size.to_bytes(2, "big")
        else:
            head = b"\x81\x7f" + size.to_bytes(8, "big")
        self.transport.write(head + payload)

    def send_close(self, code: int) -> None:
        """Send a close frame; a peer that does not answer it in time is cut off."""
        self._taker = None
        if self.close_sent or self.transport.is_closing():
            return
        try:
            self.conn.send_close(code)
        except InvalidState:  # the peer closed at the same time
            return
        self.close_sent = True
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_timer = self.loop.call_later(CLOSE_SECONDS, self.abort)

    def abort(self) -> None:
        """Cut the connection: what the peer has not read is lost."""
        self.transport.abort()

    def pause_writing(self) -> None:
        """The peer reads more slowly than is written."""
        super().pause_writing()
        self.stalled = True

    def resume_writing(self) -> None:
        """The peer has caught up."""
        super().resume_writing()
        self.stalled = False
        if self._taker is not None:
            self._taker.writable()


def protocol_of(scope: Scope) -> MediaProtocol:
    """The protocol under an ASGI WebSocket.

    Raises:
        RuntimeError: The server runs another one.
    """
    protocol = scope.get("extensions", {}).get(EXTENSION)
    if not isinstance(protocol, MediaProtocol):
        raise RuntimeError("/exotel/stream needs the server that `exobridge serve` sets up")
    return protocol
