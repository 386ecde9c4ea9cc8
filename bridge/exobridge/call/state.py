"""A call's state, derived from the facts that are known of it. No I/O, no clock.

Every webhook and stream event is a :class:`CallEvent`. :func:`apply` adds one to a :class:`Call`.
It gives the same call for the same set of events, in whatever order they come and however often,
because Exotel repeats webhooks, sends some late, and with an async Passthru the stream may come
before the answer. So no rule here asks what came first; rules compare the events' own times.

State, the first line that fits:

=========== ======================================================================
streaming   a stream is open: some event of it is known, neither its end nor its loss
ended       every stream has ended; or no stream came and the call was refused or given up, or
            Exotel says that it is over
answered    ``answer`` is known; the stream may come
new         we had it placed, and it is not answered yet; or only later webhooks are known; a
            day after the last that is heard the call is closed
=========== ======================================================================

A call that was handed to a human has ended too: our part of it is over, and often nobody tells of
the rest, as calls that come in by a flow get no status callback. What is told yet is added:
``transfer``, the outcome, ``ended_at``.

The outcome is by the rules of :mod:`exobridge.call.outcome`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import reduce
from operator import add

from exobridge.call.dialling import Report, together
from exobridge.call.events import CallEvent, Decision, EndedBy
from exobridge.call.facts import Facts, StreamFacts, Usage, learn
from exobridge.call.outcome import Ending, Outcome, ending_of
from exobridge.call.placed import NOT_PLACED, PlacedCall
from exobridge.call.routed import NOT_ROUTED, Routed
from exobridge.call.transfer_state import TransferState, transfer_of

__all__ = ["Call", "Outcome", "State", "apply", "derive", "replay"]


class State(StrEnum):
    """Where a call stands."""

    NEW = "new"
    ANSWERED = "answered"
    STREAMING = "streaming"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it stands. Texts are empty and times ``None`` where nothing is known.

    Attributes:
        direction: ``incoming``, ``outgoing``, or empty: not known. From where the numbers are from.
        caller: The human's number, ``called`` the ExoPhone; of a call that we had placed as it was
            placed, else from the answer, else from the stream, else from what a Passthru, the
            status callback or the call's details tell.
        outcome: ``None`` while the call is open.
        reason: Why the answer was decided so.
        stream_sid: The stream that began last.
        streams: How many there were.
        encoding: Of the latest stream whose audio is known; ``sample_rate`` in hertz.
        created_at: Time of the earliest event.
        started_at: When the first stream began.
        ended_at: When the last stream ended, or the call was refused or given up. Of one that was
            handed on: when Exotel says that it ended, else the last that is known of the dialling.
        transfer: The latest transfer to a human; ``None``: none was asked for.
        exotel: What Exotel says of the call as a whole; ``None``: nothing (yet).
        usage: Of the streams that have ended; those that were lost left nothing.
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
    transfer: TransferState | None
    exotel: Report | None
    usage: Usage
    facts: Facts = field(repr=False)

    @property
    def placed(self) -> PlacedCall:
        """As what we had it placed; its ``dial`` is empty where we had not."""
        return self.facts.placed.call if self.facts.placed else NOT_PLACED

    @property
    def routed(self) -> Routed:
        """What the rules of its template decided when it was answered, or when a stream began that
        nobody had asked about."""
        starts = sorted(stream.start for stream in self.facts.streams if stream.start)
        tellers = (fact.routed for fact in (self.facts.answer, *starts) if fact)
        return next((routed for routed in tellers if routed.entry), NOT_ROUTED)

    @property
    def open_streams(self) -> tuple[str, ...]:
        """``stream_sid`` of each stream that has not ended."""
        return tuple(s.stream_sid for s in self.facts.streams if s.began_at and not s.over_at)


def apply(call: Call | None, event: CallEvent) -> Call:
    """The call, with one more event known. ``None`` is a call of which nothing is known.

    Raises:
        ValueError: The event is another call's.
    """
    if call is not None and call.call_sid != event.call_sid:
        raise ValueError("the event is another call's")
    facts = call.facts if call else Facts(first_at=event.at)
    return derive(event.call_sid, learn(facts, event))


def replay(events: Iterable[CallEvent]) -> Call | None:
    """The call that these events make; ``None`` without any."""
    call = None
    for event in events:
        call = apply(call, event)
    return call


def derive(call_sid: str, facts: Facts) -> Call:
    """The call that these facts make."""
    began = [(at, stream) for stream in facts.streams if (at := stream.began_at)]
    began.sort(key=lambda item: (item[0], item[1].stream_sid))
    streams = [stream for _, stream in began]
    told = facts.answer
    tellers = [fact for fact in (told, *(stream.start for stream in streams)) if fact]
    # The roles of the numbers hang on the direction: who tells it goes first.
    others = sorted(facts.parties, key=lambda fact: (not fact.direction, fact.rank))
    parties = [*tellers, *others]
    placed = facts.placed.call if facts.placed else NOT_PLACED
    formats = [stream.format for stream in streams if stream.format]
    transfer = transfer_of(facts)
    exotel = together(facts.reports)
    ending = ending_of(facts, streams, transfer, exotel)
    return Call(
        call_sid=call_sid,
        direction="outgoing" if placed.dial else _first([fact.direction for fact in parties]),
        caller=_first([placed.caller, *(fact.caller for fact in parties)]),
        called=_first([placed.called, *(fact.called for fact in parties)]),
        template=_first([*(fact.template for fact in tellers), placed.template]),
        state=_state(facts, streams, ending),
        outcome=ending.outcome if ending else None,
        decision=told.decision if told else None,
        reason=told.reason if told else "",
        custom_field=_first([told.custom_field if told else "", placed.custom_field]),
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
        transfer=transfer,
        exotel=exotel,
        usage=reduce(add, (stream.end.usage for stream in streams if stream.end), Usage()),
        facts=facts,
    )


def _state(facts: Facts, streams: Sequence[StreamFacts], ending: Ending | None) -> State:
    if ending:
        return State.ENDED
    if streams:
        return State.STREAMING
    return State.ANSWERED if facts.answer else State.NEW


def _first(texts: Iterable[str]) -> str:
    """The first text that is not empty."""
    return next(filter(None, texts), "")
