"""The page about scripts says what the code says, and the examples are scripts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from exobridge.cli.call import IN_SCRIPTS
from exobridge.cli.call_scripts import Session
from exobridge.simulator import CallReport, Outcome
from exobridge.simulator.scripts import Finding, Result, load_script
from exobridge.simulator.scripts.model import (
    CallExpect,
    CallTable,
    ScriptStep,
    SpeechTable,
    StepExpect,
)
from tests.process import ROOT

PAGE = (ROOT / "docs" / "reference" / "scripts.md").read_text("utf-8")
EXAMPLES = sorted((ROOT / "docs" / "scripts").glob("*.toml"))
TABLES: dict[str, type[BaseModel]] = {
    "## `[call]`": CallTable,
    "## `[speech]`": SpeechTable,
    "## `[[step]]`": ScriptStep,
    "## `expect` of a step": StepExpect,
    "## `[expect]`": CallExpect,
}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    assert found, f"there is no {heading!r}"
    lines = [line for line in found[1].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def default(info: FieldInfo) -> str:
    """A default as the page writes it."""
    value = info.get_default(call_default_factory=True)
    if value is None or isinstance(value, list | BaseModel):
        return "-"
    return f"`{json.dumps(value)}`"


def bounds(info: FieldInfo) -> str:
    """A number's range as the page writes it; empty without one."""
    inner = [part for arg in get_args(info.annotation) for part in getattr(arg, "__metadata__", ())]
    metadata: list[Any] = [*info.metadata, *inner]
    for part in list(metadata):
        metadata += getattr(part, "metadata", [])
    low = [part.ge for part in metadata if hasattr(part, "ge")]
    high = [part.le for part in metadata if hasattr(part, "le")]
    return f"{low[0]} to {high[0]}" if low and high else ""


@pytest.mark.parametrize("heading", TABLES)
def test_the_page_has_every_key(heading: str) -> None:
    """Each once, with its default and its range."""
    page_says = {row[0].strip("`"): row[1:] for row in rows(heading)}
    fields = {info.alias or name: info for name, info in TABLES[heading].model_fields.items()}
    assert set(page_says) == set(fields)
    assert len(rows(heading)) == len(fields)
    for key, info in fields.items():
        assert page_says[key][0] == default(info), key
        assert bounds(info) in page_says[key][-1], key


def test_the_ranges_are_found() -> None:
    """The test above would pass if none were."""
    found = [bounds(info) for table in TABLES.values() for info in table.model_fields.values()]
    assert sum(map(bool, found)) == 12


def test_the_page_says_which_option_comes_before_a_key() -> None:
    """Every option that does, and no other."""
    page_says = {row[0].strip("`"): row[2].strip("`") for row in rows("## `[call]`") if row[2]}
    special = {"caller": "--from", "frame_ms": "--frame-ms", "sample_rate": "--sample-rate"}
    assert page_says == {key: special.get(name, f"--{name}") for name, key in IN_SCRIPTS.items()}


def test_the_page_has_every_key_of_the_report() -> None:
    """The call's own keys stand elsewhere."""
    report = CallReport("c", "s", "pcm16", 8000, 20, Outcome.COMPLETED)
    result = Result(Path("x"), 1, None, report, (Finding(1, "says", "x", True, "x"),))
    whole = Session([], results=[result]).to_json()
    keys = list(whole)
    keys += [f"results[].{key}" for key in whole["results"][0]]
    keys += [f"results[].expectations[].{key}" for key in whole["results"][0]["expectations"][0]]
    listed = [row[0].strip("`") for row in rows("## The report")]
    assert sorted(listed) == sorted(keys)


def test_there_are_examples() -> None:
    """Those that the guide speaks of."""
    guide = (ROOT / "docs" / "how-to" / "test-your-bot.md").read_text("utf-8")
    assert {path.name for path in EXAMPLES} == set(re.findall(r"`([a-z-]+\.toml)`", guide))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_scripts(path: Path) -> None:
    """Each can be followed, and expects something."""
    script = load_script(path)
    assert any(not step.expect.is_empty for step in script.step)


def test_the_scripts_in_the_guide_are_scripts(tmp_path: Path) -> None:
    """Whoever copies one can run it."""
    guide = (ROOT / "docs" / "how-to" / "test-your-bot.md").read_text("utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```$", guide, re.M | re.S)
    assert blocks
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.toml"
        path.write_text(block, "utf-8")
        load_script(path)
