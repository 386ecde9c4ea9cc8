"""The files of ``deploy/``, read as far as the tests need them."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

import yaml  # type: ignore[import-untyped]  # what types it is no dependency of ours

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"


@dataclass(frozen=True, slots=True)
class Stage:
    """One ``FROM`` of a Dockerfile.

    Attributes:
        steps: Its instructions in order: the word in capitals, and the rest of it.
    """

    steps: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def all(self, word: str) -> list[str]:
        """The instructions of one kind."""
        return [rest for name, rest in self.steps if name == word]

    def only(self, word: str) -> str:
        """The one instruction of this kind."""
        (rest,) = self.all(word)
        return rest

    def environment(self) -> dict[str, str]:
        """What ``ENV`` sets, not expanded."""
        pairs = [pair for rest in self.all("ENV") for pair in shlex.split(rest)]
        return dict(cast(tuple[str, str], tuple(pair.split("=", 1))) for pair in pairs)

    def argument(self, name: str) -> str:
        """The default of an ``ARG``."""
        return dict(rest.split("=", 1) for rest in self.all("ARG"))[name]

    def copied(self) -> list[tuple[list[str], str]]:
        """Sources and target of each ``COPY`` out of the build's context."""
        copies = [shlex.split(rest) for rest in self.all("COPY")]
        return [(words[:-1], words[-1]) for words in copies if not words[0].startswith("--from")]

    def command(self, word: str) -> list[str]:
        """The words of ``ENTRYPOINT``, ``CMD`` or the ``CMD`` of ``HEALTHCHECK``."""
        rest = self.only(word)
        return cast(list[str], json.loads(rest[rest.index("[") :]))


def dockerfile() -> list[Stage]:
    """The stages of ``deploy/Dockerfile``."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text("utf-8"), flags=re.M)
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stages.append(Stage())
        if word and stages:
            stages[-1].steps.append((word, rest.strip()))
    return stages


def in_context(path: str) -> bool:
    """Whether Docker sees a file of the repository: the last line of ``.dockerignore`` that fits
    it, or a folder above it, decides."""
    steps = path.split("/")
    above = ["/".join(steps[: n + 1]) for n in range(len(steps))]
    seen = True
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.strip().removeprefix("!")
        if pattern and not pattern.startswith("#") and any(_fits(each, pattern) for each in above):
            seen = line.startswith("!")
    return seen


def _fits(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatchcase(path.rsplit("/", 1)[-1], pattern.removeprefix("**/"))
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)


def unit() -> dict[str, list[str]]:
    """The keys of the systemd unit, each with its values in order."""
    keys: dict[str, list[str]] = {}
    for line in (DEPLOY / "exobridge.service").read_text("utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            keys.setdefault(name, []).append(value)
    return keys


def compose() -> dict[str, Any]:
    """``compose.yml``."""
    return cast(dict[str, Any], read_yaml((DEPLOY / "compose.yml").read_text("utf-8")))


def read_yaml(text: str) -> Any:
    """What a text in YAML says."""
    return yaml.safe_load(text)


def assignments(path: Path) -> list[tuple[str, str, bool]]:
    """Name, value and whether it is commented out, of each variable in an example file."""
    found = re.findall(r"^(#?)([A-Z][A-Z_]+)=(.*)$", path.read_text("utf-8"), re.MULTILINE)
    return [(name, value, bool(hash_sign)) for hash_sign, name, value in found]


def pins(path: Path) -> dict[str, set[str]]:
    """Each ``name==version`` with its marker of a lock, and its hashes."""
    locked: dict[str, set[str]] = {}
    for entry in path.read_text("utf-8").replace("\\\n", " ").splitlines():
        name, *hashes = re.split(r"\s+--hash=", entry.strip())
        locked[name] = set(hashes)
    return locked
