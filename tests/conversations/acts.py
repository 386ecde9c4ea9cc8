"""What a caller does: acts, and when each begins. No clock, no chance: see ``variation``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class MyTurn:
    """Once the bot was heard, and then nothing of it for ``quiet_ms``; the first act of a call
    waits for the greeting. A bot that is not heard within ``PATIENCE_MS`` is not waited for."""

    quiet_ms: float = 1500.0


@dataclass(frozen=True, slots=True)
class Into:
    """``ms`` after the bot became audible, from where the act before ended."""

    ms: float


@dataclass(frozen=True, slots=True)
class After:
    """``ms`` after the act before ended, whatever the bot does."""

    ms: float


Cue = MyTurn | Into | After

PATIENCE_MS = 20_000.0
"""Longest wait for the bot."""


class Meaning(Enum):
    """What the caller means by words."""

    TURN = auto()
    """Something to be answered; the bot is silent, or about to begin."""
    INTERRUPTION = auto()
    """The bot shall stop, and answer this."""
    BACKCHANNEL = auto()
    """The bot shall go on: one that the language's data have."""
    UNKNOWN = auto()
    """The bot shall go on; no list has these words."""
    ASIDE = auto()
    """Said into a passage that nobody may interrupt; it is answered after it."""


@dataclass(frozen=True, slots=True)
class Speak:
    """Say something.

    Attributes:
        said: Texts, one of which a variant takes. ``~700`` between two words is a pause of 700 ms
            in the middle of a sentence; ``^700`` one after a sentence that may be whole; ``*4711``
            presses these keys from here on, while what follows is said.
        turning: The word, from 0, that makes it an interruption: the first word of some length,
            or the first after a backchannel.
    """

    said: tuple[str, ...]
    cue: Cue = MyTurn()  # it is frozen
    means: Meaning = Meaning.TURN
    turning: int = 0
    spread_ms: float = 150.0


class Kind(Enum):
    """Sounds without words."""

    COUGH = auto()
    CLICK = auto()
    BANG = auto()
    MUSIC = auto()
    NOISE = auto()
    SILENCE = auto()


@dataclass(frozen=True, slots=True)
class Sound:
    """Make a sound, or none, for a time between two lengths.

    Attributes:
        first_ms: Its length in a scenario's first variant, where what lasts minutes would take
            too long in each.
    """

    kind: Kind
    ms: tuple[float, float]
    cue: Cue = After(0.0)  # it is frozen
    spread_ms: float = 150.0
    first_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys, 250 ms apart."""

    keys: str
    cue: Cue = MyTurn()  # it is frozen
    spread_ms: float = 150.0


KEY_MS = 250.0

Act = Speak | Sound | Press


def say(*said: str, cue: Cue | None = None) -> Speak:
    """A turn of the caller's."""
    return Speak(said, cue or MyTurn())


def interrupt(*said: str, cue: Cue, turning: int = 1) -> Speak:
    """Words that shall stop the bot."""
    return Speak(said, cue, Meaning.INTERRUPTION, turning)


def murmur(*said: str, cue: Cue) -> Speak:
    """A backchannel."""
    return Speak(said, cue, Meaning.BACKCHANNEL)
