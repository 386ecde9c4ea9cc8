"""Texts from outside on a terminal, or in a line: what they hold is seen, and does nothing."""

from __future__ import annotations

_JOINERS = "\u200c\u200d"
"""Not seen by themselves, and a part of how Indian languages are written."""


def visible(text: str, keep: str = "") -> str:
    """The text with each control character as its escape: it moves no cursor, begins no line and
    turns no text around.

    Args:
        keep: Characters that stay all the same.
    """
    if text.isprintable():
        return text
    keep += _JOINERS
    return "".join(char if char.isprintable() or char in keep else _escape(char) for char in text)


def one_line(text: str) -> str:
    """The text on a line of its own: what is not seen in it parts words, as a space does."""
    seen = (char if char.isprintable() or char in _JOINERS else " " for char in text)
    return " ".join("".join(seen).split())


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
