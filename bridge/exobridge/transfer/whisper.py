"""What is whispered to the human before the caller is put through. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Sequence

from exobridge.call.events import Role, Turn
from exobridge.call.sentences import next_end
from exobridge.call.state import Call
from exobridge.numbers import spoken
from exobridge.templates.text import render
from exobridge.templates.transfer import TransferTable
from exobridge.visible import one_line

MAX_LINES = 3
"""How many of the caller's last lines stand in for a summary."""


def whisper_text(table: TransferTable, summary: str, call: Call, turns: Sequence[Turn]) -> str:
    """The template's ``whisper_text`` for one call, at most ``whisper_max_chars`` long.

    Args:
        summary: The dialogue's; empty: the caller's own last words stand in for it.
        turns: Of the call, in their order; none where transcripts are not kept.
    """
    variables = {
        "summary": one_line(summary) or last_words(turns, table.whisper_max_chars),
        "caller": spoken(call.caller),
        "called": spoken(call.called),
        "custom_field": one_line(call.custom_field),
    }
    return cut(one_line(render(table.whisper_text, variables)), table.whisper_max_chars)


def last_words(turns: Sequence[Turn], max_chars: int) -> str:
    """The caller's last lines, as many as fit; of the last one at least its beginning."""
    lines: list[str] = []
    left = max_chars
    for turn in reversed([turn for turn in turns if turn.role is Role.CALLER]):
        line = _ended(one_line(turn.text))
        if lines and (len(lines) == MAX_LINES or len(line) + 1 > left):
            break
        lines.append(line)
        left -= len(line) + 1
    return cut(" ".join(filter(None, reversed(lines))), max_chars)


def cut(text: str, max_chars: int) -> str:
    """The text, ended where a sentence does if it is too long; else where a word does."""
    if len(text) <= max_chars:
        return text
    end, found = 0, next_end(text)
    while found is not None and len(text[:found].rstrip()) <= max_chars:
        end, found = found, next_end(text, found)
    if end:
        return text[:end].rstrip()
    words = text[: max_chars + 1].rsplit(" ", 1)[0]
    return words[:max_chars].rstrip()


def _ended(line: str) -> str:
    return line if not line or line[-1] in ".?!।॥۔؟" else f"{line}."
