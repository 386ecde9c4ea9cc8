"""The pages on wire files and their replay, held against the code."""

from __future__ import annotations

import re
from pathlib import Path

from exobridge.replay.report import Played, ReplayReport
from exobridge.replay.seen import Seen
from exobridge.wire import reading
from exobridge.wire.folder import Bounds
from exobridge.wire.records import Closed, Cut, Frame, Header, Named, Opened, Webhook

DOCS = Path(__file__).parent.parent.parent / "docs"


def row(text: str, name: str) -> set[str]:
    """What a table's row names in code."""
    (found,) = re.findall(rf"^\| `{name}`.*$", text, re.MULTILINE)
    return set(re.findall(r"`([a-z_]+)`", found))


def test_the_page_has_every_key_of_every_line() -> None:
    """A reader of the file needs nothing else."""
    text = (DOCS / "reference" / "wire-file.md").read_text("utf-8")
    for record in (Header, Webhook, Opened, Named, Frame, Closed, Cut):
        assert set(record.__struct_fields__) <= row(text, str(record.__struct_config__.tag))


def test_the_page_states_the_bounds() -> None:
    """As they are."""
    text = (DOCS / "reference" / "wire-file.md").read_text("utf-8")
    bounds = Bounds()
    for said in (
        f"ends at {bounds.file_bytes >> 20} MiB",
        f"There are {bounds.files} of them",
        f"less than {bounds.free_bytes >> 20} MiB left",
        f"more than {reading.MAX_FILE_BYTES >> 20} MiB, or more than {reading.MAX_BYTES >> 20} MiB",
    ):
        assert said in text.replace("\n", " ")
    assert bounds.age_s == 7 * 24 * 3600


def test_the_commands_page_has_every_key_of_the_replays_report() -> None:
    """In its tables."""
    text = (DOCS / "reference" / "commands.md").read_text("utf-8")
    section = text.split("## `exobridge replay`")[1].split("\n## ")[0]
    report = ReplayReport(False, "", 0.0, (Played(Seen(), Seen()),)).to_json()
    for key in report:
        assert row(section, key) or f"| `{key}`" in section
    assert set(report["streams"][0]["then"]) <= row(section, "streams.then")
