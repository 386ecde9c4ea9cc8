"""``exobridge webhooks`` lists them, shows one, sends them again, and tries the receiver."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from exobridge.cli.main import app
from exobridge.store import Store
from exobridge.store.jobs import JobState
from exobridge.webhooks.messages import KIND, Messages
from exobridge.webhooks.types import WEBHOOK_EVENTS
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.database import migrated
from tests.webhooks.world import SECRET, TOLD, Clock, put, story, verified

runner = CliRunner()


def run(*arguments: str) -> Any:
    """The command's result."""
    return runner.invoke(app, ["webhooks", *arguments])


async def run_beside(*arguments: str) -> Any:
    """The same, beside a loop that runs."""
    return await asyncio.to_thread(run, *arguments)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the settings of a receiver."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXOBRIDGE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WEBHOOK_SIGNING_SECRET", SECRET)
    migrated(tmp_path / "exobridge.sqlite3")
    return tmp_path


def with_store(folder: Path, does: Any) -> Any:
    """Do something with the database."""

    async def doing() -> Any:
        store = await Store.open(f"sqlite+aiosqlite:///{folder / 'exobridge.sqlite3'}")
        try:
            made: Coroutine[Any, Any, Any] = does(store)
            return await made
        finally:
            await store.aclose()

    return asyncio.run(doing())


async def filled(store: Store) -> None:
    """Two calls' webhooks; of the first call one was taken, and one given up."""
    clock = Clock()
    store.leave_all_beside(Messages(WEBHOOK_EVENTS))
    put(store, story("c1", clock.now))
    await store.flush()
    clock.turn(60)
    now = clock.now
    for settled in ("done", "failed"):
        (job,) = await store.jobs.lease(KIND, now=now, until=now, limit=1)
        if settled == "done":
            await store.jobs.done(job, now=now)
        else:
            await store.jobs.fail(job, now=now, error="status 422")
    put(store, story("c2", now))
    await store.flush()


async def standing(store: Store) -> list[JobState]:
    """How the first call's stand, the oldest first."""
    jobs = await store.jobs.found(KIND, call_sid="c1", after=0)
    return [job.state for job in jobs]


def test_webhooks_are_listed(folder: Path) -> None:
    """The newest first, by state, call and time; none is said to be none."""
    assert run("list").output == "No webhooks.\n"
    with_store(folder, filled)
    listed = json.loads(run("list", "--json", "--limit", "100").output)
    assert [each["type"] for each in reversed(listed)] == [*TOLD, *TOLD]
    (failed,) = json.loads(run("list", "--json", "--state", "failed").output)
    assert (failed["call_sid"], failed["error"], failed["attempts"]) == ("c1", "status 422", 1)
    assert "data" not in failed
    assert len(json.loads(run("list", "--json", "--call", "c2").output)) == len(TOLD)
    assert json.loads(run("list", "--json", "--since", "2999-01-01T00:00:00+05:30").output) == []
    table = run("list", "--state", "failed").output
    assert failed["id"] in table
    assert "status 422" in table


def test_one_is_shown_with_what_it_says(folder: Path) -> None:
    """As JSON; one that is not there gives an exit status of 1."""
    with_store(folder, filled)
    (failed,) = json.loads(run("list", "--json", "--state", "failed").output)
    shown = json.loads(run("show", failed["id"]).output)
    assert shown["data"]["call"]["sid"] == "c1"
    assert {key: shown[key] for key in failed} == failed
    assert run("show", "wh_none").exit_code == 1


def test_they_are_sent_again(folder: Path) -> None:
    """By id, those given up, and all of a call; what is not over is left alone."""
    with_store(folder, filled)
    (failed,) = json.loads(run("list", "--json", "--state", "failed").output)
    assert run("replay", failed["id"]).output == (
        f"{failed['id']}  to be sent after an earlier one of its call\n"
    )
    assert run("replay", "--failed").output == "0 to be sent again.\n"
    assert run("replay", "--call", "c1").output == "1 to be sent again.\n"
    states = with_store(folder, standing)
    assert states.count(JobState.QUEUED) == len(TOLD) - 1
    assert run("replay", "--since", "2020-01-01").output == "0 to be sent again.\n"


@pytest.mark.parametrize(
    "arguments", [[], ["wh_1", "--failed"], ["--since", "yesterday"]], ids=["none", "both", "since"]
)
def test_what_is_to_be_sent_again_has_to_be_named(arguments: list[str], folder: Path) -> None:
    """Nothing is sent again by accident."""
    assert run("replay", *arguments).exit_code == 2


def test_one_that_is_not_there_is_told(folder: Path) -> None:
    """The others are sent again."""
    with_store(folder, filled)
    (failed,) = json.loads(run("list", "--json", "--state", "failed").output)
    told = run("replay", "wh_none", failed["id"])
    assert told.exit_code == 1
    assert "wh_none" in told.stderr
    assert failed["id"] in told.stdout


async def test_the_receiver_is_tried(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a signed ping; what it answers is told with a cure, and decides the exit status."""
    async with FakeHttp().listening() as crm:
        monkeypatch.setenv("WEBHOOK_URL", f"{crm.url}/hook?key=in-the-query")
        for status, cure in (
            (200, ""),
            (302, "Redirects"),
            (401, "WEBHOOK_SIGNING_SECRET"),
            (404, "path"),
            (418, "2xx"),
            (500, "log"),
        ):
            crm.replies["/hook"] = [Reply(status)]
            told = await run_beside("test")
            assert told.exit_code == (0 if status == 200 else 1)
            assert f"{crm.url}: {status} after" in told.output
            assert cure in told.output
            assert "in-the-query" not in told.output
        ping = verified(crm.received[0])
        assert (ping["type"], ping["data"]) == ("ping", {})
        crm.replies["/hook"] = [Reply(drop="head")]
        told = json.loads((await run_beside("test", "--json")).output)
        assert (told["is_taken"], told["status"]) == (False, None)
        assert "reach" in told["cure"]


def test_without_a_receiver_there_is_nothing_to_try(folder: Path) -> None:
    """The variable is named, with the line to set it."""
    told = run("test")
    assert told.exit_code == 2
    assert "WEBHOOK_URL" in told.stderr
