"""What is known of one call, gathered from its events. No I/O, no clock.

:func:`learn` adds one event. It gives the same facts for the same set of events, in whatever order
they come and however often; :mod:`exobridge.call.state` makes the call of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar, cast

from exobridge.call.dialling import Report, Sign, reports_of, signs_of, with_more
from exobridge.call.dialling import text as _text
from exobridge.call.events import JSON, CallEvent, Decision, EndedBy, EventKind
from exobridge.call.placed import PlacedCall, PlacedFact
from exobridge.call.routed import NOT_ROUTED, Routed


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
    routed: Routed = NOT_ROUTED


@dataclass(frozen=True, slots=True, order=True)
class StartFact:
    """See :func:`exobridge.call.events.stream_started`."""

    at: datetime
    template: str
    caller: str
    called: str
    direction: str = ""
    routed: Routed = NOT_ROUTED


@dataclass(frozen=True, slots=True, order=True)
class PartiesFact:
    """Who was on the call, as a Passthru, the status callback or the call's details tell it.

    Attributes:
        rank: The source's, the one that is believed first being 0.
        missing: How many of the three are not told: of one source the fullest saying counts.
    """

    rank: int
    missing: int
    at: datetime
    caller: str
    called: str
    direction: str


@dataclass(frozen=True, slots=True, order=True)
class FormatFact:
    """See :func:`exobridge.call.events.stream_format`."""

    at: datetime
    encoding: str
    sample_rate: int


@dataclass(frozen=True, slots=True, order=True)
class TransferFact:
    """See :func:`exobridge.call.events.transfer_requested`."""

    at: datetime
    key: str
    target: str


@dataclass(frozen=True, slots=True, order=True)
class Usage:
    """What a call used, all its streams together.

    Attributes:
        stt_seconds: Audio sent to speech-to-text.
        tts_characters: Text sent to text-to-speech.
        input_tokens, output_tokens: What the dialogue reported.
        heard_seconds, spoken_seconds: Audio of a speech-to-speech session.
    """

    stt_seconds: float = 0.0
    tts_characters: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    heard_seconds: float = 0.0
    spoken_seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        """Both together."""
        return Usage(
            round(self.stt_seconds + other.stt_seconds, 2),
            self.tts_characters + other.tts_characters,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            round(self.heard_seconds + other.heard_seconds, 2),
            round(self.spoken_seconds + other.spoken_seconds, 2),
        )


@dataclass(frozen=True, slots=True, order=True)
class EndFact:
    """See :func:`exobridge.call.events.stream_ended`."""

    at: datetime
    by: EndedBy
    reason: str
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What is known of one stream; ``None``: not told (yet).

    Attributes:
        transfer: The last one asked for in it.
        reported: Who ended it, in Exotel's view. A report alone makes no stream of ours.
    """

    stream_sid: str
    start: StartFact | None = None
    format: FormatFact | None = None
    transfer: TransferFact | None = None
    end: EndFact | None = None
    lost_at: datetime | None = None
    reported: EndedBy | None = None

    @property
    def began_at(self) -> datetime | None:
        """Time of its earliest event: its start, once all are known."""
        facts = (self.start, self.format, self.transfer, self.end)
        known = [fact.at for fact in facts if fact]
        known += [self.lost_at] if self.lost_at else []
        return min(known, default=None)

    @property
    def over_at(self) -> datetime | None:
        """When it ended, or was found lost; ``None`` while it is open."""
        return self.end.at if self.end else self.lost_at

    @property
    def ended_by(self) -> EndedBy | None:
        """Who ended it. "1006 without `stop` is common": where Exotel says later that the caller
        did, it was not the network."""
        by = self.end.by if self.end else None
        if by is EndedBy.NETWORK and self.reported is EndedBy.CALLER:
            return EndedBy.CALLER
        return by


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one call: all that :func:`learn` needs to go on.

    Attributes:
        first_at: Time of the earliest event.
        streams: By ``stream_sid``.
        signs, reports: By time.
        parties: One for each source, by its rank.
    """

    first_at: datetime
    placed: PlacedFact | None = None
    answer: AnswerFact | None = None
    no_stream_at: datetime | None = None
    streams: tuple[StreamFacts, ...] = ()
    signs: tuple[Sign, ...] = ()
    reports: tuple[Report, ...] = ()
    parties: tuple[PartiesFact, ...] = ()


_Fact = TypeVar("_Fact", PlacedFact, AnswerFact, StartFact, FormatFact, EndFact, EndedBy, datetime)


def _least(known: _Fact | None, told: _Fact) -> _Fact:
    """Two different events of one kind and key should not be; if they are, the order in which
    they came must not show, so the earlier fact stands."""
    return told if known is None else min(known, told)


def learn(facts: Facts, event: CallEvent) -> Facts:
    facts = replace(
        facts,
        first_at=min(facts.first_at, event.at),
        signs=with_more(facts.signs, signs_of(event)),
        reports=with_more(facts.reports, reports_of(event)),
        parties=_with_parties(facts.parties, event),
    )
    match event.kind:
        case EventKind.PLACED:
            fact = PlacedFact(event.at, PlacedCall.read(event.data))
            return replace(facts, placed=_least(facts.placed, fact))
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
        routed=Routed.read(event.data.get("routed")),
    )


def _start_fact(event: CallEvent) -> StartFact:
    return StartFact(
        at=event.at,
        template=_text(event, "template"),
        caller=_text(event, "caller"),
        called=_text(event, "called"),
        direction=_text(event, "direction"),
        routed=Routed.read(event.data.get("routed")),
    )


_TELL_PARTIES = (EventKind.PASSTHRU, EventKind.STATUS, EventKind.DETAILS)


def _with_parties(known: tuple[PartiesFact, ...], event: CallEvent) -> tuple[PartiesFact, ...]:
    told = [_text(event, name) for name in ("caller", "called", "direction")]
    if event.kind not in _TELL_PARTIES or not any(told):
        return known
    fact = PartiesFact(_TELL_PARTIES.index(event.kind), told.count(""), event.at, *told)
    by_rank = {each.rank: each for each in known}
    by_rank[fact.rank] = min(fact, by_rank.get(fact.rank, fact))
    return tuple(sorted(by_rank.values()))


def _learn_of_stream(stream: StreamFacts, event: CallEvent) -> StreamFacts:
    match event.kind:
        case EventKind.STREAM_STARTED:
            return replace(stream, start=_least(stream.start, _start_fact(event)))
        case EventKind.STREAM_FORMAT:
            rate = event.data.get("sample_rate")
            hertz = rate if isinstance(rate, int) else 0
            told = FormatFact(event.at, _text(event, "encoding"), hertz)
            return replace(stream, format=_least(stream.format, told))
        case EventKind.TRANSFER_REQUESTED:
            asked = TransferFact(event.at, event.key, _text(event, "target"))
            return replace(stream, transfer=max(stream.transfer or asked, asked))
        case EventKind.STREAM_ENDED:
            who, reason = EndedBy(_text(event, "ended_by")), _text(event, "reason")
            end = EndFact(event.at, who, reason, _usage(event))
            return replace(stream, end=_least(stream.end, end))
        case EventKind.STREAM_LOST:
            return replace(stream, lost_at=_least(stream.lost_at, event.at))
        case EventKind.PASSTHRU if by := _text(event, "ended_by"):
            return replace(stream, reported=_least(stream.reported, EndedBy(by)))
        case _:
            return stream


def usage_told(event: CallEvent) -> list[tuple[str, Mapping[str, JSON]]]:
    """What ``stream-ended`` says was used: a kind and one provider's numbers, as often as there
    are; nothing where an older release told nothing."""
    told = cast("Mapping[str, JSON]", event.data.get("usage") or {})
    return [
        (kind, cast("Mapping[str, JSON]", one))
        for kind, each in told.items()
        for one in (each if isinstance(each, list) else [each])
    ]


def _usage(event: CallEvent) -> Usage:
    told = usage_told(event)

    def number(kind: str, name: str) -> float:
        values = [one.get(name) for of_kind, one in told if of_kind == kind]
        return sum(value for value in values if isinstance(value, int | float))

    return Usage(
        stt_seconds=number("stt", "seconds"),
        tts_characters=int(number("tts", "characters")),
        input_tokens=int(number("dialogue", "input_tokens")),
        output_tokens=int(number("dialogue", "output_tokens")),
        heard_seconds=number("realtime", "heard_seconds"),
        spoken_seconds=number("realtime", "spoken_seconds"),
    )
