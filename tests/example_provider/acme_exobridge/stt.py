"""Counts beeps: "three beeps" is what it understands of three loud sounds with pauses between.

Small enough to be read in one go, and a whole provider: options, capabilities, a session.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pydantic import Field

from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import peak_dbfs
from exobridge_providers.base import (
    Final,
    Options,
    SttCapabilities,
    SttConfig,
    SttEvent,
    SttProvider,
    SttSession,
    check_config,
)


class AcmeOptions(Options):
    """The ``[stt.options]`` table.

    Attributes:
        loud_dbfs: A frame whose peak is above this is part of a beep, in dBFS.
    """

    loud_dbfs: float = Field(default=-40, le=0)


class AcmeSession:
    """One call."""

    def __init__(self, loud_dbfs: float) -> None:
        self._loud_dbfs = loud_dbfs
        self._loud = False
        self._beeps = 0
        self._events: asyncio.Queue[Final | None] = asyncio.Queue()
        self._open = True

    def send(self, audio: bytes) -> None:
        """Count where it becomes loud."""
        loud = peak_dbfs(audio) > self._loud_dbfs
        self._beeps += loud and not self._loud
        self._loud = loud

    def peek(self) -> None:
        """Not asked for, as the capabilities do not declare it."""

    def finalize(self) -> None:
        """Tell how many there were."""
        text = f"{self._beeps} beeps" if self._beeps else ""
        self._beeps = 0
        self._events.put_nowait(Final(text, finalized=True))

    async def events(self) -> AsyncIterator[SttEvent]:
        """Until the session is closed."""
        while self._open and (event := await self._events.get()) is not None:
            yield event

    async def aclose(self) -> None:
        """End the events."""
        self._open = False
        self._events.put_nowait(None)


class AcmeStt(SttProvider):
    """Speech-to-text for beeps, in any language."""

    options_type = AcmeOptions
    capabilities = SttCapabilities(formats=(pcm16(8000), pcm16(16_000)), continuous=False)

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, AcmeOptions)
        self._options = options

    async def open(self, config: SttConfig) -> SttSession:
        """As :meth:`exobridge_providers.base.SttProvider.open`."""
        check_config(config, self.capabilities, "acme")
        return AcmeSession(self._options.loud_dbfs)
