"""The rules of a call's state."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call import events as s
from exobridge.call.events import CallEvent, Decision, EndedBy, EventKind
from exobridge.call.state import Call, Outcome, State, apply, replay

CALL = "c1"
REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference" / "state.md"


def at(minute: int) -> datetime:
    return datetime(2026, 11, 21, 10, minute, tzinfo=UTC)


def answered(minute: int = 0, decision: Decision = Decision.ACCEPT) -> CallEvent:
    return s.answer(
        CALL,
        at(minute),
        decision=decision,
        reason="why",
        template="sales",
        caller="+919900000001",
        called="+918040000000",
        direction="incoming",
        custom_field="f",
    )


def started(stream: str = "s1", minute: int = 1) -> CallEvent:
    return s.stream_started(
        CALL, at(minute), stream_sid=stream, template="static", caller="+919900000002", called="x"
    )


def ended(stream: str = "s1", minute: int = 5, by: EndedBy = EndedBy.CALLER) -> CallEvent:
    return s.stream_ended(
        CALL, at(minute), stream_sid=stream, ended_by=by, reason="over", close_code=1000
    )


def transfer(stream: str = "s1", minute: int = 4) -> CallEvent:
    return s.transfer_requested(CALL, at(minute), stream_sid=stream, utterance="u1", target="sales")


def lost(stream: str = "s1", minute: int = 9) -> CallEvent:
    return s.stream_lost(CALL, at(minute), stream_sid=stream)


def report(stream: str = "s1", by: EndedBy = EndedBy.CALLER) -> CallEvent:
    return s.passthru(CALL, at(8), {"CallSid": CALL}, stream_sid=stream, ended_by=by)


def call_of(*events: CallEvent) -> Call:
    call = replay(events)
    assert call is not None
    return call


# ------------------------------------------------------------------ order


def _events() -> st.SearchStrategy[CallEvent]:
    """Any event of one call, those included that contradict each other."""
    times = st.integers(0, 9).map(at)
    streams = st.sampled_from(["s1", "s2", "s3"])
    enders = st.sampled_from(EndedBy)
    call = st.just(CALL)
    text = st.sampled_from(["", "a", "b"])
    return st.one_of(
        st.builds(
            s.answer,
            call,
            times,
            decision=st.sampled_from(Decision),
            template=text,
            caller=text,
            direction=text,
        ),
        st.builds(s.stream_started, call, times, stream_sid=streams, template=text, caller=text),
        st.builds(
            s.stream_format,
            call,
            times,
            stream_sid=streams,
            encoding=text,
            sample_rate=st.sampled_from([8000, 16000]),
            why=text,
        ),
        st.builds(
            s.transfer_requested, call, times, stream_sid=streams, utterance=text, target=text
        ),
        st.builds(
            s.stream_ended,
            call,
            times,
            stream_sid=streams,
            ended_by=enders,
            reason=text,
            close_code=st.none() | st.just(1006),
        ),
        st.builds(s.no_stream, call, times),
        st.builds(s.stream_lost, call, times, stream_sid=streams),
        st.builds(
            s.passthru,
            call,
            times,
            st.just({"CallSid": CALL}),
            stream_sid=streams | st.just(""),
            ended_by=st.none() | enders,
        ),
    )


@given(st.data())
def test_order_and_repetition_do_not_matter(data: st.DataObject) -> None:
    """Any permutation of the same events, some of them twice, gives the same call."""
    events = data.draw(st.lists(_events(), min_size=1, max_size=12))
    again = data.draw(st.lists(st.sampled_from(events), max_size=6))
    shuffled = data.draw(st.permutations([*events, *again]))
    assert replay(shuffled) == replay(events)


@given(st.lists(_events(), min_size=1, max_size=12))
def test_a_call_is_consistent_whatever_is_told(events: Sequence[CallEvent]) -> None:
    """A call has an outcome and an end exactly when it has ended, and streams when it streams."""
    call = call_of(*events)
    is_ended = call.state is State.ENDED
    assert (call.outcome is not None) == is_ended
    assert (call.ended_at is not None) == is_ended
    assert (call.state is State.STREAMING) == bool(call.open_streams)
    assert (call.streams > 0) == (call.started_at is not None) == bool(call.stream_sid)
    assert call.created_at == min(event.at for event in events)


@given(st.lists(_events(), min_size=1, max_size=12))
def test_the_same_events_of_another_call_are_refused(events: Sequence[CallEvent]) -> None:
    """An event of another call is an error, whatever it tells."""
    other = s.no_stream("c2", at(0))
    with pytest.raises(ValueError, match="another call"):
        apply(call_of(*events), other)


# ------------------------------------------------------------------ states and outcomes


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([s.passthru(CALL, at(3), {})], State.NEW),
        ([report()], State.NEW),
        ([answered()], State.ANSWERED),
        ([answered(decision=Decision.SAY)], State.ANSWERED),
        ([started()], State.STREAMING),
        ([answered(), started()], State.STREAMING),
        ([answered(decision=Decision.REFUSE), started()], State.STREAMING),
        ([answered(), s.no_stream(CALL, at(2)), started(minute=3)], State.STREAMING),
        ([answered(), started(), ended(), started("s2", 6)], State.STREAMING),
        ([answered(), started(), started("s2", 2), ended("s2")], State.STREAMING),
        ([answered(), started(), lost(), started("s2", 10)], State.STREAMING),
    ],
)
def test_open_calls(events: Sequence[CallEvent], state: State) -> None:
    """A call without an end has a state and no outcome."""
    call = call_of(*events)
    assert (call.state, call.outcome, call.ended_at) == (state, None, None)


_ONE = [answered(), started()]


@pytest.mark.parametrize(
    ("events", "outcome", "by"),
    [
        ([*_ONE, ended()], Outcome.COMPLETED, EndedBy.CALLER),
        ([*_ONE, ended(by=EndedBy.BOT)], Outcome.COMPLETED, EndedBy.BOT),
        ([*_ONE, ended(by=EndedBy.SERVER)], Outcome.FAILED, EndedBy.SERVER),
        ([*_ONE, ended(by=EndedBy.NETWORK)], Outcome.FAILED, EndedBy.NETWORK),
        ([*_ONE, ended(by=EndedBy.NETWORK), report()], Outcome.COMPLETED, EndedBy.CALLER),
        (
            [*_ONE, ended(by=EndedBy.NETWORK), report(by=EndedBy.BOT)],
            Outcome.FAILED,
            EndedBy.NETWORK,
        ),
        ([*_ONE, ended(by=EndedBy.SERVER), report()], Outcome.FAILED, EndedBy.SERVER),
        ([*_ONE, transfer(), ended(by=EndedBy.BOT)], Outcome.TRANSFERRED, EndedBy.BOT),
        ([*_ONE, transfer(), ended(by=EndedBy.SERVER)], Outcome.TRANSFERRED, EndedBy.SERVER),
        ([*_ONE, transfer(), ended()], Outcome.COMPLETED, EndedBy.CALLER),
        ([*_ONE, transfer(), ended(by=EndedBy.NETWORK)], Outcome.FAILED, EndedBy.NETWORK),
        ([*_ONE, lost()], Outcome.LOST, EndedBy.SERVER),
        ([*_ONE, lost(), ended()], Outcome.COMPLETED, EndedBy.CALLER),
        ([answered(decision=Decision.REFUSE)], Outcome.REFUSED, EndedBy.SERVER),
        (
            [answered(decision=Decision.REFUSE), s.no_stream(CALL, at(2))],
            Outcome.REFUSED,
            EndedBy.SERVER,
        ),
        ([answered(), s.no_stream(CALL, at(2))], Outcome.ABANDONED, None),
        ([answered(), s.no_stream(CALL, at(2)), report()], Outcome.ABANDONED, None),
        ([*_ONE, s.no_stream(CALL, at(2)), ended()], Outcome.COMPLETED, EndedBy.CALLER),
    ],
)
def test_outcomes(events: Sequence[CallEvent], outcome: Outcome, by: EndedBy | None) -> None:
    """Each line of the table of outcomes."""
    call = call_of(*events)
    assert (call.state, call.outcome, call.ended_by) == (State.ENDED, outcome, by)


def test_the_stream_that_began_last_decides() -> None:
    """After a failed transfer the caller is back with the bot: its second stream decides."""
    first = [*_ONE, transfer(), ended(by=EndedBy.BOT)]
    assert call_of(*first).outcome is Outcome.TRANSFERRED
    call = call_of(*first, started("s2", 6), ended("s2", 8))
    assert (call.outcome, call.stream_sid, call.streams) == (Outcome.COMPLETED, "s2", 2)
    assert (call.started_at, call.ended_at) == (at(1), at(8))


def test_streams_stand_in_the_order_in_which_they_began() -> None:
    """Exotel's ids say nothing of it."""
    call = call_of(answered(), started("s9"), ended("s9", 2), started("s1", 3))
    assert (call.stream_sid, call.streams, call.started_at) == ("s1", 2, at(1))
    call = apply(call, ended("s1", by=EndedBy.SERVER))
    assert (call.outcome, call.ended_by) == (Outcome.FAILED, EndedBy.SERVER)


