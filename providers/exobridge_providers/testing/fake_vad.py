"""A voice-activity provider that goes by loudness."""

from __future__ import annotations

import asyncio
from typing import Literal

from pydantic import Field

from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import peak_dbfs
from exobridge_providers.base import OnVadFailure, OnVoice, Options, VadProvider, VadSession
from exobridge_providers.errors import ProviderConfigError, ProviderError

WINDOW_MS = 20


class FakeVadOptions(Options):
    """When it hears a voice, and what goes wrong.

    Attributes:
        loud_dbfs: A window whose peak is above this is a voice, in dBFS.
        fault: ``fail`` reports a failure in place of a window; ``mute`` reports nothing.
        fault_at: The window from which on it goes wrong; the first is 1.
    """

    loud_dbfs: float = Field(default=-40, le=0)
    fault: Literal["none", "fail", "mute"] = "none"
    fault_at: int = Field(default=1, ge=1)


class FakeVadSession:
    """One call's loudness."""

    def __init__(
        self, options: FakeVadOptions, sample_rate: int, voice: OnVoice, failure: OnVadFailure
    ) -> None:
        self._options = options
        self._format = pcm16(sample_rate)
        self._on_voice = voice
        self._on_failure = failure
        self._audio = b""
        self._windows = 0
        self._open = True
        self._loop = asyncio.get_running_loop()

    def send(self, pcm: bytes) -> None:
        """Judge each whole window; the result is reported on the loop's next turn."""
        self._audio += pcm
        size = WINDOW_MS * self._format.bytes_per_ms
        while self._open and len(self._audio) >= size:
            window, self._audio = self._audio[:size], self._audio[size:]
            self._windows += 1
            probability = 0.99 if peak_dbfs(window) > self._options.loud_dbfs else 0.01
            self._loop.call_soon(self._report, self._windows, probability)

    def _report(self, window: int, probability: float) -> None:
        if not self._open:
            return
        wrong = self._options.fault if window >= self._options.fault_at else "none"
        if wrong == "none":
            self._on_voice(float(window * WINDOW_MS), probability)
        elif wrong == "fail":
            self._open = False
            self._on_failure(ProviderError("inference failed", provider="fake"))

    def close(self) -> None:
        """As :meth:`exobridge_providers.base.VadSession.close`."""
        self._open = False


class FakeVad(VadProvider):
    """Voice activity by loudness.

    Unrealistic in that every loud sound is a voice, and that results come at once, with nothing
    between certainly and certainly not.
    """

    options_type = FakeVadOptions
    offline = True
    sample_rates = (8000, 16_000, 24_000)

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, FakeVadOptions)
        self._options = options

    def open(self, sample_rate: int, on_voice: OnVoice, on_failure: OnVadFailure) -> VadSession:
        """As :meth:`exobridge_providers.base.VadProvider.open`."""
        if sample_rate not in self.sample_rates:
            raise ProviderConfigError(f"no such rate: {sample_rate}", provider="fake")
        return FakeVadSession(self._options, sample_rate, on_voice, on_failure)
