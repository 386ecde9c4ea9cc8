"""A real call through each proxy, as Exotel places it, and what the proxy keeps to itself."""

from __future__ import annotations

import json
import wave
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from exobridge_codecs.tones import tone
from tests.deploy.built import Image
from tests.deploy.conftest import tool
from tests.deploy.fronts import FRONTS, Front
from tests.deploy.processes import Ended, free_port, listens, plain_environment, run, running, until
from tests.deploy.tap import Tap
from tests.server import BOT, write_templates

SECRET = "planted-secret-of-the-deploy-check"
CALLER = "09811122233"
FAKES = "exobridge_providers.testing.fakes"
BOTS = {"stt": "FakeStt", "tts": "FakeTts", "vad": "FakeVad", "dialogue": "FakeDialogue"}
"""Providers that need no speech model; each is in every installation."""
LIARS_ADDRESS = "203.0.113.7"


@dataclass(frozen=True, slots=True)
class Edge:
    """A proxy, what is behind it, and what it sends there."""

    front: Front
    tap: Tap
    image: Image
    folder: Path

    def call(self) -> Ended:
        """``exobridge call``: a greeting, a tone of the caller's, an answer."""
        sound = self.folder / "tone.wav"
        with wave.open(str(sound), "wb") as written:
            written.setnchannels(1)
            written.setsampwidth(2)
            written.setframerate(8000)
            written.writeframes(tone(330, 300, 8000))
        url = f"{self.front.url}/exotel/answer/{SECRET}"
        return run(
            [
                *(self.image.start[0], "call", "--url", url, "--from", CALLER, "--json"),
                *("--audio", str(sound), "--no-transcribe", "--timeout", "15"),
            ],
            env=plain_environment(SSL_CERT_FILE=str(self.front.ca)),
            cwd=self.folder,
        )


@pytest.fixture(scope="module", params=FRONTS)
def edge(
    request: pytest.FixtureRequest,
    image: Image,
    certificate: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[Edge]:
    """exobridge as the image starts it, and a proxy in front."""
    folder = tmp_path_factory.mktemp(request.param)
    port, behind = free_port(), free_port()
    env = image.environment(
        EXOBRIDGE_HOST="127.0.0.1",
        EXOBRIDGE_PORT=str(behind),
        EXOBRIDGE_PUBLIC_URL=f"https://localhost:{port}",
        EXOBRIDGE_SECRET=SECRET,
        EXOBRIDGE_DATA_DIR=str(folder / "data"),
        DRAIN_SECONDS="0",
        TRUSTED_PROXIES="127.0.0.1",
        EXOBRIDGE_TEMPLATES_DIR=str(write_templates(folder, {"default": BOT})),
        **{f"{kind.upper()}_PROVIDER": f"{FAKES}:{name}" for kind, name in BOTS.items()},
    )
    log, tap = folder / "exobridge.out", Tap(behind)
    with running(image.start, log, env=env, cwd=folder), tap.listening():
        until(lambda: listens(behind), lambda: log.read_text("utf-8"))
        with FRONTS[request.param](port, tap.port, folder, certificate) as front:
            yield Edge(front, tap, image, folder)


def test_a_call_goes_through(edge: Edge) -> None:
    """The webhook over https, the stream over wss, and the caller hears what he should."""
    done = edge.call()
    assert done.status == 0, done.text
    report = json.loads(done.out)
    assert report["outcome"] == "completed"
    assert report["bytes_received"] > 0
    assert not report["violations"]


def test_what_a_client_claims_of_itself_ends_at_the_proxy(edge: Edge) -> None:
    """The server is told the address that the proxy sees, not the one that a client makes up."""
    claims = {
        "X-Forwarded-For": LIARS_ADDRESS,
        "X-Real-IP": LIARS_ADDRESS,
        "Forwarded": f"for={LIARS_ADDRESS}",
        "X-Forwarded-Proto": "http",
    }
    with edge.front.client() as client:
        assert client.get("/exotel/answer/wrong", headers=claims).status_code == 403
    head = edge.tap.heads[-1].lower()
    assert LIARS_ADDRESS not in head
    assert "\r\nx-forwarded-for: 127.0.0.1\r\n" in head
    assert "\r\nx-real-ip: 127.0.0.1\r\n" in head
    assert "\r\nx-forwarded-proto: https\r\n" in head
    assert f"\r\nhost: localhost:{edge.front.port}\r\n" in head
    assert "\r\nforwarded:" not in head


@pytest.mark.parametrize("path", ["/metrics", "/health/ready", "/", "/exotel", "/docs"])
def test_what_is_not_exotels_business_is_closed(edge: Edge, path: str) -> None:
    """It does not even reach the server."""
    with edge.front.client() as client:
        assert client.get(path).status_code == 404
        assert client.get(f"{path}?auth_token={SECRET}").status_code == 404
    assert not [head for head in edge.tap.heads if head.startswith(f"GET {path} ")]


def test_the_proxy_can_be_looked_at_from_outside(edge: Edge) -> None:
    """Whoever watches the line sees that the server lives."""
    with edge.front.client() as client:
        assert client.get("/health/live").json()["status"] == "live"


def test_a_large_body_ends_at_the_proxy(edge: Edge) -> None:
    """One of more than 64 KiB. Caddy before 2.7 calls it a bad gateway."""
    with edge.front.client() as client:
        answered = client.post(f"/exotel/answer/{SECRET}", content=b"x" * 70_000)
    assert answered.status_code in (413, 502)


@pytest.mark.parametrize(("version", "works"), [("-tls1_1", False), ("-tls1_2", True)])
def test_tls_is_1_2_at_least(edge: Edge, version: str, works: bool) -> None:
    """Exotel asks for it; older versions are no longer safe."""
    done = run(
        [
            *(tool("openssl"), "s_client", "-connect", f"localhost:{edge.front.port}", version),
            *("-servername", "localhost", "-cipher", "DEFAULT@SECLEVEL=0"),
        ]
    )
    assert (done.status == 0) is works, done.text


def test_the_log_has_no_secret(edge: Edge) -> None:
    """Neither of a call, nor of a refusal, nor while the server is down."""
    assert edge.call().status == 0
    with edge.front.client() as client:
        query = {"CallSid": "c", "CallFrom": CALLER, "auth_token": SECRET}
        headers = {"Authorization": "Basic YW55OnBsYW50ZWQ=", "Referer": f"https://x/{SECRET}"}
        client.get(f"/exotel/answer/{SECRET}", params=query, headers=headers)
        client.get(f"/exotel/nothing/{SECRET}", params=query, headers=headers)
        client.get(f"/{SECRET}", params=query)
    tokens = {head.split()[1].split("/")[3] for head in edge.tap.heads if "/exotel/stream" in head}
    assert tokens
    edge.tap.stop()
    try:
        with edge.front.client() as client:
            down = client.get(f"/exotel/answer/{SECRET}", params=query, headers=headers)
            assert down.status_code == 502
    finally:
        edge.tap.start()
    until(lambda: "502" in edge.front.written(), edge.front.written)
    written = edge.front.written()
    assert written.count("/exotel/answer") >= 2
    for hidden in (SECRET, CALLER, "YW55OnBsYW50ZWQ", *tokens):
        assert hidden not in written, _place(written, hidden)


def _place(text: str, hidden: str) -> str:
    return next(line for line in text.splitlines() if hidden in line)
