"""Texts from outside on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call-1", "call-1"),
        ("नमस्ते \u0915\u094d\u200d\u0937 😀", "नमस्ते \u0915\u094d\u200d\u0937 😀"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\x9b31m\x07\x7f", r"\x9b31m\x07\x7f"),
        ("a\u2028b\u202egnp", r"a\u2028b\u202egnp"),
        ("\0\ud800", r"\x00\ud800"),
    ],
)
def test_what_would_do_something_is_written_out(text: str, shown: str) -> None:
    """Words stay as they are, in every language."""
    assert visible(text) == shown


@given(st.text())
def test_any_text_is_one_line(text: str) -> None:
    """Nothing is left that a terminal would obey, but for what is asked for."""
    assert len(visible(text).splitlines()) <= 1
    assert "\x1b" not in visible(text)
    kept = visible(text, keep="\n")
    assert kept.count("\n") == text.count("\n")
