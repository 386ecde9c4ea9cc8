"""Why a server could not be reached, told by errors of real connections."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess

import pytest
from websockets.asyncio.client import connect

from exobridge.simulator.client import http_client
from exobridge.simulator.reason import reason


async def why(url: str) -> str:
    """What is said of a URL that cannot be asked."""
    try:
        if url.startswith("ws"):
            async with connect(url):
                pass
        else:
            async with http_client() as http:
                await http.get(url)
    except Exception as error:  # whatever the libraries raise
        return reason(error)
    return ""


def nobody() -> int:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The files of a certificate that nobody else signed, and of its key."""
    folder = tmp_path_factory.mktemp("certificate")
    key, certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -keyout"
    subprocess.run(
        [*command.split(), key, "-out", certificate],
        check=True,
        capture_output=True,
        timeout=30,
    )
    return certificate, key


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_where_nobody_listens_the_connection_is_refused(scheme: str) -> None:
    """In the same words for a webhook and for a stream."""
    assert await why(f"{scheme}://127.0.0.1:{nobody()}/x") == "connection refused"


@pytest.mark.parametrize("scheme", ["https", "wss"])
async def test_a_certificate_that_is_not_trusted_is_named(
    scheme: str, own_certificate: tuple[str, str]
) -> None:
    """And why it is not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own_certificate)

    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        said = await why(f"{scheme}://127.0.0.1:{port}/x")
    assert said.startswith("certificate: self")


async def test_a_server_without_tls_is_named() -> None:
    """It answers the handshake in plain text."""

    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await why(f"https://127.0.0.1:{port}/x")).startswith("TLS: ")


def test_a_host_without_an_address_is_named() -> None:
    """However deep the error is."""
    below = socket.gaierror(-2, "Name or service not known")
    error = LookupError()
    error.__cause__ = ExceptionGroup("several", [below])
    assert reason(error) == "the name of the host is not known"


def test_an_error_that_nobody_knows_is_its_type() -> None:
    """Also one that comes from itself, in the end."""
    error, other = LookupError("secret"), ValueError("secret")
    error.__cause__, other.__cause__ = other, error
    assert reason(error) == "LookupError"
