"""``exobridge doctor`` as a command."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exobridge.cli.main import app
from exobridge.doctor import report
from exobridge.doctor.finding import ok
from tests.doctor.looking import NUMBER, SECRET
from tests.process import environment, run
from tests.server import fakes_installed

QUICK = ("--fast", "--offline")
GOOD = {
    "EXOTEL_NUMBERS": f"{NUMBER}=default",
    "EXOBRIDGE_SECRET": SECRET,
    "EXOBRIDGE_PORT": "0",
    "MAX_CALLS": "10",
}


async def test_a_healthy_installation_is_0(tmp_path: Path) -> None:
    """A line a finding, in groups, a summary at the end; numbers masked, no secret."""
    status, out, err = await run(tmp_path, "doctor", *QUICK, "--strict", **GOOD)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "Settings"
    assert lines[-1] == "All is well."
    assert any(line.startswith("  ✓ ") for line in lines)
    assert NUMBER[3:] not in out
    assert SECRET not in out


def doctor(folder: Path, *options: str, **variables: str) -> tuple[int, str, str]:
    """The same in this process, for what is no matter of processes."""
    given = environment(folder, **GOOD | variables)
    with fakes_installed():
        result = CliRunner().invoke(app, ["doctor", *QUICK, *options], env=given)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without a ``.env``."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_errors_are_1_with_what_to_mend_first(empty: Path) -> None:
    """The cure stands below its finding; the summary tells the first error's fault."""
    status, out, err = doctor(empty, LOG_LEVEL="LOUD")
    assert (status, err) == (1, "")
    lines = out.splitlines()
    at = next(number for number, line in enumerate(lines) if "LOG_LEVEL" in line)
    assert lines[at].startswith("  ✗ ")
    assert lines[at + 1].startswith("      → ")
    fault = lines[at].removeprefix("  ✗ ")
    assert lines[-1] == f"1 error. First: Settings, {fault}"


def test_a_warning_is_0_and_with_strict_1(empty: Path) -> None:
    """An unknown variable is one."""
    for options, wanted in (((), 0), (("--strict",), 1)):
        status, out, _ = doctor(empty, *options, EXOBRIDGE_PROT="1")
        assert status == wanted
        assert "1 warning. First: " in out


async def test_json_is_alone_on_the_standard_output(tmp_path: Path) -> None:
    """With providers started, whose log does not come between."""
    status, out, _ = await run(tmp_path, "doctor", "--offline", "--json", **GOOD)
    told = json.loads(out)
    assert set(told) == {"status", "findings"}
    assert status == (told["status"] == "error")
    keys = {"id", "group", "title", "level", "found", "cure"}
    assert all(set(each) == keys for each in told["findings"])
    assert "providers.start" in {each["id"] for each in told["findings"]}


async def test_a_terminal_that_knows_no_signs_gets_the_findings_all_the_same(
    tmp_path: Path,
) -> None:
    """What it cannot show is replaced."""
    status, out, err = await run(tmp_path, "doctor", *QUICK, **GOOD, PYTHONIOENCODING="ascii")
    assert (status, err) == (0, "")
    assert "All is well." in out


def test_the_commands_page_has_every_key_of_the_json() -> None:
    """None is missing and none is made up."""
    page = Path(__file__).parent.parent.parent / "docs" / "reference" / "commands.md"
    section = page.read_text("utf-8").partition("## `exobridge doctor`")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([a-z]+(?:\[\]\.[a-z]+)?)` \|", section, re.MULTILINE)
    told = report([ok("disk.space", "much")])
    assert listed == [*told, *(f"findings[].{key}" for key in told["findings"][0])]


async def test_a_provider_whose_package_is_missing_names_the_package(tmp_path: Path) -> None:
    """What to type is the cure."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import sys\nsys.modules['hibari'] = None\nsys.modules['onnxruntime'] = None\n"
    )
    path = os.pathsep.join([str(hidden), environment(tmp_path)["PYTHONPATH"]])
    status, out, _ = await run(
        tmp_path, "doctor", *QUICK, "--json", **GOOD, TTS_PROVIDER="hibari", PYTHONPATH=path
    )
    missing = [each for each in json.loads(out)["findings"] if each["id"] == "providers.installed"]
    assert status == 1
    assert "pip install 'exobridge[local]'" in missing[0]["cure"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--online", "--offline"],
        ["--exotel-url", "http://api.exotel.com"],
        ["--exotel-url", "https://user:pass@api.exotel.com"],
        ["--exotel-url", "nonsense"],
        ["--nonsense"],
    ],
)
def test_misuse_is_2(arguments: list[str]) -> None:
    """Told on the standard error, before anything is looked at."""
    result = CliRunner().invoke(app, ["doctor", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr
