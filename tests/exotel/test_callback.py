"""The status callback's parameters."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.callback import CallbackLeg, StatusCallback, read_callback
from exobridge.exotel.passthru import MissingCallSidError
from exobridge.exotel.times import IST

AT = datetime(2026, 11, 21, 12, 31, 58, tzinfo=IST)


def read(**parameters: str) -> StatusCallback:
    """A callback with these parameters."""
    return read_callback([("CallSid", "c1"), *parameters.items()])


def test_only_the_call_sid_is_needed() -> None:
    """Anything else may be missing, the recording's URL included."""
    assert read() == StatusCallback("c1")
    assert read(RecordingUrl="null", Status="") == StatusCallback("c1")
    for pairs in ([], [("Status", "completed")], [("CallSid", "null")], [("CallSid", " ")]):
        with pytest.raises(MissingCallSidError):
            read_callback(pairs)
    assert len(read_callback([("CallSid", "x" * 300)]).call_sid) == 128


@pytest.mark.parametrize("status", ["completed", "failed", "busy", "no-answer", "canceled"])
@pytest.mark.parametrize("name", ["Status", "status", "CallStatus"])
def test_each_status_is_read(name: str, status: str) -> None:
    """The key is ``Status``; ``CallStatus`` is taken too."""
    assert read(**{name: status}).status == status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("No Answer", "no-answer"),
        ("cancelled", "canceled"),
        ("COMPLETED", "completed"),
        ("in-progress", "in-progress"),
        ("parked", "parked"),
        ("x" * 3000, "x" * 64),
    ],
)
def test_a_status_of_any_spelling(text: str, status: str) -> None:
    """A known one in one spelling, another as it came, bounded."""
    assert read(Status=text).status == status


def test_the_key_is_status_where_both_are_sent() -> None:
    """``Status``, not ``CallStatus``; a leg's is another's."""
    both = {"CallStatus": "in-progress", "Status": "busy", "Legs[0][Status]": "failed"}
    assert read(**both).status == "busy"


TEXTS = {
    "EventType": ("event_type", "Terminal", "terminal"),
    "Direction": ("direction", "outbound-api", "outgoing"),
    "From": ("from_number", "09811122233", "09811122233"),
    "To": ("to_number", "+918047112233", "+918047112233"),
    "PhoneNumberSid": ("phone_number_sid", "08047112233", "08047112233"),
    "CustomField": ("custom_field", "order 7", "order 7"),
    "RecordingUrl": ("recording_url", "https://h/a.mp3?k=1", "https://h/a.mp3?k=1"),
}
TIMES = {
    "DateCreated": "created_at",
    "DateUpdated": "updated_at",
    "StartTime": "started_at",
    "EndTime": "ended_at",
}
SPELLINGS = [
    "2026-11-21 12:31:58",
    "Sat, 21 Nov 2026 12:31:58",
    "2026-11-21T12:31:58+05:30",
    "2026-11-21T07:01:58Z",
]


@pytest.mark.parametrize("name", TEXTS)
def test_each_text_is_read(name: str) -> None:
    """Every parameter of the documents has its field."""
    field, text, value = TEXTS[name]
    assert getattr(read(**{name: text}), field) == value


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("text", SPELLINGS)
def test_each_time_is_read(name: str, text: str) -> None:
    """In any of Exotel's spellings; one that says no zone is IST."""
    assert getattr(read(**{name: text}), TIMES[name]) == AT


@pytest.mark.parametrize("text", ["1970-01-01 05:30:00", "soon", "null"])
def test_a_time_that_is_none(text: str) -> None:
    """Exotel's zero, and what cannot be read."""
    assert read(EndTime=text).ended_at is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("42", 42), ('"42"', 42), ("0", 0), ("x", None), ("-1", None)]
)
def test_durations_are_read(text: str, seconds: int | None) -> None:
    """Whole seconds; quotes do not matter."""
    assert read(ConversationDuration=text).conversation_seconds == seconds
    assert read(Duration=text).seconds == seconds


LEGS = (CallbackLeg(42, "completed", "human"), CallbackLeg(0, "no-answer"))
FLAT = {
    "Legs[1][OnCallDuration]": "0",
    "Legs[1][Status]": "no-answer",
    "Legs[0][OnCallDuration]": "42",
    "Legs[0][Status]": "completed",
    "Legs[0][AnsweredBy]": "Human",
}
NESTED = (
    '[{"OnCallDuration": 42, "Status": "completed", "AnsweredBy": "human"},'
    ' {"OnCallDuration": "0", "Status": "no-answer"}]'
)


@pytest.mark.parametrize("legs", [FLAT, {"Legs": NESTED}])
def test_legs_are_read(legs: dict[str, str]) -> None:
    """In brackets as a form has them, or as JSON, in the order of their index."""
    assert read(**legs).legs == LEGS


@given(st.lists(st.tuples(st.sampled_from([*FLAT, *TIMES, *TEXTS, "Legs", "Status"]), st.text())))
def test_nothing_that_is_sent_crashes(pairs: list[tuple[str, str]]) -> None:
    """Any value of any parameter gives a callback."""
    assert read_callback([("CallSid", "c1"), *pairs]).call_sid == "c1"
