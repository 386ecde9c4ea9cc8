"""The way in: Exotel's payloads to 20 ms frames, and on to all who listen.

Per frame there is no task, no queue and no log line: decode, cut, hand on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from exobridge_codecs.codec import decoder, encoder
from exobridge_codecs.formats import FRAME_MS, AudioFormat, Encoding, pcm16
from exobridge_codecs.framing import Reframer
from exobridge_codecs.resample import Resampler
from exobridge_providers.base import SttCapabilities
from exobridge_providers.denoise import CLEAN, Denoise

PRE_ROLL_MS = 500
"""Audio before a segment of speech that is sent with it: the detector is late by some of it."""

MAX_UNJUDGED_MS = 5000
"""Audio that is kept beyond it for a voice detector that is behind: a line that was held up hands
on all it held at once, and may be silent for so long."""


class Tap:
    """A listener who wants frames in a format of its own.

    Args:
        line: What the frames come in, as PCM16 at this format's rate.
        wanted: What the listener takes.
        listener: Called with one frame of ``FRAME_MS`` at a time.
    """

    def __init__(
        self, line: AudioFormat, wanted: AudioFormat, listener: Callable[[bytes], None]
    ) -> None:
        self.wanted = wanted
        self.listener = listener
        self._encode = None if wanted.encoding is Encoding.PCM16 else encoder(wanted.encoding)
        self._resampler: Resampler | None = None
        if line.sample_rate != wanted.sample_rate:
            self._resampler = Resampler(line.sample_rate, wanted.sample_rate)
        self._reframer = Reframer(pcm16(wanted.sample_rate).frame_bytes)

    def push(self, pcm: bytes) -> None:
        """Hand on one frame of the line."""
        if self._resampler is None:
            self.listener(self._encode(pcm) if self._encode else pcm)
            return
        for frame in self._reframer.push(self._resampler.process(pcm)):
            self.listener(self._encode(frame) if self._encode else frame)


class Transcriber(Protocol):
    """Speech-to-text, as the audio sees it: see :class:`exobridge_providers.base.SttSession`."""

    def send(self, audio: bytes) -> None:
        """Hand over one 20 ms frame."""
        ...

    def finalize(self) -> None:
        """Ask for the final text of everything sent so far."""
        ...

    def peek(self) -> None:
        """Ask for a partial text of what was sent since the last ``finalize()``."""
        ...


class Hearing:
    """The caller's audio of one stream.

    Attributes:
        frames: Frames handed on so far; their end is at ``position_ms``.
        denoise: Takes noise out of what speech-to-text hears; set before ``transcribe``.
        judged_ms: Up to where the voice detector has listened; ``None``: it has not told.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.denoise: Denoise | None = None
        self.judged_ms: float | None = None
        self._format: AudioFormat | None = None
        self._taps: list[Tap] = []
        self._stt: Transcriber | None = None
        self._continuous = True
        self._on_demand = False
        self._in_segment = False
        self._pre_roll: deque[bytes] = deque()

    @property
    def in_segment(self) -> bool:
        """Whether the caller speaks."""
        return self._in_segment

    @property
    def position_ms(self) -> float:
        """Audio handed on so far."""
        return float(self.frames * FRAME_MS)

    def set_format(self, audio_format: AudioFormat) -> None:
        """From now on payloads are in this format; may be called again if it proves wrong."""
        self._format = audio_format
        self._decode = decoder(audio_format.encoding)
        self._reframer = Reframer(audio_format.frame_bytes)
        self._taps = [Tap(audio_format, tap.wanted, tap.listener) for tap in self._taps]

    def listen(self, wanted: AudioFormat, listener: Callable[[bytes], None]) -> None:
        """Add a listener to every frame. The line's format must be known."""
        assert self._format is not None
        self._taps.append(Tap(self._format, wanted, listener))

    @property
    def for_stt(self) -> AudioFormat:
        """What speech-to-text is fed. The line's format must be known."""
        assert self._format is not None
        return self._format if self.denoise is None else CLEAN

    def transcribe(self, session: Transcriber, wanted: AudioFormat, *, continuous: bool) -> None:
        """Feed speech-to-text: everything, or only segments with some audio before.

        Args:
            wanted: Of the rate of ``for_stt``, or any where no noise is taken out.
        """
        self._stt = session
        self._continuous = continuous
        self.listen(wanted, self._to_stt if self.denoise is None else self._clean_to_stt)

    def suit(self, capabilities: SttCapabilities) -> None:
        """Another provider of speech-to-text has taken over: feed it as it wants to be fed."""
        self._continuous = capabilities.continuous
        # One that sends partials by itself would not say which of them answers a peek.
        self._on_demand = capabilities.on_demand and not capabilities.interims
        if self._continuous and self._stt is not None:
            self._send_pre_roll()  # with the next segment it would come after what follows it

    def push(self, payload: bytes) -> None:
        """Take a payload of any size, in the line's format."""
        for frame in self._reframer.push(payload):
            self.frames += 1
            pcm = self._decode(frame)
            for tap in self._taps:
                tap.push(pcm)

    def _clean_to_stt(self, frame: bytes) -> None:
        assert self.denoise is not None
        self._to_stt(self.denoise(frame))

    def _to_stt(self, frame: bytes) -> None:
        assert self._stt is not None
        if self._continuous or self._in_segment:
            self._stt.send(frame)
        else:
            self._pre_roll.append(frame)
            self._forget()

    def _forget(self) -> None:
        """Voice that may begin now is sent with what came before; what is older is not wanted."""
        unjudged_ms = 0.0
        if self.judged_ms is not None:
            unjudged_ms = min(max(0.0, self.position_ms - self.judged_ms), MAX_UNJUDGED_MS)
        kept = int(PRE_ROLL_MS + unjudged_ms) // FRAME_MS
        while len(self._pre_roll) > kept:
            self._pre_roll.popleft()

    # -------------------------------------------------------------- segments of speech

    def start_segment(self) -> None:
        """The caller speaks, or goes on after a pause."""
        self._in_segment = True
        self._forget()
        if self._stt is not None:
            self._send_pre_roll()

    def _send_pre_roll(self) -> None:
        assert self._stt is not None
        while self._pre_roll:
            self._stt.send(self._pre_roll.popleft())

    def peek(self, *, settled: bool) -> bool:
        """Ask for the words of the segment so far; whether they may come.

        Args:
            settled: The caller is silent: what follows is no part of it unless they go on.
        """
        if self._stt is None or not self._on_demand:
            return False
        self._stt.peek()
        if settled and not self._continuous:
            self._in_segment = False
        return True

    def end_segment(self) -> bool:
        """The caller has stopped: ask for the text of what was sent; whether there is anyone to
        answer."""
        self._in_segment = False
        if self._stt is None:
            return False
        self._stt.finalize()
        return True

    def drop_segment(self) -> bool:
        """It was no speech. A provider that was sent only this segment has to close it, and will
        answer; whether it will."""
        if self._stt is None or self._continuous:
            self._in_segment = False
            return False
        return self.end_segment()
