"""A bot's text against its audio: pieces short enough for a provider, and what was heard."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable

from exobridge.call.sentences import spans

_WORD = re.compile(r"\S+")


def spoken_pieces(text: str, max_chars: int) -> list[str]:
    """What to hand to a speech provider, one piece after the other, each of at most ``max_chars``
    (2 or more) characters.

    All but the last end in a space, since a provider may join them. There is at least one, which
    may be empty.
    """
    text = text.strip()
    if len(text) <= max_chars:
        return [text]
    *before, last = split(text, max_chars - 1)
    return [*(f"{piece} " for piece in before), last]


def split(text: str, max_chars: int) -> list[str]:
    """Pieces of at most ``max_chars`` characters, cut between sentences, else between words, else
    anywhere. Nothing is lost but white space at the cuts.

    Raises:
        ValueError: ``max_chars`` is less than 1.
    """
    if max_chars < 1:
        raise ValueError(f"a piece has at least one character, not {max_chars}")
    pieces: list[str] = []
    current = ""
    for begin, end in spans(text):
        for part in _short(text[begin:end], max_chars):
            if current and len(current) + 1 + len(part) <= max_chars:
                current = f"{current} {part}"
                continue
            if current:
                pieces.append(current)
            current = part
    return [*pieces, current] if current else pieces


def _short(sentence: str, max_chars: int) -> list[str]:
    parts: list[str] = []
    while len(sentence) > max_chars:
        cut = sentence.rfind(" ", 1, max_chars + 1)
        cut = cut if cut > 0 else max_chars
        parts.append(sentence[:cut].rstrip())
        sentence = sentence[cut:].lstrip()
    return [*parts, sentence] if sentence else parts


def heard_part(text: str, fraction: float, spoken: Callable[[str], str] = str) -> str:
    """The words heard when ``fraction`` (0 to 1) of a text's audio was played.

    Speech is taken to be even; a word that was begun and not finished does not count.

    Args:
        spoken: What the voice was given of a text. It tells how much of the audio each word takes:
            ``₹1,25,000`` is a long one.
    """
    if fraction >= 1:
        return text
    if fraction <= 0:
        return ""
    ends = [word.end() for word in _WORD.finditer(text)]
    heard = bisect_right(
        ends, fraction * len(spoken(text)), key=lambda end: len(spoken(text[:end]))
    )
    return text[: ends[heard - 1]] if heard else ""


def unheard_part(text: str, heard: str) -> str:
    """What to say again when the bot was cut after ``heard``: from the start of the sentence that
    was cut; nothing if all of it was heard."""
    if not text.startswith(heard):
        return text
    if not text[len(heard) :].strip():
        return ""
    return text[next(begin for begin, end in spans(text) if end > len(heard)) :]
