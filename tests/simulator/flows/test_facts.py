"""What a call's requests tell. The sections named are those of Exotel's documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exobridge.exotel.callback import read_callback
from exobridge.exotel.connect import read_dial_event
from exobridge.exotel.passthru import read_passthru
from exobridge.simulator.flows.attempts import REJECTED, Attempt, AttemptStatus, national
from exobridge.simulator.flows.facts import CallFacts
from exobridge.simulator.flows.model import Flow
from exobridge.simulator.flows.spelling import StreamFacts, nested

CALLER, EXOPHONE = "+919811122233", "08047112233"
FIRST, SECOND = "+918041112233", "+918041112244"


class Day:
    """A wall clock that is moved by hand; 12:31:58 in India."""

    def __init__(self) -> None:
        self.at = datetime(2026, 2, 23, 7, 1, 58, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def later(self, seconds: float) -> None:
        """Time passes."""
        self.at += timedelta(seconds=seconds)


def begun(day: Day | None = None, **tables: Any) -> CallFacts:
    """A call of a flow with these tables."""
    call = {"from": CALLER, "to": EXOPHONE, **tables.pop("call", {})}
    flow = {"flow": {"start": "end"}, "applet": {"end": {"type": "hangup"}}, "call": call}
    return CallFacts.of(Flow.model_validate(flow | tables), "a-call", day or Day())


def attempted(facts: CallFacts, status: AttemptStatus, seconds: float = 0.0) -> Attempt:
    """A Connect applet with one attempt that ended so."""
    facts.begin_connect()
    attempt = facts.dial(FIRST)
    facts.attempt_over(attempt, status, seconds)
    facts.end_connect()
    return attempt


# ------------------------------------------------------------------ Passthru


def test_a_call_that_comes_in_tells_who_calls_whom() -> None:
    """Passthru, parameters: of an incoming call CallFrom and From are the caller, CallTo and To the
    ExoPhone; EndTime is always 1970; the times are India's; nothing tells what did not happen."""
    assert begun().passthru_parameters() == {
        "CallSid": "a-call",
        "CallFrom": CALLER,
        "CallTo": EXOPHONE,
        "Direction": "incoming",
        "From": CALLER,
        "To": EXOPHONE,
        "CallStatus": "in-progress",
        "Created": "Mon, 23 Feb 2026 12:31:58",
        "StartTime": "2026-02-23 12:31:58",
        "EndTime": "1970-01-01 05:30:00",
        "CurrentTime": "2026-02-23 12:31:58",
        "DialCallDuration": "0",
        "CallType": "call-attempt",
        "DialWhomNumber": "",
    }


@pytest.mark.parametrize("direction", ["outbound-dial", "outbound dial", "outgoing"])
def test_a_call_that_goes_out_has_the_roles_turned(direction: str) -> None:
    """Passthru, parameters: of an outgoing call CallFrom is the number the call is made from,
    CallTo the number dialled, From the first leg, which is the customer's."""
    told = begun(
        call={"direction": "outgoing", "custom_field": "order 17"},
        webhooks={"outgoing": direction},
    ).passthru_parameters()
    assert told["Direction"] == direction
    assert (told["CallFrom"], told["CallTo"]) == (EXOPHONE, CALLER)
    assert (told["From"], told["To"]) == (CALLER, EXOPHONE)
    assert told["CustomField"] == "order 17"
    assert read_passthru(told.items()).human == CALLER


def test_a_custom_field_comes_with_calls_placed_by_api_alone() -> None:
    """Passthru, parameters: CustomField. The API's calls are those that go out."""
    facts = begun()
    facts.custom_field = "order 17"
    assert "CustomField" not in facts.passthru_parameters()
    assert "CustomField" not in facts.callback("terminal")
    assert "CustomField" not in begun(call={"direction": "outgoing"}).passthru_parameters()


@pytest.mark.parametrize(
    ("form", "created", "current"),
    [
        ("mixed", "Mon, 23 Feb 2026 12:31:58", "2026-02-23 12:32:08"),
        ("plain", "2026-02-23 12:31:58", "2026-02-23 12:32:08"),
        ("rfc", "Mon, 23 Feb 2026 12:31:58", "Mon, 23 Feb 2026 12:32:08"),
        ("iso", "2026-02-23T12:31:58+05:30", "2026-02-23T12:32:08+05:30"),
    ],
)
def test_times_are_written_in_any_of_their_forms(form: str, created: str, current: str) -> None:
    """Passthru, parameters: the examples differ from one another; EndTime never does."""
    day = Day()
    facts = begun(day, webhooks={"times": form})
    day.later(10)
    told = facts.passthru_parameters()
    assert (told["Created"], told["CurrentTime"]) == (created, current)
    assert told["EndTime"] == "1970-01-01 05:30:00"
    read = read_passthru(told.items())
    assert (read.created, read.current_at) == (facts.created_at, day.at)


