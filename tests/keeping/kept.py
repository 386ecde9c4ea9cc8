"""Calls with all that can be kept of one."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from exobridge.call import events
from exobridge.call.events import Decision, EndedBy, Role, Turn
from exobridge.recordings.folder import FolderStorage
from exobridge.recordings.keys import key_of
from exobridge.store import Store
from exobridge.store.recordings import Recording
from tests.database import migrated

CALLER, OTHER, EXOPHONE = "+919811122233", "+919811144455", "+918047112233"
WORDS = "My account number is forty two."
SUMMARY = "Asks about account forty two."
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def storage_of(folder: Path) -> FolderStorage:
    """Where the recordings are."""
    return FolderStorage(folder / "recordings")


async def keep(
    store: Store,
    folder: Path,
    call_sid: str,
    *,
    caller: str = CALLER,
    at: datetime = NOW,
    open_stream: bool = False,
    sound: bytes = b"RIFF of a call",
) -> Recording:
    """Keep a call with a stream, two turns, a transfer, a recording and a job; its recording."""
    answered = events.answer(
        call_sid, at, decision=Decision.ACCEPT, caller=caller, called=EXOPHONE, template="t"
    )
    started = events.stream_started(
        call_sid, at, stream_sid="s", template="t", caller=caller, called=EXOPHONE
    )
    asked = events.transfer_requested(
        call_sid, at, stream_sid="s", utterance="turn-2", target="sales", summary=SUMMARY
    )
    ended = events.stream_ended(call_sid, at, stream_sid="s", ended_by=EndedBy.BOT)
    for event in (answered, started, asked, *([] if open_stream else [ended])):
        await store.append(event)
    for number, role in enumerate((Role.CALLER, Role.BOT), start=1):
        store.add_turn_soon(Turn(call_sid, "s", number, role, WORDS, 100 * number, 150 * number))
    # Later than any server of a test runs, which would do the job.
    due_at = datetime.now(UTC) + timedelta(days=1)
    await store.jobs.add("recording", call_sid, {"url": "x"}, call_sid=call_sid, due_at=due_at)
    file = folder / "sound"
    file.write_bytes(sound)
    key = key_of(call_sid, "exotel", "", "wav", at)
    row = Recording(
        call_sid=call_sid,
        source="exotel",
        name="",
        location=await storage_of(folder).put(file, key, "audio/wav"),
        media_type="audio/wav",
        bytes=len(sound),
        sha256=hashlib.sha256(sound).hexdigest(),
        duration_ms=1,
        channels=1,
        sample_rate=8000,
        created_at=at,
    )
    await store.recordings.add(row)
    return row


def database(folder: Path) -> str:
    """A database's URL; there is one from then on."""
    migrated(folder / "exobridge.sqlite3")
    return f"sqlite+aiosqlite:///{folder / 'exobridge.sqlite3'}"


def on_disk(folder: Path, text: str) -> list[str]:
    """The files below a folder in which a text stands."""
    wanted = text.encode()
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if wanted in path.read_bytes()]


def sounds(folder: Path) -> dict[str, Path]:
    """The recordings' files below a folder, by their calls."""
    return {path.parent.name: path for path in folder.rglob("exotel.wav")}
