"""A call that was placed for a dial, as the call's record has it. Pure."""

from __future__ import annotations

from datetime import datetime

from exobridge.call import events
from exobridge.call.events import CallEvent
from exobridge.call.placed import PlacedCall as PlacedHere
from exobridge.outbound.models import PlacedCall, custom_field


def placed_event(call_sid: str, at: datetime, placed: PlacedCall) -> CallEvent:
    """The event that makes the call's row, with its template and its variables."""
    request = placed.request
    call = PlacedHere(
        dial=placed.dial_id,
        attempt=placed.attempt,
        template=request.template,
        caller=placed.number,
        called=request.caller_id,
        custom_field=custom_field(placed.dial_id, placed.attempt),
        variables=tuple(sorted(request.variables.items())),
        ring_seconds=request.ring_seconds,
    )
    return events.placed(call_sid, at, call)