def test_empty_values_can_be_the_word_null() -> None:
    """Passthru, parameters: "null" where there is no value."""
    assert begun(webhooks={"nulls": True}).passthru_parameters()["DialWhomNumber"] == "null"


def test_keys_that_were_gathered_stand_in_double_quotes() -> None:
    """Passthru, parameters: digits, wrapped in double quotes; none without keys."""
    facts = begun()
    facts.gathered("41#")
    assert facts.passthru_parameters()["digits"] == '"41#"'
    facts.gathered("")
    assert "digits" not in facts.passthru_parameters()


# ------------------------------------------------------------------ after a stream

STREAM = StreamFacts(
    "a-stream", seconds=12.9, disconnected_by="user", stream_url="wss://x/y", recording_url="r"
)


def test_a_stream_is_told_in_brackets() -> None:
    """Voicebot applet, parameters of the Passthru that follows it."""
    facts = begun()
    facts.streamed(STREAM)
    told = facts.passthru_parameters()
    assert {name: value for name, value in told.items() if name.startswith("Stream")} == {
        "Stream[StreamSID]": "a-stream",
        "Stream[Status]": "completed",
        "Stream[Duration]": "12",
        "Stream[RecordingUrl]": "r",
        "Stream[StreamUrl]": "wss://x/y",
        "Stream[DisconnectedBy]": "user",
        "Stream[Error]": "",
        "Stream[DetailedStatus]": "",
    }


def test_a_stream_is_told_as_json() -> None:
    """The same as one parameter."""
    facts = begun(webhooks={"stream": "json"})
    facts.streamed(STREAM)
    told = facts.passthru_parameters()
    assert '"StreamSID": "a-stream"' in told["Stream"]
    assert "Stream[StreamSID]" not in told


@pytest.mark.parametrize(("ender", "word"), [("user", "caller"), ("bot", "bot"), ("NA", "system")])
def test_a_stream_is_told_in_lower_case(ender: Any, word: str) -> None:
    """One page of the portal: keys by themselves, and other words for who ended it."""
    facts = begun(webhooks={"stream": "lower"})
    facts.streamed(StreamFacts("a-stream", disconnected_by=ender))
    told = facts.passthru_parameters()
    assert (told["streamsid"], told["disconnectedby"]) == ("a-stream", word)


@pytest.mark.parametrize("form", ["brackets", "json", "lower"])
def test_each_form_of_a_stream_reads_alike(form: str) -> None:
    """A server that reads all three learns the same from each."""
    facts = begun(webhooks={"stream": form, "nulls": True})
    facts.streamed(StreamFacts("s", "failed", 3.0, "NA", "3009 failed", "Streaming_call_throttled"))
    read = read_passthru(facts.passthru_parameters().items()).stream
    assert read is not None
    assert (read.stream_sid, read.status, read.seconds) == ("s", "failed", 3)
    assert (read.error, read.detailed_status) == ("3009 failed", "Streaming_call_throttled")
    assert read.disconnected_by == ("network" if form == "lower" else "")


# ------------------------------------------------------------------ after a Connect


def test_each_attempt_of_a_connect_applet_is_a_leg() -> None:
    """Passthru, parameters: Legs[i] after a Connect applet, one entry an attempt; the number with a
    leading 0, the cause's name and number, 0 s without a conversation."""
    day = Day()
    facts = begun(day)
    facts.begin_connect()
    busy, reached = facts.dial(FIRST), facts.dial(SECOND)
    facts.attempt_over(busy, "busy")
    day.later(30.5)
    facts.attempt_over(reached, "completed", 25.7)
    facts.end_connect()
    told = facts.passthru_parameters()
    assert {name: value for name, value in told.items() if name.startswith("Legs")} == {
        "Legs[0][Number]": "08041112233",
        "Legs[0][Type]": "single",
        "Legs[0][OnCallDuration]": "0",
        "Legs[0][CauseCode]": "USER_BUSY",
        "Legs[0][Cause]": "17",
        "Legs[1][Number]": "08041112244",
        "Legs[1][Type]": "single",
        "Legs[1][OnCallDuration]": "25",
        "Legs[1][CauseCode]": "NORMAL_CLEARING",
        "Legs[1][Cause]": "16",
    }
    assert told["DialCallStatus"] == "completed"
    assert told["DialWhomNumber"] == SECOND
    assert told["DialCallDuration"] == "30"
    assert told["CallType"] == "completed"


