"""A bot's text against its audio: pieces short enough for a provider, and what was heard."""

from __future__ import annotations

import re

_SENTENCE_END = re.compile(r"(?<=[.!?।])\s+")


def split(text: str, max_chars: int) -> list[str]:
    """Pieces of at most ``max_chars`` characters, cut between sentences, else between words, else
    anywhere. Nothing is lost but white space at the cuts."""
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
        cut = text.rfind(" ", 0, cut) if " " in text[:cut] else 0
    return text[:cut].rstrip()


def unheard_part(text: str, heard: str) -> str:
    """What to say again when the bot was cut after ``heard``: from the start of that sentence."""
    if not text.startswith(heard):
        return text
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.end() > len(heard):
            break
        start = match.end()
    return text[start:]
