"""What the simulator keeps of the webhooks that it asks, over a real socket."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from exobridge.simulator.client import http_client
from exobridge.wire import Side, read_wire, wire_recorder

_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok"


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(65_536)
    writer.write(_ANSWER)
    await writer.drain()
    writer.close()


async def test_each_kind_of_request_is_kept(tmp_path: Path) -> None:
    """Query, form, JSON and multipart name the call; what names none is not kept. Whoever asks
    gets the answer all the same."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    url = f"http://{host}:{port}/hook"
    told = {"CallSid": "call", "Status": "completed"}
    async with (
        server,
        wire_recorder(tmp_path, Side.EXOTEL, time.time) as wire,
        http_client(wire) as http,
    ):
        answers = [
            await http.get(url, params=told),
            await http.post(url, data=told),
            await http.post(url, json=told),
            await http.post(url, files={name: (None, told[name]) for name in told}),
            await http.get(url),
        ]
    assert [answer.text for answer in answers] == ["ok"] * 5
    hooks = read_wire(tmp_path / "call.wire.gz").webhooks
    assert [hook.method for hook in hooks] == ["GET", "POST", "POST", "POST"]
    assert {hook.body for hook in hooks} == {"ok"}
    assert [len(hook.parameters) for hook in hooks] == [2, 2, 2, 2]
    assert {dict(hook.parameters)["CallSid"] for hook in hooks} == {"call"}
