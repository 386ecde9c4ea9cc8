"""Errors of Exotel's API: which status is which, and which may pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.api.errors import (
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
    error_of,
)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, ExotelStatusError),
        (400, BadRequestError),
        (401, UnauthorisedError),
        (402, NoBalanceError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (405, BadRequestError),
        (409, ConflictError),
        (429, RateLimitedError),
        (499, BadRequestError),
        (500, ExotelServerError),
        (503, ExotelServerError),
    ],
)
def test_each_status_has_its_error(status: int, error: type[ExotelError]) -> None:
    """Those that want something different done have a class of their own."""
    assert error_of(status) is error


@given(st.integers(0, 999))
def test_every_status_is_some_error(status: int) -> None:
    """And what the account's owner has to mend is not asked again."""
    error = error_of(status)
    assert error.retryable == (status == 429 or status >= 500)


def test_what_did_not_arrive_may_be_asked_again() -> None:
    """No connection, no answer in time, half an answer."""
    for error in (ExotelUnreachableError, ExotelTimeoutError, ExotelAnswerError):
        assert error.retryable


def test_an_error_says_what_happened_and_what_to_do() -> None:
    """In two sentences; what a program needs stands beside them."""
    error = RateLimitedError("Exotel answered 429", status=429, code=1010, retry_after=12.0)
    assert str(error) == f"Exotel answered 429. {RateLimitedError.cure}"
    assert (error.problem, error.status, error.code) == ("Exotel answered 429", 429, 1010)
    assert error.retry_after == 12.0
