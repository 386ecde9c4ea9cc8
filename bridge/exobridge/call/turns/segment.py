"""What is asked of the recogniser, and what it answered: the segment of speech under way."""

from __future__ import annotations

from exobridge.call.turns.actions import Action, DropSegment, Finalize, Peek, StartSegment
from exobridge_providers.dialogue.words import words

PEEK_EVERY_MS = 250
"""How often the words of a segment that goes on are asked for while the bot is held back."""

PEEK_LIMIT_S = 1.0
"""A peek that stays unanswered so long is given up."""


class Segment:
    """What the recogniser is fed from ``StartSegment`` to ``Finalize`` or ``DropSegment``.

    Attributes:
        open: It has begun and is not over.
        asked: It was asked for in the pause that goes on.
        partial: Its words so far, as far as they are known, until its text is there.
        lasting: Those of them that were in the partial before, too. The others may be a mistake:
            the last word of a partial often is, as it was heard in part.
        blind: The recogniser tells no words before the end of the segment.
        settled: They are all there is: they were asked for in the pause that goes on.
        finals_due: Segments that are over and whose text is awaited.
    """

    def __init__(self) -> None:
        self.open = False
        self.asked = False
        self.partial = self.lasting = ""
        self.blind = False
        self.settled = False
        self.finals_due = 0
        self._peeked_at: float | None = None
        self._peeked_ms = 0.0
        self._peeking_settled = False

    @property
    def known(self) -> bool:
        """Everything that was said so far is known as text."""
        return not self.finals_due and (self.settled or not self.open)

    def start(self, from_ms: float, position_ms: float) -> Action:
        """The caller speaks, or goes on after a pause."""
        if not self.open:
            self.forget_words()
            self._peeked_ms = position_ms
        self.open = True
        self.asked = self.settled = False
        return StartSegment(from_ms)

    def peek_into(self, position_ms: float, now: float) -> list[Action]:
        """The caller goes on speaking; their words would help."""
        if not self.open or position_ms - self._peeked_ms < PEEK_EVERY_MS or self._peeking(now):
            return []
        return [self._peek(position_ms, now)]

    def ask(self, position_ms: float, now: float) -> list[Action]:
        """The caller has paused: have all their words."""
        self.asked = True
        # At most one is under way: the answer to the one before lets this one be asked.
        return [] if self._peeking(now) else [self._peek(position_ms, now)]

    def _peeking(self, now: float) -> bool:
        return self._peeked_at is not None and now - self._peeked_at < PEEK_LIMIT_S

    def _peek(self, position_ms: float, now: float) -> Action:
        self._peeked_at = now
        self._peeked_ms = position_ms
        self._peeking_settled = self.asked
        return Peek(settled=self.asked)

    def take_partial(self, text: str, now: float) -> list[Action]:
        """The words so far came; they may be those of a segment whose text is awaited."""
        answered, self._peeked_at = self._peeked_at is not None, None
        before, self.partial = words(self.partial), text
        self.lasting = " ".join(word for word in words(text) if word in before)
        self.blind = False
        if not self.asked or self.settled:
            return []
        if answered and self._peeking_settled:
            self.settled = True
            return []
        return [self._peek(self._peeked_ms, now)] if answered else []

    def no_peek(self, voice_end_ms: float) -> list[Action]:
        """The recogniser cannot tell the words of a segment that goes on: in a pause, it ends."""
        self._peeked_at = None
        self.blind = not self.partial
        return self.finalize(voice_end_ms) if self.asked else []

    def finalize(self, voice_end_ms: float) -> list[Action]:
        """It is over: have its text."""
        if not self.open:
            return []
        self._close()
        self.finals_due += 1
        return [Finalize(voice_end_ms)]

    def drop(self) -> list[Action]:
        """It is over, and was no speech."""
        if not self.open:
            return []
        self._close()
        self.forget_words()
        return [DropSegment()]

    def _close(self) -> None:
        self.open = self.asked = self.settled = False
        self._peeked_at = None

    def forget_words(self) -> None:
        """The partial is over: its words are known for good, or were none."""
        self.partial = self.lasting = ""

    def take_final(self) -> None:
        """The text of the one that ended first came."""
        self.finals_due = max(0, self.finals_due - 1)
        if not self.open:
            self.forget_words()
