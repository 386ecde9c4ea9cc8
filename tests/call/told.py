"""Events of one call, to derive it from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from exobridge.call import events as s
from exobridge.call.events import JSON, CallEvent, Decision, EndedBy
from exobridge.call.state import Call, replay

CALL = "c1"
AGENT, OTHER = "+919811100011", "+919811100022"


def at(minute: int) -> datetime:
    """Some minute of an hour."""
    return datetime(2026, 11, 21, 10, minute, tzinfo=UTC)


def answered(minute: int = 0, decision: Decision = Decision.ACCEPT) -> CallEvent:
    """The call was answered."""
    return s.answer(
        CALL,
        at(minute),
        decision=decision,
        reason="why",
        template="sales",
        caller="+919900000001",
        called="+918040000000",
        direction="incoming",
        custom_field="f",
    )


def started(stream: str = "s1", minute: int = 1) -> CallEvent:
    """A stream began."""
    return s.stream_started(
        CALL, at(minute), stream_sid=stream, template="static", caller="+919900000002", called="x"
    )


def ended(stream: str = "s1", minute: int = 5, by: EndedBy = EndedBy.CALLER) -> CallEvent:
    """A stream ended."""
    return s.stream_ended(
        CALL, at(minute), stream_sid=stream, ended_by=by, reason="over", close_code=1000
    )


def transfer(stream: str = "s1", minute: int = 4) -> CallEvent:
    """The dialogue handed the caller on."""
    return s.transfer_requested(CALL, at(minute), stream_sid=stream, utterance="u1", target="sales")


def lost(stream: str = "s1", minute: int = 9) -> CallEvent:
    """A stream was found open when the server started."""
    return s.stream_lost(CALL, at(minute), stream_sid=stream)


def report(stream: str = "s1", by: EndedBy = EndedBy.CALLER) -> CallEvent:
    """Exotel told who ended a stream."""
    return s.passthru(CALL, at(8), {"CallSid": CALL}, stream_sid=stream, ended_by=by)


def call_of(*events: CallEvent) -> Call:
    """The call that these events make."""
    call = replay(events)
    assert call is not None
    return call


def asked(
    attempt: int = 1, minute: int = 6, numbers: Sequence[str] = (AGENT,), stream: str = "s1"
) -> CallEvent:
    """A Connect applet asked whom to dial."""
    key = transfer(stream).key
    return s.dial_asked(
        CALL, at(minute), transfer=key, attempt=attempt, numbers=numbers, contract="json"
    )


def dialled(event_type: str, minute: int = 7, number: str = AGENT) -> CallEvent:
    """Exotel told how the dialling goes."""
    told_at = f"2026-11-21 15:{30 + minute}:00"
    return s.dial(
        CALL, at(minute), event_type=event_type, number=number, status="busy", told_at=told_at
    )


def after_connect(minute: int = 8, **told: JSON) -> CallEvent:
    """A Passthru after a Connect applet."""
    given = {"CallSid": CALL, **{name: str(value) for name, value in told.items()}}
    return s.passthru(CALL, at(minute), given, told=told)


def leg(seconds: int | None, number: str = AGENT) -> dict[str, JSON]:
    """One attempt, or one side of a call."""
    return {"number": number, "seconds": seconds}


def status(word: str = "completed", minute: int = 20, **data: JSON) -> CallEvent:
    """Exotel's status callback."""
    return s.status(CALL, at(minute), status=word, event_type="terminal", data=data)


def details(word: str = "completed", minute: int = 30, **data: JSON) -> CallEvent:
    """What Exotel's API says."""
    return s.details(CALL, at(minute), status=word, data=data)


def stored(minute: int = 40) -> CallEvent:
    """A recording was stored."""
    return s.recording(CALL, at(minute), source="exotel", name="", duration_ms=1000, size=4000)


HANDED_ON = [answered(), started(), transfer(), ended(by=EndedBy.BOT)]
"""The caller asked for a human, and the bot left."""
