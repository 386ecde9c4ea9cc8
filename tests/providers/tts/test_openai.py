"""OpenAI's voices, and what text-to-speech over HTTP is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import TtsConfig
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind, create
from exobridge_providers.testing.conformance.stage import Stage
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from exobridge_providers.testing.faults import Fault, FaultKind
from exobridge_providers.testing.vendors.openai_speech import CASE
from exobridge_providers.tts.openai import URL, OpenAiTts
from exobridge_providers.vendor.http_answer import MAX_HELD_BYTES, Answer, Asked
from exobridge_providers.wire import new_client

KEY = "sk-speech-secret"
CONFIG = TtsConfig(pcm16(24_000), "en-IN")
SPEECH = "/speech"


def plugin(**options: Any) -> OpenAiTts:
    provider = create(Kind.TTS, "openai", options)
    assert isinstance(provider, OpenAiTts)
    return provider


def body(config: TtsConfig = CONFIG, **options: Any) -> dict[str, Any]:
    return dict(plugin(**options).asked("Hello.", config, KEY).body)


def test_a_request_goes_to_the_documented_address() -> None:
    """The key is in a header; raw PCM is asked for."""
    asked = plugin().asked("Hello.", CONFIG, KEY)
    assert asked.url == "https://api.openai.com/v1/audio/speech"
    assert asked.headers == {"Authorization": f"Bearer {KEY}"}
    assert asked.body == {
        "model": "gpt-4o-mini-tts",
        "voice": "coral",
        "input": "Hello.",
        "response_format": "pcm",
    }
    assert KEY not in repr(asked)


def test_every_option_is_sent() -> None:
    """``extra`` has the last word; the template's voice is the first."""
    assert body(
        TtsConfig(pcm16(24_000), "hi-IN", voice="marin"),
        model="another",
        instructions="Speak warmly.",
        speed=1.2,
        extra={"stream_format": "audio", "speed": 1.3},
    ) == {
        "model": "another",
        "voice": "marin",
        "input": "Hello.",
        "response_format": "pcm",
        "instructions": "Speak warmly.",
        "speed": 1.3,
        "stream_format": "audio",
    }


def test_a_server_that_wants_no_key_gets_none() -> None:
    """As one of your own may."""
    asked = plugin(url="http://127.0.0.1:8880/v1/audio/speech", api_key_env="").asked(
        "Hello.", CONFIG, ""
    )
    assert asked.headers == {}


@pytest.mark.parametrize(
    "options",
    [
        {"model": "tts-1", "instructions": "Speak warmly."},
        {"speed": 5},
        {"url": "wss://api.openai.com"},
        {"url": "http://example.com/v1/audio/speech"},
    ],
)
def test_what_the_vendor_does_not_bear_is_refused(options: dict[str, Any]) -> None:
    """When the server starts, and not in a call."""
    with pytest.raises(ProviderConfigError):
        plugin(**options)


def test_another_servers_languages_are_not_known() -> None:
    """OpenAI's own are."""
    assert "bn" not in plugin(url=URL).capabilities.languages
    assert "hi" in plugin(url=URL).capabilities.languages
    assert not plugin(url="https://voices.example/v1/audio/speech").capabilities.languages


async def test_a_long_answer_is_asked_for_in_sentences() -> None:
    """The first alone, the rest together; what is heard is in order."""
    async with Stage.of_case(CASE) as stage:
        call = await stage.speak()
        await call.say("a", "Quartz violet hazel onyx. Amber. Topaz.")
        await call.say("b", "Opal.")
        heard = await call.spoken("a")
        assert heard.replace(" ", "") == "quartzviolethazelonyxambertopaz"
        assert await call.spoken("b") == "opal"
        inputs = [json.loads(each)["input"] for _, each in stage.vendor.received]
        # A request that needs a connection of its own may come behind the one after it.
        assert sorted(inputs) == ["Amber. Topaz.", "Opal.", "Quartz violet hazel onyx."]
        await call.aclose()


async def test_two_requests_are_under_way_at_once() -> None:
    """The next is made while the first is spoken; one that is cancelled makes room."""
    async with Stage.of_case(CASE) as stage:
        stage.vendor.faults = [Fault(FaultKind.SILENCE)]
        call = await stage.speak()
        for utterance_id in ("a", "b", "c", "d"):
            await call.say(utterance_id, "Opal.")
        await _until(lambda: len(stage.vendor.received) >= 2)
        await call.settle()
        assert len(stage.vendor.received) == 2
        await call.cancel("b")
        await _until(lambda: len(stage.vendor.received) >= 3)
        await _until(lambda: stage.vendor.open_connections == 2)
        await call.aclose()


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110  # the fake lives in a thread of its own
            await asyncio.sleep(0.002)


