"""The contract of voice-activity detection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from exobridge_providers.base.common import Provider
from exobridge_providers.errors import ProviderError


class VadSession(Protocol):
    """Voice activity of one call."""

    def send(self, pcm: bytes) -> None:
        """Hand over one 20 ms PCM16 frame. Never waits."""
        ...

    def close(self) -> None:
        """No result is reported after this returns."""
        ...


OnVoice = Callable[[float, float], None]
"""``on_voice(end_ms, probability)``: the window that ends at ``end_ms`` of the audio sent so far
holds speech with this probability (0 to 1). Called on the event loop, in order."""

OnVadFailure = Callable[[ProviderError], None]
"""Called once, on the event loop, when a session's results will stop coming."""


class VadProvider(Provider):
    """Voice-activity detection, run for all calls together.

    Attributes:
        sample_rates: Rates it takes, in hertz, the preferred first.
    """

    sample_rates: tuple[int, ...]

    def open(self, sample_rate: int, on_voice: OnVoice, on_failure: OnVadFailure) -> VadSession:
        """Open the session of one call at one of ``sample_rates``."""
        raise NotImplementedError
