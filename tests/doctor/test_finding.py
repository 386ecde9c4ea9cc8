"""Findings, their report, and the page that explains them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from exobridge.doctor import GROUPS, TITLES, Level, report, worst
from exobridge.doctor.finding import error, info, ok, warning

ROOT = Path(__file__).parent.parent.parent


def used() -> set[str]:
    """The ids in the code of the checks, as literals."""
    found: set[str] = set()
    for path in (ROOT / "bridge" / "exobridge" / "doctor").glob("*.py"):
        if path.name == "catalogue.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                called = re.fullmatch(r"[a-z]+\.[a-z]+", node.value)
                if called and node.value.partition(".")[0] in GROUPS:
                    found.add(node.value)
    return found


def test_every_finding_of_the_code_is_in_the_catalogue_and_the_other_way_round() -> None:
    """None is made up and none is never found."""
    assert used() == set(TITLES)
    assert {about.partition(".")[0] for about in TITLES} == set(GROUPS)


def test_every_finding_is_explained() -> None:
    """The page's table has each id once, with its title."""
    text = (ROOT / "docs" / "how-to" / "troubleshoot.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z]+\.[a-z]+)` \| ([^|]+) \| [^|]+ \|$", text, re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a row stands twice"
    assert dict(rows) == TITLES


def test_the_whole_is_as_bad_as_its_worst_part() -> None:
    """What is only worth knowing leaves it ok."""
    fine = [ok("disk.space", "much"), info("numbers.list", "none")]
    assert worst([]) is Level.OK
    assert worst(fine) is Level.OK
    assert worst([*fine, warning("disk.space", "little", "Make room.")]) is Level.WARNING
    bad = error("disk.space", "nothing", "Make room.")
    assert worst([bad, warning("disk.space", "little", "Make room.")]) is Level.ERROR


def test_the_report_has_a_status_and_whole_findings() -> None:
    """The keys are those that programs read."""
    assert report([warning("disk.space", "little", "Make room.")]) == {
        "status": "warning",
        "findings": [
            {
                "id": "disk.space",
                "group": "disk",
                "title": "free space",
                "level": "warning",
                "found": "little",
                "cure": "Make room.",
            }
        ],
    }
