"""What is kept of a status callback."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.callback import StatusCallback, read_callback
from exobridge.exotel.times import IST
from exobridge.status_callbacks import status_event

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
AT = datetime(2026, 11, 21, 12, 31, 58, tzinfo=IST)


def read(**parameters: str) -> StatusCallback:
    """A callback with these parameters."""
    return read_callback([("CallSid", "c1"), *parameters.items()])


def data(callback: StatusCallback) -> Any:
    """What is kept of it."""
    return status_event(callback, NOW).data


def test_what_is_not_told_is_not_there() -> None:
    """But for the two that make the key."""
    assert dict(data(read())) == {"status": "", "event_type": ""}


def test_legs_are_kept_by_their_order() -> None:
    """The second is the human's a caller was handed to."""
    told = {"Legs[1][OnCallDuration]": "0", "Legs[0][AnsweredBy]": "Human"}
    assert data(read(**told))["legs"] == [
        {"seconds": None, "status": "", "answered_by": "human"},
        {"seconds": 0, "status": "", "answered_by": ""},
    ]


def test_who_is_on_the_call() -> None:
    """Who was rung first, and our number; numbers that cannot be read are nobody's."""
    told = read(From="09811122233", To="08047112233", PhoneNumberSid="08047112233")
    assert (data(told)["caller"], data(told)["called"]) == ("+919811122233", "+918047112233")
    swapped = data(read(From="08047112233", To="09811122233", PhoneNumberSid="08047112233"))
    assert (swapped["caller"], swapped["called"]) == ("+919811122233", "+918047112233")
    agent = data(read(From="09811122233", To="09811100011", PhoneNumberSid="08047112233"))
    assert agent["called"] == "+918047112233"
    assert {"caller", "called"}.isdisjoint(data(read(From="sip:x", To="null")))


def test_one_event_for_each_type_and_status() -> None:
    """Repeated, it is the same event; answered and ended are two."""
    first = status_event(read(EventType="terminal", Status="completed"), NOW)
    again = status_event(
        read(EventType="terminal", Status="completed", DateUpdated="2026-11-21 12:31:58"),
        NOW + timedelta(hours=1),
    )
    assert first.key == again.key
    others = [
        read(Status="completed"),
        read(EventType="answered", Status="completed"),
        read(EventType="terminal", Status="failed"),
    ]
    keys = {status_event(each, NOW).key for each in others}
    assert len(keys | {first.key}) == 4


def test_a_call_that_is_over_ended_when_it_was_changed_last() -> None:
    """Without events there is no ``EndTime``. One that was merely answered has not ended."""
    changed = AT.isoformat()
    assert data(read(Status="completed", DateUpdated=changed))["ended_at"] == changed
    told = read(Status="completed", DateUpdated=changed, EndTime="2026-11-21 12:31:00")
    assert data(told)["ended_at"] == "2026-11-21T12:31:00+05:30"
    answered = read(EventType="answered", Status="in-progress", DateUpdated=changed)
    assert "ended_at" not in data(answered)


def test_no_credential_is_kept() -> None:
    """Neither a URL's, nor the secret that stands in ours."""
    url = "https://user:hush@h.example/a.mp3?Signature=hush"
    callback = read(RecordingUrl=url, auth_token="hush")
    assert callback.recording_url == url
    assert data(callback)["recording_url"] == "https://h.example/a.mp3"
    assert "hush" not in str(data(callback)) + repr(callback)


NAMES = ["Status", "EventType", "EndTime", "DateUpdated", "Duration", "Legs", "RecordingUrl"]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.text())))
def test_whatever_is_sent_makes_an_event(pairs: list[tuple[str, str]]) -> None:
    """Of the call it names, with data that a database takes as JSON."""
    event = status_event(read_callback([("CallSid", "c1"), *pairs]), NOW)
    assert event.call_sid == "c1"
    assert json.loads(json.dumps(event.data)) == event.data
