"""Reads scripts: every problem is named with its line, its key and its cure."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from exobridge.errors import ConfigError
from exobridge.simulator.scripts.model import (
    CallExpect,
    CallTable,
    Script,
    ScriptStep,
    SpeechTable,
    StepExpect,
)
from exobridge.validation import PLAIN_WORDS, Problem, problems

MAX_BYTES = 1_000_000
"""Size of the largest script."""

REFERENCE = "See the keys and their ranges in docs/reference/scripts.md."
_STEP = re.compile(r"\[\[\s*step\s*\]\]")
_TABLE = re.compile(r"\[")


def script_files(paths: Sequence[Path]) -> list[Path]:
    """The files meant: a folder stands for its ``*.toml``, in the order of their names.

    Raises:
        ConfigError: A path is not there, or a folder has no script.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.glob("*.toml") if not file.name.startswith("."))
            if not inside:
                raise ConfigError(str(path), "has no script in it", "Name a folder of .toml files.")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise ConfigError(str(path), "is not there", "Name a script or a folder of scripts.")
    return found


def load_script(path: Path) -> Script:
    """Read a script.

    Raises:
        ConfigError: Everything that is wrong with it.
    """
    text = _read(path)
    try:
        return Script.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            str(path), f"is no TOML: {error}", "See https://toml.io for the form."
        ) from None
    except ValidationError as error:
        found = problems(error)
    raise ConfigError.of([_error(path, text, problem) for problem in found])


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(str(path), "is larger than 1 MB", "Split it into several scripts.")
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(str(path), "is not written in UTF-8", "Save it as UTF-8.") from None
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise ConfigError(str(path), problem, "Check what it is and who may read it.") from None


def _error(path: Path, text: str, problem: Problem) -> ConfigError:
    where = f"{path}, line {_line(text, problem.path)}"
    keys = list(problem.path)
    if len(keys) > 1 and keys[0] == "step":
        where += f", step {int(keys[1]) + 1}"
        keys = keys[2:]
    key = Problem(tuple(keys), "").dotted
    return ConfigError(f"{where}: {key}" if key else where, problem.problem, _cure(problem))


def _line(text: str, path: Sequence[str | int]) -> int:
    """Where the key stands: its own line, else that of its table's head, else the first."""
    lines = text.splitlines()
    begin = _head(lines, path)
    names = [str(step) for step in path if not str(step).isdigit()]
    for name in reversed(names):
        key = re.compile(rf"(?:^|[\s,{{.]){re.escape(name)}\s*[=.]")
        for index in range(begin, len(lines)):
            if index > begin and _TABLE.match(lines[index]):
                break
            if key.search(lines[index]):
                return index + 1
    return begin + 1


def _head(lines: Sequence[str], path: Sequence[str | int]) -> int:
    """Index of the line that begins the table."""
    heads = [index for index, line in enumerate(lines) if _STEP.match(line.strip())]
    if len(path) > 1 and path[0] == "step" and int(path[1]) < len(heads):
        return heads[int(path[1])]
    name = str(path[0]) if path else ""
    table = re.compile(rf"\[+\s*{re.escape(name)}\s*[\].]")
    return next((index for index, line in enumerate(lines) if table.match(line.strip())), 0)


def _cure(problem: Problem) -> str:
    if problem.cure:
        return problem.cure
    if problem.path == ("step",):
        return 'A script has at least one step, like [[step]] with say = "Hello." in it.'
    if problem.problem != PLAIN_WORDS["extra_forbidden"]:
        return REFERENCE
    known = _names(_table(problem.path))
    near = difflib.get_close_matches(str(problem.path[-1]), known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(known)}."


def _table(path: Sequence[str | int]) -> type[BaseModel]:
    """The table that the last key of ``path`` stands in."""
    match list(path[:-1]):
        case ["call", *_]:
            return CallTable
        case ["speech", *_]:
            return SpeechTable
        case ["expect", *_]:
            return CallExpect
        case ["step", _, "expect", *_]:
            return StepExpect
        case ["step", *_]:
            return ScriptStep
        case _:
            return Script


def _names(table: type[BaseModel]) -> list[str]:
    fields: dict[str, Any] = dict(table.model_fields)
    return [info.alias or name for name, info in fields.items()]
