"""What happens in a call, told while it happens. Rare: nothing is told per frame."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from exobridge.simulator.rules import Violation
from exobridge.simulator.steps import CallerLine


@dataclass(frozen=True, slots=True)
class Answered:
    """The webhook answered, after ``ms``; ``refused``: there will be no stream."""

    ms: float
    refused: bool


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """The WebSocket is open, after ``ms``; the start event follows."""

    ms: float
    encoding: str
    sample_rate: int


@dataclass(frozen=True, slots=True)
class CallerSpeaks:
    """The caller begins a line, or presses the first key."""

    line: CallerLine


@dataclass(frozen=True, slots=True)
class BotSpeaks:
    """The bot is audible. ``at_ms``: since the start event."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class BotSpoke:
    """An utterance of the bot is over.

    Attributes:
        number: Its place among the bot's turns, from 0.
        start_ms: Its first audible moment.
        end_ms: Its last one.
        pcm: PCM16 of it at the stream's rate; empty if audio is not kept.
    """

    number: int
    start_ms: float
    end_ms: float
    pcm: bytes


@dataclass(frozen=True, slots=True)
class RuleBroken:
    """The server broke a rule."""

    violation: Violation


Event = Answered | StreamOpened | CallerSpeaks | BotSpeaks | BotSpoke | RuleBroken

Listener = Callable[[Event], None]
"""Told each event on the event loop; must not block and must not raise."""


def ignore(event: Event) -> None:
    """The listener that does not listen."""
    del event


Transcribe = Callable[[bytes, int], Awaitable[str]]
"""The words in PCM16 of a rate in hertz. Must not raise; what cannot be understood is empty."""


@dataclass(frozen=True, slots=True)
class Companion:
    """Who is with the caller.

    Attributes:
        tell: Is told what happens.
        transcribe: Understands the bot while it speaks; ``None``: nobody does.
        leave: Set by whoever wants the call to end now.
    """

    tell: Listener = ignore
    transcribe: Transcribe | None = None
    leave: asyncio.Event = field(default_factory=asyncio.Event)
