"""Utterances in the order they were begun, whatever the order of a vendor's audio. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from exobridge_providers.base import TtsAudio, TtsDone, TtsEvent, TtsTrouble

REMEMBERED = 64
"""Utterances that were cancelled, so many of them: a piece of text may still be on its way."""


@dataclass(slots=True)
class Utterance:
    """One.

    Attributes:
        context: The vendor's name for it; empty: the vendor has nothing of it yet.
        pieces: Text that the vendor does not have.
        given: Text that it has, until there is audio.
        heard: There has been audio.
        whole: There will be no more text.
        ended: The vendor knows that.
        held: Events that wait for the utterances before.
        odd: Half a sample, which waits for the other half.
    """

    id: str
    context: str = ""
    pieces: deque[str] = field(default_factory=deque[str])
    given: list[str] = field(default_factory=list[str])
    heard: bool = False
    whole: bool = False
    ended: bool = False
    over: bool = False
    held: list[TtsEvent] = field(default_factory=list[TtsEvent])
    odd: bytes = b""

    @property
    def is_blank(self) -> bool:
        """Nothing can be spoken of it so far."""
        return not self.context and not any(piece.strip() for piece in self.pieces)

    def give(self) -> list[str]:
        """The pieces, for the vendor. White space waits for the words behind it."""
        given: list[str] = []
        space = ""
        while self.pieces:
            piece = space + self.pieces.popleft()
            if piece.strip():
                given.append(piece)
                space = ""
            else:
                space = piece
        if space:
            self.pieces.append(space)
        if not self.heard:
            self.given += given
        return given


class Utterances:
    """Those of a session.

    Args:
        sample_bytes: Of one sample.
    """

    def __init__(self, sample_bytes: int) -> None:
        self._sample_bytes = sample_bytes
        self._queue: dict[str, Utterance] = {}
        self._cancelled: deque[str] = deque(maxlen=REMEMBERED)
        self._contexts = 0

    def __iter__(self) -> Iterator[Utterance]:
        return iter(self._queue.values())

    def say(self, utterance_id: str, text: str, *, last: bool) -> None:
        """More text of one."""
        if utterance_id in self._cancelled:
            return
        utterance = self._queue.setdefault(utterance_id, Utterance(utterance_id))
        utterance.pieces.append(text)
        utterance.whole = utterance.whole or last

    def new_context(self, utterance: Utterance) -> str:
        """Name it for the vendor."""
        self._contexts += 1
        utterance.context = f"u{self._contexts}"
        return utterance.context

    @property
    def at_work(self) -> list[Utterance]:
        """Those that the vendor is making."""
        return [each for each in self if each.context and not each.over]

    def begin_again(self) -> bool:
        """Have those that the vendor is making made by another connection, unless there has been
        audio of one of them."""
        at_work = self.at_work
        if any(each.heard for each in at_work):
            return False
        for each in at_work:
            each.pieces.extendleft(reversed(each.given))
            each.given.clear()
            each.context, each.ended = "", False
        return True

    def of(self, context: str) -> Utterance | None:
        """The one that an event belongs to.

        Args:
            context: Empty: the only one at work.
        """
        at_work = self.at_work
        if not context:
            return at_work[0] if at_work else None
        return next((each for each in at_work if each.context == context), None)

    def cancel(self, utterance_id: str) -> Utterance | None:
        """Forget one."""
        self._cancelled.append(utterance_id)
        return self._queue.pop(utterance_id, None)

    def take(self, utterance: Utterance, event: TtsEvent) -> list[TtsEvent]:
        """An event of one; what can be given out now."""
        if isinstance(event, TtsAudio):
            utterance.heard = True
            utterance.given.clear()
            audio = utterance.odd + event.audio
            whole = len(audio) - len(audio) % self._sample_bytes
            utterance.odd = audio[whole:]
            if not whole:
                return []
            utterance.held.append(TtsAudio(utterance.id, audio[:whole]))
        elif isinstance(event, TtsDone) and not utterance.ended:
            utterance.context = ""  # text came too slowly for the vendor: more begins another
        else:
            utterance.over = True
            utterance.held.append(replace(event, utterance_id=utterance.id))
        return self.ready()

    def ready(self) -> list[TtsEvent]:
        """What can be given out now: all of those that are over, and what there is of the next."""
        ready: list[TtsEvent] = []
        for utterance in list(self):
            if utterance.whole and utterance.is_blank and not utterance.over:
                utterance.over = True
                utterance.held.append(TtsDone(utterance.id))
            ready += utterance.held
            utterance.held = []
            if not utterance.over:
                break
            del self._queue[utterance.id]
        return ready


def is_end(event: TtsEvent) -> bool:
    """Whether it is the last of its utterance."""
    return isinstance(event, TtsDone | TtsTrouble)
