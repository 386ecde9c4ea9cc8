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

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import reduce
from operator import add

from exobridge.call.events import CallEvent, Decision, EndedBy
from exobridge.call.facts import Facts, StreamFacts, Usage, learn


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


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it stands. Texts are empty and times ``None`` where nothing is known.

    Attributes:
        direction: ``incoming``, ``outgoing``, or empty: not known before an answer or a stream.
        caller: The human's number, ``called`` the ExoPhone; from the answer, else from the stream.
        outcome: ``None`` while the call is open.
        reason: Why the answer was decided so.
        stream_sid: The stream that began last.
        streams: How many there were.
        encoding: Of the latest stream whose audio is known; ``sample_rate`` in hertz.
        created_at: Time of the earliest event.
        started_at: When the first stream began.
        ended_at: When the last stream ended, or the call was refused or given up.
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
    usage: Usage
    facts: Facts = field(repr=False)

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
    formats = [stream.format for stream in streams if stream.format]
    ending = _ending(facts, streams)
    return Call(
        call_sid=call_sid,
        direction=_first([fact.direction for fact in tellers]),
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
        usage=reduce(add, (stream.end.usage for stream in streams if stream.end), Usage()),
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
