"""What of a text goes into the next request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_providers.vendor.text_cut import TextCut


def cut(*pieces: str, whole: bool = True, max_chars: int = 100) -> list[str]:
    """All that can be taken of a text that comes in pieces."""
    text = TextCut(max_chars)
    for piece in pieces:
        text.add(piece)
    text.whole = whole
    taken: list[str] = []
    while piece := text.take():
        taken.append(piece)
    return taken


def test_the_first_sentence_goes_alone_and_the_rest_together() -> None:
    """The first is to be heard soon, the rest to sound as one."""
    assert cut("We are open until nine. Come by. Bring the bill!") == [
        "We are open until nine.",
        "Come by. Bring the bill!",
    ]


def test_a_short_beginning_takes_the_next_sentence_along() -> None:
    """A title is no sentence."""
    assert cut("Dr. Rao will call you. Good-bye.") == ["Dr. Rao will call you.", "Good-bye."]


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("Shall I send the bill", []),
        ("Shall I send the bill?", ["Shall I send the bill?"]),
        ("Shall I send the bill? Or", ["Shall I send the bill?"]),
        ("It costs three rupees and 3.", []),
        ("यह बिल कल तक देना है। और", ["यह बिल कल तक देना है।"]),
        ("It is “open until nine.” And", ["It is “open until nine.”"]),
        ("One moment please\nthen", ["One moment please"]),
        ("  ", []),
    ],
)
def test_only_whole_sentences_are_taken_before_the_end(text: str, taken: list[str]) -> None:
    """A number may go on behind its full stop."""
    assert cut(text, whole=False) == taken


def test_pieces_are_joined_as_they_come() -> None:
    """Where one ends says nothing of where a word does."""
    assert cut("Your bill is due to", "morrow. Th", "ank you.") == [
        "Your bill is due tomorrow.",
        "Thank you.",
    ]


def test_what_is_too_long_is_cut_between_words_or_else_anywhere() -> None:
    """The vendor takes no more at once."""
    assert cut("one two three", max_chars=8) == ["one two", "three"]
    assert cut("x" * 20, max_chars=8) == ["x" * 8, "x" * 8, "x" * 4]
    assert cut("one two three four", whole=False, max_chars=8) == ["one two", "three"]


@given(
    pieces=st.lists(st.text(alphabet="ab .?!।\n3", max_size=30), max_size=5),
    max_chars=st.integers(1, 40),
)
def test_nothing_is_lost_or_said_twice(pieces: list[str], max_chars: int) -> None:
    """Whatever the text is, white space apart; and no piece is too long."""
    taken = cut(*pieces, max_chars=max_chars)
    assert "".join("".join(taken).split()) == "".join("".join(pieces).split())
    assert all(len(each) <= max_chars for each in taken)
