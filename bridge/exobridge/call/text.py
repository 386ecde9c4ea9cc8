"""A bot's text against its audio: pieces short enough for a provider, and what was heard."""

from __future__ import annotations

import re

_LAST_WORD = re.compile(r"\S+\Z")
_SENTENCE_END = re.compile(r"(?<=[.!?।])\s+")


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
    for sentence in _SENTENCE_END.split(text.strip()):
        for part in _short(sentence, max_chars):
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


def heard_part(text: str, fraction: float) -> str:
    """The words heard when ``fraction`` (0 to 1) of a text's audio was played.

    Speech is taken to be even; a word that was begun and not finished does not count.
    """
    if fraction >= 1:
        return text
    cut = int(len(text) * max(0.0, fraction))
    if cut < len(text) and not text[cut].isspace():
        return _LAST_WORD.sub("", text[:cut]).rstrip()
    return text[:cut].rstrip()


def unheard_part(text: str, heard: str) -> str:
    """What to say again when the bot was cut after ``heard``: from the start of the sentence that
    was cut; nothing if all of it was heard."""
    if not text.startswith(heard):
        return text
    if not text[len(heard) :].strip():
        return ""
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.start() > len(heard):
            break
        start = match.end()
    return text[start:]
