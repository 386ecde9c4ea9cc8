"""A key is found where it stands."""

from __future__ import annotations

import tomllib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.simulator.toml_lines import TomlPath, line_of

TEXT = """\
top = 1
[one]
key = { inner = 1 }
[one.two]
key = 2
"quoted key" = 3
[[list]]
key = 1
[[list]]
key = 2
[list.table]
key = 3
[[list.inside]]
key = 4
[[list.inside]]
key = 5
[one."three . four"]
key = 6
dotted.name = 7
[list.long]
key = [
  { inner = 8 },
]
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 1),
        (("one",), 2),
        (("one", "key"), 3),
        (("one", "key", "inner"), 3),
        (("one", "two"), 4),
        (("one", "two", "key"), 5),
        (("one", "two", "quoted key"), 6),
        (("one", "missing"), 2),
        (("one", "k.y"), 2),
        (("one", "two", "inner"), 4),
        (("list", 0), 7),
        (("list", 0, "key"), 8),
        (("list", 1, "key"), 10),
        (("list", 1, "table", "key"), 12),
        (("list", 1, "inside", 0, "key"), 14),
        (("list", 1, "inside", 1, "key"), 16),
        (("list", 1, "inside", 1, "missing"), 15),
        (("one", "three . four", "key"), 18),
        (("one", "three . four", "dotted", "name"), 19),
        (("list", 1, "long", "key", 0, "inner"), 22),
        (("nowhere",), 1),
        ((), 1),
    ],
)
def test_a_key_has_a_line(path: TomlPath, line: int) -> None:
    """Its own; where it is missing, that of its table."""
    assert line_of(TEXT, path) == line


@given(st.lists(st.sampled_from([*TEXT.splitlines(), "[", "[]", "[[a]", "a = [", "'''", "]]"])))
def test_any_text_has_a_line(lines: list[str]) -> None:
    """Also one that is no TOML, for every key that could be in it."""
    text = "\n".join(lines)
    with suppress(tomllib.TOMLDecodeError):
        tomllib.loads(text)
    for path in [("one", "two", "key"), ("list", 1, "inside", 0, "key"), ("top",)]:
        assert 1 <= line_of(text, path) <= max(1, len(lines))
