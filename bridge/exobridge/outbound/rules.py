"""When somebody may be called, and what became of a call. Pure.

The law: promotional calls only from 09:00 to 21:00 in India (TRAI's TCCCPR 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from exobridge.call.machine_watch import REASON as MACHINE
from exobridge.call.outcome import Outcome
from exobridge.call.state import Call, State
from exobridge.outbound.models import DialOutcome, RetryPolicy
from exobridge.templates.hours import DAY_MINUTES, Hours, is_open

IST = ZoneInfo("Asia/Kolkata")
OPENS, CLOSES = time(9), time(21)
"""Of a promotional call, in India."""

MARGIN = timedelta(seconds=90)
"""A phone rings some time after Exotel was asked, 30 s later at most, and for 60 s at most. No
request is made so short before a closing that it might ring after."""

_LOOK_AHEAD_DAYS = 370


# ------------------------------------------------------------------ hours


def may_call(now: datetime, *, promotional: bool, hours: Hours | None) -> bool:
    """Whether Exotel may be asked now for a call.

    Args:
        now: Aware.
        hours: The template's own, which only narrow what the law lets.
    """
    return all(
        (not promotional or OPENS <= at.astimezone(IST).time() < CLOSES) and is_open(hours, at)
        for at in (now, now + MARGIN)
    )


def next_call(now: datetime, *, promotional: bool, hours: Hours | None) -> datetime | None:
    """From when on Exotel may be asked: ``now`` itself, or the next opening. ``None``: within a
    year there is none."""
    if may_call(now, promotional=promotional, hours=hours):
        return now
    for at in _openings(now, promotional=promotional, hours=hours):
        if at > now and may_call(at, promotional=promotional, hours=hours):
            return at.astimezone(now.tzinfo)
    return None


def _openings(now: datetime, *, promotional: bool, hours: Hours | None) -> Iterator[datetime]:
    """Times at which something opens, in order of the days."""
    begin = now.astimezone(IST).date() - timedelta(days=1)
    for offset in range(_LOOK_AHEAD_DAYS):
        day = begin + timedelta(days=offset)
        times = [datetime.combine(day, OPENS, IST)] if promotional else []
        times += _spans_begin(hours, day) if hours is not None else []
        yield from sorted(times)


def _spans_begin(hours: Hours, day: date) -> list[datetime]:
    zone = ZoneInfo(hours.timezone)
    return [
        datetime.combine(day, time(start // 60, start % 60), zone)
        for start, _ in hours.on(day)
        if start < DAY_MINUTES
    ]


# ------------------------------------------------------------------ what became of it


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an attempt.

    Attributes:
        at: When the call ended.
        error: More of it, in words that anybody may read.
    """

    outcome: DialOutcome
    at: datetime
    error: str = ""


_OF_CALL = {
    Outcome.BUSY: DialOutcome.BUSY,
    Outcome.NO_ANSWER: DialOutcome.NO_ANSWER,
    Outcome.FAILED: DialOutcome.FAILED,
    Outcome.CANCELED: DialOutcome.FAILED,
    Outcome.REFUSED: DialOutcome.FAILED,
    Outcome.UNKNOWN: DialOutcome.UNKNOWN,
}
"""All others were answered: somebody was on the line, if not for long."""


def result_of(call: Call) -> Result | None:
    """What the record says of a call that we placed; ``None``: it is not over."""
    if call.state is not State.ENDED or call.outcome is None or call.ended_at is None:
        return None
    if call.end_reason == MACHINE:
        return Result(DialOutcome.VOICEMAIL, call.ended_at)
    if call.streams:  # its own end does not matter: it had been answered
        return Result(DialOutcome.ANSWERED, call.ended_at)
    outcome = _OF_CALL.get(call.outcome, DialOutcome.ANSWERED)
    return Result(outcome, call.ended_at, _error_of(call))


def goes_on(call: Call) -> bool:
    """Whether a call may go on that is over for the bot: Exotel's flow has it, a human may be
    talking to them, and Exotel has not said that it is over."""
    handed_on = call.outcome in (Outcome.TRANSFERRED, Outcome.UNANSWERED)
    return handed_on and not (call.exotel is not None and call.exotel.is_summary)


def _error_of(call: Call) -> str:
    match call.outcome:
        case Outcome.REFUSED:
            return f"it was answered, and turned away here: {call.reason}"
        case Outcome.CANCELED:
            return "it was canceled at Exotel"
        case Outcome.FAILED:
            return "Exotel could not reach the number"
        case Outcome.UNKNOWN:
            return "nobody has told of its end"
        case Outcome.ABANDONED:
            return "it was answered, and ended before the bot was there"
        case _:
            return ""


def next_attempt(policy: RetryPolicy, attempts: int, result: Result) -> datetime | None:
    """When to call again, the hours apart; ``None``: not any more.

    Args:
        attempts: How many there were that count.
    """
    if attempts >= policy.attempts or result.outcome not in policy.retry_on:
        return None
    pause = policy.pauses[min(attempts, len(policy.pauses)) - 1] if policy.pauses else 0.0
    return result.at + timedelta(seconds=pause)
