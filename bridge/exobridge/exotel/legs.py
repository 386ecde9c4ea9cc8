"""The legs of a call after a Connect applet: one entry an attempt to reach somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exobridge.exotel.given import Given
from exobridge.exotel.words import MAX_WORD, read_seconds


@dataclass(frozen=True, slots=True)
class Leg:
    """One attempt. Texts are empty where nothing is told.

    Attributes:
        number: Who was dialled, as Exotel wrote it, e.g. ``07200498123``.
        type: ``single`` or ``parallel``.
        seconds: ``OnCallDuration``; 0 without a conversation, ``None`` where it is not told.
        cause_code: Why it ended, e.g. ``NORMAL_CLEARING``; ``cause`` is its number, e.g. ``16``.
    """

    number: str = ""
    type: str = ""
    seconds: int | None = None
    cause_code: str = ""
    cause: str = ""


def read_legs(given: Given) -> tuple[Leg, ...]:
    """``Legs[i][Number|Type|OnCallDuration|CauseCode|Cause]``, by index; an entry that tells
    nothing is none."""
    legs = (_leg(entry) for entry in given.entries("legs"))
    return tuple(leg for leg in legs if leg != Leg())


def _leg(entry: Mapping[str, str]) -> Leg:
    def word(name: str) -> str:
        return entry.get(name, "")[:MAX_WORD]

    return Leg(
        number=word("number"),
        type=word("type").lower(),
        seconds=read_seconds(entry.get("oncallduration", "")),
        cause_code=word("causecode"),
        cause=word("cause"),
    )
