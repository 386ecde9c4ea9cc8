"""Events and turns to put into a store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from exobridge.call import events as s
from exobridge.call.events import CallEvent, Decision, EndedBy, Role, Turn
from exobridge.call.placed import PlacedCall

ROOT = Path(__file__).parent.parent.parent
"""Where a subprocess finds these samples."""

T0 = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """Some time after ``T0``."""
    return T0 + timedelta(seconds=seconds)


def answered(call_sid: str = "c1", seconds: float = 0, reason: str = "") -> CallEvent:
    """The call was accepted."""
    return s.answer(
        call_sid, at(seconds), decision=Decision.ACCEPT, template="sales", reason=reason
    )


def started(call_sid: str = "c1", stream_sid: str = "s1", seconds: float = 1) -> CallEvent:
    """A stream began."""
    return s.stream_started(
        call_sid, at(seconds), stream_sid=stream_sid, custom_parameters={"lang": "हिन्दी"}
    )


def ended(call_sid: str = "c1", stream_sid: str = "s1", seconds: float = 9) -> CallEvent:
    """The caller hung up."""
    return s.stream_ended(
        call_sid, at(seconds), stream_sid=stream_sid, ended_by=EndedBy.CALLER, close_code=1006
    )


def every_kind() -> list[CallEvent]:
    """A call with one event of each kind."""
    return [
        s.placed(
            "c1", at(0), PlacedCall(dial="d1", template="sales", variables=(("name", "Asha"),))
        ),
        answered(),
        started(),
        s.stream_format(
            "c1", at(2), stream_sid="s1", encoding="mulaw", sample_rate=8000, why="payload"
        ),
        s.transfer_requested(
            "c1", at(3), stream_sid="s1", utterance="u1", target="sales", summary="an order"
        ),
        s.stream_ended("c1", at(4), stream_sid="s1", ended_by=EndedBy.BOT, close_code=1000),
        s.no_stream("c1", at(30)),
        started(stream_sid="s2", seconds=40),
        s.stream_lost("c1", at(50), stream_sid="s2"),
        s.passthru("c1", at(60), {"CallSid": "c1"}, stream_sid="s2", ended_by=EndedBy.CALLER),
        s.dial_asked(
            "c1",
            at(61),
            transfer="transfer-requested:s1:u1",
            attempt=1,
            numbers=["+919811100011"],
            contract="json",
        ),
        s.dial("c1", at(62), event_type="Ringing", number="+919811100011", status="busy"),
        s.status(
            "c1",
            at(63),
            status="completed",
            event_type="terminal",
            data={"ended_at": at(62).isoformat(), "legs": [{"seconds": 60}, {"seconds": 0}]},
        ),
        s.details("c1", at(200), status="completed", data={"seconds": 62, "price": 1.25}),
        s.recording("c1", at(300), source="exotel", name="", duration_ms=62_000, size=496_000),
    ]


def turn(number: int = 1, call_sid: str = "c1", stream_sid: str = "s1") -> Turn:
    """What the bot said."""
    return Turn(
        call_sid=call_sid,
        stream_sid=stream_sid,
        number=number,
        role=Role.BOT,
        text="नमस्ते",
        start_ms=100 * number,
        end_ms=100 * number + 90,
        heard_ms=50,
        interrupted=True,
        language="hi-IN",
        tts_ms=12.25,
    )
