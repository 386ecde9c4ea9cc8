"""The caller's side of the line: what is true of each 20 ms frame, and frames that name themselves.

A frame's samples all hold its number, so that the voice detector and the speech-to-text know what
was in the frames that they were given, and in no others.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

FRAME_MS = 20
FRAME_SAMPLES = 160


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word on the caller's time line, in ms since the stream began.

    Attributes:
        act: Number of the act it belongs to.
    """

    text: str
    start_ms: float
    end_ms: float
    act: int

    @property
    def frames(self) -> range:
        """The frames that hold most of it."""
        first = round(self.start_ms / FRAME_MS)
        return range(first, max(first + 1, round(self.end_ms / FRAME_MS)))


class Track:
    """What the caller's line carries.

    Attributes:
        voice: How much each frame sounds like a voice, 0 to 1.
        words: All words so far, in order; a word is here from its beginning on.
        sent: The frames that were not lost.
    """

    def __init__(self) -> None:
        self.voice: list[float] = []
        self.words: list[SpokenWord] = []
        self.sent = bytearray()

    def add(self, voice: float, *, sent: bool) -> int:
        """The next frame; its number."""
        self.voice.append(voice)
        self.sent.append(sent)
        return len(self.voice) - 1

    def arrived(self, word: SpokenWord) -> bool:
        """Whether enough of a word was sent to be understood."""
        return enough(sum(self.sent[at] for at in word.frames if at < len(self.sent)), word)


def enough(frames: int, word: SpokenWord) -> bool:
    """Whether a word can be understood from so many of its frames."""
    return frames >= 0.6 * len(word.frames)


def frame(number: int) -> bytes:
    """The audio of a frame: PCM16 at 8 kHz."""
    return struct.pack("<h", number) * FRAME_SAMPLES


def number_of(pcm: bytes) -> int:
    """Which frame this is."""
    number: int = struct.unpack_from("<h", pcm, FRAME_SAMPLES)[0]
    return number
