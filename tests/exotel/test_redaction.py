"""URLs without what nobody else may know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.redaction import redact

HOST = "https://bot.example.com"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (f"{HOST}/a/b.mp3", f"{HOST}/a/b.mp3"),
        (f"{HOST}:8443", f"{HOST}:8443"),
        (f"{HOST}/a?auth_token=hush&x=1", f"{HOST}/a"),
        (f"{HOST}?auth_token=hush", HOST),
        (f"{HOST}/a#hush", f"{HOST}/a"),
        ("wss://bot:hush@bot.example.com/x", "wss://bot.example.com/x"),
        ("wss://hush@bot.example.com/x", "wss://bot.example.com/x"),
        ("wss://bot:hu@sh@bot.example.com/x", "wss://bot.example.com/x"),
        ("wss://bot:hu/sh@bot.example.com/x", "wss://bot.example.com/x"),
        ("wss://bot:hu?sh@bot.example.com/x", "wss://***"),
        ("WSS://bot:hush@[::1]:80/x", "WSS://[::1]:80/x"),
        (f"{HOST}/exotel/stream/hush", f"{HOST}/exotel/stream/***"),
        (f"{HOST}/v/exotel/stream/hush?x=1", f"{HOST}/v/exotel/stream/***"),
        (f"{HOST}/exotel/dial-up/hush", f"{HOST}/exotel/dial-up/***"),
        (f"{HOST}/exotel/dial-up/json/hush", f"{HOST}/exotel/dial-up/***"),
        (f"{HOST}/exotel/dial-up/passthru", f"{HOST}/exotel/dial-up/passthru"),
        (f"{HOST}/exotel/dial-up/passthru/hush", f"{HOST}/exotel/dial-up/passthru/***"),
        (r"wss:\/\/bot:hush://@bot.example.com\/x", "wss://bot.example.com/x"),
        (r"wss:\/\/bot:hush@bot.example.com\/x", "wss://bot.example.com/x"),
        ("wss%3A%2F%2Fbot%3Ahush%40bot.example.com%2Fx%3Fy%3Dhush", "wss://bot.example.com/x"),
    ],
)
def test_a_url_is_cut_down(url: str, kept: str) -> None:
    """To scheme, host and path; nothing that proves a request, in any spelling, is left."""
    assert redact(url) == kept
    assert redact(f'3009 "{url}", {url}') == f'3009 "{kept}", {redact(url)}'


@pytest.mark.parametrize(
    "text", ["", "order-7", "a@b.example", "x?y=z", "3009 failed", "a:b", "://"]
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    """There is nothing in them to take out."""
    assert redact(text) == text


_PART = st.text("abc:@/?#[]%\\ é0", max_size=8)


@given(_PART, st.sampled_from(["://", "%3A%2F%2F", r":\/\/"]), _PART)
def test_what_is_secret_is_never_left(before: str, slashes: str, after: str) -> None:
    """A password and a query, whatever stands around them; and redacting twice changes nothing."""
    url = f"wss{slashes}user:HUSH{before}@host.example/p?k=HUSH{after}".replace(" ", "")
    once = redact(f"{before} {url} {after}")
    assert "HUSH" not in once
    assert redact(once) == once


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    """Whatever it is."""
    redact(text)
