"""What a call's text-to-speech was asked to say and has not said yet. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from exobridge.call.speaking import CHARS_PER_SECOND
from exobridge.call.text import spoken_pieces

CAUTION = 0.1
"""Part of the reckoned text that is not counted as said: a word twice is better than one lost."""

_CLAUSE_END = re.compile(r"(?<=[.!?,;:।॥])\s+")


@dataclass(slots=True)
class Line:
    """An utterance.

    Attributes:
        text: All of it that is known so far; ``whole``: there will be no more.
        language: BCP-47 tag of the voice it was begun for.
        begins: Where in ``text`` the session at work began with it.
        given: Where what it was given of it ends; ``closed``: it knows that there will be no more.
        audio_ms: What it has made of it.
        asked_at: When it was asked, in seconds of the loop's clock.
    """

    id: str
    language: str
    asked_at: float
    text: str = ""
    whole: bool = False
    begins: int = 0
    given: int = 0
    closed: bool = False
    audio_ms: float = 0.0

    @property
    def is_given(self) -> bool:
        """The session at work has all there is."""
        return self.given == len(self.text) and self.closed == self.whole

    def pieces(self, max_chars: int) -> list[str]:
        """What to give it next, in pieces of at most ``max_chars`` characters."""
        text = self.text[self.given :]
        if len(text) <= max_chars:
            return [text]
        pieces = spoken_pieces(text, max_chars - 1)
        return pieces if self.whole else [*pieces[:-1], pieces[-1] + " "]

    def start_over(self, now: float, ms_per_char: float) -> None:
        """Another session goes on: from the start of the clause that broke off."""
        if self.audio_ms:
            reckoned = self.audio_ms / ms_per_char * (1 - CAUTION)
            self.begins = clause_start(self.text, self.begins + int(reckoned), self.begins)
        self.given = self.begins
        self.closed = False
        self.audio_ms = 0.0
        self.asked_at = now


def clause_start(text: str, place: int, lowest: int = 0) -> int:
    """Where the clause begins that ``place`` is in: the latest such place up to it."""
    starts = [match.end() for match in _CLAUSE_END.finditer(text) if match.end() <= place]
    return len(text) if place >= len(text) else max([lowest, *starts])


class Speed:
    """How fast a voice speaks, learned from the lines it has said whole.

    Attributes:
        ms_per_char: Milliseconds of audio for a character of text.
    """

    def __init__(self) -> None:
        self.ms_per_char = 1000 / CHARS_PER_SECOND
        self._chars = 0
        self._ms = 0.0

    def said(self, line: Line) -> None:
        """A line was said whole by one session."""
        chars = len(line.text) - line.begins
        if chars and line.audio_ms:
            self._chars += chars
            self._ms += line.audio_ms
            self.ms_per_char = self._ms / self._chars
