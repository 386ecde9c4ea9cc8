"""The command line as a whole."""

from __future__ import annotations

import errno
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import pytest
from typer.testing import CliRunner

from exobridge.cli.main import app
from tests.database import migrated
from tests.process import run


@pytest.mark.parametrize("command", ["serve", "call", "demo", "calls", "doctor"])
def test_each_command_explains_itself(command: str) -> None:
    """``--help`` is 0, names the command's options, and starts nothing."""
    listed = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert listed.exit_code == 0
    assert f" {command} " in listed.stdout
    result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert f"exobridge {command}" in result.stdout.replace("root", "exobridge")
    assert "--help" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("arguments", [["nonsense"], ["serve", "--nonsense"], ["calls", "a", "b"]])
def test_what_does_not_exist_is_2(arguments: list[str]) -> None:
    """Said on the standard error, with nothing on the standard output."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr


async def test_a_terminal_without_a_character_gets_its_escape(tmp_path: Path) -> None:
    """A report is printed all the same, with the status that it has elsewhere."""
    call = ("call", "--url", "ws://127.0.0.1:9", "--no-transcribe")
    status, out, err = await run(tmp_path, *call, PYTHONIOENCODING="ascii")
    assert status == 1
    assert r"no-stream \xb7 0.0 s" in out
    assert "Traceback" not in err


def test_a_disk_that_is_full_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the command that writes there, with the status of what cannot be done."""
    migrated(tmp_path / "exobridge.sqlite3")
    monkeypatch.chdir(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("typer.echo", full)
    command = ["dials", "list", "--json"]
    result = CliRunner().invoke(app, command, env={"EXOBRIDGE_DATA_DIR": str(tmp_path)})
    assert result.exit_code == 2
    assert result.stderr.startswith("There is no space left")


def test_it_tells_its_version() -> None:
    """And that of Python, as a report of a fault needs both."""
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"exobridge {version('exobridge')}, Python {python_version()}\n"


def test_without_a_command_the_help_is_shown() -> None:
    """With the status of a command that was not given."""
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 2
    assert "serve" in result.stdout + result.stderr