def test_a_stream_that_ended_was_not_lost() -> None:
    """Its end came late, after a restart found it open: the end's own time and outcome count."""
    call = call_of(started(), lost(minute=9), ended(minute=5))
    assert (call.outcome, call.ended_at) == (Outcome.COMPLETED, at(5))


def test_a_stream_is_known_by_any_of_its_own_events() -> None:
    """A start that was never kept does not make it none."""
    call = call_of(answered(), transfer())
    assert (call.state, call.streams, call.started_at) == (State.STREAMING, 1, at(4))
    call = call_of(answered(), lost())
    assert (call.outcome, call.started_at, call.ended_at) == (Outcome.LOST, at(9), at(9))


def test_a_zombie_that_ends_late_moves_only_the_end() -> None:
    """A retried handshake's first stream may be found dead after the second has ended."""
    call = call_of(*_ONE, started("s2", 2), ended("s2", 5), ended("s1", 7, by=EndedBy.NETWORK))
    assert (call.outcome, call.ended_by, call.ended_at) == (
        Outcome.COMPLETED,
        EndedBy.CALLER,
        at(7),
    )


def test_an_end_that_comes_before_its_start_ends_the_call() -> None:
    """Deliveries are out of order: the end is known first, and stands when the start comes."""
    assert call_of(ended()).outcome is Outcome.COMPLETED
    call = call_of(ended(), started(), answered())
    assert (call.state, call.started_at, call.streams) == (State.ENDED, at(1), 1)


