"""When somebody may be called, and what became of a call; in virtual time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call import events
from exobridge.call.events import CallEvent, Decision, EndedBy
from exobridge.call.placed import PlacedCall
from exobridge.call.state import replay
from exobridge.outbound.models import DialOutcome, RetryPolicy
from exobridge.outbound.rules import IST, Result, may_call, next_attempt, next_call, result_of
from exobridge.templates.hours import Hours
from tests.outbound.ground import NOON, over, talked

times = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
    lambda at: at.replace(tzinfo=UTC)
)
spans = st.sampled_from(["09:00-18:00", "08:00-09:30", "19:30-23:00", "22:00-02:00", "00:00-24:00"])
days = st.lists(st.sampled_from(["mon", "wed", "sat", "sun"]), unique=True, min_size=1)


@st.composite
def tables(draw: st.DrawFn) -> Hours | None:
    """A template's hours, or none."""
    if draw(st.booleans()):
        return None
    zone = draw(st.sampled_from(["Asia/Kolkata", "UTC", "America/New_York"]))
    named: dict[str, Any] = {day: [draw(spans)] for day in draw(days)}
    return Hours.model_validate({"timezone": zone, **named})


@given(times)
def test_no_promotional_telephone_rings_at_night(at: datetime) -> None:
    """Of a request made then, or the next that may be, no phone rings before 9 or from 21 on."""
    found = next_call(at, promotional=True, hours=None)
    assert found is not None
    assert found >= at
    for rings in (found, found + timedelta(seconds=59)):
        assert 9 <= rings.astimezone(IST).hour < 21
    assert found - at <= timedelta(hours=12, minutes=2)


@given(times, tables(), st.booleans())
def test_the_next_opening_is_the_first(
    at: datetime, hours: Hours | None, promotional: bool
) -> None:
    """At it somebody may be called; at no quarter of an hour before may anybody."""
    found = next_call(at, promotional=promotional, hours=hours)
    if found is None:
        return
    assert may_call(found, promotional=promotional, hours=hours)
    probe = at
    while probe < min(found, at + timedelta(days=3)):
        assert not may_call(probe, promotional=promotional, hours=hours)
        probe += timedelta(minutes=15)


def test_hours_that_never_open_have_no_next() -> None:
    """A template for the night has no promotional calls."""
    night = Hours.model_validate({"mon": ["22:00-23:00"]})
    assert next_call(NOON, promotional=True, hours=night) is None
    assert next_call(NOON, promotional=False, hours=night) is not None


@pytest.mark.parametrize(
    ("clock", "may"), [("08:59:59", 0), ("09:00:00", 1), ("20:58:29", 1), ("20:58:30", 0)]
)
def test_the_day_begins_at_nine_and_ends_before_nine(clock: str, may: int) -> None:
    """A minute and a half: a phone rings half a minute after Exotel was asked, and for a minute, at
    most."""
    at = datetime.fromisoformat(f"2026-11-20T{clock}+05:30")
    assert may_call(at, promotional=True, hours=None) == bool(may)


@given(
    st.integers(1, 10),
    st.integers(1, 12),
    st.lists(st.floats(0, 9e4), min_size=1, max_size=3),
    st.sampled_from(list(DialOutcome)),
)
def test_a_policy_has_so_many_attempts(
    most: int, attempts: int, pauses: list[float], outcome: DialOutcome
) -> None:
    """Only after what it names, each after its pause, and never one too many."""
    policy = RetryPolicy(most, ("busy", "no-answer"), tuple(pauses))
    at = next_attempt(policy, attempts, Result(outcome, NOON))
    if attempts >= most or outcome not in ("busy", "no-answer"):
        assert at is None
    else:
        pause = pauses[min(attempts, len(pauses)) - 1]
        assert at == NOON + timedelta(seconds=pause)


PLACED = events.placed("c1", NOON, PlacedCall(dial="d1", template="default"))


BROKEN = events.stream_ended("c1", NOON, stream_sid="s1", ended_by=EndedBy.NETWORK)


def refused() -> CallEvent:
    """Our own answer turned the call away."""
    return events.answer("c1", NOON, decision=Decision.REFUSE, reason="busy")


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ([], None),
        ([over("c1", NOON, "busy")], "busy"),
        ([over("c1", NOON, "no-answer")], "no-answer"),
        ([over("c1", NOON, "failed")], "failed"),
        ([over("c1", NOON, "canceled")], "failed"),
        ([over("c1", NOON, "completed")], "answered"),
        (talked("c1", NOON)[:1], None),
        (talked("c1", NOON)[:2], None),
        (talked("c1", NOON), "answered"),
        (talked("c1", NOON, "voicemail"), "voicemail"),
        ([refused()], "failed"),
        ([events.no_stream("c1", NOON)], "unknown"),
        ([*talked("c1", NOON)[:2], events.stream_lost("c1", NOON, stream_sid="s1")], "answered"),
        ([*talked("c1", NOON)[:2], BROKEN], "answered"),
        ([over("c1", NOON, "no-answer"), *talked("c1", NOON)], "answered"),
    ],
)
def test_what_became_of_a_call_is_told_by_its_record(
    told: list[CallEvent], outcome: str | None
) -> None:
    """In whatever order it was told."""
    for order in ([PLACED, *told], [*reversed(told), PLACED]):
        call = replay(order)
        assert call is not None
        found = result_of(call)
        assert (found and found.outcome) == outcome