def test_agents_that_rang_together_are_parallel_legs() -> None:
    """Passthru, parameters: Type is single or parallel. An attempt that goes on is no leg yet."""
    facts = begun()
    facts.begin_connect()
    first = facts.dial(FIRST, parallel=True)
    facts.dial(SECOND, parallel=True)
    facts.attempt_over(first, "busy", cause=REJECTED)
    told = facts.passthru_parameters()
    assert told["Legs[0][Type]"] == "parallel"
    assert (told["Legs[0][CauseCode]"], told["Legs[0][Cause]"]) == ("CALL_REJECTED", "21")
    assert "Legs[1][Number]" not in told
    assert told["DialCallStatus"] == "busy"


def test_the_dial_duration_counts_from_the_first_dialling() -> None:
    """Passthru, parameters: DialCallDuration counts from triggering the second leg; while it goes
    on, until now."""
    day = Day()
    facts = begun(day)
    day.later(100)
    facts.begin_connect()
    attempt = facts.dial(FIRST)
    day.later(7)
    assert facts.passthru_parameters()["DialCallDuration"] == "7"
    facts.attempt_over(attempt, "no-answer")
    day.later(50)
    assert facts.passthru_parameters()["DialCallDuration"] == "7"


def test_a_second_connect_applet_begins_anew() -> None:
    """Status, duration and legs are of the Connect applet that was entered last; the agent dialled
    last remains so until another one is dialled."""
    facts = begun()
    attempted(facts, "busy")
    facts.begin_connect()
    told = facts.passthru_parameters()
    assert "DialCallStatus" not in told
    assert "Legs[0][Number]" not in told
    assert told["DialWhomNumber"] == FIRST
    assert told["DialCallDuration"] == "0"
    assert told["CallType"] == "incomplete"
    facts.dial(SECOND)
    assert facts.passthru_parameters()["DialWhomNumber"] == SECOND


def test_a_conversation_before_the_last_connect_applet_still_counts() -> None:
    """Passthru, CallType: completed, as a conversation happened; the terminal callback tells it
    too, although nobody was there in the second applet."""
    facts = begun()
    attempted(facts, "completed", 60)
    facts.begin_connect()
    facts.end_connect(caller_left=True)
    told = facts.passthru_parameters()
    assert told["CallType"] == "completed"
    assert told["DialWhomNumber"] == FIRST
    facts.end()
    callback = facts.callback()
    assert callback["ConversationDuration"] == "60"
    assert (callback["Legs[1][OnCallDuration]"], callback["Legs[1][Status]"]) == ("60", "completed")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_agents_that_rang_together_the_one_who_talked_is_told(order: tuple[int, int]) -> None:
    """Wherever in the list they were, and whichever attempt was over first."""
    facts = begun()
    facts.begin_connect()
    rings = [facts.dial(number, parallel=True) for number in (FIRST, SECOND)]
    talked, other = (rings[index] for index in order)
    facts.attempt_over(other, "canceled")
    facts.attempt_over(talked, "completed", 5)
    facts.end_connect()
    told = facts.passthru_parameters()
    assert told["DialCallStatus"] == "completed"
    assert told["DialWhomNumber"] == talked.number
    assert told["CallType"] == "completed"


def test_the_number_that_was_dialled_from_is_told() -> None:
    """Connect applet: outgoing_phone_number. Passthru, parameters: OutgoingPhoneNumber."""
    facts = begun()
    facts.begin_connect()
    facts.outgoing_number = "+918047110000"
    assert facts.passthru_parameters()["OutgoingPhoneNumber"] == "+918047110000"
    facts.begin_connect()
    assert "OutgoingPhoneNumber" not in facts.passthru_parameters()


# ------------------------------------------------------------------ CallType


def test_a_call_without_a_connect_applet_is_an_attempt() -> None:
    """Passthru, CallType: call-attempt, also after a stream and keys."""
    facts = begun()
    facts.streamed(STREAM)
    facts.gathered("1")
    assert facts.call_type == "call-attempt"


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
def test_a_connect_applet_that_reached_nobody_is_incomplete(status: AttemptStatus) -> None:
    """Passthru, CallType: incomplete, no agent picked up; also if nobody was dialled."""
    facts = begun()
    attempted(facts, status)
    assert facts.call_type == "incomplete"
    nobody = begun()
    nobody.begin_connect()
    nobody.end_connect()
    assert nobody.call_type == "incomplete"


