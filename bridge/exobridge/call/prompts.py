"""Fixed lines, rendered ahead: a greeting's audio is ready before its stream starts.

One cache a process, bounded in bytes; the same line is rendered once, however many calls ask.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass

import structlog

from exobridge.call.text import spoken_pieces
from exobridge.provider_pool import ProviderPool
from exobridge.templates.models import Template
from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import whole_samples
from exobridge_codecs.resample import resample
from exobridge_providers.base import (
    TtsAudio,
    TtsConfig,
    TtsDone,
    TtsProvider,
    TtsSession,
    TtsTrouble,
)
from exobridge_providers.errors import ProviderError, ProviderUnavailableError, as_provider_error
from exobridge_providers.registry import Kind

MAX_BYTES = 64 * 1024 * 1024
"""Rendered audio kept: over an hour of PCM16 at 8 kHz."""

RENDER_SECONDS = 15.0
"""Longest wait for one line."""

CLOSE_SECONDS = 3.0
"""Longest wait for a provider to close the session of a line."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Line:
    provider: str
    options: str
    voice: str
    language: str
    sample_rate: int
    text: str


class Prompts:
    """Lines and their audio, PCM16.

    Attributes:
        wanted: How often a line was ``cached``, ``rendered``, or ``failed`` to be.
        characters: Text that was rendered, by provider.
    """

    def __init__(self, pool: ProviderPool, max_bytes: int = MAX_BYTES) -> None:
        self._pool = pool
        self._max_bytes = max_bytes
        self._rendered: OrderedDict[_Line, bytes] = OrderedDict()
        self._bytes = 0
        self.wanted: Counter[str] = Counter(cached=0, rendered=0, failed=0)
        self.characters: Counter[str] = Counter()
        self._running: dict[_Line, asyncio.Task[bytes]] = {}

    def ready(self, template: Template, text: str, sample_rate: int) -> bytes | None:
        """The line's audio at ``sample_rate`` Hz, if it was rendered before."""
        line = _line(template, text, sample_rate)
        audio = self._rendered.get(line)
        if audio is not None:
            self.wanted["cached"] += 1
            self._rendered.move_to_end(line)
        return audio

    async def render(self, template: Template, text: str, sample_rate: int) -> bytes:
        """The line's audio at ``sample_rate`` Hz.

        Raises:
            ProviderError: The text-to-speech provider failed or took too long.
        """
        ready = self.ready(template, text, sample_rate)
        if ready is not None:
            return ready
        line = _line(template, text, sample_rate)
        task = self._running.get(line)
        if task is None:
            task = asyncio.create_task(self._render(line, template))
            self._running[line] = task
            task.add_done_callback(lambda done: self._rendered_or_failed(line, done))
        return await asyncio.shield(task)

    def _rendered_or_failed(self, line: _Line, task: asyncio.Task[bytes]) -> None:
        del self._running[line]
        if not task.cancelled():
            failed = task.exception() is not None  # asked for: those who waited may all have gone
            self.wanted["failed" if failed else "rendered"] += 1

    async def _render(self, line: _Line, template: Template) -> bytes:
        tts = template.tts
        try:
            async with asyncio.timeout(RENDER_SECONDS):
                provider = await self._pool.get(Kind.TTS, tts.provider, tts.options, TtsProvider)
                audio = await _speak(provider, line)
        except TimeoutError as error:
            message = f"no audio within {RENDER_SECONDS:.0f} s"
            raise ProviderUnavailableError(message, provider=tts.provider) from error
        except Exception as error:  # a plugin's bug is no more than a provider's failure
            raise as_provider_error(error, "rendering a line", tts.provider) from error
        self.characters[tts.provider] += len(line.text)
        self._keep(line, audio)
        return audio

    @property
    def kept_bytes(self) -> int:
        """Audio that is kept."""
        return self._bytes

    def _keep(self, line: _Line, audio: bytes) -> None:
        self._rendered[line] = audio
        self._bytes += len(audio)
        while self._bytes > self._max_bytes:
            _, dropped = self._rendered.popitem(last=False)
            self._bytes -= len(dropped)

    async def aclose(self) -> None:
        """Stop what is being rendered."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _line(template: Template, text: str, sample_rate: int) -> _Line:
    tts = template.tts
    options = repr(sorted(tts.options.items()))
    return _Line(tts.provider, options, tts.voice, template.language, sample_rate, text)


async def _speak(provider: TtsProvider, line: _Line) -> bytes:
    audio_format = best_rate(provider, line.sample_rate)
    config = TtsConfig(pcm16(audio_format), line.language, line.voice)
    session = await provider.open(config)
    parts: list[bytes] = []
    try:
        *before, last = spoken_pieces(line.text, provider.capabilities.max_chars)
        for piece in before:
            await session.say("line", piece, last=False)
        await session.say("line", last)
        async for event in session.events():
            match event:
                case TtsAudio():
                    parts.append(whole_samples(event.audio))
                case TtsDone():
                    return resample(b"".join(parts), audio_format, line.sample_rate)
                case TtsTrouble():
                    raise event.error
    finally:
        await _close(session, line.provider)
    raise ProviderError("ended in the middle of a line", provider=line.provider, retryable=True)


async def _close(session: TtsSession, provider: str) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await session.aclose()
    except Exception as error:  # the line is whole, whatever its session does now
        _log.warning("session not closed cleanly", provider=provider, error=type(error).__name__)


def best_rate(provider: TtsProvider, wanted: int) -> int:
    """The rate to ask of a provider for a line at ``wanted`` Hz: the same, else the lowest above
    it, else the highest there is.

    Raises:
        ProviderError: It makes no PCM16.
    """
    formats = provider.capabilities.formats
    rates = sorted(f.sample_rate for f in formats if f == pcm16(f.sample_rate))
    if not rates:
        raise ProviderError("makes no PCM16 audio")
    return next((rate for rate in rates if rate >= wanted), rates[-1])
