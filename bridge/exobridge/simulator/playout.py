"""Exotel's playout buffer: what of the bot's audio is heard, and when.

Pure; every method is told the time. Chunks play back to back in real time from the moment they
arrive; with nothing to play there is silence. Times are milliseconds on the stream's time line
(0 is the start event), positions are samples on it.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from exobridge.simulator.rules import MIN_CHUNK_STEP
from exobridge_codecs.formats import AudioFormat

HOLE_MS = 20
"""Silence that follows a chunk whose size is no multiple of 320 bytes."""
UTTERANCE_GAP_MS = 600
"""Silence, in milliseconds, that ends an utterance; a shorter one is a gap inside it."""
MAX_PENDING_MS = 300_000
"""Unplayed audio held, in milliseconds; a chunk beyond it is dropped."""
MAX_MARKS = 10_000
MAX_MARK_CHARS = 1_000_000
"""Of the names of marks that wait, all together; a mark beyond one of both is dropped."""
_MIN_GAP_MS = 1.0


@dataclass(frozen=True, slots=True)
class Heard:
    """Audio that reached the caller's ear.

    Attributes:
        start: Position of its first sample.
        audio: Bytes in the stream's encoding.
    """

    start: int
    audio: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """The buffer ran empty between two chunks less than 600 ms apart.

    Attributes:
        at_ms: When.
        ms: For how long.
    """

    at_ms: float
    ms: float


class Playout:
    """The buffer of one stream.

    Args:
        audio: Encoding and rate of the stream.
        marks_after_clear: Whether ``clear`` returns the marks that wait (Exotel's documents do not
            say); else they are dropped.
    """

    def __init__(self, audio: AudioFormat, *, marks_after_clear: bool = True) -> None:
        self._audio = audio
        self._marks_after_clear = marks_after_clear
        self._pending: deque[Heard] = deque()
        self._marks: deque[tuple[int, str]] = deque()
        self._mark_chars = 0
        self._end = 0  # everything received has been played here
        self._may_gap = False  # whether an empty buffer now would be a gap
        self.gaps: list[Gap] = []

    def receive(self, now_ms: float, audio: bytes) -> bool:
        """Take a chunk; ``False`` if the buffer is full and it was dropped."""
        if self.unplayed_ms(now_ms) > MAX_PENDING_MS:
            return False
        hole = len(audio) % MIN_CHUNK_STEP != 0
        audio = audio[: len(audio) - len(audio) % self._audio.sample_bytes]
        start = max(self._end, self._position(now_ms))
        if audio:
            self._note_gap(start)
            self._pending.append(Heard(start, audio))
        self._end = start + len(audio) // self._audio.sample_bytes
        if hole:
            self._end += self._position(HOLE_MS)
        self._may_gap = True
        return True

    def mark(self, now_ms: float, name: str) -> bool:
        """Take a mark: due when everything received before it has been played; ``False`` if too
        many wait and it was dropped."""
        chars = self._mark_chars + len(name)
        if len(self._marks) >= MAX_MARKS or chars > MAX_MARK_CHARS:
            return False
        self._mark_chars = chars
        self._marks.append((max(self._end, self._position(now_ms)), name))
        return True

    def clear(self, now_ms: float) -> float:
        """Drop what has not been played; returns how much that was, in milliseconds."""
        now = self._position(now_ms)
        dropped = max(0, self._end - now)
        while self._pending and self._pending[-1].start >= now:
            self._pending.pop()
        if self._pending:
            last = self._pending[-1]
            self._pending[-1] = self._cut(last, now)[0]
        self._end = min(self._end, now)
        self._may_gap = False
        waiting = [(at, name) for at, name in self._marks if at > now]
        self._marks = deque((at, name) for at, name in self._marks if at <= now)
        if self._marks_after_clear:
            self._marks.extend((now, name) for _, name in waiting)
        self._mark_chars = sum(len(name) for _, name in self._marks)
        return self._ms(dropped)

    def advance(self, now_ms: float) -> list[Heard]:
        """What was played since the last call, in order; no sample is given twice."""
        now = self._position(now_ms)
        played: list[Heard] = []
        while self._pending and self._pending[0].start < now:
            first, rest = self._cut(self._pending.popleft(), now)
            played.append(first)
            if rest.audio:
                self._pending.appendleft(rest)
        return played

    def due_marks(self, now_ms: float) -> list[str]:
        """The marks to be returned now, in order; none is given twice."""
        now, due = self._position(now_ms), list[str]()
        while self._marks and self._marks[0][0] <= now:
            due.append(self._marks.popleft()[1])
            self._mark_chars -= len(due[-1])
        return due

    def next_mark_ms(self) -> float | None:
        """When the next mark will be due, if nothing changes."""
        return self._ms(self._marks[0][0]) if self._marks else None

    def unplayed_ms(self, now_ms: float) -> float:
        """How long what is buffered will still play."""
        return self._ms(max(0, self._end - self._position(now_ms)))

    @property
    def pending(self) -> tuple[Heard, ...]:
        """What has not been played yet, as far as ``advance`` was told the time."""
        return tuple(self._pending)

    def _note_gap(self, start: int) -> None:
        milliseconds = self._ms(start - self._end)
        if self._may_gap and _MIN_GAP_MS <= milliseconds < UTTERANCE_GAP_MS:
            self.gaps.append(Gap(self._ms(self._end), milliseconds))

    def _cut(self, chunk: Heard, at: int) -> tuple[Heard, Heard]:
        size = (at - chunk.start) * self._audio.sample_bytes
        if size >= len(chunk.audio):
            return chunk, Heard(at, b"")
        return Heard(chunk.start, chunk.audio[:size]), Heard(at, chunk.audio[size:])

    def _position(self, milliseconds: float) -> int:
        # Rounded first: 20.000000001 ms is sample 160 at 8 kHz, not 161.
        return math.ceil(round(milliseconds * self._audio.sample_rate / 1000, 3))

    def _ms(self, samples: int) -> float:
        return samples * 1000 / self._audio.sample_rate