def test_a_caller_who_leaves_a_connect_applet_is_a_client_hangup() -> None:
    """Passthru, CallType: client-hangup; but not once there was a conversation."""
    facts = begun()
    facts.begin_connect()
    facts.attempt_over(facts.dial(FIRST), "canceled")
    facts.end_connect(caller_left=True)
    assert facts.call_type == "client-hangup"
    talked = begun()
    talked.begin_connect()
    talked.attempt_over(talked.dial(FIRST), "completed", 3)
    talked.end_connect(caller_left=True)
    assert talked.call_type == "completed"


@pytest.mark.parametrize(("status", "seconds"), [("completed", 0.0), ("failed", 3.0)])
def test_a_call_in_which_an_agent_answered_is_completed(
    status: AttemptStatus, seconds: float
) -> None:
    """Passthru, CallType: also if the agent left at once, or the conversation broke."""
    facts = begun()
    attempted(facts, status, seconds)
    assert facts.call_type == "completed"


def test_a_voicemail_is_told_with_its_recording() -> None:
    """Passthru, CallType: voicemail, whatever came before; RecordingUrl."""
    facts = begun()
    attempted(facts, "no-answer")
    facts.left_voicemail("https://recordings.exotel.com/x.mp3")
    told = facts.passthru_parameters()
    assert told["CallType"] == "voicemail"
    assert told["RecordingUrl"] == "https://recordings.exotel.com/x.mp3"


# ------------------------------------------------------------------ Connect


def test_a_connect_applet_tells_the_keys_once() -> None:
    """Connect, dynamic URL: parameters as of a Passthru; digits in the first request alone; no
    stream and no legs."""
    facts = begun(flow={"start": "end", "app_id": "4711"})
    facts.gathered("5")
    facts.streamed(STREAM)
    first = facts.connect_parameters()
    assert (first["digits"], first["flow_id"]) == ('"5"', "4711")
    assert "DialCallStatus" not in first
    assert not [name for name in first if name.startswith("Stream")]
    assert "digits" not in facts.connect_parameters(first=False)


def test_a_connect_applet_that_asks_again_tells_of_the_last_attempt() -> None:
    """Connect, dynamic URL: DialCallStatus and DialWhomNumber of the attempt before."""
    facts = begun()
    facts.begin_connect()
    facts.attempt_over(facts.dial(FIRST), "no-answer")
    facts.attempt_over(facts.dial(SECOND), "busy")
    told = facts.connect_parameters(first=False)
    assert (told["DialCallStatus"], told["DialWhomNumber"]) == ("busy", SECOND)
    assert not [name for name in told if name.startswith("Legs")]


def test_a_connect_applet_may_spell_the_caller_another_way() -> None:
    """Connect, "Dial Whom": Callfrom in one of its tables; of a Passthru it is CallFrom."""
    facts = begun(webhooks={"call_from": "Callfrom"})
    told = facts.connect_parameters()
    assert told["Callfrom"] == CALLER
    assert "CallFrom" not in told
    assert facts.passthru_parameters()["CallFrom"] == CALLER


@pytest.mark.parametrize(
    ("event", "status"),
    [("Dial", "busy"), ("Ringing", "busy"), ("Answered", "busy"), ("Terminal", "free")],
)
def test_a_dial_event_tells_whether_the_agent_is_busy(event: Any, status: str) -> None:
    """Connect, dial_passthru_event_url: busy while called, free after."""
    facts = begun()
    facts.begin_connect()
    told = facts.dial_event(event, facts.dial(FIRST))
    assert told == {
        "CallSid": "a-call",
        "CallFrom": CALLER,
        "CallTo": EXOPHONE,
        "Direction": "incoming",
        "From": CALLER,
        "To": EXOPHONE,
        "Created": "Mon, 23 Feb 2026 12:31:58",
        "CurrentTime": "2026-02-23 12:31:58",
        "DialWhomNumber": FIRST,
        "Status": status,
        "EventType": event,
        "AgentEmail": "null",
    }
    assert read_dial_event(told.items()).status == status


# ------------------------------------------------------------------ status callback


def test_a_callback_without_events_tells_little() -> None:
    """API, StatusCallback: the key is Status; RecordingUrl where there is one."""
    facts = begun()
    facts.end()
    assert facts.callback("") == {
        "CallSid": "a-call",
        "DateUpdated": "2026-02-23 12:31:58",
        "Status": "completed",
    }
    facts.recording_url = "https://x/y.mp3"
    assert facts.callback("")["RecordingUrl"] == "https://x/y.mp3"


