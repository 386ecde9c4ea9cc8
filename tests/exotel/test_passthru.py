"""What an applet's webhook tells of its call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.given import MAX_PARAMETERS, MAX_VALUE
from exobridge.exotel.legs import Leg
from exobridge.exotel.passthru import MissingCallSidError, PassthruParams, read_passthru
from exobridge.exotel.stream_report import StreamReport
from exobridge.exotel.times import IST

DOCUMENTED = {
    "CallSid": "c1",
    "CallFrom": "09900000001",
    "CallTo": "08040000000",
    "CallStatus": "ringing",
    "Direction": "incoming",
    "Created": "Wed, 23 Feb 2022 12:31:59",
    "StartTime": "2022-02-23 12:31:58",
    "EndTime": "1970-01-01 05:30:00",
    "CurrentTime": "2022-02-23 12:32:05",
    "DialCallDuration": "0",
    "CallType": "call-attempt",
    "DialCallStatus": "no-answer",
    "DialWhomNumber": "07200498123",
    "From": "09900000001",
    "To": "08040000000",
    "flow_id": "17",
    "tenant_id": "2",
    "digits": '"12"',
    "CustomField": "order-7",
    "Legs[0][Number]": "07200498123",
    "Legs[0][Type]": "single",
    "Legs[0][OnCallDuration]": "0",
    "Legs[0][CauseCode]": "NO_ANSWER",
    "Legs[0][Cause]": "19",
    "Stream[StreamSID]": "s1",
    "Stream[DisconnectedBy]": "bot",
    "RecordingUrl": "https://recordings.exotel.com/a.mp3",
    "OutgoingPhoneNumber": "08040000001",
}


def read(**given: str) -> PassthruParams:
    """What these parameters tell of the call ``c1``."""
    return read_passthru({"CallSid": "c1", **given}.items())


def test_the_documented_parameters() -> None:
    """All that Exotel lists may come, and each has its place."""
    assert read_passthru(DOCUMENTED.items()) == PassthruParams(
        call_sid="c1",
        direction="incoming",
        call_from="09900000001",
        call_to="08040000000",
        leg_from="09900000001",
        call_status="ringing",
        call_type="call-attempt",
        custom_field="order-7",
        digits="12",
        created=datetime(2022, 2, 23, 12, 31, 59, tzinfo=IST),
        started_at=datetime(2022, 2, 23, 12, 31, 58, tzinfo=IST),
        current_at=datetime(2022, 2, 23, 12, 32, 5, tzinfo=IST),
        dial_status="no-answer",
        dial_whom="07200498123",
        dial_seconds=0,
        legs=(Leg("07200498123", "single", 0, "NO_ANSWER", "19"),),
        stream=StreamReport("s1", disconnected_by="bot"),
        recording_url="https://recordings.exotel.com/a.mp3",
        outgoing_number="08040000001",
    )


AT = datetime(2022, 2, 23, 12, 31, 58, tzinfo=IST)
EACH: list[tuple[str, str, dict[str, Any]]] = [
    ("CallFrom", "09900000001", {"call_from": "09900000001"}),
    ("CallTo", "08040000000", {"call_to": "08040000000"}),
    ("CallStatus", "queued", {"call_status": "queued"}),
    ("CallStatus", "ringing", {"call_status": "ringing"}),
    ("CallStatus", "in-progress", {"call_status": "in-progress"}),
    ("CallStatus", "completed", {"call_status": "completed"}),
    ("CallStatus", "busy", {"call_status": "busy"}),
    ("CallStatus", "failed", {"call_status": "failed"}),
    ("CallStatus", "no-answer", {"call_status": "no-answer"}),
    ("CallStatus", "canceled", {"call_status": "canceled"}),
    ("CallStatus", "In Progress", {"call_status": "in-progress"}),
    ("CallStatus", "parked", {"call_status": "parked"}),
    ("Direction", "incoming", {"direction": "incoming"}),
    ("Direction", "outgoing", {"direction": "outgoing"}),
    ("Direction", "outbound-dial", {"direction": "outgoing"}),
    ("Direction", "outbound dial", {"direction": "outgoing"}),
    ("Created", "2022-02-23 12:31:58", {"created": AT}),
    ("Created", "Wed, 23 Feb 2022 12:31:58", {"created": AT}),
    ("Created", "2022-02-23T12:31:58+05:30", {"created": AT}),
    ("StartTime", "2022-02-23 12:31:58", {"started_at": AT}),
    ("EndTime", "2022-02-23 12:31:58", {"ended_at": AT}),
    ("EndTime", "1970-01-01 05:30:00", {}),
    ("CurrentTime", "2022-02-23 12:31:58", {"current_at": AT}),
    ("CurrentTime", "yesterday", {}),
    ("DialCallDuration", "0", {"dial_seconds": 0}),
    ("DialCallDuration", "61", {"dial_seconds": 61}),
    ("DialCallDuration", '"61"', {"dial_seconds": 61}),
    ("DialCallDuration", "9" * 30, {}),
    ("CallType", "call-attempt", {"call_type": "call-attempt"}),
    ("CallType", "completed", {"call_type": "completed"}),
    ("CallType", "client-hangup", {"call_type": "client-hangup"}),
    ("CallType", "incomplete", {"call_type": "incomplete"}),
    ("CallType", "voicemail", {"call_type": "voicemail"}),
    ("CallType", "Client Hangup", {"call_type": "client-hangup"}),
    ("CallType", "hologram", {"call_type": "hologram"}),
    ("DialWhomNumber", "07200498123", {"dial_whom": "07200498123"}),
    ("From", "1", {"call_from": "1", "leg_from": "1"}),
    ("To", "1", {"call_to": "1"}),
    ("DialCallStatus", "completed", {"dial_status": "completed"}),
    ("DialCallStatus", "busy", {"dial_status": "busy"}),
    ("DialCallStatus", "no-answer", {"dial_status": "no-answer"}),
    ("DialCallStatus", "failed", {"dial_status": "failed"}),
    ("DialCallStatus", "canceled", {"dial_status": "canceled"}),
    ("DialCallStatus", "NO ANSWER", {"dial_status": "no-answer"}),
    ("DialCallStatus", "rejected", {"dial_status": "rejected"}),
    ("Legs[0][Number]", "07200498123", {"legs": (Leg("07200498123"),)}),
    ("Legs", '[{"Cause": 16}]', {"legs": (Leg(cause="16"),)}),
    ("digits", '"12"', {"digits": "12"}),
    ("CustomField", "order-7", {"custom_field": "order-7"}),
    ("RecordingUrl", "https://r/a?sig=s", {"recording_url": "https://r/a?sig=s"}),
    ("OutgoingPhoneNumber", "08040000001", {"outgoing_number": "08040000001"}),
    ("Stream[Status]", "failed", {"stream": StreamReport(status="failed")}),
    ("Stream", '{"StreamSID": "s1"}', {"stream": StreamReport("s1")}),
    ("streamsid", "s1", {"stream": StreamReport("s1")}),
    ("RecordingAvailableBy", "Wed, 23 Feb 2022 12:36:59", {}),
    ("ForwardedFrom", "1", {}),
    ("ProcessStatus", "null", {}),
    ("tenant_id", "2", {}),
    ("numbers", "1,2", {}),
    ("flow_id", "17", {}),
    ("SomethingNew", "1", {}),
]


@pytest.mark.parametrize(("name", "value", "fields"), EACH)
def test_each_parameter(name: str, value: str, fields: dict[str, Any]) -> None:
    """By itself, each value that is documented, and some that are not; what is deprecated or
    unknown means nothing, and is kept for the record as the others are."""
    params = read(**{name: value})
    assert params == PassthruParams("c1", **fields)
    assert len(params.given) == (1 if value == "null" else 2)


def test_a_json_body_with_objects_in_it() -> None:
    """Its numbers and objects come as JSON, and are read like the rest."""
    params = read(
        DialCallDuration="5",
        Legs='[{"Number":"1","OnCallDuration":5},{"Number":"2","OnCallDuration":null}]',
        Stream='{"StreamSID":"s1","Duration":7,"DisconnectedBy":"user"}',
    )
    assert params == PassthruParams(
        "c1",
        dial_seconds=5,
        legs=(Leg("1", seconds=5), Leg("2")),
        stream=StreamReport("s1", seconds=7, disconnected_by="caller"),
    )


def test_what_is_kept_has_no_secret() -> None:
    """Neither ours nor a URL's, which whoever fetches the recording reads whole; and neither shows
    when the parameters are printed."""
    url = "https://user:hush@recordings.exotel.com/a.mp3?sig=hush"
    params = read(
        auth_token="hush",
        RecordingUrl=url,
        **{"Stream[StreamUrl]": url, "Stream[RecordingUrl]": url},
    )
    assert params.recording_url == url
    assert params.stream is not None
    assert params.stream.recording_url == url
    assert "hush" not in str(params.given)
    assert "hush" not in repr(params)


@pytest.mark.parametrize("respelled", [str.lower, str.upper, str.swapcase, str.capitalize])
def test_names_in_any_case(respelled: type[str]) -> None:
    """``Callfrom``, ``callfrom`` and ``CALLFROM`` are ``CallFrom``."""
    given = [(respelled(name), value) for name, value in DOCUMENTED.items()]
    assert read_passthru(given) == read_passthru(DOCUMENTED.items())


def test_names_in_snake_case() -> None:
    """Underscores make no other name."""
    given = {"call_sid": "c1", "call_from": "1", "custom_field": "f", "call_type": "completed"}
    assert read_passthru(given.items()) == PassthruParams(
        "c1", call_from="1", custom_field="f", call_type="completed"
    )


# ------------------------------------------------------------------ CallSid


def test_only_callsid_is_required() -> None:
    """Any subset of the rest is normal."""
    assert read_passthru([("CallSid", "c1")]) == PassthruParams("c1")


@pytest.mark.parametrize("missing", DOCUMENTED)
def test_any_one_may_be_missing(missing: str) -> None:
    """Each parameter but ``CallSid`` can be left out, and is then empty."""
    given = [(name, value) for name, value in DOCUMENTED.items() if name != missing]
    if missing == "CallSid":
        with pytest.raises(MissingCallSidError):
            read_passthru(given)
    else:
        assert read_passthru(given).call_sid == "c1"


@pytest.mark.parametrize("call_sid", ["", " ", "null", "NULL", " null ", "\t\n"])
def test_an_empty_callsid_is_none(call_sid: str) -> None:
    """The request names no call."""
    with pytest.raises(MissingCallSidError):
        read_passthru([("CallSid", call_sid), ("CallFrom", "1")])


def test_a_request_without_parameters() -> None:
    """It names no call either."""
    with pytest.raises(MissingCallSidError):
        read_passthru([])


def test_the_callsid_is_opaque_and_bounded() -> None:
    """It is kept as it is, up to 128 characters."""
    assert read_passthru([("CallSid", " a-1_ज़;' ")]).call_sid == "a-1_ज़;'"
    assert read_passthru([("CallSid", "c" * 5000)]).call_sid == "c" * 128


# ------------------------------------------------------------------ values


@pytest.mark.parametrize("nothing", ["", "null", "NULL", "Null", " null ", "  "])
def test_the_literal_null_is_empty(nothing: str) -> None:
    """Exotel writes ``null`` for what is not there."""
    names = ("CallFrom", "CallTo", "From", "To", "CallStatus", "CallType", "CustomField")
    given = dict.fromkeys((*names, "digits", "Created", "Direction"), nothing)
    assert read(**given) == PassthruParams("c1")


@pytest.mark.parametrize("value", ["nullable", "none", "0", "nil", "undefined"])
def test_other_words_are_values(value: str) -> None:
    """Only ``null`` stands for nothing."""
    assert read(CustomField=value).custom_field == value


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ('"12"', "12"),
        ("12", "12"),
        (' "1*#" ', "1*#"),
        ('""', ""),
        ('"', ""),
        ('"null"', ""),
        ('" 5 "', "5"),
    ],
)
def test_digits_lose_their_quotes(written: str, digits: str) -> None:
    """Exotel wraps what was pressed in double quotes."""
    assert read(digits=written).digits == digits


def test_other_values_keep_their_quotes() -> None:
    """A ``CustomField`` may well be JSON."""
    assert read(CustomField='{"template":"sales"}').custom_field == '{"template":"sales"}'


def test_the_first_of_a_repeated_name_counts() -> None:
    """Whatever its spelling; one that says nothing does not count."""
    pairs = [("CallSid", "c1"), ("CallFrom", "null"), ("Callfrom", "1"), ("CallFrom", "2")]
    assert read_passthru([*pairs, ("callsid", "c2")]).call_from == "1"
    assert read_passthru([*pairs, ("callsid", "c2")]).call_sid == "c1"


def test_values_are_bounded() -> None:
    """A long value is cut, and parameters beyond the bound are not read."""
    assert read(CustomField="f" * 10_000).custom_field == "f" * MAX_VALUE
    many = [(f"x{index}", "v") for index in range(MAX_PARAMETERS)]
    with pytest.raises(MissingCallSidError):
        read_passthru([*many, ("CallSid", "c1")])
    assert read_passthru([*many[1:], ("CallSid", "c1")]).call_sid == "c1"


# ------------------------------------------------------------------ who is who


def test_roles_of_an_incoming_call() -> None:
    """``CallFrom`` is the caller, ``CallTo`` the ExoPhone."""
    params = read(Direction="incoming", CallFrom="h", CallTo="e", From="f", To="t")
    assert (params.direction, params.human, params.exophones) == ("incoming", "h", ("e", "h"))
    assert (params.call_from, params.call_to, params.leg_from) == ("h", "e", "f")


@pytest.mark.parametrize(
    "direction", ["outgoing", "outbound-dial", "outbound dial", "Outgoing", "outbound", " OUTGOING"]
)
def test_roles_of_an_outgoing_call(direction: str) -> None:
    """``CallFrom`` is the number it is made from, ``CallTo`` the one dialled, ``From`` leg one."""
    params = read(Direction=direction, CallFrom="e", CallTo="h", From="l", To="t")
    assert (params.direction, params.human) == ("outgoing", "h")
    assert params.exophones == ("e", "h", "l")


@pytest.mark.parametrize("direction", ["incoming", "inbound", " Incoming"])
def test_the_spellings_of_incoming(direction: str) -> None:
    """There are two."""
    assert read(Direction=direction).direction == "incoming"


@pytest.mark.parametrize("direction", ["", "null", "sideways"])
def test_any_other_direction_tells_nothing(direction: str) -> None:
    """The roles are an incoming call's then."""
    params = read(Direction=direction, CallFrom="h", CallTo="e")
    assert (params.direction, params.human, params.exophones) == ("", "h", ("e", "h"))