# ------------------------------------------------------------------ what a call tells


def test_the_answer_tells_more_than_the_stream() -> None:
    """Numbers and template come from the answer where there is one, else from the stream."""
    by_stream = call_of(started())
    assert (by_stream.caller, by_stream.template) == ("+919900000002", "static")
    assert (by_stream.direction, by_stream.decision, by_stream.answered_at) == ("", None, None)
    both = call_of(started(), answered())
    assert (both.caller, both.called, both.template) == (
        "+919900000001",
        "+918040000000",
        "sales",
    )
    assert (both.direction, both.custom_field, both.reason) == ("incoming", "f", "why")
    assert (both.decision, both.answered_at, both.created_at) == (
        Decision.ACCEPT,
        at(0),
        at(0),
    )


def test_the_audio_is_the_latest_stream_s() -> None:
    """Encoding and rate are of the latest stream whose audio is known."""
    first = s.stream_format(
        CALL, at(1), stream_sid="s1", encoding="mulaw", sample_rate=8000, why="payload"
    )
    second = s.stream_format(
        CALL, at(7), stream_sid="s2", encoding="pcm16", sample_rate=16000, why="bit_rate"
    )
    call = call_of(started(), first, started("s2", 6))
    assert (call.encoding, call.sample_rate) == ("mulaw", 8000)
    call = apply(call, second)
    assert (call.encoding, call.sample_rate) == ("pcm16", 16000)
    assert (call_of(started()).encoding, call_of(started()).sample_rate) == ("", None)


