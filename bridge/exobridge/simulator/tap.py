"""What passes on the wire of simulated calls, on its way to a file: seen from Exotel's side."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from email import message_from_bytes
from typing import Any, cast
from urllib.parse import parse_qsl

import httpx
from websockets.asyncio.client import ClientConnection

from exobridge.wire.recorder import StreamTap, WireRecorder
from exobridge.wire.records import Side

ABNORMAL = 1006
"""No close frame came (RFC 6455, section 7.1.5)."""


class _Tapped:
    """The socket, but for what passes through it."""

    def __init__(self, socket: ClientConnection, tap: StreamTap) -> None:
        self._socket = socket
        self._tap = tap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    async def send(self, message: str) -> None:
        """As the socket."""
        self._tap.frame(Side.EXOTEL, message)
        await self._socket.send(message)

    async def recv(self) -> str | bytes:
        """As the socket."""
        message = await self._socket.recv()
        self._tap.frame(Side.SERVER, message)
        return message

    async def wait_closed(self) -> None:
        """As the socket."""
        await self._socket.wait_closed()
        received = self._socket.protocol.close_rcvd
        if received is None:
            self._tap.closed(Side.EXOTEL, ABNORMAL)
        else:
            self._tap.closed(Side.SERVER, received.code)


def tapped(socket: ClientConnection, tap: StreamTap) -> ClientConnection:
    """The socket, whose frames go to the tap as well."""
    return cast(ClientConnection, _Tapped(socket, tap))


MAX_BODY_BYTES = 65_536
"""Of an answer, what is kept."""


class _Tee(httpx.AsyncByteStream):
    """An answer's body, of which whoever reads it leaves a copy."""

    def __init__(self, stream: httpx.AsyncByteStream, told: Callable[[bytes], None]) -> None:
        self._stream = stream
        self._told = told
        self._read = bytearray()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            self._read += part[: MAX_BODY_BYTES - len(self._read)]
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
        self._told(bytes(self._read))


def keep_requests(client: httpx.AsyncClient, wire: WireRecorder) -> None:
    """Keep what the client asks from now on, and what is answered; requests of no call apart."""

    async def asked(request: httpx.Request) -> None:
        await request.aread()  # a multipart body is made while it is sent
        request.extensions["exobridge.began"] = time.monotonic()

    async def answered(response: httpx.Response) -> None:
        def told(body: bytes) -> None:
            _keep(wire, response, body)

        response.stream = _Tee(cast(httpx.AsyncByteStream, response.stream), told)

    hooks = client.event_hooks
    client.event_hooks = {
        "request": [*hooks["request"], asked],
        "response": [*hooks["response"], answered],
    }


def _keep(wire: WireRecorder, response: httpx.Response, body: bytes) -> None:
    request = response.request
    parameters = _parameters(request)
    wire.webhook(
        dict(parameters).get("CallSid", ""),
        seconds=time.monotonic() - request.extensions["exobridge.began"],
        method=request.method,
        path=request.url.path,
        parameters=parameters,
        status=response.status_code,
        content_type=response.headers.get("content-type", ""),
        body=body,
        headers=request.headers,
    )


def _parameters(request: httpx.Request) -> list[tuple[str, str]]:
    """All names and values, the body's before the query's."""
    kind = request.headers.get("content-type", "").partition(";")[0]
    body = request.content
    found: list[tuple[str, str]] = []
    if kind == "application/json":
        fields = cast(dict[str, Any], json.loads(body))
        found = [
            (name, value if isinstance(value, str) else json.dumps(value))
            for name, value in fields.items()
        ]
    elif kind == "multipart/form-data":
        found = list(_parts(request.headers["content-type"], body))
    elif body:
        found = parse_qsl(body.decode(), keep_blank_values=True)
    return [*found, *request.url.params.multi_items()]


def _parts(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    """The fields of a multipart body."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    for part in message_from_bytes(head + body).walk():
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            yield name, value.decode("utf-8", "replace")
