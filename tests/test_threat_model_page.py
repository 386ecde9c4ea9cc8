"""The threat model names what there is: every route, settings that exist, tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from exobridge.settings import Settings
from tests.web.hostile import ROUTES

TESTS = Path(__file__).parent
TEXT = (TESTS.parent / "docs" / "topics" / "threat-model.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", TEXT)))
ROWS = re.findall(r"^\| (?!---)(.+) \|$", TEXT, re.MULTILINE)


def test_every_route_is_an_entry_point() -> None:
    """With who is served there; none is made up."""
    named = [path for row in ROWS for path in re.findall(r"`(/[^`]+)`", row.partition(" | ")[0])]
    assert sorted(named) == sorted(ROUTES)


def test_the_settings_exist() -> None:
    """Each that the page names."""
    named = set(re.findall(r"`([A-Z][A-Z_]+)`", TEXT))
    assert named
    assert named <= set(Settings.variables())


@pytest.mark.parametrize(("path", "name"), NAMED, ids=str)
def test_every_test_that_is_named_is_there(path: str, name: str) -> None:
    """So that a threat whose test went is not taken for one that is met."""
    tree = ast.parse((TESTS / path).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert name in {node.name for node in tree.body if isinstance(node, functions)}


def test_every_threat_names_its_test() -> None:
    """In each row of a table that has such a column."""
    tables = re.split(r"^\| What is tried .*$", TEXT, flags=re.MULTILINE)[1:]
    rows = [
        row
        for table in tables
        for row in re.findall(r"^\| (?!---)(.+) \|$", table.partition("\n## ")[0], re.MULTILINE)
        if not set(row) <= set("-| ")
    ]
    assert rows
    for row in rows:
        tried, stops, shown, remains = row.split(" | ")
        assert all((tried, stops, remains)), row
        assert ".py::" in shown, row