def test_the_end_tells_its_reason() -> None:
    """What ended the call is kept in Exotel's words, or ours."""
    assert call_of(*_ONE, ended()).end_reason == "over"
    assert call_of(answered(decision=Decision.REFUSE)).end_reason == "why"
    assert call_of(*_ONE, lost()).end_reason == "the server restarted"


# ------------------------------------------------------------------ events


def test_keys_are_told_apart_by_what_may_repeat() -> None:
    """A key is made of what makes the event another one."""
    assert answered().key == "answer"
    assert started("s7").key == "stream-started:s7"
    assert ended("s7").key == "stream-ended:s7"
    assert lost("s7").key == "stream-lost:s7"
    assert transfer("s7").key == "transfer-requested:s7:u1"
    assert s.no_stream(CALL, at(0)).key == "no-stream"
    told = s.stream_format(CALL, at(0), stream_sid="s7", encoding="alaw", sample_rate=8000, why="w")
    assert told.key == "stream-format:s7"


def test_a_repeated_passthru_has_the_key_of_the_first() -> None:
    """A repeated delivery may differ in ``CurrentTime``; another applet of the flow in the rest."""
    first = s.passthru(CALL, at(0), {"CallSid": CALL, "CurrentTime": "2026-11-21 10:00:00"})
    again = s.passthru(CALL, at(1), {"CurrentTime": "2026-11-21 10:00:05", "CallSid": CALL})
    other = s.passthru(CALL, at(1), {"CallSid": CALL, "digits": "1"})
    assert first.key == again.key
    assert first.key != other.key


def test_a_time_is_kept_in_utc() -> None:
    """Any zone is taken, and none is refused."""
    ist = timezone(timedelta(hours=5, minutes=30))
    event = s.no_stream(CALL, datetime(2026, 11, 21, 15, 30, tzinfo=ist))
    assert event.at == at(0)
    assert event.at.tzinfo is UTC
    with pytest.raises(ValueError, match="zone"):
        s.no_stream(CALL, datetime(2026, 11, 21))
    with pytest.raises(ValueError, match="call_sid"):
        s.no_stream("", at(0))


# ------------------------------------------------------------------ the reference page


@pytest.mark.parametrize(
    ("heading", "names"),
    [("Events", EventKind), ("States", State), ("Outcomes", Outcome)],
)
def test_the_reference_names_each_one(
    heading: str, names: type[EventKind] | type[State] | type[Outcome]
) -> None:
    """Each table of the page has one line for each name, and no other line."""
    _, _, after = REFERENCE.read_text(encoding="utf-8").partition(f"## {heading}\n")
    section = after.partition("\n## ")[0]
    assert re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE) != []
    assert sorted(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)) == sorted(names)


def test_the_reference_names_each_event_s_data() -> None:
    """What an event's data holds stands in its line."""
    text = REFERENCE.read_text(encoding="utf-8")
    told = s.stream_format(CALL, at(0), stream_sid="s1", encoding="alaw", sample_rate=8000, why="w")
    events = [answered(), started(), told, transfer(), ended(), lost(), report()]
    for event in events:
        (line,) = re.findall(rf"^\| `{event.kind}` \|.*$", text, re.MULTILINE)
        assert [name for name in event.data if f"`{name}`" not in line] == []
