"""Reads scripts: every problem is named with its line, its key and its cure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exobridge.errors import ConfigError
from exobridge.simulator.scripts.model import Script
from exobridge.simulator.toml_file import FileKind

SCRIPTS = FileKind(
    Script,
    several="scripts",
    reference="See the keys and their ranges in docs/reference/scripts.md.",
    lists=frozenset({"step"}),
    missing={
        "step": 'A script has at least one step, like [[step]] with say = "Hello." in it.',
    },
)


def script_files(paths: Sequence[Path], kind: str = "script") -> list[Path]:
    """The files meant: a folder stands for its ``*.toml``, in the order of their names.

    Args:
        kind: What one of them is called.

    Raises:
        ConfigError: A path is not there, or a folder has no file.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.glob("*.toml") if not file.name.startswith("."))
            if not inside:
                problem = f"has no {kind} in it"
                raise ConfigError(str(path), problem, "Name a folder of .toml files.")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            cure = f"Name a {kind} or a folder of {kind}s."
            raise ConfigError(str(path), "is not there", cure)
    return found


def load_script(path: Path) -> Script:
    """Read a script.

    Raises:
        ConfigError: Everything that is wrong with it.
    """
    return SCRIPTS.read(path)[0]
