"""Calls as JSON, for the command line and the API. Times are ISO 8601, in UTC."""

from __future__ import annotations

from dataclasses import asdict, fields, is_dataclass
from datetime import datetime
from typing import Any

from exobridge.call.events import CallEvent, Turn
from exobridge.call.state import Call
from exobridge.store.recordings import Recording


def call_json(call: Call) -> dict[str, Any]:
    """A call, with its numbers in full."""
    return _fields(call, but=("facts",))


def turn_json(turn: Turn) -> dict[str, Any]:
    """A turn of a call that is known."""
    return _fields(turn, but=("call_sid",))


def event_json(event: CallEvent) -> dict[str, Any]:
    """An event with all that was told."""
    return _fields(event, but=("call_sid",))


def recording_json(row: Recording) -> dict[str, Any]:
    """A recording of a call that is known; where it is kept stays with us."""
    return _fields(row, but=("call_sid", "location"))


def _fields(value: Any, but: tuple[str, ...]) -> dict[str, Any]:
    names = [field.name for field in fields(value) if field.name not in but]
    return {name: _plain(getattr(value, name)) for name in names}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(inner) for name, inner in asdict(value).items()}
    return value.isoformat() if isinstance(value, datetime) else value
