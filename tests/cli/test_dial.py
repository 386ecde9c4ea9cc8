"""``exobridge dial``: what is asked for, what is told of it, and the exit status."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from exobridge.cli.dial_follow import ending_words, follow, is_reached, words
from exobridge.cli.main import app
from exobridge.exotel.api import ExotelTimeoutError
from exobridge.outbound.models import Attempt, Dial, DialOutcome, DialState, Wish
from exobridge.outbound.rules import IST
from exobridge.simulator.customers import Doing
from exobridge.store import Store
from tests.database import migrated
from tests.outbound.calling import ASHA, EXOPHONE, calling

DAY = (datetime.now(IST) + timedelta(days=30)).date()
LATER = ("--at", f"{DAY}T10:00")
ENVIRONMENT = {
    "EXOTEL_API_KEY": "key-of-the-account",
    "EXOTEL_API_TOKEN": "token-of-the-account",
    "EXOTEL_SID": "acme1",
    "EXOTEL_NUMBERS": f"{EXOPHONE}=default",
    "EXOTEL_TEMPLATE_APPLET_APP_ID": "4711",
    "COLUMNS": "200",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory, and no ``.env``."""
    monkeypatch.chdir(tmp_path)
    migrated(tmp_path / "exobridge.sqlite3")
    return tmp_path


def dial(folder: Path, *arguments: str, **environment: str | None) -> Result:
    """Run the command in this process."""
    told = {**ENVIRONMENT, "EXOBRIDGE_DATA_DIR": str(folder), **environment}
    return CliRunner().invoke(app, ["dial", *arguments], env=told)


async def cancelled(folder: Path, dial_id: str) -> None:
    """Cancel it in the database."""
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'exobridge.sqlite3'}")
    try:
        await store.dials.cancel(dial_id, datetime.now(UTC))
    finally:
        await store.aclose()


def test_a_wish_is_kept(folder: Path) -> None:
    """Times without a zone are India's; the JSON is the API's."""
    result = dial(folder, "09811122233", "--var", "name=Asha=Rao", "--json", *LATER)
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    assert (told["number"], told["state"], told["outcome"]) == (ASHA, "waiting", None)
    assert (told["caller_id"], told["template"], told["mode"]) == (EXOPHONE, "default", "flow")
    assert told["variables"] == {"name": "Asha=Rao"}
    assert told["due_at"] == f"{DAY}T04:30:00Z"


def test_a_person_is_shown_no_number(folder: Path) -> None:
    """The line has the dial's id, and when it is due."""
    result = dial(folder, ASHA, *LATER)
    assert f"{DAY} 10:00 in India" in result.stdout
    assert ASHA[3:] not in result.output


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (("12",), {}, "NUMBER: "),
        ((ASHA, "--template", "none"), {}, "--template: There is no template"),
        ((ASHA, "--caller-id", ASHA), {}, "--caller-id: It is none of the registered"),
        ((ASHA, "--var", "Name=x"), {}, "--var: "),
        ((ASHA, "--var", "name"), {}, "--var name=Asha"),
        ((ASHA, "--var", "a=1", "--var", "a=2"), {}, "a is given twice"),
        ((ASHA, "--at", "tomorrow"), {}, "is no time"),
        ((ASHA, "--mode", "stream"), {}, "EXOBRIDGE_PUBLIC_URL"),
        ((ASHA,), {"EXOTEL_API_KEY": None}, "EXOTEL_API_KEY"),
        ((ASHA,), {"EXOTEL_TEMPLATE_APPLET_APP_ID": None}, "EXOTEL_TEMPLATE_APPLET_APP_ID"),
    ],
)
def test_what_is_refused_names_the_option_and_the_cure(
    folder: Path, arguments: tuple[str, ...], environment: dict[str, str | None], told: str
) -> None:
    """With exit status 2, and nothing is kept."""
    result = dial(folder, *arguments, **environment)
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())


def test_a_key_stands_for_one_wish(folder: Path) -> None:
    """Asked again it is told of again; for another person it is refused."""
    first = dial(folder, ASHA, "--key", "k", *LATER)
    again = dial(folder, "09811122233", "--key", "k", *LATER)
    other = dial(folder, "+919811122234", "--key", "k", *LATER)
    assert again.stdout == first.stdout
    assert "asked for before" in again.stderr
    assert (other.exit_code, "--key" in other.stderr) == (2, True)


