"""Words and phrases found in what was said, however it was written down."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from exobridge_providers.dialogue.words import words

_REPEATED = re.compile(r"(.{1,2}?)\1+")
_DRAWN_OUT = re.compile(r"(.{1,2}?)\1{2,}")


class Phrases:
    """A list of phrases. Case and punctuation do not count, and a word may be drawn out
    ("hmmmm", "haaan", "hahaha").

    Args:
        phrases: Each of one word or more.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        self._phrases = {tuple(words(phrase)) for phrase in phrases} - {()}
        self._squeezed = {tuple(map(_squeeze, phrase)) for phrase in self._phrases}
        self._longest = max(map(len, self._phrases), default=0)

    def _has(self, said: Sequence[str]) -> bool:
        if tuple(said) in self._phrases:
            return True
        if not any(map(_DRAWN_OUT.search, said)):
            return False
        return tuple(map(_squeeze, said)) in self._squeezed

    def size_at(self, said: Sequence[str], at: int) -> int:
        """How many words from the given one on are a phrase, the longest there is; 0: none."""
        for size in range(min(self._longest, len(said) - at), 0, -1):
            if self._has(said[at : at + size]):
                return size
        return 0

    def ends(self, said: Sequence[str]) -> bool:
        """Whether the last words are a phrase."""
        sizes = range(1, min(self._longest, len(said)) + 1)
        return any(self._has(said[len(said) - size :]) for size in sizes)


def _squeeze(word: str) -> str:
    return _REPEATED.sub(r"\1", word)
