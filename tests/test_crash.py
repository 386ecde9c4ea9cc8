"""``kill -9`` in the middle of a call."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from exobridge.call.events import EventKind
from exobridge.cli.main import app
from exobridge.simulator import CallPlan, EndedBy, Exotel, Outcome, Say, Wait
from exobridge.store import Store
from tests.process import environment, server
from tests.server import LINE, QUICK, fakes_installed, until


async def test_the_facts_of_a_call_survive_the_death_of_its_process(tmp_path: Path) -> None:
    """What had happened and what had been said is there after the next start, which calls the
    call lost; another call can then be held, and the lost one goes on in another stream."""
    script = (Say(LINE), Wait(30_000))
    async with server(tmp_path) as serving, Exotel() as exotel:
        plan = CallPlan(url=serving.url, script=script, patience=QUICK, call_sid="killed")
        calling = asyncio.create_task(exotel.call(plan))
        await _until_answered(tmp_path)
        serving.process.kill()
        report = await calling
    assert (report.outcome, report.ended_by) == (Outcome.DROPPED, EndedBy.NETWORK)

    async with server(tmp_path) as serving, Exotel() as exotel:
        await until(lambda: "former process" in serving.text)
        warnings = [json.loads(line) for line in serving.lines if "former process" in line]
        assert [(entry["call_sid"], entry["level"]) for entry in warnings] == [
            ("killed", "warning")
        ]
        plan = CallPlan(url=serving.url, script=(Say(LINE),), patience=QUICK, call_sid="next")
        assert (await exotel.call(plan)).problems == ()
        await completed(tmp_path, "next")
        # The command reads while the server writes.
        out = await asyncio.to_thread(calls, tmp_path, "killed", "--json")
        listed = await asyncio.to_thread(calls, tmp_path)
        # Exotel's flow may lead the caller back.
        assert (await exotel.call(replace(plan, call_sid="killed"))).problems == ()
        back = await completed(tmp_path, "killed")
    said = ["Hello there.", "one", "You said: one"]
    resumed = "Sorry, we were cut off. Please go on."
    assert [turn["text"] for turn in back["turns"]] == [*said, resumed, *said[1:]]
    killed = json.loads(out)
    assert (killed["state"], killed["outcome"], killed["end_reason"]) == (
        "ended",
        "lost",
        "the server restarted",
    )
    assert [event["kind"] for event in killed["events"]] == [
        EventKind.ANSWER,
        EventKind.STREAM_STARTED,
        EventKind.STREAM_FORMAT,
        EventKind.STREAM_LOST,
    ]
    assert [turn["text"] for turn in killed["turns"]] == said
    newest, oldest = listed.splitlines()
    assert "next" in newest
    assert newest.endswith("completed")
    assert "killed" in oldest
    assert oldest.endswith("lost")


async def completed(folder: Path, call_sid: str) -> dict[str, Any]:
    """What ``exobridge calls`` tells of a call once it is completed, which is a moment after its
    caller has hung up."""
    told: dict[str, Any] = {}

    async def is_completed() -> bool:
        told.update(json.loads(await asyncio.to_thread(calls, folder, call_sid, "--json")))
        return bool(told["outcome"] == "completed")

    await until(is_completed)
    return told


def calls(folder: Path, *arguments: str) -> str:
    """What ``exobridge calls`` prints."""
    with fakes_installed():
        result = CliRunner().invoke(app, ["calls", *arguments], env=environment(folder))
    assert result.exit_code == 0, result.stderr
    return result.stdout


async def _until_answered(folder: Path) -> None:
    """The bot's answer has been heard, and is in the store, which a second process may read."""
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'data' / 'exobridge.sqlite3'}")

    async def answered() -> bool:
        return len(await store.turns("killed")) == 3

    try:
        await until(answered)
    finally:
        await store.aclose()
