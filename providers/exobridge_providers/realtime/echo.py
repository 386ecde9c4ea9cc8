"""Echo: the caller hears himself. For trying a line, measuring delay, and load tests."""

from __future__ import annotations

from collections import deque

from pydantic import Field

from exobridge_providers.base import (
    CallContext,
    Options,
    RealtimeProvider,
    RealtimeSession,
    Speak,
)


class EchoOptions(Options):
    """The ``[dialogue.options]`` table.

    Attributes:
        delay_ms: How much later the caller hears himself, in milliseconds, 0 to 10,000.
    """

    delay_ms: int = Field(default=0, ge=0, le=10_000)


class DirectEcho:
    """Says each frame back as it comes."""

    __slots__ = ("_speak",)

    def __init__(self, speak: Speak) -> None:
        self._speak = speak

    def hear(self, pcm: bytes) -> None:
        """As :meth:`exobridge_providers.base.RealtimeSession.hear`."""
        self._speak(pcm)

    async def aclose(self) -> None:
        """As :meth:`exobridge_providers.base.RealtimeSession.aclose`."""
        self._speak = _ignore


class DelayedEcho:
    """Says each frame back when ``delay_bytes`` more have come.

    The caller's own frames are the clock: while the line sends nothing, nothing is said.
    """

    __slots__ = ("_delay_bytes", "_frames", "_held_bytes", "_speak")

    def __init__(self, speak: Speak, delay_bytes: int) -> None:
        self._speak = speak
        self._delay_bytes = delay_bytes
        self._frames: deque[bytes] = deque()
        self._held_bytes = 0

    def hear(self, pcm: bytes) -> None:
        """As :meth:`exobridge_providers.base.RealtimeSession.hear`."""
        self._frames.append(pcm)
        self._held_bytes += len(pcm)
        while self._frames and self._held_bytes - len(self._frames[0]) >= self._delay_bytes:
            frame = self._frames.popleft()
            self._held_bytes -= len(frame)
            self._speak(frame)

    async def aclose(self) -> None:
        """As :meth:`exobridge_providers.base.RealtimeSession.aclose`."""
        self._speak = _ignore
        self._frames.clear()
        self._held_bytes = 0


def _ignore(pcm: bytes) -> None:
    del pcm


class Echo(RealtimeProvider):
    """Says back what it hears, at any rate."""

    options_type = EchoOptions
    offline = True

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, EchoOptions)
        self._options = options

    async def open(self, context: CallContext, sample_rate: int, speak: Speak) -> RealtimeSession:
        """As :meth:`exobridge_providers.base.RealtimeProvider.open`."""
        del context
        if not self._options.delay_ms:
            return DirectEcho(speak)
        return DelayedEcho(speak, 2 * sample_rate * self._options.delay_ms // 1000)
