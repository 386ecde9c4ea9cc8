"""What is wrong with a call, and how long things took: the words of the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Rule(StrEnum):
    """What can be wrong."""

    MISSED = "missed interruption"
    """The bot was still audible 600 ms after the interrupting word."""
    CUT = "false interruption"
    """The bot was cut, or did not say all it had to, though it should have gone on."""
    SAMPLES = "samples lost or repeated"
    WORDS = "words lost, repeated or out of order"
    """The dialogue was not given all the caller's words once, in their order."""
    KEYS = "keys lost or repeated"
    FALSE_TURN = "false turn"
    """The dialogue was given a turn where there was none: a backchannel, a noise."""
    EARLY = "answered into a hesitation"
    """An answer was audible before the caller had finished."""
    TWICE = "said twice"
    """The caller heard the beginning of the same answer twice."""
    TOOLS = "tool run for nothing"
    """A tool ran more than once for a turn, or for one that was taken back before its end."""
    UNANSWERED = "not answered"
    UNSAID = "a line not said"
    """A line that the server says by itself was not heard, or not to its end."""
    GARBLED = "not heard, or garbled"
    """Not one sound of the bot's was heard, or sounds that it never made."""
    ENDED = "ended wrongly"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    rule: Rule
    what: str


@dataclass(slots=True)
class Verdict:
    """What came of one variant. Times are in milliseconds, at the caller's ear.

    Attributes:
        barge_in_ms: From the caller's first voice to the bot's last sound.
        answer_ms: From the caller's last voice to the first sound of the answer.
        held_ms: Silence in a line that went on: a backchannel's price.
        lost, repeated: Samples.
    """

    scenario: str
    variant: int
    ears: str
    findings: list[Finding] = field(default_factory=list[Finding])
    barge_in_ms: list[float] = field(default_factory=list[float])
    answer_ms: list[float] = field(default_factory=list[float])
    held_ms: list[float] = field(default_factory=list[float])
    lost: int = 0
    repeated: int = 0

    def add(self, rule: Rule, what: str) -> None:
        """Something is wrong."""
        self.findings.append(Finding(rule, what))

    def has(self, rule: Rule) -> bool:
        """Whether this is wrong."""
        return any(finding.rule is rule for finding in self.findings)
