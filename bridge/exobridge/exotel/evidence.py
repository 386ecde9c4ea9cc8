"""What a stream's frames tell of its encoding and rate: by their timestamps, arrival and sound.

Each witness looks at frames one by one, has a reading or none, and changes it only for one that is
as sure. None is right alone: lost frames make timestamps jump, the network shakes the arrival, and
silence sounds like nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16

MULAW_8K = AudioFormat(Encoding.MULAW, 8000)
FORMATS: Mapping[int, AudioFormat] = {
    each.bytes_per_ms: each for each in (MULAW_8K, pcm16(8000), pcm16(16000), pcm16(24000))
}
"""All that a stream can be, by bytes a millisecond."""

LEAD = 3
"""By how many intervals the timestamps have to be for one format more than for any other: of 100
frames 5 are lost on a bad line, and so three gaps come in a row once in ten thousand calls."""

WINDOW_MS = 400
WINDOW_FRAMES = 5
"""How much of the arrival is measured at a time, at least: much more than the network shakes it by,
and so many frames that one that is lost does not matter."""

_STAMPED_TOLERANCE = 0.1
_ARRIVAL_TOLERANCE = 0.2

_HEARD_BYTES = 80
"""Bytes whose sound is enough to go by; 10 ms of PCM16 at 8 kHz."""
_LOUDER = 0.25


class Stamps:
    """What the frames' own timestamps say: one vote for each interval that fits a format.

    A gap votes for a lower rate than the stream has, so a few more votes are needed than one.

    Attributes:
        latest: The last interval's vote.
        reading: The format that leads by :data:`LEAD` votes, or did so last.
    """

    def __init__(self) -> None:
        self.latest: AudioFormat | None = None
        self.reading: AudioFormat | None = None
        self._votes = Counter[AudioFormat]()
        self._size = 0
        self._at_ms: int | None = None

    def observe(self, size: int, at_ms: int | None) -> None:
        """A frame of ``size`` bytes with this timestamp."""
        before_ms, self._at_ms = self._at_ms, at_ms
        same, self._size = size == self._size, size
        self.latest = None
        # Whether a timestamp tells a frame's begin or its end is not known.
        if before_ms is None or at_ms is None or not same:
            return
        self.latest = _fit(size, at_ms - before_ms, _STAMPED_TOLERANCE)
        if self.latest is not None:
            self._votes[self.latest] += 1
            (best, most), *others = self._votes.most_common(2)
            if most - sum(votes for _, votes in others) >= LEAD:
                self.reading = best


class Pace:
    """What the arrival says: bytes over some hundred milliseconds, again and again.

    Attributes:
        agreed: How many windows in a row had the last one's reading.
        reading: Of the last window; ``None``: it fits no format.
    """

    def __init__(self) -> None:
        self.agreed = 0
        self.reading: AudioFormat | None = None
        self._from_ms: float | None = None
        self._bytes = self._frames = 0

    def observe(self, size: int, now_ms: float) -> None:
        """A frame of ``size`` bytes came."""
        if self._from_ms is None:
            self._from_ms = now_ms
            return
        self._bytes += size
        self._frames += 1
        elapsed_ms = now_ms - self._from_ms
        if elapsed_ms < WINDOW_MS or self._frames < WINDOW_FRAMES:
            return
        reading = _fit(self._bytes, elapsed_ms, _ARRIVAL_TOLERANCE)
        self.agreed = self.agreed + 1 if reading == self.reading else 1
        self.reading = reading
        self._from_ms = now_ms
        self._bytes = self._frames = 0


class Sound:
    """What the audio sounds like. Read in the wrong encoding, a good part of it is a roar: a quiet
    μ-law byte is the upper half of a loud PCM16 sample, and the upper half of a quiet PCM16 sample
    is a loud μ-law byte. Telephone audio hardly ever goes above half of full scale.

    Attributes:
        reading: The encoding in which less of it is loud, if that is clear, or was last. μ-law
            silence tells nothing.
    """

    def __init__(self) -> None:
        self.reading: Encoding | None = None
        self._heard = self._loud_mulaw = self._loud_pcm16 = 0

    def observe(self, payload: bytes) -> None:
        """A frame's audio."""
        upper = payload[1::2]
        self._heard += len(upper)
        self._loud_mulaw += upper.translate(_LOUD_MULAW).count(1)
        self._loud_pcm16 += upper.translate(_LOUD_PCM16).count(1)
        clear = _LOUDER * max(self._heard, _HEARD_BYTES // 2)
        if self._loud_mulaw - self._loud_pcm16 >= clear:
            self.reading = Encoding.PCM16
        elif self._loud_pcm16 - self._loud_mulaw >= clear:
            self.reading = Encoding.MULAW


_LOUD_MULAW = bytes(byte & 0x7F < 0x10 for byte in range(256))
"""1 for the μ-law bytes above half of full scale."""
_LOUD_PCM16 = bytes(0x40 <= byte < 0xC0 for byte in range(256))
"""1 for the upper bytes of PCM16 samples above half of full scale."""


def _fit(size: int, elapsed_ms: float, tolerance: float) -> AudioFormat | None:
    """The format in which ``size`` bytes last ``elapsed_ms``."""
    if not size or elapsed_ms <= 0:
        return None
    for exact, audio_format in FORMATS.items():
        if abs(size / elapsed_ms - exact) <= exact * tolerance:
            return audio_format
    return None
