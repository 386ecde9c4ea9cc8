"""What a proxy really sends: a relay between it and the server that keeps the bytes."""

from __future__ import annotations

import re
import socket
import socketserver
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


class Tap:
    """Listens on a port of its own and passes everything on to another, both ways.

    Args:
        target: The server's port on this machine.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._sent = bytearray()
        self._open: set[socket.socket] = set()

    @property
    def heads(self) -> list[str]:
        """The request heads so far."""
        found = re.findall(rb"(?:GET|POST) /[^\r\n]* HTTP/1.[01]\r\n.*?\r\n\r\n", self._sent, re.S)
        return [head.decode("latin-1") for head in found]

    def start(self) -> None:
        """Listen; a second time, on the same port."""
        tap = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                tap.relay(self.request)

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        self._serving = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._serving.start()

    def stop(self) -> None:
        """Refuse, as a server that is down, and end what is open."""
        self._server.shutdown()
        self._server.server_close()
        self._serving.join()
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def listening(self) -> Generator[None]:
        """For the length of the block."""
        self.start()
        try:
            yield
        finally:
            self.stop()

    def relay(self, client: socket.socket) -> None:
        """One connection, to its end."""
        with socket.create_connection(("127.0.0.1", self._target)) as server:
            self._open |= {client, server}
            back = threading.Thread(target=_pump, args=(server, client, bytearray()), daemon=True)
            back.start()
            _pump(client, server, self._sent)
            back.join()
            self._open -= {client, server}


def _pump(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            kept += data
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
