"""Any text for the ear: nothing raises, nothing takes long, nothing that should stay is touched."""

from __future__ import annotations

import re
import signal
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exobridge.ear import for_the_ear

TAGS = ["en-IN", "hi-IN", "hi-Latn-IN", "ta-IN"]
PIECES = st.sampled_from(
    [
        *"0123456789",
        *",.:;/-–+%°₹$€½¾×&@#=~|_*[]()<> \n",
        *("Rs. ", "INR ", "am", " p.m.", "kg", "GB", " Nov ", "st", "th", "x", "A", "बजे", "वीं"),
        *("OTP ", "order ", "XX", "lakh", "करोड़", "/-", "http://", "www.", ".com", "+91", "2026"),
        *("no. ", "1/2", "24/7", "😀", "\u200d", "a", "की", "५"),
    ]
)
WRITTEN = st.lists(PIECES, max_size=30).map("".join)


@given(WRITTEN | st.text(max_size=80))
@example("0½@0")
@example("1" * 5000)
@example("₹" + "9" * 400 + ".5 lakh")
@example("0" * 40 + "th")
@example("5 " * 300)
def test_no_text_breaks_it(text: str) -> None:
    """In any language; and where numbers are spoken, no ASCII or Devanagari digit is left."""
    for tag in TAGS:
        spoken = for_the_ear(text, tag)
        assert spoken == spoken.strip()
        if tag != "ta-IN":
            assert not re.search("[0-9०-९]", spoken)


@given(st.text(st.sampled_from("abcXYZ àकखीा्।,.?! '"), max_size=80))
def test_words_are_left_alone(text: str) -> None:
    """Text without digits and marks has only its white space put in order, once and for all."""
    for tag in TAGS:
        spoken = for_the_ear(text, tag)
        assert "".join(spoken.split()) == "".join(text.split())
        assert for_the_ear(spoken, tag) == spoken


@given(WRITTEN)
@example("~~~0")
def test_digits_of_other_languages_stay(text: str) -> None:
    """Each of them, in its order: a wrong number would be worse than one read by the vendor."""
    plain = re.sub(r"[\[\]<&]|https?://", "", text)  # links and tags may hide some
    if "@" not in plain:
        digits = re.findall("[0-9]", for_the_ear(plain, "ta-IN"))
        assert digits == re.findall("[0-9]", plain)


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("en", "five"),
        ("en-IN", "five"),
        ("en-GB", "five"),
        ("EN-in", "five"),
        ("hi", "पाँच"),
        ("hi-IN", "पाँच"),
        ("hi-Deva-IN", "पाँच"),
        ("hi-Latn-IN", "five"),
        ("ta-IN", "5"),
        ("mr", "5"),
        ("", "5"),
        ("english", "5"),
    ],
)
def test_the_language_decides(tag: str, said: str) -> None:
    """By its first part, whatever the region; Hindi in Latin script counts in English."""
    assert for_the_ear("5", tag) == said


NASTY = (
    *("1", "1,", "1-", "1.", "1/", "1:", "1 ", "1x", "a1", "a-1", "a@", "a.", "a_", "_", "-", "+"),
    *("<a", "<!--", "[", "](", "([", "*", "`", "~", "#", "# ", "- ", "> ", "|", "\\", "&#1", "."),
    *("₹", "₹1-", "+1 ", "(0", "½", "1½ ", "1 1/2 ", "9 am-", "Nov 1", "XX-", "OTP ", "no. 1"),
    *("http://a/", "www.", "1st-", "1 kg/", "\n", "\n- ", "\u200d", "५", " ", "अ", "1 lakh-"),
)
LIMIT_S = 60
"""A pattern that tried every beginning with every end would take hours."""


@contextmanager
def limited() -> Generator[None]:
    """The block ends within the limit; regular expressions can be stopped by a signal."""

    def stop(*_: object) -> None:
        raise AssertionError(f"not done after {LIMIT_S} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("text", [unit * 1000 for unit in NASTY], ids=map(repr, NASTY))
def test_nothing_is_tried_over_and_over(text: str) -> None:
    """The same signs again and again are read through once, and what comes behind is not lost."""
    with limited():
        assert for_the_ear(f"{text} end", "en-IN").endswith("end")


@pytest.mark.parametrize("sign", ["1.", "_", "a"])
def test_the_time_grows_with_the_text_alone(sign: str) -> None:
    """And not with its square: two hundred thousand signs come through."""
    with limited():
        assert isinstance(for_the_ear(sign * (200_000 // len(sign)), "hi-IN"), str)
