"""What each side did, in order: the story of a run, to be drawn or written as JSON.

Pure. Nothing is told per audio frame: a span of audio is one entry. Details hold no secret and no
whole number: whoever adds an entry masks them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Party(StrEnum):
    """Who acts."""

    CALLER = "caller"
    EXOTEL = "exotel"
    SERVER = "server"
    AGENT = "agent"


class Kind(StrEnum):
    """What sort of act it is."""

    REQUEST = "request"
    """An HTTP request."""
    ANSWER = "answer"
    """Its answer."""
    STREAM = "stream"
    """The WebSocket: opened, start, stop, closed."""
    EVENT = "event"
    """An event on the stream besides audio: mark, clear, dtmf."""
    SPEECH = "speech"
    """A span of audio, with words where they are known."""
    PHONE = "phone"
    """What happens on a telephone: rings, answers, hangs up."""
    APPLET = "applet"
    """The flow enters an applet."""
    VIOLATION = "violation"
    """The server broke a rule."""
    FAULT = "fault"
    """Something was made to go wrong."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One act.

    Attributes:
        at_ms: When, in ms since the run began.
        source: Who acts.
        target: On whom; the same as ``source`` for something a party does by itself.
        kind: What sort of act.
        label: In a few words.
        detail: More of it; empty if there is no more.
        until_ms: When it was over, for what takes time.
    """

    at_ms: float
    source: Party
    target: Party
    kind: Kind
    label: str
    detail: str = ""
    until_ms: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The entry as JSON values. Keys are only ever added; times have one decimal."""
        return {
            "at_ms": round(self.at_ms, 1),
            "until_ms": None if self.until_ms is None else round(self.until_ms, 1),
            "from": str(self.source),
            "to": str(self.target),
            "kind": str(self.kind),
            "label": self.label,
            "detail": self.detail,
        }


class Timeline:
    """The entries of a run; ``limit`` of them at most, the rest are counted."""

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._entries: list[Entry] = []
        self.left_out = 0

    def add(self, *entries: Entry) -> None:
        """Write entries down."""
        for entry in entries:
            if len(self._entries) < self._limit:
                self._entries.append(entry)
            else:
                self.left_out += 1

    @property
    def entries(self) -> tuple[Entry, ...]:
        """By their time; those of one moment in the order in which they were added."""
        return tuple(sorted(self._entries, key=lambda entry: entry.at_ms))

    def to_json(self) -> list[dict[str, Any]]:
        """The entries as JSON values."""
        return [entry.to_json() for entry in self.entries]


def labels(entries: Iterable[Entry], kind: Kind) -> list[str]:
    """The labels of one kind, in order."""
    return [entry.label for entry in entries if entry.kind is kind]
