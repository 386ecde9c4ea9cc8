"""A call's state, derived from the facts that are known of it. No I/O, no clock.

Every webhook and stream event is a :class:`CallEvent`. :func:`apply` adds one to a :class:`Call`.
It gives the same call for the same set of events, in whatever order they come and however often,
because Exotel repeats webhooks, sends some late, and with an async Passthru the stream may come
before the answer. So no rule here asks what came first; rules compare the events' own times.

State, the first line that fits:

=========== ======================================================================
streaming   a stream is open: some event of it is known, neither its end nor its loss
ended       every stream has ended; or no stream came and the call was refused or given up
answered    ``answer`` is known; the stream may come
new         only later webhooks are known
=========== ======================================================================

Outcome, once ended. With streams, the one that began last decides, as a failed transfer leads back
to the bot ("a second stream for the same CallSid"), which re-opens the call:

=========== ======================================================================
transferred a transfer was asked for in it, and ``bot`` or ``server`` ended it. The caller is still
            on the line then: "close the socket: the call moves to the next applet"
completed   ``caller`` or ``bot`` ended it
failed      ``server`` or ``network`` ended it. "1006 without `stop` is common": where Exotel says
            later that the caller ended the stream, it is ``completed`` after all
lost        the process that held it is gone
refused     no stream, and the answer was ``refuse``
abandoned   no stream came in time: the caller left first, or the applet is set up wrongly
=========== ======================================================================
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeAlias, TypeVar

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


class EventKind(StrEnum):
    """What happened."""

    ANSWER = "answer"
    STREAM_STARTED = "stream-started"
    STREAM_FORMAT = "stream-format"
    TRANSFER_REQUESTED = "transfer-requested"
    STREAM_ENDED = "stream-ended"
    NO_STREAM = "no-stream"
    STREAM_LOST = "stream-lost"
    PASSTHRU = "passthru"


class State(StrEnum):
    """Where a call stands."""

    NEW = "new"
    ANSWERED = "answered"
    STREAMING = "streaming"
    ENDED = "ended"


class Outcome(StrEnum):
    """How a call ended; the table above says when."""

    COMPLETED = "completed"
    TRANSFERRED = "transferred"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    FAILED = "failed"
    LOST = "lost"


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
) -> CallEvent:
    """The first webhook was answered. Asked again for the same call, it counts once.

    Args:
        reason: Why it was decided so, e.g. ``at-capacity``.
        template: Name of the conversation.
        caller: The human's number in E.164, ``called`` the ExoPhone; empty if unknown.
        direction: ``incoming`` or ``outgoing``.
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
    return CallEvent(call_sid, EventKind.ANSWER, "answer", at, data)


def stream_started(
    call_sid: str,
    at: datetime,
    *,
    stream_sid: str,
    template: str = "",
    caller: str = "",
    called: str = "",
    custom_parameters: Mapping[str, str] | None = None,
) -> CallEvent:
    """Exotel's ``start`` came. A static URL's stream may come before an answer, or without one."""
    data: dict[str, JSON] = {
        "stream_sid": stream_sid,
        "template": template,
        "caller": caller,
        "called": called,
        "custom_parameters": dict(custom_parameters or {}),
    }
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
) -> CallEvent:
    """The stream is over.

    Args:
        reason: Exotel's ``stop.reason`` (opaque), or ours.
        close_code: The WebSocket's, if it was closed by then.
    """
    data: dict[str, JSON] = {
        "stream_sid": stream_sid,
        "ended_by": ended_by.value,
        "reason": reason,
        "close_code": close_code,
    }
    return _of_stream(call_sid, EventKind.STREAM_ENDED, at, data)


def no_stream(call_sid: str, at: datetime) -> CallEvent:
    """The call was answered and no stream opened in time. A stream that comes yet counts."""
    return CallEvent(call_sid, EventKind.NO_STREAM, EventKind.NO_STREAM.value, at)


def stream_lost(call_sid: str, at: datetime, *, stream_sid: str) -> CallEvent:
    """The stream was found open when the server started again. ``at`` is when it was found."""
    return _of_stream(call_sid, EventKind.STREAM_LOST, at, {"stream_sid": stream_sid})


def passthru(
    call_sid: str,
    at: datetime,
    parameters: Mapping[str, str],
    *,
    stream_sid: str = "",
    ended_by: EndedBy | None = None,
) -> CallEvent:
    """A later webhook of the call.

    A flow may hold several Passthru applets, so the key is made of all that was sent. Only
    ``CurrentTime`` is left out: a repeated delivery may differ in it.

    Args:
        parameters: As Exotel sent them; the caller has taken out tokens and ``StreamUrl``.
        stream_sid: The stream that Exotel reports on (``Stream[StreamSID]``), if it does.
        ended_by: Who ended that stream, in Exotel's view (``Stream[DisconnectedBy]``).
    """
    told = {name: value for name, value in parameters.items() if name.lower() != "currenttime"}
    digest = hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=12).hexdigest()
    data: dict[str, JSON] = {
        "parameters": dict(parameters),
        "stream_sid": stream_sid,
        "ended_by": ended_by.value if ended_by else None,
    }
    return CallEvent(call_sid, EventKind.PASSTHRU, f"{EventKind.PASSTHRU}:{digest}", at, data)


