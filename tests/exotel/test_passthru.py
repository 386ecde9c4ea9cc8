"""What an applet's webhook tells of its call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.passthru import (
    IST,
    MAX_PARAMETERS,
    MAX_VALUE,
    MissingCallSidError,
    PassthruParams,
    read_passthru,
    read_time,
)

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
    "DialWhomNumber": "null",
    "From": "09900000001",
    "To": "08040000000",
    "flow_id": "17",
    "tenant_id": "2",
    "digits": '"12"',
    "CustomField": "order-7",
    "Legs[0][Number]": "07200498123",
    "RecordingUrl": "null",
}


def read(**given: str) -> PassthruParams:
    """What these parameters tell of the call ``c1``."""
    return read_passthru({"CallSid": "c1", **given}.items())


def test_the_documented_parameters() -> None:
    """All that Exotel lists may come, and what is of use is read."""
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
    )


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


# ------------------------------------------------------------------ times


NOON = datetime(2024, 1, 15, 12, 0, 5, tzinfo=IST)


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-15 12:00:05",
        "2024-01-15T12:00:05",
        "Mon, 15 Jan 2024 12:00:05",
        "15 Jan 2024 12:00:05",
        "2024-01-15T12:00:05+05:30",
        "2024-01-15 12:00:05+0530",
        "Mon, 15 Jan 2024 12:00:05 +0530",
        "2024-01-15T06:30:05Z",
        "2024-01-15T06:30:05+00:00",
        "Mon, 15 Jan 2024 06:30:05 GMT",
        "Mon, 15 Jan 2024 06:30:05 +0000",
        "2024-01-15T01:30:05-05:00",
    ],
)
def test_spellings_of_a_time(text: str) -> None:
    """A zone is honoured; without one it is Indian Standard Time."""
    found = read_time(text)
    assert found == NOON
    assert read(Created=f" {text} ").created == NOON
    assert found is not None
    assert found.utcoffset() is not None


def test_indian_standard_time() -> None:
    """It is five and a half hours ahead of UTC, all the year."""
    assert IST.utcoffset(None) == timedelta(hours=5, minutes=30)
    found = read_time("2022-02-23 12:31:58")
    assert found is not None
    assert found.astimezone(UTC) == datetime(2022, 2, 23, 7, 1, 58, tzinfo=UTC)


def test_fractions_of_a_second_are_kept() -> None:
    """Some spellings have them."""
    found = read_time("2024-01-15T12:00:05.250+05:30")
    assert found == NOON + timedelta(milliseconds=250)


@pytest.mark.parametrize(
    "text", ["1970-01-01 05:30:00", "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 05:30:00"]
)
def test_the_epoch_is_no_time(text: str) -> None:
    """``EndTime`` is always that: Exotel's way to say that there is none."""
    assert read_time(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "now",
        "2024",
        "2024-13-01 00:00:00",
        "2024-02-30 00:00:00",
        "2024-01-15 25:00:00",
        "15/01/2024 12:00",
        "Mon, 99 Jan 2024 12:00:05",
        "Mon, 15 Jan 2024 12:00:05 +99999999999",
        "Mon, 15 Jan 2024 12:00:05 +999999999999999999999999",
        "Mon, 15 Jan 99999999999999999999 12:00:05",
        "Mon, 15 Jan 2024 ::",
        "0001-01-01 00:00:00",
        "9999-12-31T23:59:59-12:00",
        "-1",
        "९" * 8,
        "1" * 2000,
        ",",
        "\u0000",
    ],
)
def test_what_is_no_time(text: str) -> None:
    """It is not known, and the call goes on."""
    assert read_time(text) is None
    assert read(Created=text) == PassthruParams("c1")


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


_DATES = st.datetimes(datetime(1971, 1, 1), datetime(9998, 12, 31))


@given(_DATES, st.integers(-14 * 60, 14 * 60))
def test_every_time_that_is_written_is_read(date: datetime, minutes: int) -> None:
    """In each documented spelling, with a zone or without, to the second."""
    date = date.replace(microsecond=0)
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    zoned = f"{date.isoformat()}{sign}{hours:02}:{rest:02}"
    assert read_time(date.isoformat(" ")) == date.replace(tzinfo=IST)
    found = read_time(zoned)
    assert found is not None
    assert (found.replace(tzinfo=None), found.utcoffset()) == (date, timedelta(minutes=minutes))
    spelled = f"{date:%a}, {date.day:02} {date:%b} {date.year} {date:%H:%M:%S}"
    assert read_time(spelled) == date.replace(tzinfo=IST)


_TIME_TEXTS = st.one_of(
    st.text(max_size=40),
    st.text("0123456789-:T+. ZWGMTadeFb,", max_size=40),
    st.binary(max_size=30).map(lambda junk: junk.decode("latin-1")),
)


@given(_TIME_TEXTS)
def test_no_text_breaks_the_reading_of_times(text: str) -> None:
    """It is a time that every zone can tell, or it is none."""
    found = read_time(text)
    assert found is None or found.astimezone(UTC).year >= 1970
