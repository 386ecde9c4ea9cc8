"""``exobridge numbers``: what is listed, compared with the account, and changed."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from exobridge.cli.main import app
from exobridge.simulator.account import Account, serve_account
from exobridge.store import Store
from exobridge.store.visits import Visit
from exobridge.web.control.numbers import NumberModel
from tests.database import migrated
from tests.exophones.having import NOW, ONE, THREE, TWO


@contextmanager
def account_beside(account: Account) -> Generator[Account]:
    """An account that is served by a thread, as a command has a loop of its own."""
    ready, over = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with serve_account(account):
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield account
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with a database, and no ``.env``; the command's log is kept by no logger
    that other tests use."""
    configure: Callable[..., None] = structlog.configure

    def uncached(**given: Any) -> None:
        configure(**{**given, "cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", uncached)
    monkeypatch.chdir(tmp_path)
    migrated(tmp_path / "exobridge.sqlite3")
    return tmp_path


def invoke(folder: Path, *arguments: str, **variables: str) -> Result:
    """Run the command in this process, with one number in the environment."""
    environment = {
        "EXOBRIDGE_DATA_DIR": str(folder),
        "COLUMNS": "200",
        "EXOTEL_NUMBERS": f"{THREE}=default",
        **variables,
    }
    return CliRunner().invoke(app, ["numbers", *arguments], env=environment)


def listed(folder: Path, **variables: str) -> dict[str, dict[str, Any]]:
    """What is listed, by number."""
    told = invoke(folder, "list", "--json", **variables)
    assert told.exit_code == 0, told.output
    return {each["number"]: each for each in json.loads(told.stdout)}


def visited(folder: Path, status: int) -> None:
    """A URL was asked for the first number."""

    async def keep() -> None:
        store = await Store.open(f"sqlite+aiosqlite:///{folder / 'exobridge.sqlite3'}")
        await store.visits.add([Visit("/exotel/answer", ONE, NOW, status, 12)])
        await store.aclose()

    asyncio.run(keep())


def test_a_number_is_added_changed_and_removed(folder: Path) -> None:
    """What is not given stays; the environment's number is left alone."""
    assert invoke(folder, "add", "0" + ONE[3:], "--template", "demo").exit_code == 0
    assert invoke(folder, "add", ONE, "--name", "Front desk", "--app-id", "7").exit_code == 0
    told = listed(folder)
    assert (told[ONE]["template"], told[ONE]["name"], told[ONE]["applet_app_id"]) == (
        *("demo", "Front desk"),
        "7",
    )
    assert told[THREE]["source"] == "environment"
    assert set(told[ONE]) == set(NumberModel.model_fields)
    assert "Front desk" in invoke(folder, "list").stdout
    assert invoke(folder, "add", ONE, "--nobody").exit_code == 0
    assert listed(folder)[ONE]["template"] is None
    assert invoke(folder, "remove", ONE).exit_code == 0
    assert list(listed(folder)) == [THREE]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["add", ONE], 2, "--template NAME"),
        (["add", ONE, "--template", "demo", "--nobody"], 2, "--nobody"),
        (["add", ONE, "--template", "demoo"], 1, "Use demo."),
        (["add", "123", "--template", "demo"], 1, "no phone number"),
        (["add", THREE, "--template", "demo"], 1, "EXOTEL_NUMBERS"),
        (["remove", ONE], 1, "no such number"),
        (["sync"], 1, "EXOTEL_API_KEY"),
        (["assign", THREE], 1, "app id"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_cure(
    folder: Path, arguments: list[str], status: int, says: str
) -> None:
    """Nothing has changed then."""
    told = invoke(folder, *arguments)
    assert (told.exit_code, says in told.output) == (status, True), told.output
    assert list(listed(folder)) == [THREE]


def test_the_last_number_goes_only_if_that_is_said(folder: Path) -> None:
    """As every number would be answered then."""
    invoke(folder, "add", ONE, "--template", "demo", EXOTEL_NUMBERS="")
    refused = invoke(folder, "remove", ONE, EXOTEL_NUMBERS="")
    assert (refused.exit_code, "every number" in refused.output) == (1, True)
    assert invoke(folder, "remove", ONE, "--allow-none", EXOTEL_NUMBERS="").exit_code == 0
    assert "every number" in invoke(folder, "list", EXOTEL_NUMBERS="").stdout


def test_numbers_are_compared_with_the_account(folder: Path) -> None:
    """What is wrong with each is told with its cure, and nothing is changed."""
    with account_beside(Account()) as account:
        account.add_exophones(ONE, TWO)
        known = account.variables
        assert "added: +918047112233, +918047112244" in invoke(folder, "sync", **known).stdout
        invoke(folder, "add", ONE, "--template", "demo", **known)
        visited(folder, 403)
        checked = invoke(folder, "check", **known)
        assert checked.exit_code == 1
        for says in ("not of this account", "no flow is assigned", "refused (403)", "12 times"):
            assert says in checked.stdout
        assert f"exobridge numbers assign {ONE}" in checked.stdout
        assert "Correct EXOTEL_NUMBERS, or EXOTEL_SID." in checked.stdout

        told = invoke(folder, "assign", ONE, "--app-id", "99", "--json", **known)
        assert json.loads(told.stdout)["flow_app_id"] == "99"
        visited(folder, 200)
        troubles = {
            each["number"]: [trouble["about"] for trouble in each["troubles"]]
            for each in json.loads(invoke(folder, "check", "--json", **known).stdout)
        }
        assert troubles[TWO] == ["template"]
        assert "flow" not in troubles[ONE]
        assert "account" in troubles[THREE]

        account.key = "another"
        refused = invoke(folder, "check", **known)
        assert (refused.exit_code, "401" in refused.output) == (1, True)
