"""The parameters Exotel's applets send to a webhook, read liberally.

Only some of the documented list is ever sent; no parameter but ``CallSid`` is required. Sources:
Exotel's Passthru applet documents. Deprecated ones (``RecordingAvailableBy``, ``ForwardedFrom``,
``ProcessStatus``, ``tenant_id``, ``numbers``) and ``flow_id`` are kept as they came and mean
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from exobridge.exotel.given import Given, clean, read_given
from exobridge.exotel.legs import Leg, read_legs
from exobridge.exotel.stream_report import StreamReport, read_stream_report
from exobridge.exotel.times import read_time
from exobridge.exotel.words import read_call_type, read_direction, read_seconds, read_status


class MissingCallSidError(Exception):
    """The request names no call."""


@dataclass(frozen=True, slots=True)
class PassthruParams:
    """What a webhook tells of its call. Texts are empty, the rest is ``None``, where nothing is
    told.

    Attributes:
        call_sid: Opaque, at most 128 characters.
        direction: ``incoming`` or ``outgoing`` (Exotel's ``outbound-dial`` is outgoing); empty: it
            is not told, and the roles below are an incoming call's.
        call_from: ``CallFrom``, else ``From``. Incoming: the caller. Outgoing: the number the call
            is made from.
        call_to: ``CallTo``, else ``To``. Incoming: the ExoPhone. Outgoing: the number dialled.
        leg_from: ``From``; for an outgoing call the first leg.
        call_status: One of :data:`~exobridge.exotel.words.STATUSES`, or another word as it came.
        call_type: One of :data:`~exobridge.exotel.words.CALL_TYPES`, or another word as it came.
            ``call-attempt`` is a call without a Connect applet, and no failure.
        custom_field: Only on calls started by API.
        digits: Keys gathered before, without the quotes Exotel puts around them.
        created: When the call began; ``started_at`` is ``StartTime``, ``ended_at`` ``EndTime``
            where that is a time at all, ``current_at`` when Exotel sent this.
        dial_status: How the last attempt to reach somebody went: ``completed``, ``busy``,
            ``no-answer``, ``failed`` or ``canceled``, or another word as it came.
        dial_whom: Who was dialled last, as Exotel wrote it.
        dial_seconds: Since the second leg was triggered, the conversation included; 0 without one.
        legs: One for each attempt of a Connect applet.
        stream: What became of the stream, after a Voicebot or Stream applet.
        recording_url: As it came; it may hold credentials. The file may come later.
        outgoing_number: ``OutgoingPhoneNumber``.
        given: All parameters, for the record; see :class:`~exobridge.exotel.given.Given`.
    """

    call_sid: str
    direction: str = ""
    call_from: str = ""
    call_to: str = ""
    leg_from: str = ""
    call_status: str = ""
    call_type: str = ""
    custom_field: str = ""
    digits: str = ""
    created: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    current_at: datetime | None = None
    dial_status: str = ""
    dial_whom: str = ""
    dial_seconds: int | None = None
    legs: tuple[Leg, ...] = ()
    stream: StreamReport | None = None
    recording_url: str = field(default="", repr=False)
    outgoing_number: str = ""
    given: Mapping[str, str] = field(default_factory=dict[str, str], repr=False, compare=False)

    @property
    def exophones(self) -> tuple[str, ...]:
        """Numbers of which one is ours, the likelier first."""
        if self.direction == "outgoing":
            return (self.call_from, self.call_to, self.leg_from)
        return (self.call_to, self.call_from)

    @property
    def looks_back(self) -> bool:
        """Whether it tells what the call has been through already."""
        return bool(self.stream or self.legs or self.dial_status or self.recording_url)

    @property
    def human(self) -> str:
        """The number of the human on the line."""
        return self.call_to if self.direction == "outgoing" else self.call_from


def read_passthru(pairs: Iterable[tuple[str, str]]) -> PassthruParams:
    """Read a query's or a form's pairs; of a repeated name the first that says something counts.

    Raises:
        MissingCallSidError: There is no ``CallSid``.
    """
    given = read_given(pairs)
    return PassthruParams(
        call_sid=read_call_sid(given),
        direction=read_direction(given.text("Direction")),
        call_from=given.text("CallFrom", "From"),
        call_to=given.text("CallTo", "To"),
        leg_from=given.text("From"),
        call_status=read_status(given.text("CallStatus")),
        call_type=read_call_type(given.text("CallType")),
        custom_field=given.text("CustomField"),
        digits=clean(given.text("digits").strip('"')),
        created=read_time(given.text("Created")),
        started_at=read_time(given.text("StartTime")),
        ended_at=read_time(given.text("EndTime")),
        current_at=read_time(given.text("CurrentTime")),
        dial_status=read_status(given.text("DialCallStatus")),
        dial_whom=given.text("DialWhomNumber"),
        dial_seconds=read_seconds(given.text("DialCallDuration")),
        legs=read_legs(given),
        stream=read_stream_report(given),
        recording_url=given.text("RecordingUrl"),
        outgoing_number=given.text("OutgoingPhoneNumber"),
        given=given.kept,
    )


def read_call_sid(given: Given) -> str:
    """The ``CallSid``, at most 128 characters.

    Raises:
        MissingCallSidError: There is none.
    """
    call_sid = given.text("CallSid")[:128]
    if not call_sid:
        raise MissingCallSidError("the request has no CallSid")
    return call_sid
