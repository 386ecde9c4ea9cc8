"""What came of a replay: as data, and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from exobridge.replay.compare import Difference
from exobridge.replay.seen import Seen


@dataclass(frozen=True, slots=True)
class Played:
    """One stream.

    Attributes:
        then: In the file.
        now: As it was played; ``None``: it could not be opened.
        facts: What else is known of it now, by its name.
    """

    then: Seen
    now: Seen | None = None
    facts: tuple[tuple[str, int | float | str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        now = None if self.now is None else self.now.to_json()
        return {"then": self.then.to_json(), "now": now, "facts": dict(self.facts)}


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """All of it.

    Attributes:
        offline: It was played through the call's rules, not at a server.
        call_sid: Under which id it was played.
        notes: What the reader should know, as sentences.
    """

    offline: bool
    call_sid: str
    tolerance_ms: float
    streams: tuple[Played, ...] = ()
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Nothing differs."""
        return not self.differences

    def to_json(self) -> dict[str, Any]:
        """As JSON values. Keys are only ever added."""
        return {
            "same": self.same,
            "offline": self.offline,
            "call_sid": self.call_sid,
            "tolerance_ms": self.tolerance_ms,
            "differences": [each.to_json() for each in self.differences],
            "streams": [stream.to_json() for stream in self.streams],
            "notes": list(self.notes),
        }
