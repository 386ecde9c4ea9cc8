"""A speech-to-speech provider that has its audio ahead, as text-to-speech has.

It hands over a long utterance at once and, when that and a pause have passed, the next one. So the
playout can build its lead, which an echo, whose audio comes in real time, never lets it.
"""

from __future__ import annotations

from pydantic import Field

from exobridge_providers.base import (
    CallContext,
    Options,
    RealtimeProvider,
    RealtimeSession,
    Speak,
)
from exobridge_providers.errors import ProviderConfigError

MAGIC = b"\x5a\xa5\x3c\xc3"
CALL_DIGITS, NUMBER_DIGITS = 4, 7
ANYONE = 0xFFFF
"""Stands for the call's number: all calls are told the same."""

FRAME_BYTES = 320
"""20 ms of PCM16 at 8 kHz, the only rate at which the generator speaks."""


def mark(number: int) -> bytes:
    """The marker at the end of a frame, as ``generator.c`` reads it."""
    text = f"{ANYONE:0{CALL_DIGITS}x}{number:0{NUMBER_DIGITS}x}"
    return MAGIC + bytes(0x20 | int(digit, 16) for digit in text)


def utterance(frames: int) -> bytes:
    """PCM16 of silence, each 20 ms of it numbered from 0."""
    return b"".join(mark(number).rjust(FRAME_BYTES, b"\0") for number in range(frames))


class TalkerOptions(Options):
    """The ``[dialogue.options]`` table.

    Attributes:
        frames: Length of an utterance, in 20 ms frames.
        pause_frames: Silence after it.
    """

    frames: int = Field(default=250, ge=1)
    pause_frames: int = Field(default=25, ge=0)


class _Talk:
    """One call's. The caller's frames are its clock, as they come in real time."""

    def __init__(self, speak: Speak, pcm: bytes, period: int) -> None:
        self._speak = speak
        self._pcm = pcm
        self._period = period
        self._heard = 0

    def hear(self, pcm: bytes) -> None:
        """As :meth:`exobridge_providers.base.RealtimeSession.hear`."""
        del pcm
        if self._heard % self._period == 0:
            self._speak(self._pcm)
        self._heard += 1

    async def aclose(self) -> None:
        """As :meth:`exobridge_providers.base.RealtimeSession.aclose`."""


class Talker(RealtimeProvider):
    """Talks to itself. ``dialogue.provider = "tests.benchmarks.talker:Talker"``."""

    options_type = TalkerOptions
    sample_rates = (8000,)

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        if not isinstance(options, TalkerOptions):
            raise ProviderConfigError("these are another provider's options", provider="talker")
        self._period = options.frames + options.pause_frames
        self._pcm = utterance(options.frames)

    async def open(self, context: CallContext, sample_rate: int, speak: Speak) -> RealtimeSession:
        """As :meth:`exobridge_providers.base.RealtimeProvider.open`."""
        del context, sample_rate
        return _Talk(speak, self._pcm, self._period)
