"""What happened on a call: the facts that the record keeps. No I/O, no clock.

Every webhook and every step of a stream is one :class:`CallEvent`, made by the function of its
kind; :mod:`exobridge.call.state` derives the call from them. What was said is kept beside them, one
:class:`Turn` for each side's turn.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeAlias

from exobridge.call.placed import PlacedCall
from exobridge.call.routed import Routed

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


class EventKind(StrEnum):
    """What happened."""

    PLACED = "placed"
    ANSWER = "answer"
    STREAM_STARTED = "stream-started"
    STREAM_FORMAT = "stream-format"
    TRANSFER_REQUESTED = "transfer-requested"
    STREAM_ENDED = "stream-ended"
    NO_STREAM = "no-stream"
    STREAM_LOST = "stream-lost"
    PASSTHRU = "passthru"
    DIAL_ASKED = "dial-asked"
    DIAL = "dial"
    STATUS = "status"
    DETAILS = "details"
    RECORDING = "recording"


class EndedBy(StrEnum):
    """Who ended a stream."""

    CALLER = "caller"
    """Exotel sent ``stop``: the caller hung up."""
    BOT = "bot"
    """The conversation was over, or the caller was handed on."""
    SERVER = "server"
    """We had to: an error, a limit, a shutdown."""
    NETWORK = "network"
    """The line went dead or the socket closed, without ``stop``."""


class Decision(StrEnum):
    """What the call's first webhook was answered."""

    ACCEPT = "accept"
    SAY = "say"
    """Open a stream only to say one message (closed hours, say)."""
    REFUSE = "refuse"


class Role(StrEnum):
    """Who speaks."""

    CALLER = "caller"
    BOT = "bot"


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One fact. Made by the functions below, so that keys are made in one place.

    Attributes:
        call_sid: Exotel's id of the call, never empty.
        key: Told once per call: another event with the same call and key is a duplicate.
        at: When it happened, any aware time; kept in UTC, to the microsecond.
        data: What the kind's function put in. No secrets: it is stored as it is.

    Raises:
        ValueError: ``call_sid`` is empty or ``at`` has no zone.
    """

    call_sid: str
    kind: EventKind
    key: str
    at: datetime
    data: Mapping[str, JSON] = field(default_factory=dict[str, JSON])

    def __post_init__(self) -> None:
        if not self.call_sid:
            raise ValueError("an event needs a call_sid")
        if self.at.utcoffset() is None:
            raise ValueError("an event's time needs a zone")
        object.__setattr__(self, "at", self.at.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said. Kept when the turn is over.

    Attributes:
        number: 1 for the first of its stream.
        start_ms: On the stream's time line, milliseconds since it began; ``end_ms`` likewise.
        heard_ms: How much of it the caller heard; all of it unless ``interrupted``. ``None`` for
            the caller's own.
        language: BCP-47 tag, where it is known.
        eot_ms: From the caller's last voiced frame to the decision that the turn is over, in
            milliseconds as all that follow; ``None``: not measured.
        stt_ms: Until the text was final.
        dialogue_ms: Until the first words of the answer.
        tts_ms: Until its first audio.
        send_ms: Until that audio was sent.
    """

    call_sid: str
    stream_sid: str
    number: int
    role: Role
    text: str
    start_ms: int
    end_ms: int
    heard_ms: int | None = None
    interrupted: bool = False
    language: str = ""
    eot_ms: float | None = None
    stt_ms: float | None = None
    dialogue_ms: float | None = None
    tts_ms: float | None = None
    send_ms: float | None = None


def placed(call_sid: str, at: datetime, call: PlacedCall) -> CallEvent:
    """We had the call placed: Exotel has told its CallSid, or a webhook has that names our dial. A
    call is placed once, whoever tells it."""
    return CallEvent(call_sid, EventKind.PLACED, EventKind.PLACED.value, at, call.data())


def answer(
    call_sid: str,
    at: datetime,
    *,
    decision: Decision,
    reason: str = "",
    template: str = "",
    caller: str = "",
    called: str = "",
    direction: str = "",
    custom_field: str = "",
    routed: Routed | None = None,
) -> CallEvent:
    """The first webhook was answered. Asked again for the same call, it counts once.

    Args:
        reason: Why it was decided so, e.g. ``at-capacity``.
        template: Name of the conversation.
        caller: The human's number in E.164, ``called`` the ExoPhone; empty if unknown.
        direction: ``incoming`` or ``outgoing``.
        routed: What the template's rules decided; ``None``: it has none.
    """
    data: dict[str, JSON] = {
        "decision": decision.value,
        "reason": reason,
        "template": template,
        "caller": caller,
        "called": called,
        "direction": direction,
        "custom_field": custom_field,
    }
    if routed is not None:
        data["routed"] = routed.data()
    return CallEvent(call_sid, EventKind.ANSWER, "answer", at, data)


