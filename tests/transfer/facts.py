"""A call's facts, as the tests of a transfer put them together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from exobridge.call import events
from exobridge.call.events import CallEvent, Decision, EndedBy
from exobridge.exotel.passthru import PassthruParams
from exobridge.passthrus import passthru_event

ASHA, RAVI, MEENA, JOHN = "+919811122233", "+919811122244", "+919811122255", "+919811122266"
CALLER, EXOPHONE = "+919811100000", "+918047112233"
START = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So long after the call began."""
    return START + timedelta(seconds=seconds)


def talked(call_sid: str = "c", **asked: Any) -> list[CallEvent]:
    """A call that was answered, talked with the bot, and was handed over after a minute."""
    return [
        events.answer(
            call_sid,
            at(0),
            decision=Decision.ACCEPT,
            template="default",
            caller=CALLER,
            called=EXOPHONE,
            direction="incoming",
        ),
        events.stream_started(call_sid, at(1), stream_sid="s"),
        handed_over(60, call_sid=call_sid, **asked),
        events.stream_ended(call_sid, at(62), stream_sid="s", ended_by=EndedBy.BOT),
    ]


def handed_over(
    seconds: float,
    *,
    call_sid: str = "c",
    stream_sid: str = "s",
    target: str = "support",
    summary: str = "",
) -> CallEvent:
    """The bot hands the caller to a human."""
    return events.transfer_requested(
        call_sid,
        at(seconds),
        stream_sid=stream_sid,
        utterance="turn-3",
        target=target,
        summary=summary,
    )


FIRST = handed_over(60).key


def dialled(
    attempt: int, seconds: float, *numbers: str, transfer: str = FIRST, again: bool = False
) -> CallEvent:
    """A Connect applet was told whom to dial."""
    return events.dial_asked(
        "c",
        at(seconds),
        transfer=transfer,
        attempt=attempt,
        numbers=numbers,
        contract="json",
        again=again,
    )


def passed_through(seconds: float, dial_status: str, call_type: str = "") -> CallEvent:
    """A Passthru applet told how the dialling went."""
    given = {"DialCallStatus": dial_status, "CallType": call_type}
    params = PassthruParams("c", dial_status=dial_status, call_type=call_type, given=given)
    return passthru_event(params, at(seconds))