def _of_stream(call_sid: str, kind: EventKind, at: datetime, data: Mapping[str, JSON]) -> CallEvent:
    return CallEvent(call_sid, kind, f"{kind}:{data['stream_sid']}", at, data)


# ------------------------------------------------------------------ what is known of a call


@dataclass(frozen=True, slots=True, order=True)
class AnswerFact:
    """See :func:`answer`."""

    at: datetime
    decision: Decision
    reason: str
    template: str
    caller: str
    called: str
    direction: str
    custom_field: str


@dataclass(frozen=True, slots=True, order=True)
class StartFact:
    """See :func:`stream_started`."""

    at: datetime
    template: str
    caller: str
    called: str


@dataclass(frozen=True, slots=True, order=True)
class FormatFact:
    """See :func:`stream_format`."""

    at: datetime
    encoding: str
    sample_rate: int


@dataclass(frozen=True, slots=True, order=True)
class EndFact:
    """See :func:`stream_ended`."""

    at: datetime
    by: EndedBy
    reason: str


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What is known of one stream; ``None``: not told (yet).

    Attributes:
        reported: Who ended it, in Exotel's view. A report alone makes no stream of ours.
    """

    stream_sid: str
    start: StartFact | None = None
    format: FormatFact | None = None
    transfer_at: datetime | None = None
    end: EndFact | None = None
    lost_at: datetime | None = None
    reported: EndedBy | None = None

    @property
    def began_at(self) -> datetime | None:
        """Time of its earliest event: its start, once all are known."""
        facts = (self.start, self.format, self.end)
        known = [fact.at for fact in facts if fact]
        known += [at for at in (self.transfer_at, self.lost_at) if at]
        return min(known, default=None)

    @property
    def over_at(self) -> datetime | None:
        """When it ended, or was found lost; ``None`` while it is open."""
        return self.end.at if self.end else self.lost_at


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one call: all that :func:`apply` needs to go on.

    Attributes:
        first_at: Time of the earliest event.
        streams: By ``stream_sid``.
    """

    first_at: datetime
    answer: AnswerFact | None = None
    no_stream_at: datetime | None = None
    streams: tuple[StreamFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it stands. Texts are empty and times ``None`` where nothing is known.

    Attributes:
        direction: ``incoming``, ``outgoing``, or empty: not known without an answer.
        caller: The human's number, ``called`` the ExoPhone; from the answer, else from the stream.
        outcome: ``None`` while the call is open.
        reason: Why the answer was decided so.
        stream_sid: The stream that began last.
        streams: How many there were.
        encoding: Of the latest stream whose audio is known; ``sample_rate`` in hertz.
        created_at: Time of the earliest event.
        started_at: When the first stream began.
        ended_at: When the last stream ended, or the call was refused or given up.
        facts: What the rest is derived from.
    """

    call_sid: str
    direction: str
    caller: str
    called: str
    template: str
    state: State
    outcome: Outcome | None
    decision: Decision | None
    reason: str
    custom_field: str
    stream_sid: str
    streams: int
    encoding: str
    sample_rate: int | None
    created_at: datetime
    answered_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    ended_by: EndedBy | None
    end_reason: str
    facts: Facts = field(repr=False)

    @property
    def open_streams(self) -> tuple[str, ...]:
        """``stream_sid`` of each stream that has not ended."""
        return tuple(s.stream_sid for s in self.facts.streams if s.began_at and not s.over_at)


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


# ------------------------------------------------------------------ the rules


def apply(call: Call | None, event: CallEvent) -> Call:
    """The call, with one more event known. ``None`` is a call of which nothing is known.

    Raises:
        ValueError: The event is another call's.
    """
    if call is not None and call.call_sid != event.call_sid:
        raise ValueError("the event is another call's")
    facts = call.facts if call else Facts(first_at=event.at)
    return derive(event.call_sid, _learn(facts, event))


def replay(events: Iterable[CallEvent]) -> Call | None:
    """The call that these events make; ``None`` without any."""
    call = None
    for event in events:
        call = apply(call, event)
    return call


_Fact = TypeVar("_Fact", AnswerFact, StartFact, FormatFact, EndFact, EndedBy, datetime)


def _least(known: _Fact | None, told: _Fact) -> _Fact:
    """Two different events of one kind and key should not be; if they are, the order in which
    they came must not show, so the earlier fact stands."""
    return told if known is None else min(known, told)


def _learn(facts: Facts, event: CallEvent) -> Facts:
    facts = replace(facts, first_at=min(facts.first_at, event.at))
    match event.kind:
        case EventKind.ANSWER:
            return replace(facts, answer=_least(facts.answer, _answer_fact(event)))
        case EventKind.NO_STREAM:
            return replace(facts, no_stream_at=_least(facts.no_stream_at, event.at))
        case _ if stream_sid := _text(event, "stream_sid"):
            known = {stream.stream_sid: stream for stream in facts.streams}
            stream = known.get(stream_sid) or StreamFacts(stream_sid)
            known[stream_sid] = _learn_of_stream(stream, event)
            return replace(facts, streams=tuple(known[sid] for sid in sorted(known)))
        case _:
            return facts


def _answer_fact(event: CallEvent) -> AnswerFact:
    return AnswerFact(
        at=event.at,
        decision=Decision(_text(event, "decision")),
        reason=_text(event, "reason"),
        template=_text(event, "template"),
        caller=_text(event, "caller"),
        called=_text(event, "called"),
        direction=_text(event, "direction"),
        custom_field=_text(event, "custom_field"),
    )


def _learn_of_stream(stream: StreamFacts, event: CallEvent) -> StreamFacts:
    match event.kind:
        case EventKind.STREAM_STARTED:
            texts = (_text(event, name) for name in ("template", "caller", "called"))
            return replace(stream, start=_least(stream.start, StartFact(event.at, *texts)))
        case EventKind.STREAM_FORMAT:
            rate = event.data.get("sample_rate")
            hertz = rate if isinstance(rate, int) else 0
            told = FormatFact(event.at, _text(event, "encoding"), hertz)
            return replace(stream, format=_least(stream.format, told))
        case EventKind.TRANSFER_REQUESTED:
            return replace(stream, transfer_at=_least(stream.transfer_at, event.at))
        case EventKind.STREAM_ENDED:
            end = EndFact(event.at, EndedBy(_text(event, "ended_by")), _text(event, "reason"))
            return replace(stream, end=_least(stream.end, end))
        case EventKind.STREAM_LOST:
            return replace(stream, lost_at=_least(stream.lost_at, event.at))
        case EventKind.PASSTHRU if by := _text(event, "ended_by"):
            return replace(stream, reported=_least(stream.reported, EndedBy(by)))
        case _:
            return stream


def _text(event: CallEvent, name: str) -> str:
    value = event.data.get(name)
    return value if isinstance(value, str) else ""


def derive(call_sid: str, facts: Facts) -> Call:
    """The call that these facts make."""
    began = [(at, stream) for stream in facts.streams if (at := stream.began_at)]
    began.sort(key=lambda item: (item[0], item[1].stream_sid))
    streams = [stream for _, stream in began]
    told = facts.answer
    tellers = [fact for fact in (told, *(stream.start for stream in streams)) if fact]
    formats = [stream.format for stream in streams if stream.format]
    ending = _ending(facts, streams)
    return Call(
        call_sid=call_sid,
        direction=told.direction if told else "",
        caller=_first([fact.caller for fact in tellers]),
        called=_first([fact.called for fact in tellers]),
        template=_first([fact.template for fact in tellers]),
        state=_state(facts, streams, ending),
        outcome=ending.outcome if ending else None,
        decision=told.decision if told else None,
        reason=told.reason if told else "",
        custom_field=told.custom_field if told else "",
        stream_sid=streams[-1].stream_sid if streams else "",
        streams=len(streams),
        encoding=formats[-1].encoding if formats else "",
        sample_rate=formats[-1].sample_rate if formats else None,
        created_at=facts.first_at,
        answered_at=told.at if told else None,
        started_at=began[0][0] if began else None,
        ended_at=ending.at if ending else None,
        ended_by=ending.by if ending else None,
        end_reason=ending.reason if ending else "",
        facts=facts,
    )


@dataclass(frozen=True, slots=True)
class _Ending:
    outcome: Outcome
    at: datetime
    by: EndedBy | None
    reason: str


def _state(facts: Facts, streams: Sequence[StreamFacts], ending: _Ending | None) -> State:
    if ending:
        return State.ENDED
    if streams:
        return State.STREAMING
    return State.ANSWERED if facts.answer else State.NEW


def _ending(facts: Facts, streams: Sequence[StreamFacts]) -> _Ending | None:
    """How the call ended, ``streams`` being in the order in which they began."""
    if streams:
        over = [at for stream in streams if (at := stream.over_at)]
        return _stream_ending(streams[-1], max(over)) if len(over) == len(streams) else None
    if facts.answer and facts.answer.decision is Decision.REFUSE:
        answer = facts.answer
        return _Ending(Outcome.REFUSED, answer.at, EndedBy.SERVER, answer.reason)
    if facts.no_stream_at:
        return _Ending(Outcome.ABANDONED, facts.no_stream_at, None, "no stream came")
    return None


def _stream_ending(latest: StreamFacts, at: datetime) -> _Ending:
    if latest.end is None:
        return _Ending(Outcome.LOST, at, EndedBy.SERVER, "the server restarted")
    by = latest.end.by
    if by is EndedBy.NETWORK and latest.reported is EndedBy.CALLER:
        by = EndedBy.CALLER
    if latest.transfer_at and by in (EndedBy.BOT, EndedBy.SERVER):
        outcome = Outcome.TRANSFERRED
    elif by in (EndedBy.CALLER, EndedBy.BOT):
        outcome = Outcome.COMPLETED
    else:
        outcome = Outcome.FAILED
    return _Ending(outcome, at, by, latest.end.reason)


def _first(texts: Iterable[str]) -> str:
    """The first text that is not empty."""
    return next(filter(None, texts), "")
