"""The caller's voice and ear, by the local speech providers: lines made from text, the bot's
utterances written down. Both are optional; the calls themselves need neither."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import Generic, Self, TypeVar, cast

from exobridge.ear import for_the_ear
from exobridge.errors import ExobridgeError
from exobridge.simulator.lines import Clip
from exobridge_codecs.formats import Encoding
from exobridge_codecs.resample import resample
from exobridge_providers import once
from exobridge_providers.base import (
    Provider,
    SttConfig,
    SttProvider,
    TtsConfig,
    TtsProvider,
)
from exobridge_providers.errors import ProviderError
from exobridge_providers.registry import Kind, create

T = TypeVar("T")
ProviderT = TypeVar("ProviderT", bound=Provider)

CURE = "pip install 'exobridge[local]'"
VOICE, EARS, LANGUAGE = "hibari", "moonshine", "en-IN"
SPEECH_SECONDS = 60.0
"""How long one line may take to be made or written down."""
_AROUND_MS = 200
"""Silence put before and after what is to be understood: recognisers stumble over words that begin
or end with the audio."""


class SpeechError(ExobridgeError):
    """Speech cannot be made or understood here; the message names the cure."""


class _Local(Generic[ProviderT]):
    """A provider, started on entering and closed on leaving."""

    def __init__(self, kind: Kind, name: str, language: str) -> None:
        self._kind = kind
        self._name = name
        self._language = language
        self._started: ProviderT | None = None

    async def __aenter__(self) -> Self:
        self._started = cast(ProviderT, await _started(self._kind, self._name))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._started is not None:
            await self._started.aclose()

    @property
    def _provider(self) -> ProviderT:
        if self._started is None:
            raise RuntimeError(f"{type(self).__name__} is used with `async with`")
        return self._started


class Voice(_Local[TtsProvider]):
    """Makes the caller's lines from text. Use it with ``async with``.

    Args:
        provider: Name of a text-to-speech provider.
        language: BCP-47 tag.

    Raises:
        SpeechError: On entering: it is not installed or cannot start. By ``clip``: it failed.
    """

    def __init__(self, provider: str = VOICE, language: str = LANGUAGE) -> None:
        super().__init__(Kind.TTS, provider, language)

    async def clip(self, text: str) -> Clip:
        """``text`` spoken, with the words beside it."""
        pcm, sample_rate = await _within(self._spoken(text), self._name)
        return Clip(pcm, sample_rate, text)

    async def _spoken(self, text: str) -> tuple[bytes, int]:
        audio = next(
            audio
            for audio in self._provider.capabilities.formats
            if audio.encoding is Encoding.PCM16
        )
        session = await self._provider.open(TtsConfig(audio, self._language))
        try:
            line = for_the_ear(text, self._language)
            return await once.spoken(session, line), audio.sample_rate
        finally:
            await session.aclose()


class Ears(_Local[SttProvider]):
    """Writes down what the bot said. Use it with ``async with``.

    Args:
        provider: Name of a speech-to-text provider.
        language: BCP-47 tag.

    Raises:
        SpeechError: On entering: it is not installed or cannot start. By ``text``: it failed.
    """

    def __init__(self, provider: str = EARS, language: str = LANGUAGE) -> None:
        super().__init__(Kind.STT, provider, language)

    async def text(self, pcm: bytes, sample_rate: int) -> str:
        """The words in one utterance of PCM16."""
        return await _within(self._heard(pcm, sample_rate), self._name)

    async def _heard(self, pcm: bytes, sample_rate: int) -> str:
        audio = next(
            audio
            for audio in self._provider.capabilities.formats
            if audio.encoding is Encoding.PCM16
        )
        pcm = await asyncio.to_thread(resample, pcm, sample_rate, audio.sample_rate)
        around = audio.silence(_AROUND_MS * audio.bytes_per_ms)
        pcm = around + pcm + around
        pcm += audio.silence(-len(pcm) % audio.frame_bytes)
        session = await self._provider.open(SttConfig(audio, self._language))
        try:
            size = audio.frame_bytes
            frames = (pcm[at : at + size] for at in range(0, len(pcm), size))
            return await once.understood(session, frames)
        finally:
            await session.aclose()


async def _started(kind: Kind, name: str) -> Provider:
    try:
        provider = create(kind, name, {})
        await provider.start()
    except ProviderError as error:
        cure = "" if CURE in str(error) else f" ({CURE})"
        raise SpeechError(f"{error}{cure}") from error
    return provider


async def _within(work: Awaitable[T], name: str) -> T:
    try:
        return await asyncio.wait_for(work, SPEECH_SECONDS)
    except TimeoutError:
        raise SpeechError(f"{name} did not answer within {SPEECH_SECONDS:g} s") from None
    except ProviderError as error:
        raise SpeechError(str(error)) from error
