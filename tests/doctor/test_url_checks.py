"""The public URL: real servers, real certificates, and proxies that stand in the way."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, Level
from exobridge.doctor.url_checks import REQUEST_SECONDS, look
from exobridge.settings import Settings
from tests.doctor.looking import SECRET, accepting, levels, make_certificate, needs_openssl, one
from tests.server import serving


async def looked(
    url: str, secret: str = SECRET, *, seconds: float = REQUEST_SECONDS, **variables: str
) -> list[Finding]:
    """The findings for this public URL."""
    settings = {"EXOBRIDGE_PUBLIC_URL": url, "EXOBRIDGE_SECRET": secret, **variables}
    return await look(Case(Settings.read(settings)), seconds=seconds)


@asynccontextmanager
async def proxy(
    target: str, *, tls: ssl.SSLContext | None = None, upgrade: bool = True
) -> AsyncGenerator[str]:
    """A proxy before ``target`` on a free port; its URL. It passes bytes on as they are, but for
    the headers of an upgrade where these are left out."""
    host, _, port = target.removeprefix("http://").partition(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if not upgrade:
            lines = head.split(b"\r\n")
            hop = (b"upgrade:", b"connection:")
            head = b"\r\n".join(line for line in lines if not line.lower().startswith(hop))
        answers, asked = await asyncio.open_connection(host, int(port))
        try:
            asked.write(head)
            await asyncio.wait(
                [
                    asyncio.create_task(pass_on(reader, asked)),
                    asyncio.create_task(pass_on(answers, writer)),
                ]
            )
        finally:
            asked.transport.abort()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async with accepting(serve, tls) as listening:
        yield f"{'https' if tls else 'http'}://localhost:{listening}"


async def test_a_server_that_can_be_reached_is_ok_and_is_left_as_it_was(tmp_path: Path) -> None:
    """No slot is taken, no fact is kept, and the socket is closed."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=SECRET) as server:
        findings = await looked(server.url)
        assert levels(findings) == {
            "url.set": Level.OK,
            "url.dns": Level.OK,
            "url.connect": Level.OK,
            "url.tls": Level.WARNING,  # plain http
            "url.live": Level.OK,
            "url.guard": Level.OK,
            "url.secret": Level.OK,
            "url.stream": Level.OK,
        }
        await server.bridge.store.flush()
        assert await server.bridge.store.calls(10) == []
        assert server.bridge.desk.calls_left == 0
        assert "call" not in "".join(entry["event"] for entry in server.log(level="error"))


async def test_another_secret_than_the_servers_is_told(tmp_path: Path) -> None:
    """Exotel's requests would be refused; the secret itself is not shown."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=SECRET) as server:
        other = SECRET[::-1]
        findings = await looked(server.url, other)
        found = levels(findings)
        assert (found["url.guard"], found["url.secret"]) == (Level.OK, Level.ERROR)
        assert found["url.stream"] is Level.ERROR
        assert other not in "".join(each.found + each.cure for each in findings)


async def test_a_machine_that_is_not_allowed_says_nothing_of_the_secret(tmp_path: Path) -> None:
    """The server refuses it by its address, as it should; Exotel's is another."""
    network = "203.0.113.0/24"
    async with serving(tmp_path, EXOBRIDGE_SECRET=SECRET, ALLOWED_NETWORKS=network) as server:
        found = levels(await looked(server.url, ALLOWED_NETWORKS=network))
    assert (found["url.secret"], found["url.stream"]) == (Level.INFO, Level.INFO)
    assert found["url.guard"] is Level.OK


async def test_a_proxy_that_does_not_pass_upgrades_is_told(tmp_path: Path) -> None:
    """Everything else is well; the cure has the lines for the proxy."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=SECRET) as server:
        async with proxy(server.url, upgrade=False) as url:
            findings = await looked(url)
        stream = one(findings, "url.stream")
        assert stream.level is Level.ERROR
        assert "proxy_set_header Upgrade" in stream.cure
        assert levels(findings)["url.secret"] is Level.OK


@needs_openssl
async def test_a_trusted_certificate_is_ok_and_its_end_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With TLS, the WebSocket too; near its end it is a warning."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=SECRET) as server:
        for days, level in ((90, Level.OK), (5, Level.WARNING)):
            certificate, key = make_certificate(tmp_path, days=days)
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            async with proxy(server.url, tls=_context(certificate, key)) as url:
                findings = await looked(url)
            found = levels(findings)
            assert found.pop("url.certificate") is level
            assert set(found.values()) == {Level.OK}


@needs_openssl
@pytest.mark.parametrize(
    ("days", "name", "trusted", "says"),
    [
        (90, "localhost", False, "self-signed"),
        (-1, "localhost", True, "expired"),
        (90, "elsewhere.test", True, "localhost"),
    ],
)
async def test_a_certificate_that_is_refused_is_explained(
    days: int,
    name: str,
    trusted: bool,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is asked behind it, and the cure fits."""
    certificate, key = make_certificate(tmp_path, days=days, name=name)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with proxy("http://127.0.0.1:9", tls=_context(certificate, key)) as url:
        findings = await looked(url)
    refused = one(findings, "url.certificate")
    assert refused.level is Level.ERROR
    assert says in refused.found.replace("self signed", "self-signed")
    assert refused.cure
    assert set(levels(findings)) == {"url.set", "url.dns", "url.certificate"}


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_https_where_none_is_spoken_is_told(tmp_path: Path) -> None:
    """The port is the server's own, not the proxy's."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=SECRET) as server:
        findings = await looked("https" + server.url.removeprefix("http"))
        assert "proxy" in one(findings, "url.tls").cure


async def test_a_host_that_refuses_and_one_that_is_none_are_told() -> None:
    """Each with its own cure."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "refuses" in one(await looked(f"http://localhost:{port}"), "url.connect").found
    findings = await looked("https://nobody.invalid")
    assert one(findings, "url.dns").level is Level.ERROR
    assert set(levels(findings)) == {"url.set", "url.dns"}


@pytest.mark.parametrize(
    ("status", "level", "says"),
    [
        (502, Level.ERROR, "no server is behind"),
        (404, Level.WARNING, "404"),
        (301, Level.ERROR, "elsewhere"),
        (200, Level.ERROR, "something else"),
    ],
)
async def test_what_a_proxy_answers_by_itself_is_explained(
    status: int, level: Level, says: str
) -> None:
    """And the secret is not sent to what is not exobridge."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n" % status)
            writer.write(b"Connection: close\r\n\r\n")
            await writer.drain()

    async with accepting(serve) as port:
        findings = await looked(f"http://localhost:{port}")
    live = one(findings, "url.live")
    assert (live.level, says in live.found) == (level, True)
    assert one(findings, "url.guard").level is Level.ERROR
    assert not any(SECRET.encode() in each for each in asked)


async def test_a_server_that_does_not_answer_is_told_in_time() -> None:
    """It takes connections and says nothing: each request has its limit."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with accepting(serve) as port:
        findings = await looked(f"http://localhost:{port}", seconds=0.3)
    assert "no answer within 0.3 s" in one(findings, "url.live").found


async def test_without_a_public_url_it_is_told_that_exotel_cannot_come() -> None:
    """Which is no error: a trial on one machine needs none."""
    findings = await look(Case(Settings.read({})))
    assert levels(findings) == {"url.set": Level.INFO}
