"""The floor: the same messages echoed by uvicorn and Starlette, with nothing in between.

Arguments: the port, and how many processes share it (1).
"""

from __future__ import annotations

import multiprocessing
import socket
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect


async def echo(websocket: WebSocket) -> None:
    """Send back each media frame as it is."""
    await websocket.accept()
    try:
        while True:
            text = await websocket.receive_text()
            if '"media"' in text:
                await websocket.send_text(text)
    except WebSocketDisconnect:
        pass


app = Starlette(routes=[WebSocketRoute("/exotel/stream", echo)])


def serve(port: int) -> None:
    """One process; the system deals the connections out to all that listen there."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        access_log=False,
        log_level="warning",
    )
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", port))
        uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    others = arguments[1] - 1 if len(arguments) > 1 else 0
    for _ in range(others):
        # A daemon ends with its parent.
        multiprocessing.Process(target=serve, args=(arguments[0],), daemon=True).start()
    serve(arguments[0])
