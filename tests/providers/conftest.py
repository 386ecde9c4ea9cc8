"""The local models, loaded once for all tests, and speech made with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from functools import cache

import pytest

from exobridge_codecs.g711 import mulaw_to_pcm, pcm_to_mulaw
from exobridge_providers.base import Provider
from exobridge_providers.stt.moonshine import MoonshineOptions, MoonshineStt
from exobridge_providers.tts.hibari import HibariOptions, HibariTts
from exobridge_providers.tts.hibari_voice import HibariVoice
from exobridge_providers.vad.silero_model import SileroModel

Speech = Callable[[str, int], bytes]
"""``speech(text, sample_rate)``: PCM16 as it comes over a telephone line."""


@pytest.fixture(scope="session")
def voice() -> HibariVoice:
    """The voice, without a provider around it."""
    return HibariVoice()


@pytest.fixture(scope="session")
def speech(voice: HibariVoice) -> Speech:
    """Speech after a μ-law round trip."""

    @cache
    def make(text: str, sample_rate: int) -> bytes:
        return mulaw_to_pcm(pcm_to_mulaw(voice.synthesise(text, sample_rate)))

    return make


@pytest.fixture(scope="session")
def silero() -> SileroModel:
    """The network, without a provider around it."""
    return SileroModel()


def _run(coroutine: Coroutine[object, object, None]) -> None:
    # With a factory the runner does not touch the thread's current loop, which is pytest's.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(coroutine)


def _started(provider: Provider) -> Iterator[None]:
    _run(provider.start())
    yield
    _run(provider.aclose())


@pytest.fixture(scope="session")
def moonshine() -> Iterator[MoonshineStt]:
    """Started."""
    provider = MoonshineStt(MoonshineOptions())
    for _ in _started(provider):
        yield provider


@pytest.fixture(scope="session")
def hibari() -> Iterator[HibariTts]:
    """Started."""
    provider = HibariTts(HibariOptions())
    for _ in _started(provider):
        yield provider
