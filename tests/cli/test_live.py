"""``exobridge live``, against a real server with a call under way."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from exobridge.cli import live_client
from exobridge.cli.live_client import LiveClient
from exobridge.cli.main import app
from exobridge.errors import ExobridgeError
from exobridge.numbers import mask
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.live.ground import KEYS, greeted, line, operated
from tests.peer import CALLER, stream
from tests.server import Server

LINE = "This is what the operator says."
KEY = KEYS["operator"]


async def invoke(server: Server | None, *arguments: str, key: str = KEY) -> Result:
    """Run the command beside the server."""
    url = server.url if server is not None else "http://127.0.0.1:9"
    environment = {"EXOBRIDGE_API_KEY": key, "COLUMNS": "200"}
    command = ["live", *arguments, "--url", url]
    return await asyncio.to_thread(CliRunner().invoke, app, command, env=environment)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No ``.env`` of the user's."""
    monkeypatch.chdir(tmp_path)


async def test_a_call_is_steered_from_the_command_line(tmp_path: Path) -> None:
    """Each order says what was done, and what cannot be done why."""
    async with operated(tmp_path) as (server, _), stream(server.stream_url) as peer:
        await greeted(peer)
        said = await invoke(server, "say", peer.call_sid, LINE)
        assert (said.exit_code, said.stdout) == (0, "It is being said.\n")
        await line(peer)
        nobody = await invoke(server, "transfer", peer.call_sid, "support")
        assert nobody.exit_code == 2
        assert nobody.stderr.startswith("The template knows no such target.")
        ended = await invoke(server, "hangup", peer.call_sid, "--say", "Bye.")
        assert ended.stdout == "The last words are being said; then the line is left.\n"
        await line(peer)
        assert await peer.close_code() == 1000
        await server.until_over(peer.call_sid)
        unknown = await invoke(server, "say", "nobody", LINE)
        assert (unknown.exit_code, unknown.stderr[:22]) == (2, "There is no such call.")
        shown = await invoke(server, "follow", peer.call_sid, "--kind", "turn", "--count", "3")
        assert [text.split(maxsplit=3)[3] for text in shown.stdout.splitlines()] == [
            "Hello there.",
            LINE,
            "Bye.",
        ]
        started = ("--since", "e0.t0", "--kind", "stream-started", "--count", "1")
        shown = await invoke(server, "follow", *started)
        assert peer.call_sid in shown.stdout
        number = "+91" + CALLER.lstrip("0")
        assert mask(number) in shown.stdout
        assert number not in shown.stdout
        told = json.loads((await invoke(server, "follow", *started, "--json")).stdout)
        assert told["data"]["caller"] == number


async def test_what_cannot_be_asked_is_told_with_its_cure(tmp_path: Path) -> None:
    """No key, the wrong key, a kind that there is not, and no server."""
    async with operated(tmp_path) as (server, _):
        wrong = await invoke(server, "say", "c", LINE, key="no-key-of-this-server")
        kind = await invoke(server, "follow", "--kind", "party")
    missing = await invoke(None, "say", "c", LINE, key="")
    nowhere = await invoke(None, "follow")
    for order in (["say", "c", LINE], ["follow"]):  # what is no URL at all
        nothing = await asyncio.to_thread(
            CliRunner().invoke,
            app,
            ["live", *order, "--url", "http://[one"],
            env={"EXOBRIDGE_API_KEY": KEY},
        )
        assert (nothing.exit_code, "cannot be asked" in nothing.stderr) == (2, True)
    short = await asyncio.to_thread(
        CliRunner().invoke,
        app,
        ["live", "follow", "--url", "localhost:8080"],
        env={"EXOBRIDGE_API_KEY": KEY},
    )
    assert short.stderr == "localhost:8080: is no URL. Write it as --url http://127.0.0.1:8080.\n"
    told = [each.stderr for each in (wrong, kind, missing, nowhere)]
    assert [each.exit_code for each in (wrong, kind, missing, nowhere)] == [2] * 4
    assert told[0].startswith("EXOBRIDGE_API_KEY: is no key that the server knows.")
    assert "is no kind of an event" in told[1]
    assert told[2].startswith("EXOBRIDGE_API_KEY: is not set.")
    assert "cannot be asked (ConnectError)" in told[3]


async def test_a_proxy_without_its_server_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once there was a server, and from where its stream broke off."""
    monkeypatch.setattr(live_client, "AGAIN_SECONDS", 0.01)
    told: list[Any] = []
    async with FakeHttp().listening() as proxy:
        proxy.replies["/api/v1/events"] = [
            Reply(content_type="text/event-stream", parts=[b'id: e1.t0\ndata: {"n": 1}\n\n']),
            Reply(502, "text/html", parts=[b"Bad gateway"]),
            Reply(content_type="text/event-stream", parts=[b'id: e2.t0\ndata: {"n": 2}\n\n']),
        ]
        async with asyncio.timeout(10):
            await LiveClient(proxy.url, KEY).follow("", {}, told.append, 2)
    assert told == [{"n": 1}, {"n": 2}]
    assert [each.headers.get("last-event-id") for each in proxy.received] == [
        *(None, "e1.t0", "e1.t0")
    ]


async def test_a_server_of_another_make_is_told() -> None:
    """It is not asked for ever, though it answers everything with a page of its own."""
    async with FakeHttp().listening() as other:
        other.replies["/api/v1/events"] = [Reply(200, "text/html", parts=[b"<p>Hello.</p>"])]
        with pytest.raises(ExobridgeError, match="answers 200, which is no exobridge's word"):
            async with asyncio.timeout(10):
                await LiveClient(other.url, KEY).follow("", {}, lambda told: None)
