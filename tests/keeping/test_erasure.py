"""``exobridge erase``: one caller's data, and nobody else's."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from exobridge.call import events
from exobridge.cli.main import app
from exobridge.outbound.models import Wish
from exobridge.own_recording.service import spool_of
from exobridge.own_recording.spool import Note
from exobridge.store import Store
from exobridge_codecs.formats import pcm16
from tests.keeping.kept import CALLER, NOW, OTHER, SUMMARY, WORDS, database, keep, on_disk, sounds
from tests.outbound.ground import ledger
from tests.process import environment
from tests.server import fakes_installed


@pytest.fixture(autouse=True)
def log_as_it_was() -> Generator[None]:
    """The command sets up the log of its process, which is the tests' own here."""
    root, ours = logging.getLogger(), structlog.get_config()
    handlers, level, was_configured = root.handlers, root.level, structlog.is_configured()
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**ours) if was_configured else structlog.reset_defaults()


async def erase(folder: Path, *arguments: str, answer: str = "") -> Result:
    """Run the command on a folder's data."""
    variables = environment(folder, EXOBRIDGE_DATA_DIR=str(folder))
    with fakes_installed():
        return await asyncio.to_thread(
            lambda: CliRunner().invoke(app, ["erase", *arguments], env=variables, input=answer)
        )


async def filled(folder: Path) -> None:
    """Two calls of one caller, one of another."""
    store = await Store.open(database(folder))
    await keep(store, folder, "one")
    await keep(store, folder, "two")
    await keep(store, folder, "other", caller=OTHER)
    await store.aclose()


async def left(folder: Path) -> list[str]:
    """The calls that are there."""
    store = await Store.open(database(folder))
    calls = [call.call_sid for call in await store.calls()]
    jobs = [job.call_sid for job in await store.jobs.listed()]
    await store.aclose()
    assert sorted(jobs) == sorted(calls)
    return sorted(calls)


@pytest.mark.parametrize("number", ["+919811122233", "09811122233", "98111 22233", "919811122233"])
async def test_a_number_in_any_spelling_erases_its_caller(tmp_path: Path, number: str) -> None:
    """Calls, turns, events, jobs, rows and files are gone, from the disk too."""
    await filled(tmp_path)
    result = await erase(tmp_path, number, "--yes", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "dry_run": False,
        "calls": 2,
        "events": 8,
        "turns": 4,
        "recordings": 2,
        "jobs": 2,
        "dials": 0,
        "under_way": [],
        "failed": [],
        "dials_left": 0,
    }
    assert await left(tmp_path) == ["other"]
    assert on_disk(tmp_path, CALLER) == []
    assert list(sounds(tmp_path)) == ["other"]
    assert on_disk(tmp_path, WORDS) == on_disk(tmp_path, SUMMARY) == ["exobridge.sqlite3"]
    assert (await erase(tmp_path, number, "--yes")).stdout.startswith("Erased: 0 calls")


async def test_the_log_says_how_much_of_whom_and_not_who(tmp_path: Path) -> None:
    """With the number masked."""
    await filled(tmp_path)
    result = await erase(tmp_path, CALLER, "--yes")
    (entry,) = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    assert entry["event"] == "data erased"
    assert (entry["caller"], entry["calls"]) == ("+91*******233", 2)
    assert CALLER[3:] not in result.output


async def test_a_dry_run_erases_nothing(tmp_path: Path) -> None:
    """It says what would go."""
    await filled(tmp_path)
    result = await erase(tmp_path, CALLER, "--dry-run")
    assert result.exit_code == 0
    assert "To be erased: 2 calls" in result.stdout
    assert await left(tmp_path) == ["one", "other", "two"]


async def test_it_asks_first(tmp_path: Path) -> None:
    """Without a yes nothing goes, with one it does."""
    await filled(tmp_path)
    assert (await erase(tmp_path, CALLER, answer="n\n")).exit_code == 1
    assert await left(tmp_path) == ["one", "other", "two"]
    assert (await erase(tmp_path, CALLER, answer="y\n")).exit_code == 0
    assert await left(tmp_path) == ["other"]


