"""``exobridge jobs``: what is left to do, and what was given up."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exobridge.cli.main import app
from exobridge.store import Store
from exobridge.store.jobs import Job
from tests.database import migrated


def invoke(folder: Path, *arguments: str) -> Result:
    """Run the command in this process."""
    environment = {"EXOBRIDGE_DATA_DIR": str(folder), "COLUMNS": "200"}
    return CliRunner().invoke(app, ["jobs", *arguments], env=environment)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with a job that waits and one that failed, and no ``.env``."""
    monkeypatch.chdir(tmp_path)
    asyncio.run(_fill(tmp_path))
    return tmp_path


async def _fill(folder: Path) -> None:
    migrated(folder / "exobridge.sqlite3")
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'exobridge.sqlite3'}")
    now = datetime.now(UTC)
    await store.jobs.add("recording", "c1", {"url": "https://signed"}, call_sid="c1")
    (job,) = await store.jobs.lease("recording", now=datetime.now(UTC), until=now, limit=1)
    await store.jobs.fail(job, now=now, error="HTTP 404 [bold]")
    later = now + timedelta(days=1)
    await store.jobs.add("details", "c2", {}, call_sid="c2", due_at=later)
    await store.aclose()


async def _listed(folder: Path) -> list[Job]:
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'exobridge.sqlite3'}")
    try:
        return await store.jobs.listed()
    finally:
        await store.aclose()


def test_the_list(folder: Path) -> None:
    """Under a heading, the newest first; what the error says is shown as it is."""
    result = invoke(folder)
    assert result.exit_code == 0
    heading, second, first = result.stdout.splitlines()
    assert heading.split() == ["job", "state", "due", "or", "done", "kind", "call", "why"]
    assert heading.index("call") == first.index("c1") == second.index("c2")
    assert second.split()[1] == "waiting"
    assert second.split()[4:] == ["details", "c2"]
    assert first.split()[:2] == ["1", "failed"]
    assert first.endswith("recording  c1    HTTP 404 [bold]")


def test_by_state_and_by_call(folder: Path) -> None:
    """Only those that were asked for."""
    assert "c2" not in invoke(folder, "--state", "failed").stdout
    assert "c1" not in invoke(folder, "--call", "c2").stdout
    assert len(invoke(folder, "--limit", "1").stdout.splitlines()) == 2
    assert invoke(folder, "--call", "nobody").stdout == "No jobs.\n"


def test_as_json(folder: Path) -> None:
    """Without what may hold a signed URL."""
    found = json.loads(invoke(folder, "--json", "--state", "failed").stdout)
    assert [(job["id"], job["key"], job["attempts"]) for job in found] == [(1, "c1", 1)]
    assert {"payload", "lease"}.isdisjoint(found[0])
    assert datetime.fromisoformat(found[0]["done_at"]).tzinfo is not None


def test_a_job_is_tried_again(folder: Path) -> None:
    """One that was given up, and one whose time had not come."""
    for number in ("1", "2"):
        assert invoke(folder, "--retry", number).exit_code == 0
    jobs = asyncio.run(_listed(folder))
    assert {(job.state, job.due_at < datetime.now(UTC)) for job in jobs} == {("waiting", True)}
    refused = invoke(folder, "--retry", "99")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "There is no job 99 that waits or was given up." in refused.stderr
