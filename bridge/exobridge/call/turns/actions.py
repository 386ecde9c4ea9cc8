"""What the turn policy is set to, and what it decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """The template's ``[turns]``, ``[vad]`` and ``limits.idle_seconds``."""

    start_probability: float = 0.5
    end_probability: float = 0.35
    end_silence_ms: int = 400
    max_end_silence_ms: int = 1200
    barge_in: bool = True
    barge_in_ms: int = 400
    max_turn_seconds: float = 30.0
    idle_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class StartSegment:
    """The caller speaks, since ``from_ms``; or goes on with a segment that was peeked into."""

    from_ms: float


@dataclass(frozen=True, slots=True)
class DropSegment:
    """It was no speech."""


@dataclass(frozen=True, slots=True)
class Peek:
    """Ask for the words of the segment so far.

    Attributes:
        settled: The caller is silent: what follows is no part of it unless they go on.
    """

    settled: bool


@dataclass(frozen=True, slots=True)
class Finalize:
    """The segment is over, its text wanted; the last voice ended at ``voice_end_ms``."""

    voice_end_ms: float


class Signal(Enum):
    """Actions that need no more than their name; the package's docstring says what they are."""

    PAUSE_BOT = auto()
    RESUME_BOT = auto()
    INTERRUPT_BOT = auto()
    DROP_ANSWER = auto()
    CERTAIN = auto()
    GO_ON = auto()
    IDLE = auto()


@dataclass(frozen=True, slots=True)
class TakeTurn:
    """The caller's turn is over; the dialogue answers it.

    Attributes:
        text: What was said, maybe empty if keys were pressed.
        digits: Keys pressed, without the closing ``#``.
        interrupted: The caller spoke, or pressed a key, into the bot's last turn.
        certain: ``False``: it is probably over. ``CERTAIN`` or ``DROP_ANSWER`` follows; until then
            nothing of the answer is played.
    """

    text: str
    digits: str
    interrupted: bool
    certain: bool = True


Action = StartSegment | DropSegment | Peek | Finalize | TakeTurn | Signal
