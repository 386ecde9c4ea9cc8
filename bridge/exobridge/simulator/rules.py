"""The record of the rules that a server did not keep.

A violation is data: it is written down with its time and the rule's sentence, and the call goes
on, as Exotel's would.
"""

from __future__ import annotations

from dataclasses import dataclass

from exobridge.simulator.rulebook import Rule, Severity

__all__ = [
    "MAX_CHUNK_BYTES",
    "MAX_LEAD_MS",
    "MIN_CHUNK_STEP",
    "STOP_GRACE_MS",
    "Breach",
    "Rule",
    "Severity",
    "Violation",
    "ViolationLog",
]

MIN_CHUNK_STEP = 320
"""Bytes of which a chunk's size must be a multiple."""
MAX_CHUNK_BYTES = 100_000
"""Bytes of the largest chunk Exotel takes."""
MAX_LEAD_MS = 4000
"""Unplayed audio, in milliseconds, past which calls have been seen to be hung up."""
STOP_GRACE_MS = 100
"""How long a server that has read ``stop`` may take to end its audio, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that was not kept.

    Attributes:
        rule: Which.
        detail: What was seen, short; no audio, no token, no number.
    """

    rule: Rule
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """A breach and its time.

    Attributes:
        rule: Which rule.
        at_ms: Milliseconds since the start event; 0 for what came before it.
        detail: As in :class:`Breach`.
    """

    rule: Rule
    at_ms: float
    detail: str = ""

    @property
    def severity(self) -> Severity:
        """Whether it spoils the call."""
        return self.rule.severity

    @property
    def sentence(self) -> str:
        """The rule."""
        return self.rule.sentence


class ViolationLog:
    """The violations of one call: the first ``per_rule`` of each rule, and counts of all.

    Whatever the server sends, the log stays small.
    """

    def __init__(self, per_rule: int = 10) -> None:
        self._per_rule = per_rule
        self._counts: dict[Rule, int] = {}
        self._kept: list[Violation] = []

    def add(self, breach: Breach, at_ms: float) -> Violation | None:
        """Write a breach down; ``None`` if it was only counted."""
        count = self._counts[breach.rule] = self._counts.get(breach.rule, 0) + 1
        if count > self._per_rule:
            return None
        violation = Violation(breach.rule, at_ms, breach.detail)
        self._kept.append(violation)
        return violation

    @property
    def kept(self) -> tuple[Violation, ...]:
        """The violations written down, in order."""
        return tuple(self._kept)

    @property
    def counts(self) -> dict[Rule, int]:
        """How often each rule was broken."""
        return dict(self._counts)
