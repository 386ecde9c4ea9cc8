"""What of a text that comes in pieces goes into the next request. Pure."""

from __future__ import annotations

import re

_END = re.compile(r"[.?!।॥…][\"'”’)\]]*(?=\s)|\n")
_AT_END = re.compile(r"[^\d\s][.?!।॥…]+[\"'”’)\]]*\s*$")
"""The text may end with a sentence; ``3.`` may become a number with a fraction."""

FIRST_CHARS = 20
"""The first request has so many characters, if there are: ``Dr.`` alone would be no sentence."""


class TextCut:
    """One utterance's text: its first sentence goes alone, so that it is heard soon, and the rest
    as much at a time as there is of whole sentences, so that it sounds as one.

    Args:
        max_chars: Longest text of a request.

    Attributes:
        whole: There will be no more text.
    """

    def __init__(self, max_chars: int) -> None:
        self.whole = False
        self._max_chars = max_chars
        self._text = ""
        self._begun = False

    def add(self, text: str) -> None:
        """More text."""
        self._text += text

    @property
    def is_empty(self) -> bool:
        """Nothing is left to be spoken."""
        return not self._text.strip()

    def take(self) -> str:
        """The text of the next request, taken off; empty: there is none yet."""
        self._text = self._text.lstrip()
        end = self._end()
        piece, self._text = self._text[:end].strip(), self._text[end:]
        self._begun = self._begun or bool(piece)
        return piece

    def _end(self) -> int:
        if not self._text:
            return 0
        ends = [
            found.end() for found in _END.finditer(self._text) if self._text[: found.end()].strip()
        ]
        if self.whole or _AT_END.search(self._text):
            ends.append(len(self._text))
        if not self._begun:
            ends = [end for end in ends if end >= FIRST_CHARS][:1] or ends[-1:]
        fitting = [end for end in ends if end <= self._max_chars]
        if fitting:
            return fitting[-1]
        return self._word_end() if len(self._text) > self._max_chars else 0

    def _word_end(self) -> int:
        space = self._text.rfind(" ", 1, self._max_chars + 1)
        return space if space > 0 else self._max_chars