@pytest.mark.parametrize("given", [{}, {"CallFrom": "null", "CallTo": ""}])
def test_from_and_to_stand_in(given: dict[str, str]) -> None:
    """They are read where ``CallFrom`` and ``CallTo`` say nothing."""
    params = read(**given, From="f", To="t")
    assert (params.call_from, params.call_to, params.leg_from) == ("f", "t", "f")
    assert (params.human, params.exophones) == ("f", ("t", "f"))


# ------------------------------------------------------------------ anything at all


_NAMES = st.one_of(st.sampled_from([*DOCUMENTED, "Callfrom", "callsid"]), st.text(max_size=10))
_VALUES = st.one_of(
    st.sampled_from([*DOCUMENTED.values(), "outgoing", "null", ""]), st.text(max_size=30)
)


@given(st.lists(st.tuples(_NAMES, _VALUES), max_size=20))
def test_any_parameters_are_a_call_or_name_none(pairs: list[tuple[str, str]]) -> None:
    """Nothing else is raised; what is read is bounded and its time has a zone."""
    try:
        params = read_passthru(pairs)
    except MissingCallSidError:
        named = [value for name, value in pairs if name.lower().replace("_", "") == "callsid"]
        assert all(value.strip().lower() in ("", "null") for value in named)
        return
    assert params.call_sid
    assert params.direction in ("incoming", "outgoing", "")
    assert params.human in (params.call_from, params.call_to)
    assert params.created is None or params.created.astimezone(UTC).tzinfo is UTC
