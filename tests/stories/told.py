"""Runs a flow of ``docs/flows`` by the real command, against the server that it starts, and reads
what that server kept."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exobridge.call.events import CallEvent, Turn
from exobridge.call.state import Call
from exobridge.store import Store
from tests import leaks
from tests.database import migrated
from tests.process import ROOT, environment
from tests.stories.hurry import hurried

FLOWS = ROOT / "docs" / "flows"
EARS, VOICE = "tests.stories.letters:Ears", "tests.stories.letters:Voice"
SPEECH = {"STT_PROVIDER": EARS, "TTS_PROVIDER": VOICE, "DIALOGUE_PROVIDER": "scripted"}
"""The server's, over what the flows say."""
LIMIT_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Told:
    """A story that has been told.

    Attributes:
        report: The call, as ``--json`` has it.
        call: What the server kept of it.
        events: Likewise, in order.
        turns: Likewise.
        recording: The file that it kept as Exotel's recording; ``None``: nothing.
        text: What the command showed besides.
    """

    report: dict[str, Any]
    call: Call
    events: Sequence[CallEvent]
    turns: Sequence[Turn]
    recording: Path | None
    text: str

    @property
    def kinds(self) -> list[str]:
        """The events' kinds."""
        return [event.kind for event in self.events]


@dataclass(frozen=True, slots=True)
class Telling:
    """The command as it runs.

    Attributes:
        folder: For what its server keeps.
        shown: The file of what it shows.
    """

    process: Process
    folder: Path
    shown: Path

    @property
    def text(self) -> str:
        """What it has shown so far."""
        return self.shown.read_text("utf-8")

    async def shows(self, part: str) -> None:
        """Wait until it has shown this."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while part not in self.text:
                assert self.process.returncode is None, self.text
                await asyncio.sleep(0.05)

    async def told(self) -> Told:
        """Its end, which is as the flow expects."""
        out, _ = await asyncio.wait_for(self.process.communicate(), LIMIT_SECONDS)
        leaks.look("what the command shows", self.text, phones=False)
        assert self.process.returncode == 0, f"{self.text}\n{out.decode()}"
        [one] = json.loads(out)["runs"]
        return await _kept(self.folder, one["call"], self.text)


@asynccontextmanager
async def telling(
    folder: Path, name: str, *more: str, hurry: bool = False
) -> AsyncGenerator[Telling]:
    """Start a story; it is ended with the block if it still runs.

    Args:
        folder: For all that is written.
        name: The file's, without its ending.
        more: Options.
        hurry: What the server does beside its calls does not wait for its time.
    """
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    data, shown = folder / "kept", folder / "shown.txt"
    migrated(data / "exobridge.sqlite3")
    options = ("--serve", "--data", str(data), "--voice", VOICE, "--ears", EARS, "--json", *more)
    # What it shows names the agents' numbers, which are the flow's own: no pipe, where none may be.
    with shown.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "exobridge", "simulate", str(FLOWS / f"{name}.toml"), *options),
            cwd=folder,
            env=environment(folder, **SPEECH),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=file,
        )
    try:
        if hurry:
            async with hurried(data):
                yield Telling(process, data, shown)
        else:
            yield Telling(process, data, shown)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()  # and it ends its server
        await asyncio.wait_for(process.wait(), LIMIT_SECONDS)


async def _kept(folder: Path, report: dict[str, Any], text: str) -> Told:
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'exobridge.sqlite3'}")
    try:
        call = await store.call(report["call_sid"])
        assert call is not None
        events, turns = await store.events(call.call_sid), await store.turns(call.call_sid)
    finally:
        await store.aclose()
    recordings = list((folder / "recordings").rglob("exotel.mp3"))
    return Told(report, call, events, turns, recordings[0] if recordings else None, text)
