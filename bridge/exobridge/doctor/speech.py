"""A short sentence through the speech providers of a template."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from exobridge_codecs.formats import Encoding, pcm16
from exobridge_codecs.resample import resample
from exobridge_providers import once
from exobridge_providers.base import (
    SttConfig,
    SttProvider,
    TtsConfig,
    TtsProvider,
    VadProvider,
)
from exobridge_providers.errors import ProviderError

SENTENCE = "Hello. What are your opening hours?"
PAUSE_S = 0.3
"""Silence after the sentence, in seconds: a voice-activity window must be full to be judged."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The sentence as audio.

    Attributes:
        pcm: PCM16.
        sample_rate: Hertz.
        is_speech: Whether it is in a form that was read; of others only the length is known.
    """

    pcm: bytes
    sample_rate: int
    seconds: float
    is_speech: bool = True


async def speak(provider: TtsProvider, language: str, voice: str) -> Spoken:
    """The sentence in the provider's preferred PCM16, else in its preferred format.

    Raises:
        ProviderError: It was not made.
    """
    formats = provider.capabilities.formats
    linear = [each for each in formats if each.encoding is Encoding.PCM16]
    audio = (linear or formats)[0]
    session = await provider.open(TtsConfig(audio, language, voice))
    try:
        pcm = await once.spoken(session, SENTENCE)
    finally:
        await session.aclose()
    seconds = audio.duration_ms(len(pcm)) / 1000
    return Spoken(pcm, audio.sample_rate, seconds, bool(linear))


async def hear(provider: SttProvider, language: str, spoken: Spoken) -> str:
    """What is understood of the sentence.

    Raises:
        ProviderError: Nothing could be.
    """
    linear = [f for f in provider.capabilities.formats if f.encoding is Encoding.PCM16]
    audio = linear[0]
    session = await provider.open(SttConfig(audio, language))
    try:
        return await once.understood(session, frames(spoken, audio.sample_rate))
    finally:
        await session.aclose()


async def voice(provider: VadProvider, spoken: Spoken) -> float:
    """The highest probability of speech in any window of the sentence, 0 to 1.

    Raises:
        ProviderError: Its results stopped coming.
    """
    rate = provider.sample_rates[0]
    sent = frames(spoken, rate)
    enough = asyncio.Event()
    failed: list[ProviderError] = []
    highest = 0.0

    def on_voice(end_ms: float, probability: float) -> None:
        nonlocal highest
        highest = max(highest, probability)
        if end_ms >= spoken.seconds * 1000:
            enough.set()

    def on_failure(error: ProviderError) -> None:
        failed.append(error)
        enough.set()

    session = provider.open(rate, on_voice, on_failure)
    try:
        for frame in sent:
            session.send(frame)
            await asyncio.sleep(0)  # its results come between
        await enough.wait()
    finally:
        session.close()
    if failed:
        raise failed[0]
    return highest


def frames(spoken: Spoken, rate: int) -> list[bytes]:
    """The sentence at this rate and a pause, in whole 20 ms frames."""
    audio = pcm16(rate)
    pcm = resample(spoken.pcm, spoken.sample_rate, rate)
    pcm += audio.silence(int(PAUSE_S * rate) * audio.sample_bytes)
    pcm += audio.silence(-len(pcm) % audio.frame_bytes)
    return [pcm[at : at + audio.frame_bytes] for at in range(0, len(pcm), audio.frame_bytes)]
