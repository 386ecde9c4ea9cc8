"""A server that is killed loses no recording: neither before the download, nor in the middle."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from exobridge.call.events import EventKind
from exobridge.exotel.api import ExotelApi
from exobridge.jobs import JobRunner, RunnerOptions
from exobridge.recorder import StoreRecorder
from exobridge.recordings.service import Recordings
from exobridge.settings import Settings
from exobridge.store import Store
from exobridge.store.jobs import JobState
from tests.exotel_account import FakeAccount, FakeCall, Recording, exotel_account, silent_mp3
from tests.process import ROOT
from tests.recordings.storages import whole
from tests.server import serving, until
from tests.stories.hurry import hurried

BODY = silent_mp3(7.2)

NOTES = """
import asyncio, os, signal
from datetime import UTC, datetime
from exobridge.call import events
from exobridge.exotel.api import ExotelApi
from exobridge.recorder import StoreRecorder
from exobridge.recordings.service import Recordings
from exobridge.settings import load_settings
from exobridge.store import Store

async def main():
    settings = load_settings(env_file=None)
    store = await Store.open(settings.database_url.get_secret_value())
    api = ExotelApi.of(settings)
    at = datetime.now(UTC)
    await store.append(events.answer("c1", at, decision=events.Decision.REFUSE))
    await Recordings.of(settings, store, StoreRecorder(store), api).note("c1")
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""
"""Hears of a recording, and is killed."""


@pytest.fixture
async def account() -> AsyncIterator[FakeAccount]:
    """An account with one call, whose recording is there."""
    async with exotel_account() as account:
        account.calls["c1"] = FakeCall(recording=Recording(body=BODY), presigned=True)
        yield account


def variables(account: FakeAccount, folder: Path) -> dict[str, Any]:
    """Of a server that uses the account."""
    return {
        **account.variables,
        "RECORDING_HOSTS": urlsplit(account.url).netloc,
        "EXOBRIDGE_DATA_DIR": str(folder / "data"),
    }


async def run(code: str, given: dict[str, Any]) -> asyncio.subprocess.Process:
    """Start Python with this program."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, env={**os.environ, **given}
    )


async def test_killed_before_the_download(account: FakeAccount, tmp_path: Path) -> None:
    """The recording is fetched after the restart: once."""
    process = await run(NOTES, variables(account, tmp_path))
    async with asyncio.timeout(30):
        assert await process.wait() == -9
    assert account.asked == []
    given = variables(account, tmp_path)
    async with serving(tmp_path, **given) as server, hurried(tmp_path):
        store = server.bridge.store
        await until(lambda: _is_done(store))
        (kept,) = await store.recordings.of_call("c1")
        assert await whole(server.bridge.recordings.storage, kept.location) == BODY
        events = [e for e in await store.events("c1") if e.kind is EventKind.RECORDING]
        assert len(events) == 1
        assert len(server.log("recording stored", call_sid="c1")) == 1
    assert account.count("presigned") == 1


async def _is_done(store: Store) -> bool:
    return [job.state for job in await store.jobs.listed(call_sid="c1")] == [JobState.DONE]


FETCHES = NOTES.replace(
    "    os.kill(os.getpid(), signal.SIGKILL)\n",
    """    from datetime import timedelta
    from exobridge.jobs import JobRunner
    runner = JobRunner(store.jobs, clock=lambda: datetime.now(UTC) + timedelta(seconds=6))
    Recordings.of(settings, store, StoreRecorder(store), api).register(runner)
    runner.start()
    await asyncio.sleep(3600)
""",
)
"""Hears of a recording, and fetches it."""


async def test_killed_in_the_middle_of_the_download(account: FakeAccount, tmp_path: Path) -> None:
    """Once its lease has run out, another process does all of it."""
    slow = account.calls["c1"].recording
    assert slow is not None
    slow.pause_seconds, slow.endless = 0.05, True
    process = await run(FETCHES, variables(account, tmp_path))
    await until(lambda: account.count("presigned") == 1)
    process.kill()
    await process.wait()
    slow.pause_seconds, slow.endless = 0.0, False
    settings = Settings.read(variables(account, tmp_path))
    store = await Store.open(settings.database_url.get_secret_value())
    (job,) = await store.jobs.listed()
    assert job.state is JobState.RUNNING
    api = ExotelApi.of(settings)
    recordings = Recordings.of(settings, store, StoreRecorder(store), api)
    lease_is_over = timedelta(seconds=6 + RunnerOptions().lease)
    runner = JobRunner(store.jobs, clock=lambda: datetime.now(UTC) + lease_is_over)
    recordings.register(runner)
    runner.start()
    await until(lambda: _is_done(store))
    (kept,) = await store.recordings.of_call("c1")
    assert await whole(recordings.storage, kept.location) == BODY
    assert (await store.jobs.listed())[0].attempts == 2
    await runner.aclose()
    assert api is not None
    await api.aclose()
    await store.aclose()
