"""What Exotel's answers mean for a call, and for all others; how many may be asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.api import (
    ActiveStreams,
    BadRequestError,
    ConflictError,
    ExotelAnswerError,
    ExotelError,
    ExotelServerError,
    ExotelStatusError,
    ExotelTimeoutError,
    ExotelUnreachableError,
    ForbiddenError,
    NoBalanceError,
    NotFoundError,
    RateLimitedError,
    UnauthorisedError,
)
from exobridge.outbound.asking import (
    FEW_NOT_FOUND,
    LONGEST_HOLD,
    MANY_UNSURE,
    RATE_HOLD,
    Hold,
    Meaning,
    Meanings,
    meaning_of,
)
from exobridge.outbound.serving import limits_of
from exobridge.settings import Settings
from exobridge.store.dial_pace import Limits, Traffic, room_in_minute
from tests.outbound.ground import NOON


@pytest.mark.parametrize(
    ("error", "what", "why"),
    [
        (ExotelTimeoutError("x", may_have_happened=True), "unsure", ""),
        (ExotelUnreachableError("x", may_have_happened=True), "unsure", ""),
        (ExotelServerError("x", status=500, may_have_happened=True), "unsure", ""),
        (ExotelAnswerError("x", status=200, may_have_happened=True), "unsure", ""),
        (ExotelTimeoutError("x"), "again", "way"),
        (ExotelUnreachableError("x"), "again", "way"),
        (ExotelStatusError("x", status=302), "again", "way"),
        (RateLimitedError("x", status=429), "again", "rate"),
        (UnauthorisedError("x", status=401), "again", "account"),
        (NoBalanceError("x", status=402), "again", "account"),
        (ForbiddenError("x", status=403), "again", "account"),
        (ForbiddenError("not made because of TRAI NDNC regulations", status=403), "refused", ""),
        (BadRequestError("x", status=400), "refused", ""),
        (NotFoundError("x", status=404), "refused", ""),
        (ConflictError("x", status=409), "refused", ""),
    ],
)
def test_an_error_says_whether_there_may_be_a_call(error: ExotelError, what: str, why: str) -> None:
    """Where there may be one it is never asked for again; what concerns all calls burns none."""
    meaning = meaning_of(error)
    assert (meaning.what, meaning.why) == (what, why)


def test_exotel_is_left_alone_as_long_as_it_asks() -> None:
    """And for some seconds at least."""
    assert meaning_of(RateLimitedError("x", status=429)).hold == RATE_HOLD
    assert meaning_of(RateLimitedError("x", status=429, retry_after=77)).hold == 77


def test_many_404_in_a_row_are_nobodys_own() -> None:
    """A call that is placed in between tells that the account is found."""
    meanings, gone = Meanings(), NotFoundError("x", status=404)
    for _ in range(2):
        told = [meanings.of(gone).what for _ in range(FEW_NOT_FOUND + 2)]
        assert told == ["refused"] * FEW_NOT_FOUND + ["again"] * 2
        assert meanings.of(BadRequestError("x", status=400)).what == "refused"
        assert meanings.of(gone).what == "again"
        assert meanings.placed().what == "placed"


def test_many_answers_that_tell_nothing_are_trouble() -> None:
    """A few may be chance."""
    hold = Hold()
    for _ in range(MANY_UNSURE - 1):
        assert not hold.unsure("no answer", 100.0)
    assert not hold.is_probing
    assert hold.unsure("no answer", 100.0)
    assert hold.is_probing
    assert hold.left(100.0)


def test_trouble_holds_longer_each_time_and_is_told_once() -> None:
    """Several that were asked together count as one; a call that is placed ends it."""
    hold, trouble, now = Hold(), Meaning("again", "account"), 100.0
    assert not hold.is_probing
    assert hold.trouble(trouble, "no balance", now)
    assert not hold.trouble(trouble, "no balance", now)
    lengths: list[float] = []
    for _ in range(9):
        lengths.append(hold.left(now))
        now += hold.left(now)
        assert hold.left(now) == 0
        assert hold.is_probing
        assert not hold.trouble(trouble, "no balance", now)
    assert lengths == [5, 10, 20, 40, *[LONGEST_HOLD] * 5]
    assert hold.error == "no balance"
    assert hold.passed()
    assert (hold.left(now), hold.error, hold.is_probing) == (0, "", False)
    assert not hold.passed()


@given(st.integers(1, 200), st.lists(st.floats(0, 120), max_size=300), st.integers(0, 30))
def test_no_minute_holds_too_many(per_minute: int, ages: list[float], claimed: int) -> None:
    """Nor three seconds more than their share, rounded up; what is claimed is counted in."""
    asked = [NOON - timedelta(seconds=age) for age in ages]
    room = room_in_minute(per_minute, asked, NOON, claimed)
    in_minute = sum(age < 60 for age in ages)
    in_burst = sum(age < 3 for age in ages)
    assert room >= 0
    if room:
        assert in_minute + claimed + room <= per_minute
        assert in_burst + claimed + room <= -(-per_minute // 20)
    if not in_minute and not claimed:
        assert room == -(-per_minute // 20)


def test_places_are_shared_by_calls_of_both_ways() -> None:
    """A conversation that we placed is counted once."""
    limits = Limits(per_minute=200, places=10, calls=4)
    assert Traffic(under_way={None: 5}, outside=2).room(limits, NOON) == 4
    assert Traffic(under_way={None: 5}, outside=6).room(limits, NOON) == 0
    assert Traffic(under_way={"b": 3}).room_of("b", 4, 200, NOON) == 1
    assert Traffic(under_way={"b": 5}).room_of("b", 4, 200, NOON) == 0


@pytest.mark.parametrize(
    ("active", "limit", "places"),
    [(0, None, 90), (5, 500, 90), (5, 30, 20), (30, 30, 0), (1, 4, 1)],
)
def test_the_streams_of_the_account_hold_for_calls_that_we_place(
    active: int, limit: int | None, places: int
) -> None:
    """Whom we call would find all lines taken; a small account calls one person at a time."""
    settings = Settings.read({"MAX_CALLS": "100", "OUTBOUND_RESERVE": "10"})
    assert limits_of(settings, 0, ActiveStreams(active, limit)).places == places
