"""Times as Exotel writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.times import IST, read_time

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
        "2024-01-15T12:00:05 05:30",
        "2024-01-15T12:00:05.000 05:30",
        "Mon, 15 Jan 2024 12:00:05  0530",
        "Mon, 15 Jan 2024 12:00:05 IST",
        "2024-01-15 12:00:05 IST",
    ],
)
def test_spellings_of_a_time(text: str) -> None:
    """A zone is honoured, also where its plus came as a blank from a query; without one it is
    Indian Standard Time."""
    found = read_time(text)
    assert found == NOON
    assert read_time(f" {text} ") == NOON
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