async def test_nobody_is_called_at_the_number_any_more(tmp_path: Path) -> None:
    """Wishes to call there go too, but for one of which a telephone may be ringing."""
    await filled(tmp_path)
    async with ledger(tmp_path / "exobridge.sqlite3") as book:
        waits, rings = (await book.outbound.dial(Wish(CALLER)))[0], await book.want(1)
        (claimed, _) = (await book.claim()).dials
        assert claimed.id == waits.id
        await book.place(claimed, "one")
        result = await erase(tmp_path, CALLER, "--yes")
        assert (result.exit_code, "is being called there" in result.stderr) == (1, True)
        await book.upkeep.give_up(claimed.due_at + timedelta(days=2))
        again = await erase(tmp_path, CALLER, "--yes", "--json")
        assert (again.exit_code, json.loads(again.stdout)["dials"]) == (0, 1)
        assert [dial.id for dial in await book.outbound.dials()] == [rings.id]
    assert on_disk(tmp_path, CALLER) == []


async def test_one_call_can_be_erased(tmp_path: Path) -> None:
    """By its CallSid; one that is not known is no failure."""
    await filled(tmp_path)
    assert (await erase(tmp_path, "--call", "one", "--yes")).exit_code == 0
    assert await left(tmp_path) == ["other", "two"]
    assert (await erase(tmp_path, "--call", "../one", "--yes")).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [(), ("nobody", "--yes"), ("+91", "--yes"), (CALLER, "--call", "one"), (CALLER, "--json")],
)
async def test_what_is_not_clear_erases_nothing(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Neither number nor call, no number at all, both, or JSON that cannot ask."""
    await filled(tmp_path)
    assert (await erase(tmp_path, *arguments)).exit_code == 2
    assert await left(tmp_path) == ["one", "other", "two"]


async def test_a_call_under_way_is_left_and_told(tmp_path: Path) -> None:
    """It would be written again; the exit status says that something is left."""
    store = await Store.open(database(tmp_path))
    await keep(store, tmp_path, "running", open_stream=True)
    await keep(store, tmp_path, "over")
    await store.aclose()
    result = await erase(tmp_path, CALLER, "--yes")
    assert result.exit_code == 1
    assert "running" in result.stderr
    assert await left(tmp_path) == ["running"]


async def test_a_file_that_cannot_be_deleted_keeps_its_call(tmp_path: Path) -> None:
    """Else nothing would name the file any more; the next try finishes it."""
    await filled(tmp_path)
    file = sounds(tmp_path)["one"]
    file.unlink()
    file.mkdir()
    (file / "in the way").touch()
    result = await erase(tmp_path, CALLER, "--yes")
    assert result.exit_code == 1
    assert await left(tmp_path) == ["one", "other"]
    (file / "in the way").unlink()
    file.rmdir()
    assert (await erase(tmp_path, CALLER, "--yes")).exit_code == 0
    assert await left(tmp_path) == ["other"]


async def test_a_call_whose_caller_is_only_named_is_found(tmp_path: Path) -> None:
    """Exotel's report of a call of which nothing else is known names its numbers as it likes."""
    store = await Store.open(database(tmp_path))
    await store.append(
        events.status(
            "told", NOW, status="completed", event_type="terminal", data={"from": "09811122233"}
        )
    )
    await store.aclose()
    assert (await erase(tmp_path, CALLER, "--yes")).exit_code == 0
    assert on_disk(tmp_path, "9811122233") == []


async def test_recordings_that_wait_to_be_stored_go_too(tmp_path: Path) -> None:
    """Those of this call, and no other's."""
    await filled(tmp_path)
    spool = spool_of(tmp_path)
    for call_sid in ("one", "other"):
        _, sound = spool.begin(Note(call_sid, "s", pcm16(8000), 0.0))
        sound.close()
    assert (await erase(tmp_path, CALLER, "--yes")).exit_code == 0
    assert len(spool.of_call("other")) == 1
    assert len(spool.paths()) == 1
