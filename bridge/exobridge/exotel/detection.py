"""Which encoding and rate a stream has. Exotel's documents disagree, so it is found out.

In this order:

1. the template's own ``stream.encoding``: then nothing is found out and this module is not asked;
2. ``media_format`` naming μ-law (8 kHz by definition);
3. whether it is μ-law or PCM16, three witnesses tell: ``bit_rate`` (64 kbps are μ-law), the bytes
   a millisecond (8 are μ-law), and the sound. Two of them decide. Where there are but two and they
   disagree, the sound is believed, then the measurement: the strings are often copied blindly from
   samples;
4. the rate of PCM16 is told by the bytes a millisecond: 16, 32 and 48 are 8, 16 and 24 kHz; then by
   ``bit_rate`` (128, 256, 384 kbps), then by ``sample_rate``; and it is 8 kHz where all that is
   absent too.

The bytes a millisecond are measured by the frames' timestamps; by their arrival where those are
absent, stand still, run backwards or fit no format. Timestamps that the arrival contradicts for
long lie: no telephone talks at twice the speed. What is to speak against the strings needs more
than one interval (:data:`evidence.LEAD`), since lost frames make PCM16 look like μ-law.

One interval that says what the other witnesses say is enough to go on with, and so are these alone
when nothing can wait any longer. All witnesses are heard for some seconds more, and may overrule
a decision that was made too soon.
"""

from __future__ import annotations

from dataclasses import dataclass

from exobridge.exotel.evidence import MULAW_8K, Pace, Sound, Stamps
from exobridge.exotel.messages import Media, MediaFormat
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16

WAIT_MS = 120
"""How long after ``start`` the first outbound chunk waits for a measurement."""

SURE_WINDOWS = 4
"""How many measurements of the arrival in a row settle the format, also against the timestamps."""

FRAMES_SHOWN = 500
"""After so many frames the decision stands."""

_BY_KBPS = {64: MULAW_8K, 128: pcm16(8000), 256: pcm16(16000), 384: pcm16(24000)}
_MULAW_NAMES = ("mulaw", "ulaw", "pcmu")
_RATES = (8000, 16000, 24000)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the stream is taken to be.

    Attributes:
        format: Encoding and rate, in both directions: we answer in what we hear.
        reason: For the log, e.g. ``measured 16 bytes/ms``.
        final: ``False`` if the witnesses may still overrule it.
    """

    format: AudioFormat
    reason: str
    final: bool


@dataclass(frozen=True, slots=True)
class _Stated:
    """What the strings say.

    Attributes:
        encoding: ``None``: nothing was said of it; the format's is a guess.
        pcm16: What the stream is if it turns out to be PCM16.
    """

    format: AudioFormat
    encoding: Encoding | None
    pcm16: AudioFormat
    reason: str


class FormatDetector:
    """Decides once a stream, and again where a decision proves wrong.

    Args:
        stated: ``start.media_format``.
        now_ms: When ``start`` came; any clock in milliseconds, the same for every call.

    Attributes:
        deadline_ms: When what is known has to do.
        decision: The decision so far.
    """

    def __init__(self, stated: MediaFormat, now_ms: float) -> None:
        self.deadline_ms = now_ms + WAIT_MS
        self._stated = _from_strings(stated)
        self._stamps = Stamps()
        self._pace = Pace()
        self._sound = Sound()
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
        self._stamps.observe(len(media.payload), media.timestamp_ms)
        self._pace.observe(len(media.payload), now_ms)
        self._sound.observe(media.payload)
        chosen = self._choose()
        if self.decision is None:
            confirmed = self._stamps.latest == chosen.format
            if not confirmed and not chosen.final and now_ms < self.deadline_ms:
                return None
        elif chosen.format == self.decision.format and not chosen.final:
            return None
        self.decision = chosen
        return chosen

    def expire(self, now_ms: float) -> Decision | None:
        """Decide from what is known if the wait is over.

        Returns:
            The decision, if it was made now.
        """
        if self.decision is not None or now_ms < self.deadline_ms:
            return None
        self.decision = self._choose()
        return self.decision

    def _choose(self) -> Decision:
        """What the witnesses say together by now."""
        measured = self._measured()
        encoding = self._encoding(measured)
        if measured is not None and measured.encoding is encoding:
            chosen = measured
        elif self._stated.format.encoding is encoding:
            chosen = self._stated.format
        else:
            chosen = MULAW_8K if encoding is Encoding.MULAW else self._stated.pcm16
        return Decision(chosen, self._reason(chosen, measured), self._is_sure(chosen))

    def _reason(self, chosen: AudioFormat, measured: AudioFormat | None) -> str:
        if chosen in (measured, self._stamps.latest):
            return f"measured {chosen.bytes_per_ms} bytes/ms"
        if chosen == self._stated.format:
            return self._stated.reason
        return f"sounds like {chosen.encoding}"

    def _is_sure(self, chosen: AudioFormat) -> bool:
        """Whether the arrival says so for long; where nobody disagrees one measurement will do."""
        if self._pace.reading != chosen:
            return self._frames >= FRAMES_SHOWN
        agreed = self._stamps.reading == self._stated.format == chosen
        heard = self._sound.reading in (None, chosen.encoding)
        return self._pace.agreed >= (1 if agreed and heard else SURE_WINDOWS)

    def _measured(self) -> AudioFormat | None:
        """The format by bytes a millisecond, as soon as it is sure."""
        stamps, pace = self._stamps.reading, self._pace
        # A network that recovers may drain at double speed for a moment; strings do not.
        alone = stamps is not None and pace.reading != self._stated.format
        believed = pace.agreed >= (SURE_WINDOWS if alone else 2)
        return pace.reading or stamps if believed and not self._is_late() else stamps

    def _is_late(self) -> bool:
        """Whether the arrival may only be slow, as on a busy machine: all others agree on more."""
        stamps, pace = self._stamps.reading, self._pace.reading
        if stamps is None or pace is None or stamps != self._stated.format:
            return False
        slower = pace.bytes_per_ms < stamps.bytes_per_ms
        return slower and self._sound.reading in (None, stamps.encoding)

    def _encoding(self, measured: AudioFormat | None) -> Encoding:
        """What two of the three witnesses say, the stronger first where it is one against one."""
        sound, clock = self._sound.reading, measured and measured.encoding
        stated = self._stated.encoding
        if stated is not None and stated is clock:
            return stated
        return sound or clock or self._stated.format.encoding


def _from_strings(stated: MediaFormat) -> _Stated:
    rate = stated.sample_rate
    pcm = pcm16(rate) if rate in _RATES else pcm16(8000)
    kbps = (stated.bit_rate or 0) // 1000
    if kbps in _BY_KBPS:
        told = _BY_KBPS[kbps]
        return _Stated(told, told.encoding, pcm, f"bit_rate says {kbps} kbps")
    reason = f"sample_rate says {rate} Hz" if rate in _RATES else "nothing was said"
    return _Stated(pcm, None, pcm, reason)
