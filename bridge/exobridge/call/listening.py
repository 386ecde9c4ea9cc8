"""The caller's words: segments of speech to the recogniser, its answers, and their limits."""

from __future__ import annotations

from collections import deque

from exobridge.call.bot_turn import Asked
from exobridge.call.record import TurnRecord
from exobridge.call.stage import Stage
from exobridge_providers.base import Final

JUST_NOW_S = 0.01
"""A turn is taken so shortly after the text that completed it."""


class Listening:
    """One call's.

    Args:
        record: Is told the caller's turns.
        now: The loop's clock, in seconds.

    Attributes:
        language: BCP-47 tag that the recogniser detected last.
    """

    def __init__(self, stage: Stage, record: TurnRecord, now: float) -> None:
        self.language: str | None = None
        self._hearing = stage.hearing
        self._wait_s = stage.services.waits.stt_final
        self._log = stage.log
        self._record = record
        self._finals: deque[tuple[bool, float]] = deque()
        self._texts: list[str] = []
        self._number: int | None = None
        self._from_ms: float | None = None
        self._voice_end_ms = 0.0
        self._speech_end_at: float | None = None
        self._asked_at: float | None = None
        self._text_at = now

    # -------------------------------------------------------------- segments

    def start(self, from_ms: float) -> None:
        """The caller speaks."""
        if self._from_ms is None:
            self._from_ms = from_ms
        self._hearing.start_segment()

    def drop(self, now: float) -> None:
        """It was no speech."""
        if not self._texts and not self._finals:
            self._from_ms = None
        if self._hearing.drop_segment():
            self._finals.append((False, now + self._wait_s))

    def peek(self, *, settled: bool) -> bool:
        """Ask for the words so far; whether they may come."""
        return self._hearing.peek(settled=settled)

    def finalize(self, voice_end_ms: float, now: float) -> bool:
        """Ask for the text of the segment, which is over; whether it will come."""
        self.ended(voice_end_ms, now)
        if not self._hearing.end_segment():
            return False
        self._finals.append((True, now + self._wait_s))
        return True

    def ended(self, voice_end_ms: float, now: float) -> None:
        """The segment is over."""
        self._voice_end_ms = voice_end_ms
        behind_s = max(0.0, self._hearing.position_ms - voice_end_ms) / 1000
        self._speech_end_at = now - behind_s
        self._asked_at = now

    # -------------------------------------------------------------- texts

    def take(self, final: Final, now: float) -> str | None:
        """A text that will not change any more; ``None``: it is of no use."""
        if final.finalized:
            if not self._finals:
                self._log.warning("stt final that nobody asked for")
                return None
            wanted, _ = self._finals.popleft()
            if not wanted:
                return None
        text = final.text.strip()
        if text:
            self._texts.append(text)
            self.language = final.language or self.language
        self._text_at = now
        return text

    def overdue(self, now: float) -> bool:
        """A text has been awaited for too long."""
        return bool(self._finals) and now > self._finals[0][1]

    # -------------------------------------------------------------- turns

    def turn_guessed(self) -> None:
        """What was said so far is probably a turn: in the record it comes before its answer."""
        if self._number is None:
            self._number = self._record.next_number()

    def turn_over(self, digits: str) -> None:
        """All that was said and pressed so far is a turn: keep it."""
        texts, self._texts = self._texts, []
        began_ms, self._from_ms = self._from_ms, None
        text = " ".join([*texts, digits] if digits else texts)
        position = self._hearing.position_ms
        if not texts or began_ms is None:
            began_ms, end_ms = position, position
        else:
            end_ms = max(began_ms, self._voice_end_ms)
        if text:
            number, self._number = self._number, None
            number = self._record.next_number() if number is None else number
            self._record.caller(number, text, began_ms, end_ms)

    def asked(self, now: float, *, spoken: bool) -> Asked:
        """The times of a turn that is over now: where its text was there before, the silence was
        what was waited for."""
        if not spoken:
            return Asked(final_at=now)
        asked_at = self._asked_at if now - self._text_at <= JUST_NOW_S else now
        return Asked(self._speech_end_at, asked_at, now)
