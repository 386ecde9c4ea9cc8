"""Answers of Exotel's API as trees, and what is read out of them."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.api.answer import (
    MAX_DEPTH,
    MAX_TEXT,
    UnreadableAnswerError,
    read_answer,
)
from exobridge.exotel.api.models import (
    ActiveStreams,
    CallDetails,
    LegDetails,
    read_active_streams,
    read_call_details,
    read_exophones,
)
from exobridge.exotel.times import IST


def call(text: str) -> CallDetails:
    """The call in an answer."""
    return read_call_details(read_answer(text.encode()))


def streams(text: str) -> ActiveStreams:
    """The streams in an answer."""
    return read_active_streams(read_answer(text.encode()))


def test_a_call_is_read_from_xml() -> None:
    """As Exotel answers where ``.json`` is not asked for; a leg by itself too."""
    found = call(
        """<?xml version="1.0" encoding="UTF-8"?>
        <TwilioResponse>
          <Call>
            <Sid>c1</Sid><Status>no-answer</Status><Direction>outbound-api</Direction>
            <StartTime>2026-11-21 12:31:58</StartTime><EndTime/><Price>1.23</Price>
            <Details>
              <ConversationDuration>0</ConversationDuration>
              <Leg1Status>completed</Leg1Status><Leg2Status>No Answer</Leg2Status>
              <Legs><Leg><Id>1</Id><OnCallDuration>7</OnCallDuration></Leg></Legs>
            </Details>
          </Call>
        </TwilioResponse>"""
    )
    assert found == CallDetails(
        "c1",
        status="no-answer",
        direction="outgoing",
        started_at=datetime(2026, 11, 21, 12, 31, 58, tzinfo=IST),
        price=Decimal("1.23"),
        conversation_seconds=0,
        leg1_status="completed",
        leg2_status="no-answer",
        legs=(LegDetails("1", 7),),
        has_details=True,
    )


@pytest.mark.parametrize(
    "legs",
    [
        [{"Leg": {"Id": 1, "OnCallDuration": 7}}],
        [{"leg": {"id": "1", "on_call_duration": "7"}}],
        [{"Id": 1, "OnCallDuration": 7}],
        {"Leg": {"Id": 1, "OnCallDuration": 7}},
        {"Leg": [{"Id": 1, "OnCallDuration": 7}]},
        [None, "x", {"Leg": {"Id": 1, "OnCallDuration": 7}}],
    ],
)
def test_legs_are_read_with_and_without_a_wrapper(legs: object) -> None:
    """What is no leg is passed over."""
    told = {"Call": {"Sid": "c1", "Details": {"Legs": legs}}}
    assert call(json.dumps(told)).legs == (LegDetails("1", 7),)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_each_leg_of_xml_is_read(count: int) -> None:
    """None, one, or many: elements of one name are a list."""
    legs = "".join(f"<Leg><Id>{number}</Id></Leg>" for number in range(count))
    found = call(f"<R><Call><Sid>c1</Sid><Details><Legs>{legs}</Legs></Details></Call></R>")
    assert [leg.leg_id for leg in found.legs] == [str(number) for number in range(count)]


@pytest.mark.parametrize("legs", [None, [], "", 7, {}, [[]]])
def test_a_call_may_have_no_legs(legs: object) -> None:
    """Whatever stands there in their place."""
    assert call(json.dumps({"Call": {"Sid": "c1", "Details": {"Legs": legs}}})).legs == ()


def test_what_is_null_is_not_told() -> None:
    """As JSON's ``null`` and as the word."""
    told = {"Sid": "c1", "EndTime": None, "Price": "null", "RecordingUrl": "null", "Details": None}
    assert call(json.dumps({"Call": told})) == CallDetails("c1", has_details=True)


@pytest.mark.parametrize(
    ("price", "read"),
    [
        ("0.4", Decimal("0.4")),
        (1.5, Decimal("1.5")),
        (2, Decimal(2)),
        ("-1", None),
        ("NaN", None),
        ("1e9", None),
    ],
)
def test_a_price_is_a_plain_number(price: object, read: Decimal | None) -> None:
    """Or it is not told."""
    assert call(json.dumps({"Call": {"Sid": "c1", "Price": price}})).price == read


def test_a_presigned_url_is_kept_whole() -> None:
    """A signature that is cut is none."""
    url = "https://s3-ap-southeast-1.amazonaws.com/x.mp3?X-Amz-Security-Token=" + "a" * 4000
    assert call(json.dumps({"Sid": "c1", "PreSignedRecordingUrl": url})).presigned_url == url
    endless = call(json.dumps({"Sid": "c1", "PreSignedRecordingUrl": "a" * 100_000}))
    assert len(endless.presigned_url) == MAX_TEXT


def test_numbers_and_urls_are_not_shown() -> None:
    """Where a call's details are printed."""
    told = {"From": "+919811122233", "To": "08047112233", "RecordingUrl": "https://x/secret"}
    shown = repr(call(json.dumps({"Sid": "c1", "PreSignedRecordingUrl": "https://y", **told})))
    assert not any(text in shown for text in (*told.values(), "https://y"))


