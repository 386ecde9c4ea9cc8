"""What a check finds. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from exobridge.doctor.catalogue import TITLES


class Level(StrEnum):
    """How much a finding matters, least first."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    """Calls are answered, and something about it is risky or poor."""
    ERROR = "error"
    """Calls, or some of them, are not answered."""

    @property
    def weight(self) -> int:
        """To compare levels."""
        return list(Level).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        id: A key of the catalogue; several findings may share it, one for each thing looked at.
        found: What is there, as a sentence without its full stop; no secret and no full number.
        cure: What to do, as a sentence with a command or a line to paste; empty where nothing is.
    """

    id: str
    level: Level
    found: str
    cure: str = ""

    @property
    def title(self) -> str:
        """What was looked at."""
        return TITLES[self.id]

    @property
    def group(self) -> str:
        """The id's first part."""
        return self.id.partition(".")[0]

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return {
            "id": self.id,
            "group": self.group,
            "title": self.title,
            "level": str(self.level),
            "found": self.found,
            "cure": self.cure,
        }


def ok(about: str, found: str) -> Finding:
    """All is well with this."""
    return Finding(about, Level.OK, found)


def info(about: str, found: str, cure: str = "") -> Finding:
    """Worth knowing."""
    return Finding(about, Level.INFO, found, cure)


def warning(about: str, found: str, cure: str) -> Finding:
    """Worth mending."""
    return Finding(about, Level.WARNING, found, cure)


def error(about: str, found: str, cure: str) -> Finding:
    """To be mended before a call comes."""
    return Finding(about, Level.ERROR, found, cure)


def worst(findings: Iterable[Finding]) -> Level:
    """The level of the whole: that of the worst finding; what is only worth knowing is ok."""
    levels = [each.level for each in findings]
    found = max(levels, key=lambda level: level.weight, default=Level.OK)
    return Level.OK if found is Level.INFO else found


def report(findings: Iterable[Finding]) -> dict[str, Any]:
    """What ``--json`` prints. Keys are only ever added."""
    listed = list(findings)
    return {"status": str(worst(listed)), "findings": [each.to_json() for each in listed]}