def stream_started(
    call_sid: str,
    at: datetime,
    *,
    stream_sid: str,
    template: str = "",
    caller: str = "",
    called: str = "",
    direction: str = "",
    custom_parameters: Mapping[str, str] | None = None,
    routed: Routed | None = None,
) -> CallEvent:
    """Exotel's ``start`` came. A static URL's stream may come before an answer, or without one;
    then it is what tells how the call was ``routed``."""
    data: dict[str, JSON] = {
        "stream_sid": stream_sid,
        "template": template,
        "caller": caller,
        "called": called,
        "direction": direction,
        "custom_parameters": dict(custom_parameters or {}),
    }
    if routed is not None:
        data["routed"] = routed.data()
    return _of_stream(call_sid, EventKind.STREAM_STARTED, at, data)


def stream_format(
    call_sid: str, at: datetime, *, stream_sid: str, encoding: str, sample_rate: int, why: str
) -> CallEvent:
    """What the stream's audio was found to be. Decided once a stream.

    Args:
        encoding: ``pcm16``, ``mulaw`` or ``alaw``.
        sample_rate: Hertz.
        why: The rule that decided.
    """
    data: dict[str, JSON] = {
        "stream_sid": stream_sid,
        "encoding": encoding,
        "sample_rate": sample_rate,
        "why": why,
    }
    return _of_stream(call_sid, EventKind.STREAM_FORMAT, at, data)


def transfer_requested(
    call_sid: str, at: datetime, *, stream_sid: str, utterance: str, target: str, summary: str = ""
) -> CallEvent:
    """The bot hands the caller to a human, once the stream has ended.

    Args:
        utterance: Id of the turn that asked; asking again in the same turn is a duplicate.
        target: Where to: a name or an E.164 number.
        summary: For the human: who calls, and why.
    """
    data: dict[str, JSON] = {"stream_sid": stream_sid, "target": target, "summary": summary}
    key = f"{EventKind.TRANSFER_REQUESTED}:{stream_sid}:{utterance}"
    return CallEvent(call_sid, EventKind.TRANSFER_REQUESTED, key, at, data)


def stream_ended(
    call_sid: str,
    at: datetime,
    *,
    stream_sid: str,
    ended_by: EndedBy,
    reason: str = "",
    close_code: int | None = None,
    usage: Mapping[str, JSON] | None = None,
) -> CallEvent:
    """The stream is over.

    Args:
        reason: Exotel's ``stop.reason`` (opaque), or ours.
        close_code: The WebSocket's, if it was closed by then.
        usage: What it used of what providers bill: by kind the ``provider`` and its numbers, a
            list of several, as :meth:`exobridge.call.tally.Tally.record` names them.
    """
    data: dict[str, JSON] = {
        "stream_sid": stream_sid,
        "ended_by": ended_by.value,
        "reason": reason,
        "close_code": close_code,
        "usage": usage or {},
    }
    return _of_stream(call_sid, EventKind.STREAM_ENDED, at, data)


def no_stream(call_sid: str, at: datetime) -> CallEvent:
    """The call was answered and no stream opened in time; or it was never answered, and nothing
    has been heard of it for a day. A stream that comes yet counts."""
    return CallEvent(call_sid, EventKind.NO_STREAM, EventKind.NO_STREAM.value, at)


def stream_lost(call_sid: str, at: datetime, *, stream_sid: str) -> CallEvent:
    """The stream was found open when the server started again, at ``at``; or was left open a day
    ago, and ``at`` is the last that was heard of the call."""
    return _of_stream(call_sid, EventKind.STREAM_LOST, at, {"stream_sid": stream_sid})


def passthru(
    call_sid: str,
    at: datetime,
    parameters: Mapping[str, str],
    *,
    stream_sid: str = "",
    ended_by: EndedBy | None = None,
    transfer: str = "",
    told: Mapping[str, JSON] | None = None,
) -> CallEvent:
    """A later webhook of the call.

    A flow may hold several Passthru applets, so the key is made of all that was sent. Left out are
    ``CurrentTime``, in which a repeated delivery may differ, and what is told of a stream: that
    counts once for each stream. Two attempts to reach a human may be told in the same words; where
    they belong to two transfers they are two events. Within one they count once: nothing tells
    such a second attempt from a second delivery.

    Args:
        parameters: As Exotel sent them, without tokens and with no credentials in a URL.
        stream_sid: The stream that Exotel reports on (``Stream[StreamSID]``), if it does.
        ended_by: Who ended that stream, in Exotel's view (``Stream[DisconnectedBy]``).
        transfer: Key of the call's latest ``transfer-requested`` event; empty: none is known.
        told: What was read of the parameters: ``caller``, ``called``, ``direction``,
            ``call_status``, ``call_type``, ``dial_status``,
            ``dial_whom``, ``dial_seconds``, ``legs`` (each with ``number``, ``type``, ``seconds``,
            ``cause_code``, ``cause``) and ``stream`` (``status``, ``seconds``, ``error``,
            ``detailed_status``); what is not told is not there.
    """
    rest = {
        name: value
        for name, value in parameters.items()
        if (plain := name.lower()) != "currenttime"
        and not (stream_sid and plain.startswith("stream"))
    }
    words = json.dumps([rest, transfer] if transfer else rest, sort_keys=True)
    digest = hashlib.blake2b(words.encode(), digest_size=12).hexdigest()
    key = ":".join(filter(None, (EventKind.PASSTHRU, stream_sid, digest)))
    data: dict[str, JSON] = {
        **(told or {}),
        "parameters": dict(parameters),
        "stream_sid": stream_sid,
        "ended_by": ended_by.value if ended_by else None,
    }
    return CallEvent(call_sid, EventKind.PASSTHRU, key, at, data)


