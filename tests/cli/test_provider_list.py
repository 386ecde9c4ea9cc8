"""``exobridge provider list``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exobridge.cli.main import app
from exobridge.cli.provider_facts import facts, plain_value, registered
from exobridge.cli.provider_page import LANGUAGES, page
from exobridge_providers.base import speaks
from exobridge_providers.registry import BUILT_IN, Kind
from tests.process import environment, run
from tests.server import fakes_installed
from tests.test_docs_pages import names, section, tables
from tests.test_docs_pages import page as docs_page

MATRIX = Path(__file__).parent.parent.parent / "docs" / "reference" / "provider-matrix.md"
KEY = "not-to-be-shown-5f1c"


def listed(*options: str, **variables: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(app, ["provider", "list", *options], env=variables)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_registered_provider_is_a_row(tmp_path: Path) -> None:
    """Those of installed packages too, each with its package."""
    with fakes_installed():
        told = json.loads(listed("--json"))
    found = {(each["kind"], each["name"]): each["package"] for each in told}
    assert len(found) == len(told)
    assert {(str(kind), name) for kind, known in BUILT_IN.items() for name in known} <= set(found)
    assert found["stt", "deepgram"] == "exobridge"
    assert found["stt", "fake"] == "exobridge-fakes"


def test_a_key_is_set_or_not_and_never_shown() -> None:
    """Its variable is named, as JSON and for a human."""
    for key, words in ((KEY, "DEEPGRAM_API_KEY"), ("", "DEEPGRAM_API_KEY (not set)")):
        told = listed("--kind", "stt", DEEPGRAM_API_KEY=key)
        row = next(line for line in told.splitlines() if line.split()[:1] == ["deepgram"])
        assert words.split()[0] in row
        assert ("(not" in row) is ("(not" in words)
        as_json = listed("--kind", "stt", "--json", DEEPGRAM_API_KEY=key)
        [known] = [each for each in json.loads(as_json) if each["name"] == "deepgram"]
        assert known["keys"] == [{"variable": "DEEPGRAM_API_KEY", "is_set": bool(key)}]
        assert KEY not in told + as_json


def test_capabilities_are_those_that_the_class_declares() -> None:
    """In JSON, formats as objects and languages in their order."""
    [known] = [each for each in registered(Kind.STT) if each.name == "deepgram"]
    told = known.to_json()["capabilities"]
    assert told["formats"][0] == {"encoding": "pcm16", "sample_rate": 8000}
    assert told["languages"] == sorted(told["languages"])
    assert told["interims"] is True
    assert plain_value(()) == []


async def test_a_provider_that_cannot_be_imported_is_a_row_with_the_cure(tmp_path: Path) -> None:
    """The others are there all the same."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['hibari'] = None\n")
    path = os.pathsep.join([str(hidden), environment(tmp_path)["PYTHONPATH"]])
    command = ("provider", "list", "--kind", "tts")
    status, out, _ = await run(tmp_path, *command, "--json", PYTHONPATH=path)
    told = {each["name"]: each["problem"] for each in json.loads(out)}
    assert status == 0
    assert "pip install 'exobridge[local]'" in told["hibari"]
    assert told["espeak"] == ""


def test_an_outside_package_with_a_bug_is_a_row_that_says_whose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its import raises."""
    (tmp_path / "buggy_exobridge.py").write_text("1 / 0\n")
    info = tmp_path / "buggy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: buggy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[exobridge.stt]\nbuggy = buggy_exobridge:Buggy\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    found = facts(Kind.STT, "buggy")
    assert "ZeroDivisionError" in found.problem
    assert "author of buggy" in found.problem
    assert "buggy: it cannot be imported" in listed("--kind", "stt").replace("stt ", "")


def test_the_page_of_the_docs_is_what_the_command_writes() -> None:
    """``make matrix`` makes it anew; nothing of this machine is in it."""
    for package in ("moonshine_voice", "faster_whisper", "hibari", "onnxruntime"):
        pytest.importorskip(package)
    found = [each for each in registered() if each.package == "exobridge"]
    assert MATRIX.read_text("utf-8") == page(found), "run: make matrix"


def test_the_vendors_that_a_page_recommends_know_the_language() -> None:
    """In each row of its table, for each of the row's languages."""
    tags = {name: tag for tag, name in LANGUAGES.items()}
    rows = tables(docs_page("topics/vendors.md"))[0]
    for languages, *recommended in rows:
        for kind, cell in zip((Kind.STT, Kind.TTS), recommended, strict=True):
            for name in names(cell):
                known = facts(kind, name).capabilities["languages"]
                assert all(speaks(known, tags[each]) for each in languages.split(", ")), name
    assert len(rows) > 5


def test_a_page_of_another_kind_has_no_table_of_languages() -> None:
    """It would say of each that nobody speaks it."""
    assert "Indian languages" not in listed("--kind", "vad", "--markdown").split("##", 1)[1]
    assert "Odia" not in listed("--kind", "vad", "--markdown")


def test_json_and_markdown_together_are_2() -> None:
    """Neither is ignored."""
    result = CliRunner().invoke(app, ["provider", "list", "--json", "--markdown"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "not together with --json" in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
@pytest.mark.parametrize("option", [[], ["--json"]], ids=["table", "json"])
def test_a_list_that_cannot_be_written_is_2(option: list[str]) -> None:
    """On a full disk: a line, no traceback."""
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "exobridge", "provider", "list", "--kind", "vad", *option],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert result.returncode == 2
    assert result.stderr.startswith("the list cannot be written")
    assert "Traceback" not in result.stderr


def test_the_page_of_vendors_recommends_those_that_declare_a_language() -> None:
    """And all of them where they are few; "none" only where nobody declares it."""
    tags = {name.partition(" (")[0]: tag for tag, name in LANGUAGES.items()}
    [rows] = tables(section(docs_page("topics/vendors.md"), "## Where to begin"))
    declared = {kind: registered(kind) for kind in (Kind.STT, Kind.TTS)}
    for spoken, *chosen in rows:
        for language in spoken.partition(" (")[0].split(", "):
            for kind, cell in zip(declared, chosen, strict=True):
                speaking = {
                    each.name
                    for each in declared[kind]
                    if speaks(each.capabilities.get("languages", frozenset()), tags[language])
                }
                assert set(names(cell)) <= speaking, (language, kind)
                assert (cell == "none") == (not speaking), (language, kind)
                few = speaking - {"sarvam-legacy"}
                assert len(few) > 2 or set(names(cell)) == few, (language, kind)
