"""What an operator may have done to a call under way, and what came of it. Pure: no I/O, no clock.

An order may reach the call by way of another process, so each is JSON as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

MAX_LINE_CHARS = 1000
"""Of a line that an operator has the bot say."""

MAX_WAITING = 10
"""Lines that may wait to be said in one call."""

REASON = "operator"
"""Of a stream's end, where an operator hung up."""


@dataclass(frozen=True, slots=True)
class SayLine:
    """Have the bot say a line.

    Attributes:
        text: As it is said: nothing in it is filled in.
        interrupt: Before the bot's other words, which are cut; else after its turn.
    """

    text: str = field(repr=False)
    interrupt: bool = False


@dataclass(frozen=True, slots=True)
class HandOver:
    """Hand the caller to a human now.

    Attributes:
        target: As of a dialogue's :class:`~exobridge_providers.base.Transfer`; ``summary``
            likewise.
        text: Said before; empty: nothing is; ``None``: the template's line.
    """

    target: str = field(default="", repr=False)
    summary: str = field(default="", repr=False)
    text: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call now.

    Attributes:
        text: Said before; empty: nothing is; ``None``: the template's goodbye.
    """

    text: str | None = field(default=None, repr=False)


Order: TypeAlias = SayLine | HandOver | HangUp

_KINDS: dict[str, type[Order]] = {"say": SayLine, "transfer": HandOver, "hangup": HangUp}


class Result(StrEnum):
    """What came of an order."""

    SPEAKING = "speaking"
    """The line is being said."""
    WAITING = "waiting"
    """It is said as soon as it is the bot's turn."""
    LEAVING = "leaving"
    """The last words are being said, then the line is left."""
    NOT_OPEN = "not-open"
    """Nothing was done: the call's line is not open yet."""
    CLOSING = "closing"
    """Nothing was done: the call is in its last words already."""
    NO_VOICE = "no-voice"
    """Nothing was done: a speech-to-speech session speaks for itself."""
    TOO_MANY = "too-many"
    """Nothing was done: so many lines wait to be said already."""
    UNKNOWN_TARGET = "unknown-target"
    """Nothing was done: the template knows no such target, or forbids the number."""
    TARGET_CLOSED = "target-closed"
    """Nothing was done: nobody is there at this time."""

    @property
    def done(self) -> bool:
        """Whether the order was obeyed."""
        return self in (Result.SPEAKING, Result.WAITING, Result.LEAVING)


def kind_of(order: Order) -> str:
    """Its name: ``say``, ``transfer`` or ``hangup``."""
    return next(kind for kind, made in _KINDS.items() if isinstance(order, made))


def order_data(order: Order) -> dict[str, Any]:
    """It as JSON, without its name."""
    return asdict(order)


def read_order(kind: str, data: Mapping[str, Any]) -> Order:
    """What :func:`kind_of` and :func:`order_data` made of an order.

    Raises:
        ValueError: It is none; another version may know it.
    """
    made = _KINDS.get(kind)
    if made is None:
        raise ValueError(f"{kind} is no order")
    try:
        return made(**data)
    except TypeError as error:
        raise ValueError(f"the order {kind} has other fields") from error