def test_a_terminal_callback_tells_the_whole_call() -> None:
    """API, StatusCallbackEvents: the end, both legs, how long the two talked."""
    day = Day()
    facts = begun(day, call={"direction": "outgoing", "custom_field": "order 17"})
    day.later(30)
    attempted(facts, "completed", 12.5)
    day.later(12.5)
    facts.end()
    told = facts.callback("terminal")
    assert told == {
        "CallSid": "a-call",
        "DateUpdated": "2026-02-23 12:32:40",
        "Status": "completed",
        "EventType": "terminal",
        "DateCreated": "2026-02-23 12:31:58",
        "To": EXOPHONE,
        "From": CALLER,
        "PhoneNumberSid": EXOPHONE,
        "StartTime": "2026-02-23 12:31:58",
        "EndTime": "2026-02-23 12:32:40",
        "ConversationDuration": "12",
        "Direction": "outbound-dial",
        "CustomField": "order 17",
        "Legs[0][OnCallDuration]": "42",
        "Legs[0][Status]": "completed",
        "Legs[0][AnsweredBy]": "human",
        "Legs[1][OnCallDuration]": "12",
        "Legs[1][Status]": "completed",
        "Legs[1][AnsweredBy]": "human",
    }


def test_an_answered_callback_tells_a_call_that_goes_on() -> None:
    """API, StatusCallbackEvents: answered. No end, no legs, no recording, however late it comes."""
    day = Day()
    facts = begun(day)
    facts.recording_url = "https://x/y.mp3"
    day.later(20)
    facts.end()
    told = facts.callback("answered")
    assert (told["EventType"], told["Status"]) == ("answered", "in-progress")
    assert (told["EndTime"], told["ConversationDuration"]) == ("", "0")
    assert not [name for name in told if name.startswith(("Legs", "Recording"))]


def test_a_call_with_the_bot_alone_is_a_conversation() -> None:
    """It has one leg, as long as the call however late that is told; a Connect applet that reached
    nobody, or dialled nobody, makes it none."""
    day = Day()
    facts = begun(day)
    day.later(20)
    facts.end("failed")
    day.later(60)
    told = facts.callback("terminal")
    assert (told["Status"], told["ConversationDuration"]) == ("failed", "20")
    assert told["Legs[0][OnCallDuration]"] == "20"
    assert "Legs[1][Status]" not in told
    facts.begin_connect()
    facts.end_connect()
    assert facts.callback("terminal")["ConversationDuration"] == "0"
    attempted(facts, "busy")
    told = facts.callback("terminal")
    assert told["ConversationDuration"] == "0"
    assert "Legs[1][Status]" not in told


def test_a_call_that_was_not_answered_took_no_time() -> None:
    """API, StatusCallback: Status says why; nobody talked."""
    day = Day()
    facts = begun(day, call={"direction": "outgoing"})
    facts.was_answered = False
    day.later(30)
    facts.end("no-answer")
    told = facts.callback("terminal")
    assert (told["Status"], told["ConversationDuration"]) == ("no-answer", "0")
    assert told["Legs[0][OnCallDuration]"] == "0"


def test_where_nobody_answered_nobody_is_told_to_have() -> None:
    """API, StatusCallback, AnsweredBy: the leg of an outgoing call that was busy has none."""
    facts = begun(call={"direction": "outgoing"})
    facts.was_answered = False
    facts.end("busy")
    told = facts.callback()
    assert told["Legs[0][Status]"] == "busy"
    assert "Legs[0][AnsweredBy]" not in told


def test_a_callback_in_json_has_its_legs_in_a_list() -> None:
    """API, StatusCallbackContentType: application/json."""
    facts = begun()
    attempted(facts, "completed", 5)
    facts.end()
    told = facts.callback("terminal")
    written = nested(told)
    assert [leg["Status"] for leg in written["Legs"]] == ["completed", "completed"]
    assert written["CallSid"] == "a-call"
    assert nested({"Stream[StreamSID]": "s", "a[b][c]": "y", "Legs[1][Status]": "x"}) == {
        "Stream[StreamSID]": "s",
        "a[b][c]": "y",
        "Legs": [{}, {"Status": "x"}],
    }
    read = read_callback(told.items())
    assert [leg.seconds for leg in read.legs] == [0, 5]


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (FIRST, "08041112233"),
        ("+14155550100", "+14155550100"),
        ("08041112233", "08041112233"),
        ("+911800123", "+911800123"),
    ],
)
def test_indian_numbers_are_written_nationally(number: str, written: str) -> None:
    """Passthru, parameters: Legs[i][Number] has a leading 0; a number of another length is left."""
    assert national(number) == written
