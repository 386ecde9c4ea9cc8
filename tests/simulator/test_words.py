"""Whether words were said, in a text that a recogniser wrote."""

from __future__ import annotations

import pytest

from exobridge.simulator.words import contains, word_error


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("We're open from NINE, to eight.", "were open from nine to eight"),
        ("It costs 950 rupees.", "nine hundred and fifty"),
        ("It costs nine hundred and fifty rupees.", "950 rupees"),
        ("Order 4711 is on its way.", "four seven one one"),
        ("Order four seven one one.", "4711"),
        ("It is 1,20,500 rupees.", "one lakh twenty thousand five hundred"),
        ("Open at 9:30", "nine thirty"),
        ("हम नौ बजे खुलते हैं।", "नौ बजे खुलते हैं"),
        ("haan, lekin…", "Haan lekin"),
        ("Thank you. Good-bye.", "goodbye"),
        ("the streetbooks", "Street Books"),
        ("ninety or nine", "nine"),
        ("From 9 until eight.", "/^from (nine|9) .* (eight|8)/"),
    ],
)
def test_words_are_found_as_they_sound(text: str, phrase: str) -> None:
    """Case, punctuation and the way numbers are written do not count."""
    assert contains(text, phrase)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("We open at nineteen.", "nine"),
        ("nine to the eight", "nine eight"),
        ("ninety nineteen", "nine"),
        ("bygone", "by go"),
        ("", "nine"),
        ("anything", "…"),
        ("nine" * 20, "9" * 40),
        ("कल", "का"),
        ("nineteen", "/nine$/"),
    ],
)
def test_other_words_are_not(text: str, phrase: str) -> None:
    """Whole words, side by side; nothing is found in nothing."""
    assert not contains(text, phrase)


def test_a_number_that_nobody_says_is_read_digit_by_digit() -> None:
    """However many digits there are."""
    assert contains("7" * 5000, "7" * 5000)


def test_word_error_does_not_count_how_words_are_written() -> None:
    """However numbers are written, and in every script."""
    assert word_error("Room 42, please", "room forty two please") == 0
    assert word_error("It's 950, or NINE hundred!", "its nine hundred and fifty or 900") == 0
    assert word_error("मुझे बैलेंस जानना है", "मुझे बैलेंस जानना है।") == 0


@pytest.mark.parametrize(
    ("said", "heard", "error"),
    [
        ("a b c d", "a b c d", 0),
        ("a b c d", "a x c d", 0.25),
        ("a b c d", "a c d", 0.25),
        ("a b c d", "a b x c d", 0.25),
        ("a b c d", "", 1),
        ("", "", 0),
        ("", "a", 1),
    ],
)
def test_word_error_is_the_fewest_changes_for_each_word_said(
    said: str, heard: str, error: float
) -> None:
    """A word changed, left out, put in; nothing said and something heard is all wrong."""
    assert word_error(said, heard) == error
