"""The Connect applet's contracts: what tells them apart, every key with its bounds, dial events."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.connect import (
    EVENT_TYPES,
    Connect,
    Contract,
    DialEvent,
    Whisper,
    contract,
    read_dial_event,
)
from exobridge.exotel.passthru import MissingCallSidError

ASHA, RAVI = "+919811122233", "+919811122244"
EXOPHONE = "+918047112233"

# ------------------------------------------------------------------ which contract

PLAIN: dict[str, Any] = {"version": "", "formats": (), "accept": ""}


@pytest.mark.parametrize(
    ("asked", "wants"),
    [
        ({}, Contract.TEXT),
        ({"accept": "*/*"}, Contract.TEXT),
        ({"accept": "text/plain, text/html"}, Contract.TEXT),
        ({"version": "1.0"}, Contract.JSON),
        ({"version": " 1.0 "}, Contract.JSON),
        ({"version": " "}, Contract.TEXT),
        ({"formats": ["json"]}, Contract.JSON),
        ({"formats": ["JSON "]}, Contract.JSON),
        ({"formats": ["xml"]}, Contract.TEXT),
        ({"formats": ["text", "json"]}, Contract.JSON),
        ({"formats": ["text"], "version": "1.0", "accept": "application/json"}, Contract.TEXT),
        ({"accept": "application/json"}, Contract.JSON),
        ({"accept": "text/html, Application/JSON;q=0.9"}, Contract.JSON),
        ({"accept": "application/jsonp"}, Contract.TEXT),
        ({"forced": "json"}, Contract.JSON),
        ({"forced": "text", "version": "1.0", "formats": ["json"]}, Contract.TEXT),
        ({"forced": "auto", "version": "1.0"}, Contract.JSON),
    ],
)
def test_the_contract_is_told_by_the_request_or_forced(
    asked: dict[str, Any], wants: Contract
) -> None:
    """``Exotel-Version``, ``format`` or ``Accept`` ask for JSON; what is configured wins."""
    assert contract(**{**PLAIN, **asked}) is wants


@given(st.text(), st.lists(st.text()), st.text(), st.text())
def test_any_request_wants_one_of_them(
    version: str, formats: list[str], accept: str, forced: str
) -> None:
    """Whatever stands in the headers and the query, it is one of the two."""
    found = contract(version=version, formats=formats, accept=accept, forced=forced)
    assert found in tuple(Contract)


# ------------------------------------------------------------------ the JSON


def test_the_least_answer_has_what_is_mandatory_and_our_limits() -> None:
    """What Exotel does by itself is left out."""
    assert Connect((ASHA,)).to_json() == {
        "fetch_after_attempt": False,
        "destination": {"numbers": [ASHA]},
        "max_ringing_duration": 30,
        "max_conversation_duration": 900,
    }


def test_nobody_to_dial_is_an_empty_list_and_nothing_else() -> None:
    """The "we didn't dial anyone" branch; a whisper or music would have nobody to hear it."""
    told = Connect((), again=False, whisper=Whisper("text", "x"), music="operator", parallel=5)
    nobody: dict[str, Any] = {"fetch_after_attempt": False, "destination": {"numbers": []}}
    assert told.to_json() == nobody
    assert Connect().to_text() == ""


def test_the_documented_example_can_be_made_word_for_word() -> None:
    """Every key of the documents' example, each with the value it has there."""
    answer = Connect(
        numbers=("+919999999999",),
        outgoing_number="+918047112233",
        channels="dual",
        ring_seconds=45,
        talk_seconds=3600,
        music="operator",
        parallel=5,
        whisper=Whisper("text", "A summary."),
        events_url="https://bot.example.com/exotel/dial-events",
    )
    assert answer.to_json() == {
        "fetch_after_attempt": False,
        "destination": {"numbers": ["+919999999999"]},
        "outgoing_phone_number": "+918047112233",
        "record": True,
        "recording_channels": "dual",
        "max_ringing_duration": 45,
        "max_conversation_duration": 3600,
        "music_on_hold": {"type": "operator_tone"},
        "start_call_playback": {"playback_to": "callee", "type": "text", "value": "A summary."},
        "parallel_ringing": {"activate": True, "max_parallel_attempts": 5},
        "dial_passthru_event_url": "https://bot.example.com/exotel/dial-events",
    }


KEYS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"again": True}, {"fetch_after_attempt": True}),
    ({"numbers": (RAVI, ASHA)}, {"destination": {"numbers": [RAVI, ASHA]}}),
    ({"channels": "single"}, {"record": True, "recording_channels": "single"}),
    ({"ring_seconds": 60}, {"max_ringing_duration": 60}),
    ({"talk_seconds": 4500}, {"max_conversation_duration": 4500}),
    (
        {"music": "https://www.example.com/a.wav"},
        {"music_on_hold": {"type": "custom_tone", "value": "https://www.example.com/a.wav"}},
    ),
    ({"parallel": 10}, {"parallel_ringing": {"activate": True, "max_parallel_attempts": 10}}),
    (
        {"whisper": Whisper("audio_url", "https://bot.example.com/w.wav", "both")},
        {
            "start_call_playback": {
                "playback_to": "both",
                "type": "audio_url",
                "value": "https://bot.example.com/w.wav",
            }
        },
    ),
]


