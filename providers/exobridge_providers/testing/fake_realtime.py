"""A speech-to-speech provider that answers speech with a tone."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import peak_dbfs
from exobridge_codecs.tones import tone
from exobridge_providers.base import (
    CallContext,
    Options,
    RealtimeProvider,
    RealtimeSession,
    Speak,
)
from exobridge_providers.errors import ProviderUnavailableError

LOUD_DBFS = -40.0
"""A frame whose peak is above this is taken for speech, in dBFS."""


class FakeRealtimeOptions(Options):
    """When it answers, and what goes wrong.

    Attributes:
        silence_ms: Quiet after speech before it answers, in milliseconds.
        reply_ms: Length of the tone.
        frequency_hz: Its pitch.
        fault: ``open`` raises; ``mute`` never answers; ``late`` speaks after ``aclose`` too.
    """

    silence_ms: int = Field(default=300, ge=20)
    reply_ms: int = Field(default=500, ge=20)
    frequency_hz: float = Field(default=440, gt=0)
    fault: Literal["none", "open", "mute", "late"] = "none"


class FakeRealtimeSession:
    """One call."""

    def __init__(self, options: FakeRealtimeOptions, sample_rate: int, speak: Speak) -> None:
        self._options = options
        self._format = pcm16(sample_rate)
        self._speak = speak
        self._spoken_to = False
        self._quiet_ms = 0.0
        self._open = True

    def hear(self, pcm: bytes) -> None:
        """Answer once the caller has spoken and fallen silent."""
        if not self._open:
            if self._options.fault == "late":
                self._speak(pcm)
            return
        if peak_dbfs(pcm) > LOUD_DBFS:
            self._spoken_to, self._quiet_ms = True, 0.0
            return
        self._quiet_ms += self._format.duration_ms(len(pcm))
        if self._spoken_to and self._quiet_ms >= self._options.silence_ms:
            self._spoken_to = False
            if self._options.fault != "mute":
                self._speak(self._reply())

    def _reply(self) -> bytes:
        options = self._options
        return tone(options.frequency_hz, options.reply_ms, self._format.sample_rate)

    async def aclose(self) -> None:
        """As :meth:`exobridge_providers.base.RealtimeSession.aclose`."""
        self._open = False


class FakeRealtime(RealtimeProvider):
    """Speech to speech by loudness.

    Unrealistic in that its whole answer comes at once, and that it cannot be interrupted.
    """

    options_type = FakeRealtimeOptions
    offline = True

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, FakeRealtimeOptions)
        self._options = options

    async def open(self, context: CallContext, sample_rate: int, speak: Speak) -> RealtimeSession:
        """As :meth:`exobridge_providers.base.RealtimeProvider.open`."""
        del context
        if self._options.fault == "open":
            raise ProviderUnavailableError("nobody there", provider="fake")
        return FakeRealtimeSession(self._options, sample_rate, speak)
