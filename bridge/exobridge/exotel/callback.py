"""Exotel's status callback, read liberally.

It is sent when a call that was placed by API ends, or is answered: as multipart, as a form or as
JSON, with few or many of its parameters. Calls that come in by a flow send none. Sources: Exotel's
documents of ``StatusCallback`` and ``StatusCallbackEvents``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from exobridge.exotel.given import read_given
from exobridge.exotel.passthru import read_call_sid
from exobridge.exotel.times import read_time
from exobridge.exotel.words import MAX_WORD, read_direction, read_seconds, read_status


@dataclass(frozen=True, slots=True)
class CallbackLeg:
    """One side of the call.

    Attributes:
        seconds: ``OnCallDuration``: on the call; ``None``: not told.
        status: As :func:`~exobridge.exotel.words.read_status` spells it.
        answered_by: ``human``, or another word of Exotel's.
    """

    seconds: int | None = None
    status: str = ""
    answered_by: str = ""


@dataclass(frozen=True, slots=True)
class StatusCallback:
    """What the callback tells. Texts are empty, the rest is ``None``, where nothing is told.

    Attributes:
        status: ``completed``, ``failed``, ``busy``, ``no-answer``, ``canceled``; ``in-progress`` of
            a call that was answered; or another word as it came.
        event_type: ``terminal`` or ``answered``; empty where the callback was not asked for by
            events, and means the end.
        updated_at: When Exotel last changed the call: of one that is over, its end.
        conversation_seconds: Both legs together on the line.
        legs: Who was rung first, and who then.
        recording_url: As it came. The file may come later, and mostly there is none.
    """

    call_sid: str
    status: str = ""
    event_type: str = ""
    updated_at: datetime | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: int | None = None
    conversation_seconds: int | None = None
    direction: str = ""
    from_number: str = field(default="", repr=False)
    to_number: str = field(default="", repr=False)
    phone_number_sid: str = ""
    custom_field: str = ""
    legs: tuple[CallbackLeg, ...] = ()
    recording_url: str = field(default="", repr=False)


def read_callback(pairs: Iterable[tuple[str, str]]) -> StatusCallback:
    """Read a form's, a query's or a JSON object's pairs.

    Raises:
        MissingCallSidError: There is no ``CallSid``.
    """
    given = read_given(pairs)
    return StatusCallback(
        call_sid=read_call_sid(given),
        status=read_status(given.text("Status", "CallStatus")),
        event_type=given.text("EventType").lower()[:MAX_WORD],
        updated_at=read_time(given.text("DateUpdated")),
        created_at=read_time(given.text("DateCreated")),
        started_at=read_time(given.text("StartTime")),
        ended_at=read_time(given.text("EndTime")),
        seconds=read_seconds(given.text("Duration")),
        conversation_seconds=read_seconds(given.text("ConversationDuration")),
        direction=read_direction(given.text("Direction")),
        from_number=given.text("From"),
        to_number=given.text("To"),
        phone_number_sid=given.text("PhoneNumberSid"),
        custom_field=given.text("CustomField"),
        legs=tuple(_leg(entry) for entry in given.entries("legs")),
        recording_url=given.text("RecordingUrl"),
    )


def _leg(entry: Mapping[str, str]) -> CallbackLeg:
    return CallbackLeg(
        seconds=read_seconds(entry.get("oncallduration", "")),
        status=read_status(entry.get("status", "")),
        answered_by=entry.get("answeredby", "").lower()[:MAX_WORD],
    )
