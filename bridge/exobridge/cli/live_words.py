"""An event of the live stream in a line for a terminal. Phone numbers are masked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from exobridge.call.events import CallEvent, EventKind
from exobridge.cli.event_words import event_words
from exobridge.cli.plain import plain


def live_words(told: Mapping[str, Any]) -> str:
    """Markup of rich's: when, which call, what."""
    at = datetime.fromisoformat(told["at"])
    head = f"[dim]{at.astimezone():%H:%M:%S}[/] {plain(told['call_sid'])}  "
    if told["type"] == "turn":
        turn = told["turn"]
        cut = " [yellow](interrupted)[/]" if turn["interrupted"] else ""
        return f"{head}{plain(turn['role']):18} {plain(turn['text'])}{cut}"
    return f"{head}{plain(told['kind']):18} {plain(_of_event(told, at))}".rstrip()


def _of_event(told: Mapping[str, Any], at: datetime) -> str:
    """Empty for a kind that a newer server knows."""
    if told["kind"] not in set(EventKind):
        return ""
    kind = EventKind(told["kind"])
    return event_words(CallEvent(told["call_sid"], kind, told["key"], at, told["data"]))
