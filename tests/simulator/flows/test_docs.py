"""The page about flows says what the code says, and its example is a flow."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from exobridge.simulator.flows import model
from exobridge.simulator.flows.load import load_flow, warnings
from exobridge.simulator.flows.paths import TRANSITIONS
from exobridge.simulator.scripts.model import SpeechTable
from tests.process import ROOT

PAGE = (ROOT / "docs" / "reference" / "flows.md").read_text("utf-8")
TABLES: dict[str, type[BaseModel]] = {
    "## `[flow]`": model.FlowTable,
    "## `[call]`": model.CallTable,
    "## `[server]`": model.ServerTable,
    "## `[webhooks]`": model.WebhooksTable,
    "## `[stream]`": model.StreamTable,
    "## `[speech]`": SpeechTable,
    "## `[caller]`": model.CallerTable,
    "## `hangs_up` of the caller": model.HangUpTable,
    "## `[[talk]]`": model.Talk,
    '## `type = "passthru"`': model.Passthru,
    '## `type = "voicebot"`': model.Voicebot,
    '## `type = "stream"`': model.Stream,
    '## `type = "greeting"`': model.Greeting,
    '## `type = "gather"`': model.Gather,
    '## `type = "connect"`': model.Connect,
    '## `type = "voicemail"`': model.Voicemail,
    "## `[[agent]]`": model.Agent,
    "## `[callback]`": model.CallbackTable,
    "## `[recording]`": model.RecordingTable,
    "## `[account]`": model.AccountTable,
    "## `[expect]`": model.FlowExpect,
    "## `[serve]`": model.ServeTable,
}
APPLETS = "## `[applet.NAME]`"


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    assert found, f"there is no {heading!r}"
    lines = [line for line in found[1].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def keys(table: type[BaseModel]) -> dict[str, FieldInfo]:
    """What can be written in a table; ``type`` stands in the heading."""
    fields = table.model_fields.items()
    return {info.alias or name: info for name, info in fields if name != "type"}


def default(info: FieldInfo) -> str:
    """A default as the page writes it."""
    if info.is_required():
        return "`-`"
    value = info.get_default(call_default_factory=True)
    if value is None or value == [] or isinstance(value, BaseModel):
        return "-"
    return f"`{json.dumps(value)}`"


def bounds(info: FieldInfo) -> str:
    """A number's range as the page writes it; empty without one."""
    inner = [part for arg in get_args(info.annotation) for part in getattr(arg, "__metadata__", ())]
    metadata: list[Any] = [*info.metadata, *inner]
    for part in list(metadata):
        metadata += getattr(part, "metadata", [])
    told = {sign: part for part in metadata for sign in ("ge", "gt", "le") if hasattr(part, sign)}
    if "le" not in told:
        return ""
    low = f"{told['ge'].ge} to" if "ge" in told else f"Above {told['gt'].gt}, up to"
    return f"{low} {told['le'].le}"


def words(info: FieldInfo) -> set[str]:
    """The texts that a key can have, if they are a list of such."""
    found: set[str] = set()
    waiting: list[Any] = [info.annotation]
    while waiting:
        inner = get_args(waiting.pop())
        found |= {each for each in inner if isinstance(each, str)}
        waiting += [each for each in inner if not isinstance(each, str | int)]
    return found


@pytest.mark.parametrize("heading", TABLES)
def test_the_page_has_every_key(heading: str) -> None:
    """Each once, with its default, its range and its words."""
    page_says = {row[0].strip("`"): row[1:] for row in rows(heading)}
    fields = keys(TABLES[heading])
    assert set(page_says) == set(fields)
    assert len(rows(heading)) == len(fields)
    for key, info in fields.items():
        said = page_says[key]
        assert said[0] == default(info), key
        assert ("Required" in said[1]) is info.is_required(), key
        assert bounds(info) in said[-1], key
        for word in words(info):
            assert f'"{word}"' in " ".join(said), (key, word)


def test_the_ranges_and_words_are_found() -> None:
    """The test above would pass if none were."""
    infos = [info for table in TABLES.values() for info in keys(table).values()]
    assert len([info for info in infos if bounds(info)]) > 25
    assert len([info for info in infos if words(info)]) > 15


def test_the_page_has_every_table() -> None:
    """A new one is not forgotten."""
    fields = [*model.Flow.model_fields]
    headings = re.findall(r"^## `\[+([a-z]+)[\].]", PAGE, re.M)
    assert sorted(headings) == sorted(fields)
    types = re.findall(r'^## `type = "([a-z]+)"`$', PAGE, re.M)
    assert sorted(types) == sorted(TRANSITIONS)


def test_the_page_has_every_path() -> None:
    """By its key and by the name that Exotel gives it, with when it is taken."""
    page_says = [[cell.replace("`", "") for cell in row] for row in rows(APPLETS)]
    known = [
        [kind, each.key, each.name, each.when.replace("`", "")]
        for kind, transitions in TRANSITIONS.items()
        for each in transitions
    ]
    assert page_says == known


def test_the_example_is_a_flow(tmp_path: Path) -> None:
    """Whoever copies it can run it; nothing in it drops a call."""
    blocks = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.M | re.S)
    assert len(blocks) == 1
    path = tmp_path / "flow.toml"
    path.write_text(blocks[0], "utf-8")
    flow = load_flow(path)
    assert warnings(flow) == ()
    assert flow.expect.path