@asynccontextmanager
async def served(
    monkeypatch: pytest.MonkeyPatch, *replies: Reply, **options: Any
) -> AsyncGenerator[tuple[FakeHttp, OpenAiTts]]:
    """A server that answers by script, and the plugin that asks it."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    async with FakeHttp().listening() as server:
        server.replies[SPEECH] = list(replies)
        provider = plugin(url=f"{server.url}{SPEECH}", **options)
        await provider.start()
        try:
            yield server, provider
        finally:
            await provider.aclose()


async def spoken(provider: OpenAiTts) -> bytes:
    """All audio of a sentence."""
    session = await provider.open(CONFIG)
    try:
        await session.say("a", "Hello there.")
        audio = b""
        async for event in session.events():
            piece = getattr(event, "audio", None)
            if piece is None:
                return audio
            audio += piece
        raise AssertionError("the events end without TtsDone")
    finally:
        await session.aclose()


def refusal(status: int, **error: str) -> Reply:
    return Reply(status, parts=[json.dumps({"error": error}).encode()])


@pytest.mark.parametrize(
    ("reply", "error", "retryable"),
    [
        (refusal(401, code="invalid_api_key", message=f"No {KEY}"), ProviderAuthError, False),
        (refusal(429, code="insufficient_quota"), ProviderUnavailableError, False),
        (refusal(429, code="rate_limit_exceeded"), ProviderUnavailableError, True),
        (refusal(500), ProviderUnavailableError, True),
        (refusal(400, param="voice"), ProviderConfigError, False),
        (Reply(307, headers={"location": "/x"}), ProviderConfigError, False),
        (Reply(parts=[b"{}"]), ProviderProtocolError, True),
        (Reply(content_type="audio/wav", parts=[b"RIFF...."]), ProviderProtocolError, True),
        (Reply(content_type="audio/pcm"), ProviderProtocolError, True),
        (
            Reply(content_type="audio/pcm", parts=[b"ab"], drop="body"),
            ProviderUnavailableError,
            True,
        ),
        (Reply(drop="head"), ProviderUnavailableError, True),
    ],
)
async def test_each_answer_that_is_no_speech_is_told(
    monkeypatch: pytest.MonkeyPatch, reply: Reply, error: type[ProviderError], retryable: bool
) -> None:
    """By its class, and without the key or what was to be said."""
    async with served(monkeypatch, reply) as (_, provider):
        with pytest.raises(error) as raised:
            await spoken(provider)
    assert raised.value.retryable is retryable
    assert KEY not in str(raised.value)
    assert "Hello" not in str(raised.value)


async def test_a_refusal_names_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not its words: they may repeat what was to be spoken."""
    reply = refusal(400, code="bad_voice", message="cannot say Hello there.")
    async with served(monkeypatch, reply) as (_, provider):
        with pytest.raises(ProviderConfigError, match="bad_voice"):
            await spoken(provider)


async def test_a_connection_that_was_closed_meanwhile_is_made_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody hears of it."""
    good = Reply(content_type="audio/pcm", parts=[b"abcd"])
    async with served(monkeypatch, Reply(drop="head"), good) as (server, provider):
        assert await spoken(provider) == b"abcd"
        assert len(server.received) == 2


async def test_an_answer_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one that stops."""
    for reply in (
        Reply(content_type="audio/pcm", delay_seconds=5),
        Reply(content_type="audio/pcm", parts=[b"ab", 5.0]),
    ):
        async with served(monkeypatch, reply, answer_seconds=0.1) as (_, provider):
            with pytest.raises(ProviderUnavailableError, match="did not answer in time"):
                await spoken(provider)


async def test_audio_in_odd_pieces_comes_in_whole_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a sample waits for the other half."""
    reply = Reply(content_type="audio/pcm", parts=[b"a", b"bc", 0.01, b"d"])
    async with served(monkeypatch, reply) as (_, provider):
        assert await spoken(provider) == b"abcd"


async def test_a_server_without_end_is_not_listened_to_without_end() -> None:
    """What nobody takes is held up to a limit, and giving it up ends the answer."""
    async with FakeHttp().listening() as server, new_client(1) as client:
        server.replies[SPEECH] = [Reply(content_type="audio/pcm", for_ever=bytes(4096))]
        answer = Answer(client, Asked(f"{server.url}{SPEECH}", {}), "openai")
        await _until(lambda: answer.held > MAX_HELD_BYTES)
        held = answer.held
        await asyncio.sleep(0.05)
        assert answer.held == held
        await answer.aclose()
        assert sum([len(piece) async for piece in answer.pieces()]) == held
        async with asyncio.timeout(2):
            await server.gone.wait()
