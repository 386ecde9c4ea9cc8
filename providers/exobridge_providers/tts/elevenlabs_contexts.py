"""What of an utterance ElevenLabs has, and when it may be told that there is no more. Pure.

An utterance is over when its context is closed, and a close that overtakes the text is obeyed at
once: the caller would hear nothing, or no end. So it has to wait until the audio of the last piece
of text has begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from exobridge_providers.vendor.text_cut import TextCut

_ALMOST = 0.9
"""Of the letters before the last piece: timings may leave some out."""


class Context:
    """One utterance's.

    Args:
        max_chars: Longest piece of text.

    Attributes:
        ended: The text is whole.
        closing: The vendor was told to close it.
        silent: No audio has come of its letters.
    """

    def __init__(self, max_chars: int) -> None:
        self.ended = False
        self.closing = False
        self.silent = False
        self._cut = TextCut(max_chars)
        self._letters = 0
        self._before = 0
        self._timed = 0
        self._heard = True

    def add(self, text: str) -> list[str]:
        """More text; the pieces that can be spoken now."""
        self._cut.add(text)
        return self._pieces()

    def end(self) -> list[str]:
        """There is no more text; its last pieces."""
        self._cut.whole = self.ended = True
        return self._pieces()

    def _pieces(self) -> list[str]:
        pieces: list[str] = []
        while piece := self._cut.take():
            pieces.append(piece)
            if letters := _letters(piece):
                self.silent = self.silent or not self._letters
                self._before, self._letters = self._letters, self._letters + letters
                self._heard = False
        return pieces

    def hear(self, alignment: object) -> None:
        """Audio has come.

        Args:
            alignment: The characters spoken in it, where they are told.
        """
        self.silent = False
        self._heard = True
        if isinstance(alignment, Mapping):
            chars = cast(Mapping[str, Any], alignment).get("chars") or ()
            self._timed += _letters("".join(chars))

    @property
    def may_close(self) -> bool:
        """Nothing is lost if it is closed now."""
        reached = not self._timed or self._timed > _ALMOST * self._before
        return self.ended and not self.closing and self._heard and reached


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))
