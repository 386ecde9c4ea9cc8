"""Texts from outside in rich's output."""

from __future__ import annotations

from rich.markup import escape

from exobridge.visible import visible


def plain(text: str) -> str:
    """The text as it is: no markup, and nothing that a terminal obeys."""
    return escape(visible(text))
