"""Texts that the recogniser makes up."""

from __future__ import annotations

import pytest

from exobridge_providers.stt.invented import is_invented


@pytest.mark.parametrize(
    "text",
    ["You", " you. ", "Thank you for watching!", "Thanks for watching.", "", "...", "©", "ตวบ"],
)
def test_inventions_are_known(text: str) -> None:
    """In any case and punctuation, and signs that are no English at all."""
    assert is_invented(text)


@pytest.mark.parametrize(
    "text", ["Thank you.", "Thank you", "You there?", "Thank you for watching my bag", "4", "Okay"]
)
def test_what_callers_say_is_kept(text: str) -> None:
    """Only the whole text counts, and a plain "thank you" is real."""
    assert not is_invented(text)
