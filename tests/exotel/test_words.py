"""Words and numbers of Exotel's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.words import (
    CALL_TYPES,
    MAX_WORD,
    STATUSES,
    read_call_type,
    read_direction,
    read_seconds,
    read_status,
)


@pytest.mark.parametrize("word", STATUSES)
def test_a_status_in_any_spelling(word: str) -> None:
    """Capitals, blanks and underscores make no other status."""
    for spelled in (word, word.upper(), word.replace("-", " ").title(), word.replace("-", "_")):
        assert read_status(spelled) == word


@pytest.mark.parametrize("word", CALL_TYPES)
def test_a_call_type_in_any_spelling(word: str) -> None:
    """Likewise."""
    for spelled in (word, word.upper(), word.replace("-", " ").title(), word.replace("-", "")):
        assert read_call_type(spelled) == word


def test_cancelled_is_canceled() -> None:
    """A stream's has two l, a call's has one."""
    assert read_status("Cancelled") == "canceled"


@pytest.mark.parametrize("word", ["", "On-Hold", "abgehoben", "é", "12"])
def test_an_unknown_word_stays_as_it_came(word: str) -> None:
    """What Exotel adds one day is not lost; and it is bounded."""
    assert read_status(word) == read_call_type(word) == word
    assert read_status("X" * 5000) == "X" * MAX_WORD


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("incoming", "incoming"),
        ("inbound", "incoming"),
        (" Incoming", "incoming"),
        ("outgoing", "outgoing"),
        ("outbound-dial", "outgoing"),
        ("outbound dial", "outgoing"),
        ("Outbound-API", "outgoing"),
        ("", ""),
        ("sideways", ""),
    ],
)
def test_directions(text: str, direction: str) -> None:
    """There are many spellings of two."""
    assert read_direction(text) == direction


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("42", 42),
        (' "42" ', 42),
        ("42.9", 42),
        ("042", 42),
        ("", None),
        ("-1", None),
        ("1e3", None),
        ("4 2", None),
        ("४२", None),
        ("9" * 8, None),
        ("9" * 5000, None),
        ("Infinity", None),
        ("null", None),
    ],
)
def test_seconds(text: str, seconds: int | None) -> None:
    """Whole ones; what is no number of seconds is not known."""
    assert read_seconds(text) == seconds


@given(st.text(max_size=20))
def test_no_text_breaks_the_reading(text: str) -> None:
    """Words are bounded and seconds not negative."""
    assert len(read_status(text)) <= MAX_WORD
    assert (read_seconds(text) or 0) >= 0
