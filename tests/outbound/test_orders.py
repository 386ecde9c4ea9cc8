"""A dial's attempt in Exotel's terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from exobridge.call.placed import PlacedCall as PlacedHere
from exobridge.outbound.models import DialRequest, PlacedCall
from exobridge.outbound.orders import Orders
from exobridge.outbound.placed import placed_event

REQUEST = DialRequest("reminder", "+918047112233", ring_seconds=20, limit_seconds=90, app_id="47")
NUMBER = "+919811122233"


def orders(public_url: str | None, secret: str | None = None, rate: int = 8000) -> Orders:
    return Orders(public_url, secret, lambda named: f"<{named}>", lambda template: rate)


def test_a_call_through_a_flow_tells_its_end_to_us() -> None:
    """With the secret that our webhooks want, whatever signs it has."""
    order = orders("https://bot.example.com/voice", "s&cret").order(NUMBER, REQUEST, "d1", 2)
    url = urlsplit(order.status_callback)
    assert (url.netloc, url.path) == ("bot.example.com", "/voice/exotel/callback/status")
    assert parse_qs(url.query) == {"auth_token": ["s&cret"]}
    assert (order.app_id, order.stream_url, order.custom_field) == ("47", "", "xb:d1:2")
    assert (order.ring_seconds, order.limit_seconds, order.record) == (20, 90, False)


def test_without_a_public_url_nothing_is_told_to_us() -> None:
    """The call is placed all the same."""
    order = orders(None, "secret").order(NUMBER, REQUEST, "d1", 1)
    assert (order.status_callback, order.app_id) == ("", "47")


@pytest.mark.parametrize(
    ("public_url", "rate", "stream_url"),
    [
        ("https://bot.example.com", 8000, "wss://bot.example.com/exotel/stream/<xb:d1:1>"),
        ("http://localhost:80/a", 8000, "ws://localhost:80/a/exotel/stream/<xb:d1:1>"),
        (
            "https://bot.example.com",
            16_000,
            "wss://bot.example.com/exotel/stream/<xb:d1:1>?sample-rate=16000",
        ),
    ],
)
def test_a_call_straight_to_the_bot_has_a_token_of_its_own(
    public_url: str, rate: int, stream_url: str
) -> None:
    """Bound to this attempt of this dial."""
    request = replace(REQUEST, mode="stream")
    order = orders(public_url, rate=rate).order(NUMBER, request, "d1", 1)
    assert (order.app_id, order.stream_url, order.stream_name) == ("", stream_url, "exobridge")
    assert order.status_callback == f"{public_url}/exotel/callback/status"


def test_nobody_is_sent_to_a_stream_that_is_nowhere() -> None:
    """The message names the setting."""
    with pytest.raises(ValueError, match="EXOBRIDGE_PUBLIC_URL"):
        orders(None).order(NUMBER, replace(REQUEST, mode="stream"), "d1", 1)


def test_a_url_that_is_too_long_is_not_asked_for() -> None:
    """Exotel would refuse it."""
    with pytest.raises(ValueError, match="599"):
        orders("https://bot.example.com/" + "a" * 600).order(
            NUMBER, replace(REQUEST, mode="stream"), "d1", 1
        )


def test_no_number_stands_in_what_is_shown_of_it() -> None:
    """Of the order, and of the call that is kept."""
    order = orders("https://bot.example.com").order(NUMBER, REQUEST, "d1", 1)
    at = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
    kept = PlacedHere.read(placed_event("c1", at, PlacedCall("d1", 1, NUMBER, REQUEST)).data)
    assert (kept.caller, kept.called) == (NUMBER, REQUEST.caller_id)
    assert "+91" not in f"{order!r} {kept!r}"
