"""What is known of one call, gathered from its events. No I/O, no clock.

:func:`learn` adds one event. It gives the same facts for the same set of events, in whatever order
they come and however often; :mod:`exobridge.call.state` makes the call of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from exobridge.call.events import CallEvent, Decision, EndedBy, EventKind


@dataclass(frozen=True, slots=True, order=True)
class AnswerFact:
    """See :func:`exobridge.call.events.answer`."""

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
    """See :func:`exobridge.call.events.stream_started`."""

    at: datetime
    template: str
    caller: str
    called: str


@dataclass(frozen=True, slots=True, order=True)
class FormatFact:
    """See :func:`exobridge.call.events.stream_format`."""

    at: datetime
    encoding: str
    sample_rate: int


@dataclass(frozen=True, slots=True, order=True)
class EndFact:
    """See :func:`exobridge.call.events.stream_ended`."""

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
    """What is known of one call: all that :func:`learn` needs to go on.

    Attributes:
        first_at: Time of the earliest event.
        streams: By ``stream_sid``.
    """

    first_at: datetime
    answer: AnswerFact | None = None
    no_stream_at: datetime | None = None
    streams: tuple[StreamFacts, ...] = ()


_Fact = TypeVar("_Fact", AnswerFact, StartFact, FormatFact, EndFact, EndedBy, datetime)


def _least(known: _Fact | None, told: _Fact) -> _Fact:
    """Two different events of one kind and key should not be; if they are, the order in which
    they came must not show, so the earlier fact stands."""
    return told if known is None else min(known, told)


def learn(facts: Facts, event: CallEvent) -> Facts:
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
