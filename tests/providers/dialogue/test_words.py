"""What a caller said, as words."""

from __future__ import annotations

import pytest

from exobridge_providers.dialogue.words import find_phrase, only_digits, spoken_digits, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What's THAT?", ["whats", "that"]),
        ("Good-bye.", ["goodbye"]),
        ("  one,two ", ["one", "two"]),
        ("नमस्ते जी!", ["नमस्ते", "जी"]),
        ("ﬁne №1", ["fine", "no1"]),
        ("...", []),
    ],
)
def test_words_have_no_case_and_no_punctuation(text: str, expected: list[str]) -> None:
    """In any script."""
    assert words(text) == expected


@pytest.mark.parametrize(
    ("phrase", "said", "place"),
    [
        ("order status", "tell me the order status please", (3, 5)),
        ("goodbye", "okay good bye", (1, 3)),
        ("good bye", "goodbye", (0, 1)),
        ("bye", "mister byers", None),
        ("bye", "goodbye", None),
        ("order status", "order the status", None),
        ("that is all", "that is", None),
        ("aab", "a aab", (1, 2)),
    ],
)
def test_a_phrase_is_found_from_word_to_word(
    phrase: str, said: str, place: tuple[int, int] | None
) -> None:
    """Its words stand together; a gap within it does not count, a part of a word is no word."""
    assert find_phrase(words(phrase), words(said)) == place


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("four seven one two", "4712"),
        ("4712", "4712"),
        ("My number is 47, 12.", "4712"),
        ("double four triple seven", "44777"),
        ("oh four oh", "040"),
        ("oh double seven", "077"),
        ("oh it's four", "4"),
        ("double trouble", ""),
        ("double 47", "47"),
        ("4-7-1-2", "4712"),
        ("no idea", ""),
    ],
)
def test_digits_are_heard_in_words_and_figures(said: str, digits: str) -> None:
    """ "Double", "triple" and "oh" included, other words left out."""
    assert spoken_digits(words(said)) == digits


def test_only_digits_means_nothing_else_was_said() -> None:
    """One other word is enough to be a sentence."""
    assert only_digits(words("double four one"))
    assert not only_digits(words("one moment"))
    assert not only_digits([])


def test_a_plural_is_found_by_its_singular_and_the_other_way_round() -> None:
    """The final "s" is the first sound a phone line loses."""
    assert find_phrase(["opening", "hours"], words("what are your opening hour")) == (3, 5)
    assert find_phrase(["price"], words("your prices please")) == (1, 2)
    assert find_phrase(["press"], words("the pres")) is None
