"""Fixed lines, rendered ahead: a greeting's audio is ready before its stream starts.

One cache a process, bounded in bytes; the same line is rendered once, however many calls ask. Where
a template names several providers, the first that works renders it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

import structlog

from exobridge.call.failover.circuits import ProviderKey, provider_key
from exobridge.call.formats import choose_format
from exobridge.call.text import spoken_pieces
from exobridge.provider_pool import ProviderPool
from exobridge.templates.models import Template
from exobridge_codecs.codec import decoder
from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import whole_samples
from exobridge_codecs.resample import resample
from exobridge_providers.base import (
    AnyOptions,
    TtsAudio,
    TtsConfig,
    TtsDone,
    TtsProvider,
    TtsSession,
    TtsTrouble,
    speaks,
)
from exobridge_providers.errors import ProviderError, ProviderUnavailableError, as_provider_error
from exobridge_providers.registry import Kind

MAX_BYTES = 64 * 1024 * 1024
"""Rendered audio kept: over an hour of PCM16 at 8 kHz."""

RENDER_SECONDS = 15.0
"""Longest wait for one line."""

HURRY_SECONDS = 4.0
"""The same, where another provider can make it."""

CLOSE_SECONDS = 3.0
"""Longest wait for a provider to close the session of a line."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Line:
    key: ProviderKey
    voice: str
    language: str
    sample_rate: int
    text: str
    """As the voice is given it."""
    options: AnyOptions = field(compare=False, repr=False)

    @property
    def provider(self) -> str:
        return self.key[1]

    @property
    def tongue(self) -> tuple[ProviderKey, str]:
        return self.key, self.language


_Lines = tuple[_Line, ...]


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
        self._running: dict[_Lines, asyncio.Task[bytes]] = {}
        self._unknown: set[tuple[ProviderKey, str]] = set()
        """Providers and languages they do not know."""

    def ready(
        self, template: Template, text: str, sample_rate: int, language: str = ""
    ) -> bytes | None:
        """As :meth:`render`, if the line was rendered before."""
        lines = _lines(template, text, sample_rate, language)
        line = next((line for line in lines if line in self._rendered), None)
        if line is None:
            return None
        if line is not lines[0]:
            self._make_better(lines[0])
        self.wanted["cached"] += 1
        self._rendered.move_to_end(line)
        return self._rendered[line]

    async def render(
        self, template: Template, text: str, sample_rate: int, language: str = ""
    ) -> bytes:
        """The line's audio at ``sample_rate`` Hz.

        Args:
            language: BCP-47 tag; empty: the template's. In another the voice is the provider's own
                choice.

        Raises:
            ProviderError: The text-to-speech provider failed or took too long.
        """
        ready = self.ready(template, text, sample_rate, language)
        if ready is not None:
            return ready
        lines = _lines(template, text, sample_rate, language)
        return await asyncio.shield(self._rendering(lines))

    def _make_better(self, line: _Line) -> None:
        """Another provider stood in for the preferred one, which may be well again."""
        now = asyncio.get_running_loop().time()
        if self._pool.circuits.of(line.key).admits(now) and line.tongue not in self._unknown:
            self._rendering((line,))

    def _rendering(self, lines: _Lines) -> asyncio.Task[bytes]:
        task = self._running.get(lines)
        if task is None:
            task = asyncio.create_task(self._render(lines))
            self._running[lines] = task
            task.add_done_callback(lambda done: self._rendered_or_failed(lines, done))
        return task

    def _rendered_or_failed(self, lines: _Lines, task: asyncio.Task[bytes]) -> None:
        del self._running[lines]
        if not task.cancelled():
            failed = task.exception() is not None  # asked for: those who waited may all have gone
            self.wanted["failed" if failed else "rendered"] += 1

    async def _render(self, lines: _Lines) -> bytes:
        """By the first provider that can; one whose circuit is open is asked last."""
        circuits, now = self._pool.circuits, asyncio.get_running_loop().time()
        order = sorted(
            lines,
            key=lambda line: (line.tongue in self._unknown, not circuits.of(line.key).admits(now)),
        )
        for number, line in enumerate(order, start=1):
            is_last = number == len(order)
            try:
                audio = await self._render_by(line, RENDER_SECONDS if is_last else HURRY_SECONDS)
            except ProviderError as error:
                if is_last:
                    raise
                _log.warning("prompt not rendered", provider=line.provider, error=str(error))
            else:
                self._keep(line, audio)
                return audio
        raise AssertionError("a table names at least one provider")

    async def _render_by(self, line: _Line, limit_s: float) -> bytes:
        asked_at = asyncio.get_running_loop().time()
        self._pool.circuits.of(line.key).asked(asked_at)
        own_fault = True
        try:
            async with asyncio.timeout(limit_s):
                provider = await self._pool.get(Kind.TTS, line.provider, line.options, TtsProvider)
                own_fault = speaks(provider.capabilities.languages, line.language)
                audio = await _speak(provider, line)
        except Exception as raised:  # a plugin's bug is no more than a provider's failure
            error = _failure(raised, line.provider, limit_s)
            if own_fault:
                self._pool.circuits.failed(line.key, error)
            else:
                self._unknown.add(line.tongue)
            raise error from raised
        self._pool.circuits.worked(line.key, asked_at)
        self.characters[line.provider] += len(line.text)
        return audio

    @property
    def kept_bytes(self) -> int:
        """Audio that is kept."""
        return self._bytes

    def _keep(self, line: _Line, audio: bytes) -> None:
        self._bytes += len(audio) - len(self._rendered.get(line, b""))
        self._rendered[line] = audio
        while self._bytes > self._max_bytes:
            _, dropped = self._rendered.popitem(last=False)
            self._bytes -= len(dropped)

    async def aclose(self) -> None:
        """Stop what is being rendered."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _lines(template: Template, text: str, sample_rate: int, language: str) -> _Lines:
    """The line as each of the template's providers would say it, the preferred first."""
    language = language or template.language
    spoken = template.tts.spoken(text, language)
    return tuple(
        _Line(
            key=provider_key(Kind.TTS, choice.name, choice.options),
            voice=choice.voice if language == template.language else "",
            language=language,
            sample_rate=sample_rate,
            text=spoken,
            options=choice.options,
        )
        for choice in template.tts.choices()
    )


def _failure(raised: Exception, provider: str, limit_s: float) -> ProviderError:
    if isinstance(raised, TimeoutError):
        return ProviderUnavailableError(f"no audio within {limit_s:.0f} s", provider=provider)
    return as_provider_error(raised, "rendering a line", provider)


async def _speak(provider: TtsProvider, line: _Line) -> bytes:
    made = choose_format(provider.capabilities.formats, pcm16(line.sample_rate))
    decode = decoder(made.encoding)
    config = TtsConfig(made, line.language, line.voice)
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
                    parts.append(whole_samples(decode(event.audio)))
                case TtsDone():
                    return resample(b"".join(parts), made.sample_rate, line.sample_rate)
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
