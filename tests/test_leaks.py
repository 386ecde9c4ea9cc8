"""The check that nothing secret is written finds what is, wherever it is written."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import leaks
from tests.leaks import find

ROOT = Path(__file__).parent.parent
SECRET = "a-planted-secret-of-the-tests"
TOKEN = "IkMxIg.aRk9Zw.abcdefghijklmnopqrstuvwxyz0"

LEAKS = [
    f"x{SECRET}x",
    TOKEN,
    f"GET /exotel/stream/{TOKEN} HTTP/1.1",
    "wss://bot.example.com/exotel/stream/abc?x=1",
    "POST /exotel/answer/abc",
    "GET /exotel/answer?auth_token=abc",
    "auth_token%3Dabc",
    "Authorization: Basic ZXhvdGVsOnNlY3JldA==",
    "wss://exotel:secret@bot.example.com/exotel/stream",
    "+919811122233",
    "from 09811122233 to",
    '"caller":"+919876543210"',
    "919876543210",
    "9876543210.",
    "CallFrom%3D09811122233",
]
CLEAN = [
    "+91*******233",
    "GET /exotel/answer HTTP/1.1",
    "/exotel/stream/***",
    "Paste https://h/exotel/answer/$EXOBRIDGE_SECRET",
    "auth_token=***",
    "Authorization: Basic ***",
    "wss://***@h/x",
    "2026-11-21T10:00:00.123456Z",
    "1763712345678",
    "call 9f0987654321ab",
]


@pytest.fixture(autouse=True)
def planted() -> None:
    """A server was given the secret."""
    leaks.plant({"EXOBRIDGE_SECRET": SECRET, "EXOTEL_SID": "an-account-that-may-be-shown"})


@pytest.mark.parametrize("text", LEAKS)
def test_what_must_not_be_written_is_found(text: str) -> None:
    """Alone or within a line."""
    assert find(text)
    assert find(f"before {text} after")


@pytest.mark.parametrize("text", [*CLEAN, "an-account-that-may-be-shown"])
def test_what_may_be_written_is_not(text: str) -> None:
    """Masked numbers, paths without a secret, times and ids."""
    assert find(text) == []


async def test_a_subprocess_is_listened_to() -> None:
    """Whoever reads its pipes, and if nobody does; in pieces, to the last one without a line's
    end. Its standard output may hold phone numbers."""
    say = (
        "import sys, time; f = {}; f.write('a 0981'); f.flush(); time.sleep(.2); f.write('1122233')"
    )
    for descriptor, name in ((2, "sys.stderr"), (1, "sys.stdout")):
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", say.format(name)), stdout=pipe, stderr=pipe
        )
        await asyncio.wait_for(process.wait(), 30)
        await asyncio.sleep(0)
        found = leaks.taken()
        assert bool(found) is (descriptor == 2), name


LEAKING = """
import asyncio, logging, sys

import httpx, pytest, uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from exobridge import log
from exobridge.server import server_config
from tests import leaks
from tests.server import serving, until

def test_prints():
    print("call from +919811122233")

def test_logs():
    logging.getLogger("x").warning("call from %s", "+919811122233")

async def test_refuses():
    async def refuse(request):
        return JSONResponse({"detail": "no such call of +919811122233"}, 400)

    config = server_config(Starlette(routes=[Route("/", refuse)]), "127.0.0.1", 0)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"http://127.0.0.1:{port}/")).status_code == 400
    server.should_exit = True
    await running

async def test_serves(tmp_path, monkeypatch):
    monkeypatch.setattr(log.Redactor, "__call__", lambda self, logger, method, event: event)
    async with serving(tmp_path, EXOBRIDGE_SECRET="a-secret-of-this-test"):
        logging.getLogger("x").warning("it is a-secret-of-this-test")

def test_is_clean():
    print("call from +91*******233")

@pytest.mark.xfail(strict=True)
def test_fails_by_itself():
    assert False
"""


def test_a_test_that_makes_something_leak_fails(tmp_path: Path) -> None:
    """Whether it is printed, logged, answered or written by a server; the others do not."""
    (tmp_path / "test_leaking.py").write_text(LEAKING, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.leaks", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    failed = set(re.findall(r"^ERROR test_leaking.py::test_(\w+)", done.stdout, re.MULTILINE))
    assert done.returncode == 1, done.stdout + done.stderr
    assert failed == {"prints", "logs", "refuses", "serves"}, done.stdout
    assert "an answer of HTTP 400: a phone number" in done.stdout
    assert "the log: the secret 'a-secret-of-this-test'" in done.stdout