def test_waiting_for_a_call_that_is_over_ends_at_once(folder: Path) -> None:
    """The exit status tells that nobody was reached."""
    first = dial(folder, ASHA, "--key", "k", "--json", *LATER)
    asyncio.run(cancelled(folder, json.loads(first.stdout)["id"]))
    result = dial(folder, ASHA, "--key", "k", "--wait", *LATER)
    assert (result.exit_code, "cancelled" in result.stdout) == (1, True)


@pytest.fixture
def kept(folder: Path) -> Dial:
    """A dial that waits."""

    async def read() -> Dial:
        store = await Store.open(f"sqlite+aiosqlite:///{folder / 'exobridge.sqlite3'}")
        try:
            (found,) = await store.dials.listed(1)
            return found
        finally:
            await store.aclose()

    dial(folder, ASHA, *LATER)
    return asyncio.run(read())


def test_a_dial_is_found_and_cancelled(folder: Path, kept: Dial) -> None:
    """Listed by its state, shown without its number, cancelled for good; an unknown one is told."""

    def dials(*arguments: str) -> Result:
        told = {**ENVIRONMENT, "EXOBRIDGE_DATA_DIR": str(folder)}
        return CliRunner().invoke(app, ["dials", *arguments], env=told)

    assert kept.id in dials("list", "--state", "waiting").stdout
    assert "No dials." in dials("list", "--state", "done").stdout
    (told,) = json.loads(dials("list", "--json").stdout)
    shown = json.loads(dials("show", kept.id, "--json").stdout)
    assert (told["number"], shown) == (ASHA, {**told, "calls": []})
    assert f"{DAY} 10:00 in India" in dials("show", kept.id).stdout
    over = dials("cancel", kept.id)
    assert (over.exit_code, "cancelled" in over.stdout, ASHA[3:] in over.output) == (0, True, False)
    assert json.loads(dials("cancel", kept.id, "--json").stdout)["outcome"] == "cancelled"
    assert dials("show", "none").exit_code == dials("cancel", "none").exit_code == 1


def test_a_call_that_is_to_be_repeated_is_told_with_its_end(kept: Dial) -> None:
    """So that it is clear why there is another."""
    told = words(replace(kept, attempts=1), DialOutcome.BUSY)
    assert "call 1 of" in told
    assert "is over: busy; called again from" in told


def test_what_is_not_known_is_not_told_as_known(kept: Dial) -> None:
    """A request without an answer is no call under way, and is not to be made anew."""
    asked = Attempt(kept.id, 1, kept.due_at, "", None, None, "")
    assert ending_words(asked) == "not known to be placed"
    assert ending_words(replace(asked, call_sid="c")) == "under way"
    error = str(ExotelTimeoutError("connect: no answer within 40 s"))
    told = words(replace(kept, state=DialState.UNSURE, error=error))
    assert ("may have placed" in told, " again" in told) == (True, False)


@pytest.mark.parametrize("outcome", sorted(set(DialOutcome) - {DialOutcome.NOT_PLACED}))
def test_each_outcome_has_its_words(kept: Dial, outcome: DialOutcome) -> None:
    """Only a human or a machine on the line counts as reached."""
    assert words(replace(kept, outcome=outcome, state=DialState.DONE))
    assert is_reached(replace(kept, outcome=outcome)) is (outcome in ("answered", "voicemail"))


async def test_a_call_is_followed_to_its_end(tmp_path: Path) -> None:
    """Each change is told once, and no line holds the number."""
    does = Doing("busy", ring_seconds=1.2)
    async with calling(tmp_path, lambda number, nth: does) as (server, _, _):
        outbound = server.bridge.outbound
        asked, _ = await outbound.dial(Wish(ASHA))
        told: list[str] = []
        found = await follow(outbound, asked, told.append)
        assert (found.dial.outcome, found.interrupted) == (DialOutcome.BUSY, False)
        assert told[-1] == words(found.dial)
        assert any("under way" in line for line in told)
        assert len(told) == len(set(told))
        assert ASHA[3:] not in "".join(told)


async def test_control_c_ends_the_waiting_alone(tmp_path: Path) -> None:
    """The dial is as it was."""
    async with calling(tmp_path, lambda number, nth: Doing()) as (server, _, _):
        outbound = server.bridge.outbound
        later = datetime.now(UTC) + timedelta(days=30)
        asked, _ = await outbound.dial(Wish(ASHA, not_before=later))
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGINT)
        found = await follow(outbound, asked, lambda line: None)
        assert (found.interrupted, found.dial) == (True, asked)
        assert await outbound.find(asked.id) == asked
