"""What was to be said and was not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call.failover.script import Line, Speed, clause_start

TEXT = "Your balance is low. Please pay, if you can, by Monday."


@pytest.mark.parametrize(
    ("place", "rest"),
    [
        (0, TEXT),
        (20, TEXT),
        (21, "Please pay, if you can, by Monday."),
        (30, "Please pay, if you can, by Monday."),
        (33, "if you can, by Monday."),
        (len(TEXT) - 1, "by Monday."),
        (len(TEXT), ""),
        (len(TEXT) + 50, ""),
    ],
)
def test_a_clause_is_said_from_its_start(place: int, rest: str) -> None:
    """The one that a place in the text is in."""
    assert TEXT[clause_start(TEXT, place) :] == rest


def test_a_danda_ends_a_clause() -> None:
    """As it does in Hindi."""
    text = "नमस्ते। आप कैसे हैं?"
    assert text[clause_start(text, 12) :] == "आप कैसे हैं?"


def line(text: str = TEXT, audio_ms: float = 0.0, begins: int = 0) -> Line:
    """One whose session has been given all of it."""
    found = Line("l", "en-IN", 0.0, text, whole=True, begins=begins, audio_ms=audio_ms)
    found.given, found.closed = len(text), True
    return found


def test_a_line_without_audio_is_said_whole_again() -> None:
    """Nobody heard any of it."""
    one = line()
    one.start_over(7.0, 60)
    assert (one.begins, one.given, one.closed, one.asked_at) == (0, 0, False, 7.0)
    assert one.pieces(1000) == [TEXT]


def test_a_line_that_broke_off_is_reckoned_a_tenth_short() -> None:
    """By the audio there is of it and the speed of the voice."""
    one = line(audio_ms=60 * 35 / 0.9)
    one.start_over(0, 60)
    assert one.pieces(1000) == ["if you can, by Monday."]
    assert one.audio_ms == 0
    one = line(audio_ms=60 * 35)
    one.start_over(0, 60)
    assert one.pieces(1000) == ["Please pay, if you can, by Monday."]


def test_a_line_that_breaks_off_twice_goes_on_from_where_it_was() -> None:
    """The second session's audio counts from its own beginning."""
    one = line(audio_ms=60 * 25 / 0.9)
    one.start_over(0, 60)
    one.given, one.closed, one.audio_ms = len(TEXT), True, 60 * 13 / 0.9
    one.start_over(0, 60)
    assert one.pieces(1000) == ["if you can, by Monday."]


def test_a_line_that_was_made_whole_has_nothing_left() -> None:
    """Its end alone had not been told."""
    one = line(audio_ms=60 * len(TEXT) * 1.2)
    one.start_over(0, 60)
    assert one.begins == len(TEXT)


def test_a_voices_speed_is_learned_from_whole_lines() -> None:
    """Until then it is the one assumed of any voice."""
    speed = Speed()
    assert speed.ms_per_char == pytest.approx(1000 / 15)
    speed.said(line(audio_ms=0))
    assert speed.ms_per_char == pytest.approx(1000 / 15)
    speed.said(line("x" * 10, audio_ms=500))
    speed.said(line("x" * 20, audio_ms=900, begins=10))
    assert speed.ms_per_char == 70


@given(st.text(alphabet="ab ., ", min_size=1, max_size=80), st.integers(4, 30), st.booleans())
def test_pieces_are_short_and_lose_no_word(text: str, max_chars: int, whole: bool) -> None:
    """Whatever a provider's limit is."""
    one = Line("l", "en", 0.0, text, whole=whole)
    pieces = one.pieces(max_chars)
    assert all(len(piece) <= max_chars for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())
