"""The rules of a call's state."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call import events as s
from exobridge.call.events import JSON, CallEvent, Decision, EndedBy, EventKind
from exobridge.call.placed import PlacedCall
from exobridge.call.state import Outcome, State, apply, replay
from exobridge.call.transfer_state import TransferStatus
from tests.call.told import (
    AGENT,
    CALL,
    HANDED_ON,
    after_connect,
    answered,
    asked,
    at,
    call_of,
    details,
    dialled,
    ended,
    lost,
    report,
    started,
    status,
    stored,
    transfer,
)

REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference" / "state.md"


# ------------------------------------------------------------------ order


def _events() -> st.SearchStrategy[CallEvent]:
    """Any event of one call, those included that contradict each other."""
    times = st.integers(0, 9).map(at)
    streams = st.sampled_from(["s1", "s2", "s3"])
    enders = st.sampled_from(EndedBy)
    call = st.just(CALL)
    text = st.sampled_from(["", "a", "b"])
    placed = st.builds(PlacedCall, dial=text, template=text, caller=text, custom_field=text)
    return st.one_of(
        st.builds(s.placed, call, times, placed),
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
            told=_told(),
        ),
        st.builds(
            s.dial_asked,
            call,
            times,
            transfer=st.just("") | streams.map(lambda sid: transfer(sid).key),
            attempt=st.integers(1, 3),
            numbers=st.lists(text, max_size=2),
            contract=text,
        ),
        st.builds(
            s.dial,
            call,
            times,
            event_type=st.sampled_from(["Dial", "Ringing", "Answered", "Terminal", ""]),
            number=text,
            status=text,
        ),
        st.builds(s.status, call, times, status=_STATUSES, event_type=text, data=_told()),
        st.builds(s.details, call, times, status=_STATUSES, data=_told()),
        st.builds(
            s.recording,
            call,
            times,
            source=text,
            name=text,
            duration_ms=st.none(),
            size=st.just(1),
        ),
    )


_STATUSES = st.sampled_from(
    ["in-progress", "completed", "busy", "no-answer", "failed", "canceled", "odd", ""]
)


def _told() -> st.SearchStrategy[dict[str, JSON]]:
    """What Exotel may tell of a call, with what it never should."""
    odd: st.SearchStrategy[JSON] = st.sampled_from([None, "x", -1, 2.5, True, [], {"a": 1}])
    seconds = st.integers(0, 2) | odd
    leg = st.fixed_dictionaries({"number": st.just(AGENT) | odd, "seconds": seconds})
    told: dict[str, st.SearchStrategy[JSON]] = {
        "dial_status": _STATUSES | odd,
        "dial_whom": st.just(AGENT) | odd,
        "call_type": st.sampled_from(["call-attempt", "completed", "client-hangup", "incomplete"]),
        "legs": st.lists(leg | odd, max_size=2) | odd,
        "ended_at": st.integers(0, 9).map(lambda minute: at(minute).isoformat()) | odd,
        "seconds": seconds,
        "conversation_seconds": seconds,
        "call_status": _STATUSES | odd,
        "caller": st.sampled_from(["", "a", "b"]) | odd,
        "called": st.sampled_from(["", "a"]) | odd,
        "direction": st.sampled_from(["", "incoming", "outgoing"]) | odd,
        "price": st.sampled_from([0, 1.5]) | odd,
    }
    return st.fixed_dictionaries({}, optional=told)


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
    asked_for = any(event.kind is EventKind.TRANSFER_REQUESTED for event in events)
    assert (call.transfer is not None) == asked_for
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
        ([after_connect(call_type="call-attempt")], State.NEW),
        ([after_connect(call_type="completed", call_status="in-progress")], State.NEW),
        ([after_connect(call_status="in-progress")], State.NEW),
        ([answered(), after_connect(call_status="completed"), started()], State.STREAMING),
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


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([asked()], Outcome.TRANSFERRED),
        ([dialled("Answered")], Outcome.TRANSFERRED),
        ([asked(), after_connect(dial_status="completed")], Outcome.TRANSFERRED),
        ([asked(), after_connect(dial_status="no-answer")], Outcome.UNANSWERED),
        ([asked(), asked(2, 7, numbers=())], Outcome.UNANSWERED),
        ([asked(), after_connect(call_type="client-hangup")], Outcome.LEFT_ON_HOLD),
        ([after_connect(call_type="call-attempt")], Outcome.TRANSFERRED),
        ([status()], Outcome.TRANSFERRED),
        ([status(conversation_seconds=0)], Outcome.UNANSWERED),
        ([details(conversation_seconds=12)], Outcome.TRANSFERRED),
    ],
)
def test_what_becomes_of_a_caller_who_was_handed_on(
    events: Sequence[CallEvent], outcome: Outcome
) -> None:
    """A human took the call, or nobody did, or the caller left; transferred, if nobody tells."""
    call = call_of(*HANDED_ON, *events)
    assert (call.state, call.outcome, call.ended_by) == (State.ENDED, outcome, EndedBy.BOT)
    assert call.end_reason == "over"


@pytest.mark.parametrize("broken", [[ended(by=EndedBy.NETWORK)], [lost(minute=5)]])
def test_a_stream_that_broke_was_handed_on_if_a_human_was_dialled(
    broken: Sequence[CallEvent],
) -> None:
    """The line went down, or the process died, while the caller was being handed on."""
    begun = [answered(), started(), transfer(), *broken]
    assert call_of(*begun).outcome in (Outcome.FAILED, Outcome.LOST)
    assert call_of(*begun, asked()).outcome is Outcome.TRANSFERRED
    missed = after_connect(dial_status="busy")
    assert call_of(*begun, asked(), missed).outcome is Outcome.UNANSWERED
    assert call_of(*begun, status(conversation_seconds=0)).outcome in (
        Outcome.FAILED,
        Outcome.LOST,
    )


def test_a_passthru_ends_no_transfer() -> None:
    """What it tells of the call as a whole is how it stands in the flow, which may go on."""
    call = call_of(*HANDED_ON, after_connect(6, call_status="completed"))
    assert call.transfer is not None
    assert (call.transfer.status, call.ended_at) == (TransferStatus.PENDING, at(5))


FIRST, SECOND = ("+919800000001", "+918040000001"), ("+919800000002", "+918040000002")


def test_who_is_on_a_call_is_told_by_whoever_knows() -> None:
    """The answer before the others; of what comes later one that tells the direction, then a
    Passthru before the callback before the details; the fullest before the first."""

    def who(*events: CallEvent) -> tuple[str, str, str]:
        call = call_of(*events)
        return call.caller, call.called, call.direction

    def passthru(minute: int, caller: str, called: str = "", direction: str = "") -> CallEvent:
        given = {"minute": str(minute)}
        told = {"caller": caller, "called": called, "direction": direction}
        return s.passthru(CALL, at(minute), given, told=told)

    def by(maker: Callable[..., CallEvent], caller: str, called: str, way: str = "") -> CallEvent:
        return maker(caller=caller, called=called, direction=way)

    assert who(passthru(3, *FIRST)) == (*FIRST, "")
    assert who(by(status, *FIRST, "outgoing")) == (*FIRST, "outgoing")
    assert who(by(details, *FIRST, "incoming")) == (*FIRST, "incoming")
    assert who(by(status, *SECOND), passthru(9, *FIRST)) == (*FIRST, "")
    assert who(by(details, *SECOND), by(status, *FIRST)) == (*FIRST, "")
    assert who(passthru(3, *SECOND), by(details, *FIRST, "outgoing")) == (*FIRST, "outgoing")
    assert who(passthru(3, SECOND[0]), passthru(9, *FIRST)) == (*FIRST, "")
    assert who(passthru(9, *SECOND), passthru(3, *FIRST)) == (*FIRST, "")
    assert who(answered(), by(status, *SECOND)) == ("+919900000001", "+918040000000", "incoming")


def test_the_same_words_about_two_transfers_are_two_events() -> None:
    """Told again in one of them they are one."""
    told = {"CallSid": CALL, "DialCallStatus": "busy"}

    def key(minute: int, transfer: str) -> str:
        return s.passthru(CALL, at(minute), told, transfer=transfer).key

    assert key(1, "t1") == key(2, "t1")
    assert len({key(1, ""), key(1, "t1"), key(1, "t2")}) == 3


def test_a_caller_who_hung_up_before_was_not_handed_on() -> None:
    """The line that announces it was not heard to its end; unless a human took the call all the
    same."""
    begun = [answered(), started(), transfer(), ended(by=EndedBy.CALLER)]
    assert call_of(*begun, asked()).outcome is Outcome.COMPLETED
    broke = [answered(), started(), transfer(), ended(by=EndedBy.NETWORK), report(), asked()]
    assert call_of(*broke).outcome is Outcome.COMPLETED
    assert call_of(*begun, dialled("Answered")).outcome is Outcome.TRANSFERRED


def test_a_later_stream_decides_though_a_human_had_taken_the_call() -> None:
    """The flow led back to the bot after the conversation with the human."""
    talked = [*HANDED_ON, after_connect(6, dial_status="completed")]
    call = call_of(*talked, started("s2", 7), ended("s2", 9))
    assert (call.outcome, call.ended_at) == (Outcome.COMPLETED, at(9))
    assert call.transfer is not None
    assert call.transfer.status is TransferStatus.ANSWERED


@pytest.mark.parametrize("call_type", ["call-attempt", "incomplete", "client-hangup", "voicemail"])
def test_what_the_flow_does_after_the_bot_is_no_failure(call_type: str) -> None:
    """A call of the bot alone is a success, whatever Exotel calls it."""
    told = [after_connect(call_type=call_type, dial_status="failed"), status("failed")]
    call = call_of(*_ONE, ended(by=EndedBy.BOT), *told)
    assert (call.outcome, call.ended_at) == (Outcome.COMPLETED, at(5))


@pytest.mark.parametrize(
    ("events", "outcome", "minute"),
    [
        ([status("busy")], Outcome.BUSY, 20),
        ([status("no-answer")], Outcome.NO_ANSWER, 20),
        ([status("canceled")], Outcome.CANCELED, 20),
        ([status("failed")], Outcome.FAILED, 20),
        ([details("no-answer")], Outcome.NO_ANSWER, 30),
        ([status("no-answer", ended_at=at(15).isoformat())], Outcome.NO_ANSWER, 15),
        ([status("busy", ended_at=at(50).isoformat())], Outcome.BUSY, 20),
        ([answered(), s.no_stream(CALL, at(2)), status("busy")], Outcome.BUSY, 20),
        ([answered(), s.no_stream(CALL, at(2)), status()], Outcome.ABANDONED, 2),
        ([answered(), status()], Outcome.ABANDONED, 20),
        ([status()], Outcome.COMPLETED, 20),
        ([after_connect(call_status="completed", call_type="call-attempt")], Outcome.COMPLETED, 8),
        ([after_connect(call_status="busy")], Outcome.BUSY, 8),
        ([after_connect(call_status="busy"), status()], Outcome.COMPLETED, 20),
        ([after_connect(call_type="completed")], Outcome.COMPLETED, 8),
        ([after_connect(call_type="incomplete")], Outcome.COMPLETED, 8),
        ([after_connect(call_type="voicemail")], Outcome.COMPLETED, 8),
        (
            [after_connect(call_type="client-hangup", call_status="in-progress")],
            Outcome.COMPLETED,
            8,
        ),
        ([answered(), after_connect(call_status="completed")], Outcome.ABANDONED, 8),
        ([after_connect(), s.no_stream(CALL, at(9))], Outcome.UNKNOWN, 9),
        ([after_connect(), s.no_stream(CALL, at(9)), status()], Outcome.COMPLETED, 20),
        ([answered(decision=Decision.REFUSE), status("busy")], Outcome.REFUSED, 0),
    ],
)
def test_a_call_without_a_stream_ends_as_exotel_says(
    events: Sequence[CallEvent], outcome: Outcome, minute: int
) -> None:
    """One that was placed and nobody took; one that never opened its stream; one not for us. It
    cannot have ended after that was told."""
    call = call_of(*events)
    assert (call.state, call.outcome, call.ended_by) == (
        State.ENDED,
        outcome,
        None if minute else EndedBy.SERVER,
    )
    assert call.ended_at == at(minute)


def test_that_a_call_was_answered_is_no_end() -> None:
    """Whatever status Exotel puts beside the event."""
    told = s.status(CALL, at(3), status="completed", event_type="answered", data={})
    assert call_of(answered(), told).state is State.ANSWERED
    assert call_of(answered(), told, status("busy")).outcome is Outcome.BUSY


@pytest.mark.parametrize("word", ["in-progress", "queued", "", "odd"])
def test_what_is_not_final_ends_no_call(word: str) -> None:
    """A callback that the call was answered, or the details of one that goes on."""
    assert call_of(status(word)).state is State.NEW
    assert call_of(answered(), details(word)).state is State.ANSWERED


def test_exotel_s_word_does_not_end_an_open_stream() -> None:
    """The stream tells its own end, or is found lost."""
    assert call_of(*_ONE, status(), details()).state is State.STREAMING


def test_a_call_that_was_handed_on_ends_when_exotel_says_so() -> None:
    """Else at the last sign of the dialling; never before its stream, nor after it was told."""
    assert call_of(*HANDED_ON).ended_at == at(5)
    assert call_of(*HANDED_ON, asked()).ended_at == at(6)
    seen = [asked(), after_connect(9, dial_status="completed")]
    assert call_of(*HANDED_ON, *seen).ended_at == at(9)
    sums = details("in-progress", conversation_seconds=1)
    assert call_of(*HANDED_ON, *seen, sums).ended_at == at(9)
    over = status(ended_at=at(18).isoformat())
    assert call_of(*HANDED_ON, *seen, over).ended_at == at(18)
    assert call_of(*HANDED_ON, *seen, status()).ended_at == at(20)
    assert call_of(*HANDED_ON, status(ended_at=at(50).isoformat())).ended_at == at(20)
    assert call_of(*HANDED_ON, status(ended_at=at(3).isoformat())).ended_at == at(5)


def test_the_stream_that_began_last_decides() -> None:
    """After a failed transfer the caller is back with the bot: its second stream decides."""
    first = [*_ONE, transfer(), ended(by=EndedBy.BOT)]
    assert call_of(*first).outcome is Outcome.TRANSFERRED
    call = call_of(*first, started("s2", 6), ended("s2", 8))
    assert call.transfer is not None
    assert call.transfer.status is TransferStatus.FAILED
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


def test_exotel_s_reports_are_told_as_one() -> None:
    """The details count before the callback, what is final before what is not; one tells what the
    other does not."""
    assert call_of(answered()).exotel is None
    late = details("in-progress", 50, seconds=3)
    call = call_of(late, status(seconds=40, price=2), details(minute=30, seconds=42))
    assert call.exotel is not None
    assert (call.exotel.status, call.exotel.source, call.exotel.at) == (
        "completed",
        "details",
        at(30),
    )
    assert (call.exotel.seconds, call.exotel.price) == (42, 2.0)
    zero = call_of(details(conversation_seconds=0), status(conversation_seconds=9)).exotel
    assert zero is not None
    assert zero.talked_seconds == 0


def test_of_very_many_sayings_the_latest_are_kept() -> None:
    """Whatever the order in which they come, so that nobody can make a call's row grow."""
    told = [
        s.dial(CALL, at(m), event_type="Ringing", number=str(n), status="busy")
        for n in range(30)
        for m in range(10, 20)
    ]
    call = call_of(*HANDED_ON, *told)
    assert len(call.facts.signs) == 100
    assert {sign.at for sign in call.facts.signs} <= {at(m) for m in range(16, 20)}
    assert call == call_of(*reversed(told), *HANDED_ON, *told)


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
    assert asked(2).key == "dial-asked:transfer-requested:s1:u1:2"
    assert dialled("Ringing").key == f"dial:Ringing:{AGENT}:2026-11-21 15:37:00"
    assert status("busy").key == "status:terminal:busy"
    assert details().key == "details:completed"
    assert stored().key == "recording:exotel:"


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
    after = after_connect(dial_status="busy", dial_whom=AGENT, call_type="incomplete", legs=[])
    events = [answered(), started(), told, transfer(), ended(), lost(), report(), after]
    events += [asked(), dialled("Dial"), status(), details(), stored()]
    events += [s.placed(CALL, at(0), PlacedCall("d1"))]
    for event in events:
        (line,) = re.findall(rf"^\| `{event.kind}` \|.*$", text, re.MULTILINE)
        assert [name for name in event.data if f"`{name}`" not in line] == []
