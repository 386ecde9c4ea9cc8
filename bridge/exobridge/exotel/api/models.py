"""What Exotel's API tells, typed. Texts are empty, the rest is ``None``, where nothing is told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from exobridge.exotel.api.answer import Node, UnreadableAnswerError
from exobridge.exotel.times import read_time
from exobridge.exotel.words import read_direction, read_seconds, read_status

OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""Statuses of a call that is over."""

PAGE_SIZE = 50
"""ExoPhones in one page, where the page does not say it."""

_PRICE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)

_ACTIVE = ("activestreams", "activecount", "activestreamcount", "active", "count", "current")
_LIMIT = ("maxallowedstreams", "maxactivestreams", "maxstreams", "maxallowed", "limit", "max")
"""Spellings; Exotel's documents show the first of each, in JSON."""


@dataclass(frozen=True, slots=True)
class LegDetails:
    """One leg of a call.

    Attributes:
        leg_id: ``1``: the caller's of an incoming call, or who was rung first.
        seconds: ``OnCallDuration``: on the call.
    """

    leg_id: str = ""
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class CallDetails:
    """One call as Exotel keeps it.

    End, duration and price settle some minutes after the call (about 2, up to 5).

    Attributes:
        call_sid: As Exotel tells it.
        status: As :func:`~exobridge.exotel.words.read_status` spells it.
        direction: ``incoming``, ``outgoing``, or empty.
        from_number, to_number: As they were sent: a national number has a leading 0.
        seconds: ``Duration``, from the start to the end.
        price: In the account's currency.
        recording_url: Credentials are needed for it. The file may come later.
        presigned_url: Needs none, and works for some minutes; not every account has it.
        conversation_seconds: Both legs together on the line.
        leg1_status, leg2_status: Likewise spelled.
        has_details: Whether the answer had ``Details``, which the last four are from.
    """

    call_sid: str
    status: str = ""
    direction: str = ""
    from_number: str = field(default="", repr=False)
    to_number: str = field(default="", repr=False)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: int | None = None
    price: Decimal | None = None
    recording_url: str = field(default="", repr=False)
    presigned_url: str = field(default="", repr=False)
    conversation_seconds: int | None = None
    leg1_status: str = ""
    leg2_status: str = ""
    legs: tuple[LegDetails, ...] = ()
    has_details: bool = False

    @property
    def is_over(self) -> bool:
        """Whether the call has ended; its end may not be settled yet."""
        return self.status in OVER

    @property
    def is_settled(self) -> bool:
        """Whether end and duration are known: nothing but a recording is to come."""
        return self.is_over and self.ended_at is not None and self.seconds is not None


def read_call_details(answer: Node) -> CallDetails:
    """The answer about one call.

    Raises:
        UnreadableAnswerError: There is no call in it.
    """
    call = answer.node("Call") if "Call" in answer else answer
    if not call.text("Sid"):
        raise UnreadableAnswerError("no call in it")
    details = call.node("Details")
    legs = details.nodes("Legs", "Leg")
    return CallDetails(
        call_sid=call.text("Sid"),
        status=read_status(call.text("Status")),
        direction=read_direction(call.text("Direction")),
        from_number=call.text("From"),
        to_number=call.text("To"),
        started_at=read_time(call.text("StartTime")),
        ended_at=read_time(call.text("EndTime")),
        seconds=read_seconds(call.text("Duration")),
        price=_price(call.text("Price")),
        recording_url=call.text("RecordingUrl"),
        presigned_url=call.text("PreSignedRecordingUrl"),
        conversation_seconds=read_seconds(details.text("ConversationDuration")),
        leg1_status=read_status(details.text("Leg1Status")),
        leg2_status=read_status(details.text("Leg2Status")),
        legs=tuple(
            LegDetails(leg.text("Id"), read_seconds(leg.text("OnCallDuration"))) for leg in legs
        ),
        has_details="Details" in call,
    )


def _price(text: str) -> Decimal | None:
    return Decimal(text) if _PRICE.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class ExoPhone:
    """A number of the account.

    Attributes:
        phone_number: As Exotel writes it; national numbers may have a leading 0.
        voice_url: The flow that its calls go to.
    """

    sid: str
    phone_number: str = field(repr=False)
    friendly_name: str = ""
    country: str = ""
    region: str = ""
    voice_url: str = ""


@dataclass(frozen=True, slots=True)
class ExoPhonesPage:
    """Some of the account's numbers.

    Attributes:
        size: How many a full page has.
    """

    phones: tuple[ExoPhone, ...]
    size: int

    @property
    def is_full(self) -> bool:
        """Whether another page may follow."""
        return len(self.phones) >= self.size


def read_exophones(answer: Node) -> ExoPhonesPage:
    """One page of the account's numbers.

    Raises:
        UnreadableAnswerError: There is no list in it.
    """
    if "incoming_phone_numbers" not in answer:
        raise UnreadableAnswerError("no list of ExoPhones in it")
    phones = tuple(
        ExoPhone(
            sid=each.text("sid"),
            phone_number=each.text("phone_number"),
            friendly_name=each.text("friendly_name"),
            country=each.text("country"),
            region=each.text("region"),
            voice_url=each.text("voice_url"),
        )
        for each in answer.nodes("incoming_phone_numbers", "incoming_phone_number")
    )
    return ExoPhonesPage(phones, answer.number("page_size") or PAGE_SIZE)


@dataclass(frozen=True, slots=True)
class ActiveStreams:
    """The account's streams, of whatever server.

    Attributes:
        active: Open now.
        limit: The most there may be; ``None``: not told. Above it Exotel fails a stream with
            ``Streaming_call_throttled``.
    """

    active: int
    limit: int | None

    @property
    def free(self) -> int | None:
        """How many more may open; ``None``: not told."""
        return None if self.limit is None else max(0, self.limit - self.active)


def read_active_streams(answer: Node) -> ActiveStreams:
    """The answer about the account's streams.

    Raises:
        UnreadableAnswerError: There is no count in it.
    """
    numbers = answer.numbers()
    active = next((numbers[name] for name in _ACTIVE if name in numbers), None)
    if active is None:
        raise UnreadableAnswerError("no count of streams in it")
    limit = next((numbers[name] for name in _LIMIT if name in numbers), None)
    return ActiveStreams(active, limit or None)  # of an account that may have none no call comes
