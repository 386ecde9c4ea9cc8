"""The lowest floor: the same messages echoed by picows, a WebSocket server in C."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

import picows
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest

# Its signature is partly untyped.
ws_create_server: Callable[..., Awaitable[asyncio.Server]] = cast(Any, picows).ws_create_server


class Echo(WSListener):
    """Sends back each media frame as it is."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """One frame of the caller's."""
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
            return
        message = frame.get_payload_as_bytes()
        if b'"media"' in message:
            transport.send(WSMsgType.TEXT, message)


def _listener(request: WSUpgradeRequest) -> Echo:
    del request
    return Echo()


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    server = await ws_create_server(_listener, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(serve(int(sys.argv[1])))
