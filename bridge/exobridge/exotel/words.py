"""Exotel's words for how a call stands, and its numbers, read in any spelling."""

from __future__ import annotations

import re

MAX_WORD = 64
"""Longest word kept that is not known, in characters."""

STATUSES = (
    "queued",
    "ringing",
    "in-progress",
    "completed",
    "busy",
    "failed",
    "no-answer",
    "canceled",
)
"""Of a call, a leg, a dialled agent (the last five), and a stream."""

CALL_TYPES = ("call-attempt", "completed", "client-hangup", "incomplete", "voicemail")

_LETTERS = re.compile(r"[^a-z]+")
_NUMBER = re.compile(r"([0-9]{1,7})(?:\.[0-9]*)?", re.ASCII)


def _spelled(text: str) -> str:
    return _LETTERS.sub("", text.lower())


_STATUSES = {_spelled(word): word for word in STATUSES} | {"cancelled": "canceled"}
_CALL_TYPES = {_spelled(word): word for word in CALL_TYPES}


def read_status(text: str) -> str:
    """One of :data:`STATUSES`, of any spelling (``No Answer``, ``cancelled``); another word as it
    came, bounded."""
    return _STATUSES.get(_spelled(text), text[:MAX_WORD])


def read_call_type(text: str) -> str:
    """One of :data:`CALL_TYPES`, of any spelling; another word as it came, bounded."""
    return _CALL_TYPES.get(_spelled(text), text[:MAX_WORD])


def read_direction(text: str) -> str:
    """``incoming`` or ``outgoing``, of any spelling; empty: it tells neither."""
    spelled = text.strip().lower()
    if spelled.startswith("out"):
        return "outgoing"
    return "incoming" if spelled.startswith("in") else ""


def read_seconds(text: str) -> int | None:
    """Whole seconds, whatever fraction follows, with quotes or without; ``None``: no number, or
    more than any call lasts."""
    found = _NUMBER.fullmatch(text.strip(' "'))
    return int(found[1]) if found else None
