"""Phrases found in what was said."""

from __future__ import annotations

import pytest

from exobridge.call.turns.phrases import Phrases
from exobridge_providers.dialogue.words import words

KNOWN = Phrases(["hmm", "haan", "haan ji", "I see", "ha", "हम्म", "mm-hmm", "see"])


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ("Haan.", 1),
        ("HAAN, ji!", 2),
        ("haan lekin", 1),
        ("haaaan", 1),
        ("hmmmmmm", 1),
        ("hahaha", 1),
        ("हम्म्म्म", 1),
        ("Mm-hmm", 1),
        ("I see the point", 2),
        ("I saw", 0),
        ("han", 0),
        ("haansi", 0),
        ("ji haan", 0),
    ],
)
def test_the_longest_phrase_is_found(said: str, size: int) -> None:
    """Case, punctuation and drawn-out letters do not count; parts of words and phrases do not
    match."""
    assert KNOWN.size_at(words(said), 0) == size


def test_a_phrase_is_found_in_its_place() -> None:
    """In the middle, and at the end, as whole words."""
    said = ["well", "i", "see"]
    assert [KNOWN.size_at(said, at) for at in range(3)] == [0, 2, 1]
    assert KNOWN.ends(said)
    assert not KNOWN.ends(["see", "well"])
    assert not KNOWN.ends([])


def test_a_list_without_words_finds_nothing() -> None:
    """Nor does a phrase of punctuation match silence."""
    nothing = Phrases(["", "?!"])
    assert nothing.size_at(["a"], 0) == 0
    assert not nothing.ends([])
