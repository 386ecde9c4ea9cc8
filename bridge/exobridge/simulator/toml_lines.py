"""Where in a TOML file a key stands; of an odd spelling a line nearby is found. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any, cast

TomlPath = tuple[str | int, ...]
"""Keys and list positions from the top of a file."""

_TABLE = re.compile(r"\s*\[")


def line_of(text: str, path: TomlPath) -> int:
    """The number, from 1, of the key's own line, else of its table's head, else 1."""
    lines = text.splitlines()
    begin, table = _head(lines, path)
    names = [step for step in path[len(table) :] if isinstance(step, str)]
    for name in reversed(names):
        key = re.compile(rf"""(?:^|[\s,{{."']){re.escape(name)}["']?\s*[=.]""")
        for index in range(begin, len(lines)):
            if index > begin and _TABLE.match(lines[index]):
                break
            if key.search(lines[index]):
                return index + 1
    return begin + 1


def _head(lines: Sequence[str], path: TomlPath) -> tuple[int, TomlPath]:
    """The table that the path leads into the furthest: its line's index, and its own path."""
    best: tuple[int, TomlPath] = 0, ()
    for index, head in _heads(lines):
        common = _common(head, path)
        if common > _common(best[1], path):
            best = index, head[:common]
    return best


def _common(head: TomlPath, path: TomlPath) -> int:
    """How many steps are the same."""
    same = 0
    for one, other in zip(head, path, strict=False):
        if one != other:
            break
        same += 1
    return same


def _heads(lines: Sequence[str]) -> list[tuple[int, TomlPath]]:
    """Each table's line and its path, those in lists by number."""
    heads: list[tuple[int, TomlPath]] = []
    counts: dict[TomlPath, int] = {}
    for index, line in enumerate(lines):
        if not _TABLE.match(line):
            continue
        names, in_list = _names(line)
        path: TomlPath = ()
        for name in names[:-1]:
            path = (*path, name)
            if path in counts:
                path = (*path, counts[path] - 1)
        path = (*path, *names[-1:])
        if in_list:
            counts[path] = counts.get(path, 0) + 1
            path = (*path, counts[path] - 1)
        heads.append((index, path))
    return heads


def _names(line: str) -> tuple[tuple[str, ...], bool]:
    """The names in a table's head, and whether it is one of a list; of another line none."""
    try:
        inside: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return (), False
    names: list[str] = []
    while isinstance(inside, dict) and inside:
        table = cast(dict[str, Any], inside)
        names.append(next(iter(table)))
        inside = table[names[-1]]
    return tuple(names), isinstance(inside, list)
