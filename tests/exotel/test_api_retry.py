"""How often and how long Exotel's API is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.api.retry import (
    CHANGE,
    LONGEST_HOLD,
    LONGEST_PAUSE,
    READ,
    Gate,
    gate_of,
    pause,
    read_retry_after,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_pauses_grow_and_are_bounded() -> None:
    """Twice as long each time, up to the longest, and by chance half of that at least."""
    assert [pause(tries, 1.0) for tries in (1, 2, 3, 4, 5, 6, 500)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert [pause(tries, 0.0) for tries in (1, 2, 3)] == [0.25, 0.5, 1]


@given(st.integers(1, 1000), st.floats(0, 1))
def test_no_pause_is_out_of_its_bounds(tries: int, chance: float) -> None:
    """Whatever chance says."""
    assert 0.25 <= pause(tries, chance) <= LONGEST_PAUSE


def test_all_tries_fit_into_the_time_of_a_read_that_fails_quickly() -> None:
    """Or the tries would be more than there can be."""
    assert sum(pause(tries, 1.0) for tries in range(1, READ.tries)) < READ.total_seconds


def test_what_changes_something_has_the_time_that_exotel_may_take() -> None:
    """It can block for 30 s; and it is asked once."""
    assert CHANGE.seconds > 30
    assert CHANGE.tries == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("86400", LONGEST_HOLD),
        ("999999999999", None),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("१०", None),
        ("Sat, 21 Nov 2026 12:01:00 GMT", 60.0),
        ("Sat, 21 Nov 2026 17:31:00 +0530", 60.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("Sun, 22 Nov 2026 12:01:00 GMT", LONGEST_HOLD),
        ("Sat, 21 Nov 2026 12:01:00 -0000", 60.0),
        ("Sat, 99 Nov 2026 12:01:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str, seconds: float | None) -> None:
    """Seconds, or a date; bounded, never below zero."""
    assert read_retry_after(value, NOW) == seconds


@given(st.text() | st.datetimes().map(lambda at: format_datetime(at.replace(tzinfo=UTC))))
def test_no_retry_after_is_out_of_its_bounds(value: str) -> None:
    """Whatever stands there."""
    seconds = read_retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_HOLD


def test_the_gate_opens_when_the_longest_wish_is_over() -> None:
    """A shorter one that comes later does not open it."""
    gate = Gate()
    assert gate.left(5.0) == 0
    gate.hold(10.0, 5.0)
    gate.hold(11.0, 1.0)
    assert gate.left(12.0) == 3.0
    assert gate.left(15.0) == 0
    assert gate.left(99.0) == 0


def test_each_account_has_one_gate() -> None:
    """Another account, or another region, is not held back."""
    assert gate_of("https://a", "one") is gate_of("https://a", "one")
    assert len({id(gate_of(url, sid)) for url in ("https://a", "b") for sid in ("one", "two")}) == 4


def test_a_date_is_that_of_the_answer() -> None:
    """A minute from now is a minute from now, whatever the hour."""
    at = NOW + timedelta(minutes=1)
    assert read_retry_after(format_datetime(at, usegmt=True), NOW) == 60.0
