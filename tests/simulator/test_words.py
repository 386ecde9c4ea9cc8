"""Whether words were said, in a text that a recogniser wrote."""

from __future__ import annotations

import pytest

from exobridge.simulator.words import contains


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
