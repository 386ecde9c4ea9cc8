"""A scenario: what the caller does, what the bot has to say, what is wrong with the line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from exobridge_providers.base import CollectDigits
from tests.conversations.acts import Act


class Ears(StrEnum):
    """Kinds of speech-to-text."""

    SEGMENTS = "segments"
    """Transcribes a segment when asked, and can be asked in the middle of it (the local one)."""
    BLIND = "blind"
    """Transcribes a segment when it is over, and tells nothing before."""
    STREAMING = "streaming"
    """Hears the whole call and sends partials."""
    TURNS = "turns"
    """Likewise, and says itself when a turn is over, eagerly first."""


class Group(StrEnum):
    """What a scenario is about; the report has a section for each."""

    INTERRUPTIONS = "interruptions"
    BACKCHANNELS = "backchannels"
    UNKNOWN = "backchannels in no list"
    NOISES = "sounds without words"
    TURNS = "whose turn it is"
    KEYS = "keys"
    FAULTS = "faults of the line and of providers"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the bot.

    Attributes:
        interruptible: As in ``Say``.
        tool: It runs a tool first, once the turn is certain.
        language: It is in another language, as is the call from here on.
        collect: It asks for keys.
    """

    text: str
    interruptible: bool = True
    tool: bool = False
    language: str = ""
    collect: CollectDigits | None = None


HOURS = Reply(
    "We are open from nine in the morning to eight in the evening. "
    "On Sundays we open late and close early."
)
PARCEL = Reply("Your parcel left our shop yesterday and it will be with you tomorrow before noon.")
GIFT = Reply("The gift box with three books is what most people choose at this time of the year.")
MORE = Reply("Very well, it is noted. Is there anything else that you would like to know today?")

REPLIES = (HOURS, PARCEL, GIFT, MORE)


@dataclass(frozen=True, slots=True)
class Faults:
    """What is worse than usual; ``None``: as the variant has it.

    Attributes:
        loss: Share of the caller's frames that are lost, 0 to 1.
        jitter_ms: Most that a frame is held up.
        burst_ms: The line stops for so long now and then, and then all comes at once.
        marks_lost: Share of the marks that never come back.
        marks_late_ms: Most by which the others are late.
        final_ms: Latency of a final text, from and to.
        finals_missing: The final texts that never come, counted from 0.
        wrong_partials: Share of the partials whose last word is wrong.
        dialogue_ms: Latency of the dialogue's first words, from and to.
        slow_voice: The text-to-speech makes audio hardly faster than it is played.
    """

    loss: float | None = None
    jitter_ms: float | None = None
    burst_ms: float = 0.0
    marks_lost: float | None = None
    marks_late_ms: float | None = None
    final_ms: tuple[float, float] | None = None
    finals_missing: frozenset[int] = frozenset()
    wrong_partials: float | None = None
    dialogue_ms: tuple[float, float] | None = None
    slow_voice: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scripted caller.

    Attributes:
        says: What it is, in a few words.
        group: What it is about; see :func:`grouped`.
        language: Of the call, BCP-47.
        replies: The bot's answers, in order; an answer that nobody heard is given again.
        template: Laid over the template, table by table.
        ears: The kinds of speech-to-text that variants choose from.
        frame_ms: Length of the caller's frames, which variants choose from.
        speculative: The dialogue takes turns that are not certain.
        level: How loud the caller is against the variant's own level, 0 to 1.
        ends: Why the call ends, where the caller does not simply hang up.
        turns: Most turns the dialogue may be given; ``None``: the words decide.
        words: The words that reach the dialogue are compared with those that were said.
        keys: The digits the dialogue shall be given, turn by turn; empty: it was told that none
            were pressed.
        hears: Fixed lines that the caller shall hear, each to its end.
    """

    name: str
    says: str
    acts: tuple[Act, ...]
    group: Group = Group.TURNS
    language: str = "en-IN"
    replies: tuple[Reply, ...] = REPLIES
    template: Mapping[str, Any] = field(default_factory=dict[str, Any])
    faults: Faults = Faults()  # it is frozen
    ears: tuple[Ears, ...] = (Ears.SEGMENTS, Ears.BLIND, Ears.STREAMING, Ears.TURNS)
    frame_ms: tuple[int, ...] = (100, 100, 100, 60, 20)
    speculative: bool | None = None
    level: float = 1.0
    ends: str = ""
    turns: int | None = None
    words: bool = True
    keys: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()


def grouped(group: Group, *scenarios: Scenario) -> tuple[Scenario, ...]:
    """Scenarios that are about the same."""
    return tuple(replace(scenario, group=group) for scenario in scenarios)
