"""The server of this installation, beside a flow."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import httpx
import pytest

from exobridge.simulator.flows.model import ServeTable
from exobridge.simulator.flows.serve import ServeError, environment, served
from tests.server import http_client

KEY = "a-key-for-the-control-api"
ECHO = {"DIALOGUE_PROVIDER": "echo", "VAD_PROVIDER": "none", "EXOBRIDGE_API_KEY": KEY}
"""Whose caller hears himself, and who starts nothing."""


def quiet(what: str) -> None:
    """Nobody is told."""
    del what


def test_the_processs_own_environment_wins_over_the_files(tmp_path: Path) -> None:
    """And what names the stand-in account over both."""
    table = ServeTable(
        environment={"MAX_CALLS": "5", "LOG_LEVEL": "DEBUG", "EXOTEL_NUMBERS": "+91=a"},
        templates="templates",
    )
    own = {"LOG_LEVEL": "ERROR", "HOME": "/home/somebody"}
    told = environment(table, tmp_path, {"EXOTEL_SID": "acme1"}, own)
    assert told == {
        "MAX_CALLS": "5",
        "LOG_LEVEL": "ERROR",
        "EXOTEL_NUMBERS": "+91=a",
        "HOME": "/home/somebody",
        "EXOBRIDGE_TEMPLATES_DIR": str(tmp_path / "templates"),
        "EXOTEL_SID": "acme1",
    }


@pytest.mark.parametrize(
    "name",
    [
        "DATABASE_URL",
        "RECORDINGS_URL",
        "EXOBRIDGE_DATA_DIR",
        "EXOBRIDGE_PUBLIC_URL",
        "EXOTEL_API_URL",
        "EXOTEL_API_TOKEN",
        "EXOTEL_NUMBERS",
    ],
)
def test_nothing_leads_a_run_to_where_real_calls_are_kept(name: str, tmp_path: Path) -> None:
    """What the process's own environment says of it is left out."""
    assert name not in environment(ServeTable(), tmp_path, {}, {name: "the real one"})


async def test_a_server_that_was_killed_is_there_again_with_its_data(tmp_path: Path) -> None:
    """At the same URL; at the end of the block nothing answers there."""
    async with served(ServeTable(environment=ECHO), tmp_path, {}, quiet) as server:
        url = server.url
        async with http_client(url) as http:
            told = {"CallSid": "kept", "Status": "completed"}
            assert (await http.post("/exotel/callback/status", data=told)).status_code == 200
        await server.again()
        assert server.url == url
        async with http_client(url) as http:
            kept = await http.get("/api/v1/calls/kept", headers={"Authorization": f"Bearer {KEY}"})
            assert kept.json()["call_sid"] == "kept"
    async with http_client(url) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("/health/live")


async def test_a_server_that_does_not_start_tells_why(tmp_path: Path) -> None:
    """With the end of its log, and no secret more than that shows."""
    table = ServeTable(environment={"LOG_LEVEL": "LOUD"})
    with pytest.raises(ServeError, match=r"(?s)ended with status 2.*LOG_LEVEL"):
        async with served(table, tmp_path, {}, quiet):
            raise AssertionError("it must not start")


async def test_a_server_is_ended_whatever_happens_in_the_block(tmp_path: Path) -> None:
    """An error, or a cancellation while it starts."""
    told = asyncio.Event()

    async def run() -> None:
        async with served(ServeTable(environment=ECHO), tmp_path, {}, lambda what: told.set()):
            await asyncio.sleep(60)

    others = children()  # those that an earlier test's module keeps
    task = asyncio.create_task(run())
    await asyncio.wait_for(told.wait(), 20)
    started = children() - others
    task.cancel()
    await asyncio.wait([task], timeout=20)
    assert task.cancelled()
    assert started
    assert not children() & started


def children() -> set[int]:
    """The processes that this one started and that run."""
    found: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found.add(int(folder.name))
    return found
