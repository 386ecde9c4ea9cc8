"""Whether a transfer is pending, by what is known of the call. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from exobridge.call.events import CallEvent, EventKind
from exobridge.templates.transfer import TransferTable

REACHED = "completed"
"""``DialCallStatus`` of an attempt that reached somebody."""

HUNG_UP = "client-hangup"
"""``CallType`` of a caller who hung up while a human was dialled."""

ENDED = ("completed", "busy", "failed", "no-answer", "canceled")
"""Statuses of a call that is over."""


class Nobody(StrEnum):
    """Why nobody is to be dialled."""

    NO_TRANSFER = "no-transfer"
    """The bot did not hand the caller over."""
    EXPIRED = "expired"
    """It did, too long ago."""
    ANSWERED = "answered"
    """Somebody was reached already."""
    RESUMED = "resumed"
    """The caller is with the bot again."""
    OVER = "over"
    """The call has ended."""
    EXHAUSTED = "exhausted"
    """Everybody was tried."""
    UNKNOWN_TARGET = "unknown-target"
    CLOSED = "closed"
    """It is outside the target's hours."""
    DECLINED = "declined"
    """The user's own system says that nobody is to be dialled."""
    NO_RECORD = "no-record"
    """The database did not tell, and the template has no target of its own."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was answered for the transfer: see :func:`~.call.events.dial_asked`."""

    attempt: int
    numbers: tuple[str, ...]
    at: datetime
    again: bool
    parallel: int
    reason: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A transfer that is pending.

    Attributes:
        key: Of its ``transfer-requested`` event.
        asked: In the order of their attempts.
        another: Somebody was dialled for an earlier transfer of the call, so that Exotel may tell
            yet how that went.
    """

    key: str
    target: str
    summary: str
    at: datetime
    asked: tuple[Asked, ...] = ()
    another: bool = False


def pending(events: Sequence[CallEvent], now: datetime, table: TransferTable) -> Pending | Nobody:
    """The call's transfer that is pending, or why there is none.

    Args:
        events: All of the call's.
    """
    requests = [event for event in events if event.kind is EventKind.TRANSFER_REQUESTED]
    if not requests:
        return Nobody.NO_TRANSFER
    request = max(requests, key=lambda event: (event.at, event.key))
    questions = [event for event in events if event.kind is EventKind.DIAL_ASKED]
    asked = sorted(
        (read_asked(event) for event in questions if _text(event, "transfer") == request.key),
        key=lambda each: each.attempt,
    )
    after = sorted(
        (event for event in events if event.at > request.at), key=lambda each: (each.at, each.key)
    )
    if (over := _over(after, asked)) is not None:
        return over
    has_expired = any(each.reason == Nobody.EXPIRED for each in asked)
    if has_expired or now - _latest(request, asked) > _patience(table, asked):
        return Nobody.EXPIRED
    return Pending(
        key=request.key,
        target=_text(request, "target"),
        summary=_text(request, "summary"),
        at=request.at,
        asked=tuple(asked),
        another=any(_text(event, "transfer") not in ("", request.key) for event in questions),
    )


def _latest(request: CallEvent, asked: Sequence[Asked]) -> datetime:
    return asked[-1].at if asked else request.at


def _patience(table: TransferTable, asked: Sequence[Asked]) -> timedelta:
    """Once Exotel dials it asks again only when that has failed, and that may take a while."""
    ringing = table.ring_seconds * len(asked[-1].numbers) if asked else 0
    return timedelta(seconds=table.expires_seconds + ringing)


def _over(after: Sequence[CallEvent], asked: Sequence[Asked]) -> Nobody | None:
    """What ended the transfer first, of what happened after it was asked for."""
    for event in after:
        match event.kind:
            case EventKind.STREAM_STARTED:
                return Nobody.RESUMED
            case EventKind.STATUS | EventKind.DETAILS if _text(event, "status") in ENDED:
                if _text(event, "event_type").lower() != "answered":
                    return Nobody.OVER
            case EventKind.DIAL if _text(event, "event_type") == "Answered":
                return Nobody.ANSWERED
            case EventKind.PASSTHRU if _text(event, "call_type") == HUNG_UP:
                return Nobody.OVER
            case EventKind.PASSTHRU if asked and event.at > asked[0].at:
                # Before anybody was dialled it tells of an earlier transfer.
                if _text(event, "dial_status") == REACHED:
                    return Nobody.ANSWERED
            case _:
                pass
    return None


def read_asked(event: CallEvent) -> Asked:
    """What a ``dial-asked`` event keeps."""
    attempt, numbers = event.data.get("attempt"), event.data.get("numbers")
    parallel = event.data.get("parallel")
    return Asked(
        attempt=attempt if isinstance(attempt, int) else 1,
        numbers=tuple(map(str, numbers)) if isinstance(numbers, list) else (),
        at=event.at,
        again=event.data.get("again") is True,
        parallel=parallel if isinstance(parallel, int) else 0,
        reason=_text(event, "reason"),
    )


def _text(event: CallEvent, name: str) -> str:
    value = event.data.get(name)
    return value if isinstance(value, str) else ""
