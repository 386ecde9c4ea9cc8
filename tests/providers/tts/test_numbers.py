"""Numbers as words."""

from __future__ import annotations

import pytest

from exobridge_providers.tts.numbers import digit_words, number_words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (15, "fifteen"),
        (40, "forty"),
        (99, "ninety nine"),
        (100, "one hundred"),
        (1200, "one thousand two hundred"),
        (100_000, "one lakh"),
        (120_500, "one lakh twenty thousand five hundred"),
        (25_00_00_000, "twenty five crore"),
        (10_00_001, "ten lakh one"),
    ],
)
def test_numbers_are_counted_the_indian_way(number: int, words: str) -> None:
    """Thousand, lakh, crore."""
    assert number_words(number) == words


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("4", "four"),
        ("4712", "four seven one two"),
        ("483920", "four eight three, nine two zero"),
        ("9876543210", "nine eight seven six five, four three two one zero"),
        ("", ""),
    ],
)
def test_digits_are_said_in_groups(digits: str, words: str) -> None:
    """With a pause between groups of up to five."""
    assert digit_words(digits) == words
