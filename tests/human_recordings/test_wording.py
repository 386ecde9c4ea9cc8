"""Texts as words that can be compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.human_recordings.wording import WordErrors, word_errors, words_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Press 1 for sales.", "press one for sales"),
        ("dial 500", "dial five hundred"),
        ("extension 8500", "extension eighty five hundred"),
        ("extension 1234", "extension one two three four"),
        ("1,234", "one thousand two hundred and thirty-four"),
        ("2,50,000", "two lakh fifty thousand"),
        ("28.8 kilobit", "twenty eight point eight kilo bit"),
        ("in 2026", "in twenty twenty six"),
        ("2005", "two thousand and five"),
        ("4, 6", "four six"),
        ("I'm sorry, that's not valid", "I am sorry that is not valid"),
        ("You can't. We won't. They don't.", "you cannot we will not they do not"),
        ("Agent Login", "agent log-in"),
        ("voice mail", "Voicemail"),
        ("press #, or *", "press pound or star"),
        ("www.asterisk.org", "www dot asterisk dot org"),
        ("9 A.M.", "nine am"),
        ("a normal P. B X, or IAX", "a normal PBX or I A X"),
        ("a black list", "a blacklist"),
        ("It’s", "it is"),
        ("Re-enter", "reenter"),
    ],
)
def test_what_sounds_the_same_is_the_same(one: str, other: str) -> None:
    """However a number, a contraction or a sign is written."""
    assert words_of(one) == words_of(other)


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("two", "too"),
        ("four", "for"),
        ("your party's name", "your parties name"),
        ("the phones", "the phone"),
        ("one hundred", "one hundred and"),
        ("he's gone", "he has gone"),
    ],
)
def test_what_was_heard_differently_differs(said: str, heard: str) -> None:
    """Nothing else is forgiven."""
    assert words_of(said) != words_of(heard)


def test_a_pronoun_is_a_one_on_both_sides() -> None:
    """So it costs nothing."""
    assert words_of("one other") == ["1", "other"]


@pytest.mark.parametrize(
    ("said", "heard", "expected"),
    [
        ("a b c", "a b c", WordErrors(3)),
        ("a b c", "a x c", WordErrors(3, changed=1)),
        ("a b c", "a c", WordErrors(3, lost=1)),
        ("a b c", "a b b c", WordErrors(3, added=1)),
        ("a b c", "", WordErrors(3, lost=3)),
        ("", "a b", WordErrors(0, added=2)),
        ("a b c d", "b c d e", WordErrors(4, lost=1, added=1)),
    ],
)
def test_errors_are_counted_by_kind(said: str, heard: str, expected: WordErrors) -> None:
    """Words changed, lost and added."""
    assert word_errors(said.split(), heard.split()) == expected


def test_rates_are_of_all_the_words_together() -> None:
    """A long text counts more than a short one."""
    assert (WordErrors(9) + WordErrors(1, lost=1)).rate == 0.1
    assert WordErrors(0, added=1).rate == 1


words = st.lists(st.sampled_from("abc"), max_size=8)


@given(words, words)
def test_the_errors_are_the_fewest(said: list[str], heard: list[str]) -> None:
    """Between the difference in length and the longer text; the same backwards, where lost and
    added change places."""
    found, back = word_errors(said, heard), word_errors(heard, said)
    total = found.changed + found.lost + found.added
    assert abs(len(said) - len(heard)) <= total <= max(len(said), len(heard))
    assert (total == 0) == (said == heard)
    assert total == back.changed + back.lost + back.added
    assert found.lost - found.added == len(said) - len(heard)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    """And reading the words again changes nothing."""
    once = words_of(text)
    assert words_of(" ".join(once)) == once


@given(st.integers(0, 9_999_999))
def test_a_number_is_its_digits(number: int) -> None:
    """Also with the commas of either country."""
    assert words_of(f"{number}") == list(str(number)) == words_of(f"{number:,}")
