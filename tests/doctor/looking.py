"""What the tests of the doctor share."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from exobridge.doctor import Finding, Level

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")

NUMBER = "+919845012345"
"""An ExoPhone that is no example."""
SECRET = "q7Zr4kLw0xVb8TnYc2Ju5HsPe9MdGa"


def of(findings: Iterable[Finding], about: str) -> list[Finding]:
    """Those with this id."""
    return [each for each in findings if each.id == about]


def one(findings: Iterable[Finding], about: str) -> Finding:
    """The only one with this id."""
    [found] = of(findings, about)
    return found


def levels(findings: Iterable[Finding]) -> dict[str, Level]:
    """The findings' levels by id; of one id the worst."""
    found: dict[str, Level] = {}
    for each in findings:
        if each.id not in found or found[each.id].weight < each.level.weight:
            found[each.id] = each.level
    return found


def make_certificate(folder: Path, *, days: int, name: str = "localhost") -> tuple[Path, Path]:
    """A self-signed certificate and its key; ``days`` below zero: it has expired."""
    certificate, key = folder / f"{name}{days}.pem", folder / f"{name}{days}.key"
    request = folder / f"{name}.csr"
    _openssl(
        *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"),
        *("-keyout", str(key), "-out", str(request)),
    )
    extensions = folder / "extensions"
    extensions.write_text(f"subjectAltName=DNS:{name}\nbasicConstraints=CA:TRUE\n")
    _openssl(
        *("x509", "-req", "-in", str(request), "-signkey", str(key), "-out", str(certificate)),
        *("-days", str(days), "-extfile", str(extensions)),
    )
    return certificate, key


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def accepting(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    """A TCP server on a free port; the port. At its end every connection is over."""
    running: set[asyncio.Task[None]] = set()

    async def held(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.transport.abort()
            with suppress(OSError):  # what it ended with
                await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.create_task(held(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=tls)
    try:
        port: int = server.sockets[0].getsockname()[1]
        yield port
    finally:
        for _ in range(4):  # turns of the loop in which asyncio takes a connection and tells of it
            await asyncio.sleep(0)
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.sleep(0.01)  # an aborted transport closes its socket on the next turn


@contextmanager
def answering(
    respond: Callable[[BaseHTTPRequestHandler], tuple[int, dict[str, str], bytes]],
) -> Generator[str]:
    """An HTTP server on a free port; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = respond(self)
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