def dial_asked(
    call_sid: str,
    at: datetime,
    *,
    transfer: str,
    attempt: int,
    numbers: Sequence[str],
    contract: str,
    reason: str = "",
    again: bool = False,
    parallel: int = 0,
) -> CallEvent:
    """A Connect applet asked whom to dial, or would have asked in vain. Asked again for the same
    attempt, it counts once.

    Args:
        transfer: Key of the ``transfer-requested`` event that is pending; empty: none is.
        attempt: 1 for the first question of this transfer.
        numbers: What was answered, E.164; empty: nobody is to be dialled.
        contract: ``json`` or ``text``; ``passthru``: the Passthru before the applet asked.
        reason: Why nobody is, e.g. ``no-transfer``, ``expired``, ``exhausted``.
        again: It was told to ask again if nobody is reached.
        parallel: How many were to ring at once; 0: one after the other.
    """
    data: dict[str, JSON] = {
        "transfer": transfer,
        "attempt": attempt,
        "numbers": list(numbers),
        "contract": contract,
        "reason": reason,
        "again": again,
        "parallel": parallel,
    }
    return CallEvent(
        call_sid, EventKind.DIAL_ASKED, f"{EventKind.DIAL_ASKED}:{transfer}:{attempt}", at, data
    )


def dial(
    call_sid: str, at: datetime, *, event_type: str, number: str, status: str, told_at: str = ""
) -> CallEvent:
    """Exotel tells how the dialling goes (``dial_passthru_event_url``). Any subset may come.

    Args:
        event_type: ``Dial``, ``Ringing``, ``Answered`` or ``Terminal``.
        number: Who is dialled, E.164 or as Exotel wrote it.
        status: ``busy`` while the agent is called, ``free`` after.
        told_at: Exotel's ``CurrentTime``, which tells two attempts at one number apart.
    """
    data: dict[str, JSON] = {"event_type": event_type, "number": number, "status": status}
    key = f"{EventKind.DIAL}:{event_type}:{number}:{told_at}"
    return CallEvent(call_sid, EventKind.DIAL, key, at, data)


def status(
    call_sid: str, at: datetime, *, status: str, event_type: str, data: Mapping[str, JSON]
) -> CallEvent:
    """Exotel's status callback. Repeated, it counts once by event type and status.

    Args:
        status: ``completed``, ``failed``, ``busy``, ``no-answer`` or ``canceled``.
        event_type: ``terminal`` or ``answered``; empty where it is not told.
        data: The rest, typed, without credentials: no ``RecordingUrl`` with a signature.
    """
    told: dict[str, JSON] = {**data, "status": status, "event_type": event_type}
    key = f"{EventKind.STATUS}:{event_type}:{status}"
    return CallEvent(call_sid, EventKind.STATUS, key, at, told)


def details(
    call_sid: str, at: datetime, *, status: str, data: Mapping[str, JSON], settled: bool = True
) -> CallEvent:
    """What Exotel's API says of the call, asked after its end; once for each status, and once more
    when its sums have settled.

    Args:
        settled: Its end and its duration are known.
    """
    told: dict[str, JSON] = {**data, "status": status, "settled": settled}
    key = f"{EventKind.DETAILS}:{status}" + ("" if settled else ":unsettled")
    return CallEvent(call_sid, EventKind.DETAILS, key, at, told)


def recording(
    call_sid: str, at: datetime, *, source: str, name: str, duration_ms: int | None, size: int
) -> CallEvent:
    """A recording of the call has been stored.

    Args:
        source: ``exotel``, or ``own``: made of the stream by ourselves.
        name: Which of the source's; an own one is named after its stream.
        size: Bytes.
    """
    data: dict[str, JSON] = {
        "source": source,
        "name": name,
        "duration_ms": duration_ms,
        "bytes": size,
    }
    key = f"{EventKind.RECORDING}:{source}:{name}"
    return CallEvent(call_sid, EventKind.RECORDING, key, at, data)


def _of_stream(call_sid: str, kind: EventKind, at: datetime, data: Mapping[str, JSON]) -> CallEvent:
    return CallEvent(call_sid, kind, f"{kind}:{data['stream_sid']}", at, data)