@pytest.mark.parametrize(("given", "told"), KEYS)
def test_each_key_says_what_it_is_given(given: dict[str, Any], told: dict[str, Any]) -> None:
    """Up to Exotel's bounds, those included."""
    keys: dict[str, Any] = {"numbers": (ASHA,), **given}
    body = Connect(**keys).to_json()
    assert {key: body[key] for key in told} == told


@pytest.mark.parametrize("given", [{"parallel": 0}, {"parallel": 1}, {"music": "default"}])
def test_what_is_exotels_default_is_left_out(given: dict[str, Any]) -> None:
    """One phone at a time, and the default tone."""
    body = Connect((ASHA,), **given).to_json()
    assert not body.keys() & {"parallel_ringing", "music_on_hold", "record", "start_call_playback"}


@pytest.mark.parametrize(
    "given",
    [
        {"numbers": ("09811122233",)},
        {"numbers": ("919811122233",)},
        {"numbers": ("agent",)},
        {"numbers": ("",)},
        {"outgoing_number": "08047112233"},
        {"ring_seconds": 61},
        {"ring_seconds": 0},
        {"talk_seconds": 4501},
        {"talk_seconds": 0},
        {"parallel": 11},
        {"parallel": -1},
        {"music": "custom"},
        {"music": "ftp://www.example.com/a.wav"},
        {"music": "https://[::1"},
    ],
)
def test_what_is_beyond_exotels_bounds_cannot_be_written(given: dict[str, Any]) -> None:
    """Exotel would dial nobody, or ignore the key without a word."""
    keys: dict[str, Any] = {"numbers": (ASHA,), **given}
    with pytest.raises(ValueError, match=r"is|E\.164"):
        Connect(**keys)


@given(st.text(), st.sampled_from(["text", "audio_url"]))
def test_any_whisper_stays_a_value(text: str, kind: Any) -> None:
    """What a model wrote cannot get out of its place in the JSON."""
    body = Connect((ASHA,), whisper=Whisper(kind, text)).to_json()
    assert json.loads(json.dumps(body))["start_call_playback"]["value"] == text


def test_the_text_is_numbers_alone() -> None:
    """Comma-separated E.164 and nothing else, in their order."""
    assert Connect((RAVI, ASHA), whisper=Whisper("text", "x")).to_text() == f"{RAVI},{ASHA}"
    assert not set(Connect((RAVI, ASHA)).to_text()) - set(string.digits + "+,")


# ------------------------------------------------------------------ dial events

TOLD = {
    "CallSid": "c",
    "CallFrom": "09811100000",
    "CallTo": "08047112233",
    "Direction": "incoming",
    "Created": "Wed, 23 Feb 2022 12:31:59",
    "From": "09811100000",
    "To": "08047112233",
    "CurrentTime": "2022-02-23 12:31:58",
    "DialWhomNumber": "09811122233",
    "Status": "busy",
    "EventType": "Dial",
    "AgentEmail": "asha@example.com",
}


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_a_dial_event_is_read(event_type: str) -> None:
    """Its number in E.164, and nobody's e-mail address."""
    event = read_dial_event({**TOLD, "EventType": event_type}.items())
    assert event == DialEvent("c", event_type, ASHA, "busy", "2022-02-23 12:31:58")


def test_only_the_call_is_required_of_a_dial_event() -> None:
    """Any subset is normal; any spelling is read; what is unknown is told as none."""
    assert read_dial_event([("callsid", "c")]) == DialEvent("c", "", "", "", "")
    shouted = read_dial_event([("CallSid", "c"), ("eventtype", "TERMINAL"), ("Status", "Free")])
    assert (shouted.event_type, shouted.status) == ("Terminal", "free")
    odd = [("CallSid", "c"), ("EventType", "Transferred"), ("DialWhomNumber", "agent-7")]
    assert read_dial_event(odd) == DialEvent("c", "", "agent-7", "", "")
    for nameless in ([], [("CallSid", "null")], [("EventType", "Dial")]):
        with pytest.raises(MissingCallSidError):
            read_dial_event(nameless)


NAMES = st.sampled_from(list(TOLD)) | st.text(max_size=12)


@given(st.lists(st.tuples(NAMES, st.text(max_size=40)), max_size=15))
def test_no_dial_event_breaks_the_reader(pairs: list[tuple[str, str]]) -> None:
    """It is read, or names no call."""
    try:
        event = read_dial_event(pairs)
    except MissingCallSidError:
        return
    assert event.call_sid
    assert event.event_type in ("", *EVENT_TYPES)
