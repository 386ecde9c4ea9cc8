"""``exobridge batch``: what is put into the database, what is told, and the exit status."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from exobridge.cli.main import app
from tests.database import migrated

LIST = "number,name\n09811122233,Asha\n9811122244,=Bela\n"
TEMPLATE = 'dialogue = {provider = "echo"}\nvad = {provider = "none"}\n'
ENVIRONMENT = {
    "EXOTEL_API_KEY": "key-of-the-account",
    "EXOTEL_API_TOKEN": "token-of-the-account",
    "EXOTEL_SID": "acme1",
    "EXOTEL_NUMBERS": "+918047112233=default",
    "EXOTEL_TEMPLATE_APPLET_APP_ID": "4711",
    "COLUMNS": "200",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory, a template and a list."""
    monkeypatch.chdir(tmp_path)
    migrated(tmp_path / "data" / "exobridge.sqlite3")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "default.toml").write_text(TEMPLATE)
    (tmp_path / "list.csv").write_text(LIST)
    return tmp_path


def batch(*arguments: str, text: str | None = None, **environment: str | None) -> Result:
    """Run the command in this process, in the test's folder."""
    told = {
        **ENVIRONMENT,
        "EXOBRIDGE_DATA_DIR": "data",
        "EXOBRIDGE_TEMPLATES_DIR": "templates",
        **environment,
    }
    return CliRunner().invoke(app, ["batch", *arguments], env=told, input=text)


def told(*arguments: str) -> Any:
    """What it prints as JSON."""
    result = batch(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_a_list_goes_its_way(folder: Path) -> None:
    """Started once under its key, listed, shown, paused, resumed, cancelled; over, it cannot be
    paused; its results are the list and what became of it."""
    made = told("start", "list.csv", "--key", "monday", "--name", "Dues [bold]")
    again = told("start", "list.csv", "--key", "monday", "--name", "Dues [bold]")
    name = made["id"]
    assert (made["new"], again["new"], again["id"]) == (True, False, name)
    assert (made["rows"], made["waiting"], made["state"]) == (2, 2, "running")
    assert [each["id"] for each in told("list")] == [name]
    assert "Dues [bold]" in batch("list").stdout
    assert told("pause", name)["state"] == "paused"
    assert told("resume", name)["state"] == "running"
    shown = batch("show", name)
    assert "2 to be called, 0 calls made, at most 10 at once and 60 a minute" in shown.stdout
    cancelled = told("cancel", name)
    assert (cancelled["state"], cancelled["outcomes"]) == ("cancelled", {"cancelled": 2})
    assert told("show", name, "--watch")["done"] == 2
    over = batch("pause", name)
    assert (over.exit_code, over.stderr.strip()) == (1, "The batch is cancelled already.")

    assert batch("results", name, "-o", "results.csv").exit_code == 0
    written = (folder / "results.csv").read_bytes()
    assert (folder / "results.csv").stat().st_mode & 0o777 == 0o600
    assert batch("results", name).stdout_bytes == written
    assert written.decode().splitlines()[1:] == [
        "09811122233,Asha,cancelled,0,,,,,",
        "9811122244,'=Bela,cancelled,0,,,,,",
    ]


def test_a_list_that_is_wrong_is_told_by_line(folder: Path) -> None:
    """Nobody is called for it, and the exit status says so; the others are, if that is wanted."""
    (folder / "list.csv").write_text(LIST + "12,Chitra\n")
    refused = batch("start", "list.csv")
    assert refused.exit_code == 1
    first, second, cure = refused.stderr.splitlines()
    assert first == "1 of 3 rows cannot be called, so nobody is."
    assert second.startswith("line 4, number: It is no phone number")
    assert "--skip-bad-rows" in cure
    assert batch("list").stdout == "No batches yet.\n"
    tried = told("start", "list.csv", "--skip-bad-rows", "--dry-run")
    assert (tried["rows"], tried["bad_rows"], tried["faults"][0]["line"]) == (2, 1, 4)
    few = batch("start", "-", "--dry-run", text="number\n09811122233\n")
    assert few.stdout == "1 person would be called.\n"
    assert batch("list").stdout == "No batches yet.\n"
    assert told("start", "list.csv", "--skip-bad-rows")["outcomes"] == {"refused": 1}


@pytest.mark.parametrize(
    ("arguments", "environment", "status", "says"),
    [
        (("start", "none.csv"), {}, 2, "The list cannot be read"),
        (("start", "list.csv", "--template", "none"), {}, 1, "There is no template of this name"),
        (("start", "list.csv"), {"EXOTEL_SID": None}, 1, "set EXOTEL_SID"),
        (("start", "list.csv", "--calls-at-once", "0"), {}, 2, "--calls-at-once"),
        (("show", "none"), {}, 1, "There is no such batch."),
        (("results", "none"), {}, 1, "There is no such batch."),
    ],
)
def test_what_is_wrong_is_said(
    folder: Path,
    arguments: tuple[str, ...],
    environment: dict[str, str | None],
    status: int,
    says: str,
) -> None:
    """In a line, with the exit status of its kind."""
    result = batch(*arguments, **environment)
    assert result.exit_code == status
    assert says in result.stderr


def test_a_list_comes_by_the_standard_input(folder: Path) -> None:
    """Under the name ``-``; with other options its key is another batch's."""
    first = batch("start", "-", "--key", "k", text=LIST)
    assert first.exit_code == 0, first.stderr
    other = batch("start", "-", "--key", "k", "--calls-at-once", "3", text=LIST)
    assert other.exit_code == 1
    assert "the idempotency key was used for another batch" in other.stderr


def test_a_reader_of_the_results_may_have_enough(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is told of it, as with every command in a pipe."""
    name = told("start", "list.csv")["id"]

    def gone(*_: object, **__: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr("typer.echo", gone)
    enough = batch("results", name)
    assert (enough.exit_code, enough.stderr) == (1, "")
