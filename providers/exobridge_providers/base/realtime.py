"""The contract of a speech-to-speech provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from exobridge_providers.base.common import Provider
from exobridge_providers.base.dialogue import CallContext


class RealtimeSession(Protocol):
    """A conversation that hears and speaks for itself: no STT, dialogue or TTS beside it."""

    def hear(self, pcm: bytes) -> None:
        """Hand over one 20 ms PCM16 frame of the caller. Never waits."""
        ...

    async def aclose(self) -> None:
        """End the session and release everything."""
        ...


Speak = Callable[[bytes], None]
"""``speak(pcm)``: play this PCM16 audio after what is already queued. Called on the event loop."""


class RealtimeProvider(Provider):
    """Speech to speech. ``dialogue.provider`` of a template may name one.

    Attributes:
        sample_rates: Rates it takes and makes, in hertz; empty: whatever the call has.
    """

    sample_rates: tuple[int, ...] = ()

    async def open(self, context: CallContext, sample_rate: int, speak: Speak) -> RealtimeSession:
        """Open the session of one call, hearing and speaking PCM16 at ``sample_rate``.

        Raises:
            ProviderError: It cannot be opened.
        """
        raise NotImplementedError
