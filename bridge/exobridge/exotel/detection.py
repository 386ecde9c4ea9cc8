"""Which encoding and rate a stream has. Exotel's documents disagree, so it is found out.

In this order:

1. the template's own ``stream.encoding``: then nothing is found out and this module is not asked;
2. ``media_format`` naming μ-law (8 kHz by definition);
3. the payload measured against time: 8 bytes a millisecond are μ-law at 8 kHz, 16, 32 and 48 are
   PCM16 at 8, 16 and 24 kHz. Time is the frames' timestamps; where those are absent, stand still,
   run backwards or fit no format, it is their arrival. Two intervals in a row have to agree, since
   one frame lost between two makes PCM16 look like μ-law; one interval of timestamps is enough
   to go on with, not to settle it, where it says what 4 and 5 say;
4. ``bit_rate``: 64, 128, 256, 384 kbps mean the same four;
5. ``sample_rate``, as PCM16; and 8 kHz where that is absent too.

The strings are often copied blindly from samples, so the measurement wins over 4 and 5 whenever it
comes, also after a first decision was made from them because nothing could wait any longer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from exobridge.exotel.messages import Media, MediaFormat
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16

WAIT_MS = 120
"""How long after ``start`` the first outbound chunk waits for a measurement."""

MULAW_8K = AudioFormat(Encoding.MULAW, 8000)

_BY_BYTES_PER_MS = {8: MULAW_8K, 16: pcm16(8000), 32: pcm16(16000), 48: pcm16(24000)}
_BY_KBPS = {64: MULAW_8K, 128: pcm16(8000), 256: pcm16(16000), 384: pcm16(24000)}
_MULAW_NAMES = ("mulaw", "ulaw", "pcmu")
_RATES = (8000, 16000, 24000)

_STAMPED_TOLERANCE = 0.1
_ARRIVAL_TOLERANCE = 0.25
_FRAMES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Decision:
    """What the stream is taken to be.

    Attributes:
        format: Encoding and rate, in both directions: we answer in what we hear.
        reason: For the log, e.g. ``measured 16 bytes/ms``.
        final: ``False`` if a measurement may still overrule it.
    """

    format: AudioFormat
    reason: str
    final: bool


@dataclass(slots=True)
class _Seen:
    size: int
    timestamp_ms: int | None
    arrived_ms: float


class FormatDetector:
    """Decides once a stream, and once more where the first decision proves wrong.

    Args:
        stated: ``start.media_format``.
        now_ms: When ``start`` came; any clock in milliseconds, the same for every call.

    Attributes:
        deadline_ms: When what is stated has to do.
        decision: The decision so far.
    """

    def __init__(self, stated: MediaFormat, now_ms: float) -> None:
        self.deadline_ms = now_ms + WAIT_MS
        self._stated = _from_strings(stated)
        self._previous: _Seen | None = None
        self._candidate: AudioFormat | None = None
        self._frames = 0
        self.decision: Decision | None = None
        if any(name in stated.encoding for name in _MULAW_NAMES):
            self.decision = Decision(MULAW_8K, f"media_format says {stated.encoding}", final=True)

    @property
    def settled(self) -> bool:
        """Nothing can change any more; frames need not be shown."""
        return self.decision is not None and self.decision.final

    def observe(self, media: Media, now_ms: float) -> Decision | None:
        """Look at one frame.

        Returns:
            The decision, if this frame made it, changed it, or made it final.
        """
        if self.settled:
            return None
        self._frames += 1
        seen = _Seen(len(media.payload), media.timestamp_ms, now_ms)
        previous, self._previous = self._previous, seen
        if previous is not None and (decision := self._measured(previous, seen)):
            self.decision = decision
            return decision
        if self._frames >= _FRAMES_SHOWN:
            # Frames that never agreed will not begin to: what the strings say stands.
            self.decision = replace(self._stated, final=True)
            return self.decision
        return self.expire(now_ms)

    def _measured(self, first: _Seen, second: _Seen) -> Decision | None:
        """What this interval decides, if anything."""
        stamped = _measure_stamped(first, second)
        found = stamped or _measure_arrived(first, second)
        candidate, self._candidate = self._candidate, found
        if found is None:
            return None
        settles = found == candidate
        confirms = self.decision is None and stamped == self._stated.format
        if not settles and not confirms:
            return None
        return Decision(found, f"measured {found.bytes_per_ms} bytes/ms", final=settles)

    def expire(self, now_ms: float) -> Decision | None:
        """Decide from the strings if the wait is over.

        Returns:
            The decision, if it was made now.
        """
        if self.decision is not None or now_ms < self.deadline_ms:
            return None
        self.decision = self._stated
        return self.decision


def _from_strings(stated: MediaFormat) -> Decision:
    kbps = (stated.bit_rate or 0) // 1000
    if kbps in _BY_KBPS:
        return Decision(_BY_KBPS[kbps], f"bit_rate says {kbps} kbps", final=False)
    if stated.sample_rate in _RATES:
        reason = f"sample_rate says {stated.sample_rate} Hz"
        return Decision(pcm16(stated.sample_rate), reason, final=False)
    return Decision(pcm16(8000), "nothing was said", final=False)


def _measure_stamped(first: _Seen, second: _Seen) -> AudioFormat | None:
    """The format by the frames' own timestamps, which are exact."""
    if first.timestamp_ms is None or second.timestamp_ms is None:
        return None
    return _fit(first, second, second.timestamp_ms - first.timestamp_ms, _STAMPED_TOLERANCE)


def _measure_arrived(first: _Seen, second: _Seen) -> AudioFormat | None:
    """The format by when the frames came, which the network shakes."""
    return _fit(first, second, second.arrived_ms - first.arrived_ms, _ARRIVAL_TOLERANCE)


def _fit(first: _Seen, second: _Seen, elapsed_ms: float, tolerance: float) -> AudioFormat | None:
    """The format in which one of two frames of the same size lasts ``elapsed_ms``."""
    if first.size != second.size or not first.size or elapsed_ms <= 0:
        return None
    bytes_per_ms = first.size / elapsed_ms
    for exact, audio_format in _BY_BYTES_PER_MS.items():
        if abs(bytes_per_ms - exact) <= exact * tolerance:
            return audio_format
    return None
