"""The types of webhooks. Knows nothing: the settings read it."""

from __future__ import annotations

CALL_PLACED = "call.placed"
CALL_STARTED = "call.started"
CALL_TURN = "call.turn"
CALL_TRANSFER = "call.transfer"
CALL_ENDED = "call.ended"
RECORDING_READY = "recording.ready"

WEBHOOK_EVENTS = (
    CALL_PLACED,
    CALL_STARTED,
    CALL_TURN,
    CALL_TRANSFER,
    CALL_ENDED,
    RECORDING_READY,
)
"""All of them, in the order of a call."""

PING = "ping"
"""Sent only when asked for, to try the receiver."""
