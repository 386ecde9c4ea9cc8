"""One call of the set: all that its models share, and the notes they take."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tests.conversations.caller import Caller
from tests.conversations.ear import BotEar
from tests.conversations.numbered import Take
from tests.conversations.scenario import Reply, Scenario
from tests.conversations.track import Track
from tests.conversations.variation import Variant


@dataclass(slots=True)
class Asked:
    """A turn that the dialogue was given, in ms since the stream began.

    Attributes:
        yielded: What the dialogue had said when the answer was over or was closed.
        tools: How often the answer ran its tool.
    """

    text: str
    digits: str
    at_ms: float
    reply: Reply
    interrupted: bool = False
    heard: str = ""
    yielded: str = ""
    complete: bool = False
    tools: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened, for the timeline."""

    at_ms: float
    who: str
    what: str


@dataclass(slots=True)
class World:
    """One call.

    Attributes:
        takes: The bot's audio by number; the first has the number 1.
        started_at: When the stream began, on the loop's clock.
    """

    scenario: Scenario
    variant: Variant
    track: Track = field(default_factory=Track)
    takes: dict[int, Take] = field(default_factory=dict[int, Take])
    asked: list[Asked] = field(default_factory=list[Asked])
    notes: list[Note] = field(default_factory=list[Note])
    started_at: float = 0.0
    ear: BotEar = field(init=False)
    caller: Caller = field(init=False)

    def __post_init__(self) -> None:
        self.ear = BotEar(marks_after_clear=self.variant.marks_after_clear)
        self.caller = Caller(self.scenario, self.variant, self.track)

    @property
    def now_ms(self) -> float:
        """Milliseconds since the stream began."""
        return (asyncio.get_running_loop().time() - self.started_at) * 1000

    def note(self, who: str, what: str) -> None:
        """Remember what happened now."""
        self.notes.append(Note(self.now_ms, who, what))

    def take(self) -> Take:
        """A new take."""
        take = Take(len(self.takes) + 1, len(self.asked))
        self.takes[take.number] = take
        return take

    def said_in(self, take: Take) -> str:
        """The reply that a take is of: the last one that was asked for and has its words; the
        take's own text where there is none: a fixed line."""
        text = take.text.strip()
        asked = (each.reply.text for each in reversed(self.asked[: take.asked]))
        return next((reply for reply in asked if text in reply), text)

    def heard_of(self, text: str) -> bool:
        """Whether the caller has heard anything of a reply."""
        takes = (self.takes.get(run.take) for run in self.ear.runs)
        return any(take is not None and self.said_in(take) == text for take in takes)

    def ask(self, text: str, digits: str) -> Asked:
        """The dialogue is given a turn. A reply that nobody heard is given again: the turn goes on
        from one that was taken back."""
        used = sum(self.heard_of(reply.text) for reply in self.scenario.replies)
        reply = self.scenario.replies[min(used, len(self.scenario.replies) - 1)]
        asked = Asked(text, digits, self.now_ms, reply)
        self.asked.append(asked)
        return asked


WORLDS: dict[int, World] = {}
"""The calls that run, by the number that their providers' options name."""
