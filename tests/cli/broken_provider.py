"""A plugin that keeps no promise."""

from __future__ import annotations

from collections.abc import AsyncIterator

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import (
    SttCapabilities,
    SttConfig,
    SttEvent,
    SttProvider,
    SttSession,
)


class MuteSession:
    """Understands nothing, and is over at once."""

    def send(self, audio: bytes) -> None:
        """Of no use."""

    def finalize(self) -> None:
        """Never answered."""

    def peek(self) -> None:
        """Neither."""

    async def events(self) -> AsyncIterator[SttEvent]:
        """None."""
        none: tuple[SttEvent, ...] = ()
        for event in none:
            yield event

    async def aclose(self) -> None:
        """Nothing is open."""


class MuteStt(SttProvider):
    """It takes every format, also those that it does not declare."""

    offline = True
    capabilities = SttCapabilities(formats=(pcm16(8000),))

    async def open(self, config: SttConfig) -> SttSession:
        """Refuses nothing."""
        return MuteSession()
