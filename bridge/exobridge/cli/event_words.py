"""What an event of a call tells, in a few words for a terminal. Phone numbers are masked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from exobridge.call.events import JSON, CallEvent, EventKind
from exobridge.numbers import mask, normalise

_TELLING: Mapping[EventKind, tuple[str, ...]] = {
    EventKind.PLACED: ("attempt", "template", "caller", "called"),
    EventKind.ANSWER: ("decision", "reason", "template", "routed", "caller", "called"),
    EventKind.STREAM_STARTED: ("template", "caller", "called"),
    EventKind.STREAM_FORMAT: ("encoding", "sample_rate", "why"),
    EventKind.TRANSFER_REQUESTED: ("target",),
    EventKind.STREAM_ENDED: ("ended_by", "reason", "close_code"),
    EventKind.PASSTHRU: ("call_status", "call_type", "dial_status", "dial_whom", "stream"),
    EventKind.DIAL_ASKED: ("attempt", "numbers", "reason"),
    EventKind.DIAL: ("event_type", "number", "status"),
    EventKind.STATUS: ("status", "event_type", "seconds"),
    EventKind.DETAILS: ("status", "seconds", "price"),
    EventKind.RECORDING: ("source", "name", "duration_ms"),
}
"""Of each kind's data what tells most, in this order."""


def event_words(event: CallEvent) -> str:
    """The words; empty where the kind says all."""
    told = {name: event.data.get(name) for name in _TELLING.get(event.kind, ())}
    words = [_WORDS.get(name, _text)(value) for name, value in told.items() if value is not None]
    return ", ".join(filter(None, words))


def _text(value: JSON) -> str:
    return str(value)


def _with(form: str) -> Callable[[JSON], str]:
    return lambda value: form.format(value) if value not in ("", None) else ""


def _number(value: JSON) -> str:
    return mask(str(value))


def _numbers(value: JSON) -> str:
    each = value if isinstance(value, list | tuple) else [value]
    return " ".join(_number(number) for number in each) or "nobody"


def _target(value: JSON) -> str:
    target = str(value)
    return f"to {(mask(target) if normalise(target) else target) or 'the default'}"


def _rule(value: JSON) -> str:
    rule = value.get("rule") if isinstance(value, Mapping) else ""
    return f"rule {rule}" if rule else ""


def _stream(value: JSON) -> str:
    if not isinstance(value, Mapping):
        return ""
    words = [str(value.get(name) or "") for name in ("status", "error", "detailed_status")]
    return " ".join(["stream", *filter(None, words)]) if any(words) else ""


def _seconds(value: JSON) -> str:
    return f"{value / 1000:.1f} s" if isinstance(value, int | float) else ""


_WORDS: Mapping[str, Callable[[JSON], str]] = {
    "attempt": _with("attempt {}"),
    "called": _number,
    "caller": _number,
    "close_code": _with("code {}"),
    "dial_status": _with("dialled: {}"),
    "dial_whom": _number,
    "duration_ms": _seconds,
    "ended_by": _with("by {}"),
    "number": _number,
    "numbers": _numbers,
    "price": _with("price {:g}"),
    "routed": _rule,
    "sample_rate": _with("{} Hz"),
    "seconds": _with("{} s"),
    "stream": _stream,
    "target": _target,
}
"""How each is written; others as they are."""
