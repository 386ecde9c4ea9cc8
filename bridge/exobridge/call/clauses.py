"""Joins the pieces of a dialogue that streams its answer into sentences, so that speaking begins
before the answer is whole.

The first line of an answer may be less than a sentence: where its sentence takes its time, it is
cut at a comma or before a word that begins a clause, so that the caller hears something soon.
"""

from __future__ import annotations

import re

from exobridge.call.sentences import next_end

EARLY_CHARS = 40
"""Least length of a first line that is no sentence, in characters: about 2.5 s of speech, in which
the rest is made."""

MAX_CHARS = 400
"""Longest line, in characters. A longer sentence is cut between clauses, else between words, else
anywhere."""

_CLAUSE_MARK = re.compile(r"(?:[,;:،…]|\.{2,}|(?<=\s)[–—-])[\"'”’»)*_]*(?=\s+[^\s\d])")
"""The end of a clause. Not before a digit: ``1, 2`` and ``10 – 12`` belong together."""

_CLAUSE_WORDS = {
    "en": "but because if when while although unless until otherwise",
    "hi": "लेकिन मगर क्योंकि इसलिए अगर यदि जब ताकि lekin magar kyunki kyonki isliye agar jab taaki",
    "bn": "কিন্তু কারণ তাই যদি যখন",
    "gu": "પણ પરંતુ કારણ તેથી જો જ્યારે",
    "kn": "ಆದರೆ ಏಕೆಂದರೆ ಹಾಗಾಗಿ",
    "ml": "പക്ഷേ എന്നാൽ കാരണം",
    "mr": "पण परंतु कारण म्हणून जर जेव्हा",
    "or": "କିନ୍ତୁ କାରଣ ଯଦି",
    "pa": "ਪਰ ਕਿਉਂਕਿ ਇਸਲਈ ਜੇ ਜਦੋਂ",
    "ta": "ஆனால் ஏனெனில் ஆகவே எனவே",
    "te": "కానీ ఎందుకంటే కాబట్టి",
    "ur": "لیکن مگر کیونکہ اگر جب",
}
"""Words before which a speaker takes a breath, by language; English ones are known in every
language, since people mix them."""


class Clauses:
    """The answer under way.

    Args:
        language: BCP-47 tag of the call; another region of the same language is the same.
    """

    def __init__(self, language: str) -> None:
        primary = language.partition("-")[0].lower()
        words = f"{_CLAUSE_WORDS['en']} {_CLAUSE_WORDS.get(primary, '')}".split()
        self._clause_word = re.compile(rf"\s(?=(?:{'|'.join(words)})\s)", re.IGNORECASE)
        self._held = ""
        self._begun = False

    def take(self, text: str, *, more: bool) -> list[str]:
        """The lines that one :class:`~exobridge_providers.base.Say` makes ready. One that stands
        alone is a line as it is, so that it is found among those that were made ahead."""
        if not more and not self._held and text.strip():
            self._begun = False
            return [text.strip()]
        lines = self.push(text)
        return lines if more else lines + self.flush()

    def push(self, piece: str) -> list[str]:
        """A piece of the answer, white space included.

        Returns:
            The lines that can be spoken now, in order, without white space around them.
        """
        self._held = (self._held + piece).lstrip()
        lines: list[str] = []
        while end := self._line_end():
            lines.append(self._cut(end))
        if not self._begun and (end := self._early_end()):
            lines.append(self._cut(end))
        return lines

    def flush(self) -> list[str]:
        """The answer is whole: what is left, and the next piece begins another."""
        lines = [self._cut(len(self._held))] if self._held else []
        self._begun = False
        return lines

    def _cut(self, end: int) -> str:
        line, self._held = self._held[:end].rstrip(), self._held[end:].lstrip()
        self._begun = True
        return line

    def _line_end(self) -> int | None:
        end = next_end(self._held)
        if end is not None and end <= MAX_CHARS:
            return end
        return self._forced_end() if len(self._held.rstrip()) > MAX_CHARS else None

    def _forced_end(self) -> int:
        clauses = [end for end in self._clause_ends() if end <= MAX_CHARS]
        space = self._held.rfind(" ", 1, MAX_CHARS + 1)
        return max(clauses, default=0) or max(space, 0) or MAX_CHARS

    def _early_end(self) -> int | None:
        ends = (end for end in self._clause_ends() if end >= EARLY_CHARS)
        return min(ends, default=None)

    def _clause_ends(self) -> list[int]:
        marks = [mark.end() for mark in _CLAUSE_MARK.finditer(self._held)]
        return marks + [word.start() for word in self._clause_word.finditer(self._held)]
