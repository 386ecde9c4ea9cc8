"""Opening hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.templates import (
    Hours,
    is_open,
)
from exobridge.templates.hours import DAYS
from tests.templates.reading import refused

INDIA = ZoneInfo("Asia/Kolkata")
BERLIN = ZoneInfo("Europe/Berlin")


def hours(**table: object) -> Hours:
    return Hours.model_validate(table)


def at(text: str, zone: ZoneInfo = INDIA) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def test_without_hours_the_line_is_always_open() -> None:
    """A template that says nothing takes every call."""
    assert is_open(None, datetime.now(UTC))


def test_a_span_includes_its_start_and_not_its_end() -> None:
    """The lunch break begins on the minute, and a day that is not named is closed."""
    table = hours(mon=["14:00-18:00", "09:00-13:00"])
    monday = "2026-01-19T"
    assert [
        is_open(table, at(monday + clock))
        for clock in ("08:59:59", "09:00", "12:59:59", "13:00", "13:59", "14:00", "18:00")
    ] == [False, True, True, False, False, True, False]
    assert not is_open(table, at("2026-01-20T10:00"))


def test_the_clock_is_that_of_the_zone() -> None:
    """A server on UTC opens at nine in the morning of India."""
    table = hours(mon=["09:00-18:00"])
    assert is_open(table, datetime(2026, 1, 19, 3, 30, tzinfo=UTC))
    assert not is_open(table, datetime(2026, 1, 19, 3, 29, tzinfo=UTC))
    assert not is_open(table, datetime(2026, 1, 19, 13, 0, tzinfo=UTC))


def test_a_span_may_cross_midnight_into_the_next_week() -> None:
    """Sunday night goes on into Monday morning."""
    table = hours(sun=["22:00-02:00"])
    assert is_open(table, at("2026-01-18T23:59"))
    assert is_open(table, at("2026-01-19T01:59"))
    assert not is_open(table, at("2026-01-19T02:00"))
    assert not is_open(table, at("2026-01-18T01:00"))


def test_a_day_may_end_at_midnight() -> None:
    """24:00 is the end of the day, and 00:00-24:00 all of it."""
    table = hours(mon=["18:00-24:00"], tue=["00:00-24:00"])
    assert is_open(table, at("2026-01-19T23:59:59"))
    assert is_open(table, at("2026-01-20T00:00"))
    assert is_open(table, at("2026-01-20T23:59:59"))
    assert not is_open(table, at("2026-01-21T00:00"))


def test_on_a_closed_date_no_span_begins() -> None:
    """A holiday closes its own shifts, the night shift into the day after included; the shift of
    the evening before is worked to its end."""
    table = hours(
        sun=["22:00-02:00"], mon=["09:00-13:00", "22:00-02:00"], closed_dates=["2026-01-26"]
    )
    assert is_open(table, at("2026-01-26T01:00"))
    assert not is_open(table, at("2026-01-26T10:00"))
    assert not is_open(table, at("2026-01-26T23:00"))
    assert not is_open(table, at("2026-01-27T01:00"))
    assert is_open(table, at("2026-01-19T10:00"))


def test_daylight_saving_moves_the_opening_with_the_clock_on_the_wall() -> None:
    """In Berlin nine is eight UTC in winter, seven in summer."""
    table = hours(timezone="Europe/Berlin", fri=["09:00-17:00"], mon=["09:00-17:00"])
    assert not is_open(table, datetime(2026, 3, 27, 7, 30, tzinfo=UTC))
    assert is_open(table, datetime(2026, 3, 27, 8, 0, tzinfo=UTC))
    assert is_open(table, datetime(2026, 3, 30, 7, 0, tzinfo=UTC))


def test_on_the_days_the_clock_changes_a_night_span_follows_the_wall() -> None:
    """The hour that is skipped cannot be open; the one that comes twice is open twice."""
    table = hours(timezone="Europe/Berlin", sun=["02:30-03:30"])
    spring = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)  # 01:00 there; 02:00 becomes 03:00
    minutes_open = [
        minute for minute in range(180) if is_open(table, spring + timedelta(minutes=minute))
    ]
    assert minutes_open == list(range(60, 90))
    autumn = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 02:00 there; 03:00 becomes 02:00
    minutes_open = [
        minute for minute in range(240) if is_open(table, autumn + timedelta(minutes=minute))
    ]
    assert minutes_open == [*range(30, 60), *range(90, 150)]


def test_a_time_without_a_zone_is_refused() -> None:
    """A naive time would be read in the server's zone."""
    with pytest.raises(ValueError, match="time zone"):
        is_open(None, datetime(2026, 1, 19, 9, 0))


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1)))
def test_all_day_every_day_is_always_open(now: datetime) -> None:
    """No minute falls between two days."""
    week = {day: ["00:00-24:00"] for day in DAYS}
    assert is_open(hours(timezone="Europe/Berlin", **week), now)


@pytest.mark.parametrize(
    "span",
    [
        "9-18",
        "09:00",
        "09:00-25:00",
        "24:00-01:00",
        "09:60-10:00",
        "10:00-10:00",
        "a:00-b:00",
        "09:00-10:00-11:00",
        "٠٩:00-10:00",
        "-1:00-02:00",
        "-",
    ],
)
def test_a_span_that_is_none_is_named(span: str, tmp_path: Path) -> None:
    """The error says which day, which span, and how one is written."""
    error = refused(tmp_path, f'[hours]\nmon = ["08:00-08:30", "{span}"]')
    assert error.where.endswith("reception.toml: hours.mon[1]")
    assert '"09:00-18:30"' in error.cure