@pytest.mark.parametrize(
    ("body", "active", "limit"),
    [
        ('{"status":"success","active_streams":12,"max_allowed_streams":100}', 12, 100),
        ('{"ActiveStreams":"12","MaxAllowedStreams":"100"}', 12, 100),
        ('{"response":{"active_streams":0,"limit":5}}', 0, 5),
        ('{"active_streams":3}', 3, None),
        ('{"active_streams":3,"max_allowed_streams":0}', 3, None),
        ('{"active_streams":3,"max_allowed_streams":-1}', 3, None),
        ('{"active_streams":3,"max_allowed_streams":"unlimited"}', 3, None),
        ("<R><ActiveStreams>4</ActiveStreams><MaxAllowedStreams>9</MaxAllowedStreams></R>", 4, 9),
        ('{"active_streams":3,"limit":9,"pool":{"active_streams":1,"limit":2}}', 3, 9),
        ("<R><ActiveStreams><Count>4</Count><Limit>9</Limit></ActiveStreams></R>", 4, 9),
    ],
)
def test_streams_are_read_in_either_form(body: str, active: int, limit: int | None) -> None:
    """By their known spellings, at whatever depth; a limit that is none is not told."""
    assert streams(body) == ActiveStreams(active, limit)


def test_free_streams_are_never_fewer_than_none() -> None:
    """An account may be above its limit for a moment."""
    assert ActiveStreams(12, 10).free == 0
    assert ActiveStreams(7, 10).free == 3
    assert ActiveStreams(7, None).free is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'"x"',
        b"{",
        b"<a>",
        b"<a/>",
        b"<a>text</a>",
        b"\xff",
        b"{}{}",
        b'{"a":\xff}',
        '<?xml version="1.0" encoding="UTF-16"?><a><b/></a>'.encode("utf-16"),
        b'<!DOCTYPE a [<!ENTITY b "c">]><a><d>&b;</d></a>',
        b'<?xml version="1.0"?>\n<!DOCTYPE a SYSTEM "file:///etc/passwd"><a><b/></a>',
        b"<a><b>&undeclared;</b></a>",
        b"[" * 50_000,
        b'{"a":' * (MAX_DEPTH + 2) + b"1" + b"}" * (MAX_DEPTH + 2),
        b"<a>" * (MAX_DEPTH + 3) + b"1" + b"</a>" * (MAX_DEPTH + 3),
        b"<a>" * 50_000 + b"</a>" * 50_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_holds_no_object_is_refused(body: bytes) -> None:
    """Without any of it in the error."""
    with pytest.raises(UnreadableAnswerError) as caught:
        read_answer(body)
    assert len(str(caught.value)) < 60


def test_a_byte_order_mark_and_namespaces_do_no_harm() -> None:
    """Both are seen from servers of that kind."""
    assert call('\ufeff{"Call":{"Sid":"c1"}}').call_sid == "c1"
    assert call('<r xmlns="urn:x"><Call><Sid>c1</Sid></Call></r>').call_sid == "c1"


def test_of_names_that_are_alike_the_first_counts() -> None:
    """They are alike without case and ``_``."""
    assert call('{"Sid":"c1","sid":"c2","S_I_D":"c3"}').call_sid == "c1"


def test_a_nul_is_left_out() -> None:
    """No database takes one."""
    assert call('{"Sid":"c\\u00001"}').call_sid == "c1"


@pytest.mark.parametrize(
    ("told", "over", "settled"),
    [
        ({"Status": "in-progress"}, False, False),
        ({"Status": "completed"}, True, False),
        ({"Status": "completed", "EndTime": "2026-11-21 12:40:00"}, True, False),
        ({"Status": "busy", "EndTime": "2026-11-21 12:40:00", "Duration": 0}, True, True),
        ({"Status": "ringing", "EndTime": "2026-11-21 12:40:00", "Duration": 7}, False, False),
    ],
)
def test_a_call_is_settled_when_its_end_and_duration_are_known(
    told: dict[str, object], over: bool, settled: bool
) -> None:
    """They come some minutes after the end."""
    found = call(json.dumps({"Call": {"Sid": "c1", **told}}))
    assert (found.is_over, found.is_settled) == (over, settled)


@pytest.mark.parametrize(("size", "full"), [(1, True), (2, True), (3, False), (None, False)])
def test_another_page_may_follow_a_full_one(size: int | None, full: bool) -> None:
    """As long as it says, else fifty numbers."""
    numbers = [{"incoming_phone_number": {"sid": sid}} for sid in ("p1", "p2")]
    told = {"incoming_phone_numbers": numbers, "page_size": size}
    page = read_exophones(read_answer(json.dumps(told).encode()))
    assert [phone.sid for phone in page.phones] == ["p1", "p2"]
    assert page.is_full is full


NAMES = (
    *("Call", "Sid", "Details", "Legs", "Leg", "Id", "Price", "EndTime", "Duration"),
    *("incoming_phone_numbers", "phone_number", "page_size", "active_streams", "limit"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


@given(JSON)
def test_no_answer_breaks_a_reader(told: object) -> None:
    """It is read, or refused."""
    for read in (read_call_details, read_exophones, read_active_streams):
        with suppress(UnreadableAnswerError):
            read(read_answer(json.dumps(told).encode()))


@given(
    st.binary(max_size=300) | st.text(alphabet='<>/&;!?"= ab[]{}:,', max_size=100).map(str.encode)
)
def test_no_bytes_break_the_reader(body: bytes) -> None:
    """Likewise."""
    with suppress(UnreadableAnswerError):
        read_answer(body)
