"""Rows to the call's own types, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import msgspec

from exobridge.call.events import CallEvent, EventKind, Turn
from exobridge.call.facts import Facts
from exobridge.call.state import Call, derive

Row = dict[str, Any]
"""One row's values by column."""


def event_row(event: CallEvent) -> Row:
    """An event as a row of ``call_events``."""
    return {
        "call_sid": event.call_sid,
        "kind": event.kind.value,
        "key": event.key,
        "at": event.at,
        "data": dict(event.data),
    }


def read_event(row: Mapping[Any, Any]) -> CallEvent:
    """The event in a row of ``call_events``."""
    return CallEvent(
        call_sid=row["call_sid"],
        kind=EventKind(row["kind"]),
        key=row["key"],
        at=row["at"],
        data=row["data"],
    )


_APART = ("usage", "transfer", "exotel", "facts")
_DERIVED = tuple(field.name for field in fields(Call) if field.name not in _APART)


def call_row(call: Call) -> Row:
    """A call as a row of ``calls``."""
    row: Row = {name: getattr(call, name) for name in _DERIVED}
    return {**row, **asdict(call.usage), "facts": msgspec.to_builtins(call.facts)}


def read_call(call_sid: str, facts: Any) -> Call:
    """The call in a row of ``calls``. Derived anew, so that it keeps to today's rules."""
    return derive(call_sid, msgspec.convert(facts, Facts))


def turn_row(turn: Turn) -> Row:
    """A turn as a row of ``turns``."""
    return asdict(turn)


def read_turn(row: Mapping[Any, Any]) -> Turn:
    """The turn in a row of ``turns``."""
    return msgspec.convert(row, Turn)
