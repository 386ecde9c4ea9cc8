"""``exobridge serve`` as a process: how it begins, what it prints, how it ends."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from exobridge.call.state import Outcome
from exobridge.cli.main import app
from exobridge.simulator import CallPlan, Exotel, Say, Wait
from exobridge.store import Store
from tests.process import environment, run, server, spawn
from tests.server import LINE, QUICK, bot, fakes_installed, until, write_templates

SECRET = "a-secret-of-the-tests"


async def test_it_prints_what_an_operator_needs_and_no_secret(tmp_path: Path) -> None:
    """The URLs with the port it has found, or the public ones; what is not set; what looks like a
    typing error. The secret stands in none of its lines, nor do keys."""
    async with server(tmp_path) as serving:
        port = serving.url.rpartition(":")[2]
        assert int(port) > 0
        assert f"ws://127.0.0.1:{port}/exotel/stream" in serving.text
        assert "only this machine is served" in serving.text
        assert "EXOTEL_NUMBERS is not set" in serving.text
    variables = {
        "EXOBRIDGE_SECRET": SECRET,
        "EXOBRIDGE_PUBLIC_URL": "https://bot.example.com/voice",
        "EXOTEL_NUMBERS": "+918047112233=default",
        "EXOTEL_API_KEY": "key-of-the-tests",
        "EXOTEL_API_TOKEN": "token-of-the-tests",
        "EXOBRIDGE_PROT": "1",
        "EXOBRIDGE_PORT": "0",
    }
    status, out, err = await _first_lines(tmp_path, **variables)
    assert (status, out) == (0, "")
    assert "https://bot.example.com/voice/exotel/answer/$EXOBRIDGE_SECRET" in err
    assert "wss://bot.example.com/voice/exotel/stream/$EXOBRIDGE_SECRET" in err
    assert "EXOBRIDGE_PROT (did you mean EXOBRIDGE_PORT?)" in err
    for absent in (SECRET, "of-the-tests", "only this machine", "is not set"):
        assert absent not in err


@pytest.mark.parametrize(
    ("tables", "more"),
    [
        ({}, set[str]()),
        ({"routes": [{"name": "vip"}]}, {"greeting"}),
        ({"transfer": {"target": "+919811122233"}}, {"dial-up", "dial-up/passthru"}),
    ],
)
async def test_it_prints_the_urls_of_what_templates_use(
    tmp_path: Path, tables: dict[str, Any], more: set[str]
) -> None:
    """Each once; those of transfers and greetings where a template in use has some."""
    own = tmp_path / "own"
    own.mkdir()
    folder = str(write_templates(own, {"default": bot(**tables), "idle": bot(**ALL)}))
    async with server(tmp_path, EXOBRIDGE_TEMPLATES_DIR=folder) as serving:
        printed = re.findall(r"(?:http|ws)://[\d.:]+/exotel/(\S+)$", serving.text, re.M)
    assert sorted(printed) == sorted({"answer", "stream", "passthru", "callback/status"} | more)


ALL: dict[str, Any] = {"routes": [{"name": "vip"}], "transfer": {"target": "+919811122233"}}
"""Of a template that no number has."""


async def _first_lines(folder: Path, **variables: str) -> tuple[int, str, str]:
    """What it prints before it serves, by a SIGTERM right after."""
    process = await spawn(folder, ("serve",), variables)
    assert process.stdout is not None
    assert process.stderr is not None
    err = b""
    while b"provider started" not in err:
        line = await asyncio.wait_for(process.stderr.readline(), 30)
        assert line, err.decode()
        err += line
    process.terminate()
    out, rest = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode is not None
    return process.returncode, out.decode(), (err + rest).decode()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"EXOBRIDGE_SECRET": "short"}, "EXOBRIDGE_SECRET: is shorter than 16 characters."),
        ({"EXOTEL_NUMBERS": "nonsense"}, "EXOTEL_NUMBERS: entry 1"),
        ({"EXOTEL_NUMBERS": "+918047112233=nobody"}, "there is no template named nobody"),
        ({"EXOBRIDGE_PUBLIC_URL": "https://bot.example.com"}, "EXOBRIDGE_SECRET: is missing"),
        ({"TTS_PROVIDER": "nobody"}, "TTS_PROVIDER: there is no such tts provider."),
        ({"EXOBRIDGE_TEMPLATES_DIR": "nowhere"}, "EXOBRIDGE_TEMPLATES_DIR: is no directory."),
    ],
)
def test_what_is_wrong_is_told_in_a_line_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    """Exit status 2, nothing is served, no trace of the program's insides."""
    monkeypatch.chdir(tmp_path)
    with fakes_installed():
        result = CliRunner().invoke(app, ["serve"], env=environment(tmp_path, **variables))
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert "is starting" not in result.stderr


async def test_a_store_that_cannot_be_opened_is_told_so(tmp_path: Path) -> None:
    """Before anything is started, as a line with its cure."""
    (tmp_path / "data").write_text("in the way")
    variables = {"DATABASE_URL": f"sqlite:///{tmp_path}/data/calls.sqlite3"}
    variables["EXOBRIDGE_DATA_DIR"] = str(tmp_path)
    status, out, err = await run(tmp_path, "serve", **variables)
    assert (status, out) == (2, "")
    assert "DATABASE_URL" in err
    assert "Traceback" not in err
    assert "is starting" not in err


async def test_a_port_that_is_taken_is_told_so(tmp_path: Path) -> None:
    """Before anything is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, _, err = await run(tmp_path, "serve", "--port", str(port))
    assert status == 2
    assert f"EXOBRIDGE_PORT {port}: cannot be listened on (Address already in use)." in err
    assert "is starting" not in err


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_and_its_calls(tmp_path: Path, how: signal.Signals) -> None:
    """The call under way hears its goodbye line, is closed with 1001, and is in the record as ended
    by the server."""
    async with server(tmp_path, DRAIN_SECONDS="0") as serving, Exotel() as exotel:
        script = (Say(LINE), Wait(30_000))
        plan = CallPlan(url=serving.url, script=script, patience=QUICK, call_sid="c1")
        calling = asyncio.create_task(exotel.call(plan))
        await until(lambda: "call started" in serving.text)
        serving.process.send_signal(how)
        report = await calling
        status = await asyncio.wait_for(serving.process.wait(), 20)
        assert report.close_code == 1001
        assert status == 0
        assert "Traceback" not in serving.text
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'data' / 'exobridge.sqlite3'}")
    try:
        call = await store.call("c1")
    finally:
        await store.aclose()
    assert call is not None
    assert (call.outcome, call.end_reason) == (Outcome.FAILED, "shutdown")
