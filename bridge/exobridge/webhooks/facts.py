"""What webhooks say of calls. ``docs/reference/webhooks.md`` shows each. Pure."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote, urlencode

from exobridge.call.events import JSON, CallEvent, EventKind, Turn
from exobridge.call.state import Call


def call_fact(call: Call) -> dict[str, JSON]:
    """The call as it stands."""
    placed = call.placed
    return {
        "sid": call.call_sid,
        "direction": call.direction,
        "caller": call.caller,
        "called": call.called,
        "template": call.template,
        "state": call.state.value,
        "outcome": call.outcome.value if call.outcome else None,
        "decision": call.decision.value if call.decision else None,
        "reason": call.reason,
        "custom_field": call.custom_field,
        "streams": call.streams,
        "created_at": call.created_at.isoformat(),
        "answered_at": _time(call.answered_at),
        "started_at": _time(call.started_at),
        "ended_at": _time(call.ended_at),
        "ended_by": call.ended_by.value if call.ended_by else None,
        "end_reason": call.end_reason,
        "dial": {
            "id": placed.dial,
            "attempt": placed.attempt,
            "variables": dict(placed.variables),
        }
        if placed.dial
        else None,
    }


def turn_fact(turn: Turn) -> dict[str, JSON]:
    """What one side said."""
    return {
        "stream_sid": turn.stream_sid,
        "number": turn.number,
        "role": turn.role.value,
        "text": turn.text,
        "language": turn.language,
        "start_ms": turn.start_ms,
        "end_ms": turn.end_ms,
        "heard_ms": turn.heard_ms,
        "interrupted": turn.interrupted,
    }


def transfer_fact(call: Call, event: CallEvent) -> dict[str, JSON]:
    """Where the call's latest transfer stands."""
    transfer = call.transfer
    assert transfer is not None, "a fact of a transfer that there is"
    summary = event.data.get("summary") if event.kind is EventKind.TRANSFER_REQUESTED else None
    return {
        "target": transfer.target,
        "status": transfer.status.value,
        "attempts": transfer.attempts,
        "number": transfer.number,
        "summary": summary if isinstance(summary, str) else "",
        "asked_at": transfer.asked_at.isoformat(),
    }


def recording_fact(event: CallEvent) -> dict[str, JSON]:
    """A recording that is stored; ``path`` is where the API has it."""
    told = event.data
    query = {name: str(told.get(name) or "") for name in ("source", "name")}
    wanted = urlencode({name: value for name, value in query.items() if value})
    sid = quote(event.call_sid, safe="", errors="replace")
    return {
        "source": query["source"],
        "name": query["name"],
        "duration_ms": told.get("duration_ms"),
        "bytes": told.get("bytes"),
        "path": f"/api/v1/calls/{sid}/recording?{wanted}",
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
