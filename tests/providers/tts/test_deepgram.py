"""Deepgram's Aura and Flux voices: the protocols, without a socket, and what a session makes of
them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.base import TtsAudio, TtsConfig, TtsDone, TtsEvent, TtsProvider
from exobridge_providers.errors import (
    ProviderConfigError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind, create
from exobridge_providers.testing.cases import key_in_environment
from exobridge_providers.testing.letters import understood
from exobridge_providers.testing.vendors import deepgram_aura, deepgram_flux_tts
from exobridge_providers.tts.deepgram import DeepgramTtsOptions, DeepgramTtsProtocol
from exobridge_providers.tts.deepgram_flux import DeepgramFluxTtsOptions, FluxTtsProtocol
from exobridge_providers.vendor import Cleared
from tests.providers.fuzz import bears, messages
from tests.server import until

KEY = "secret-key"
MULAW = AudioFormat(Encoding.MULAW, 8000)
Protocol = DeepgramTtsProtocol | FluxTtsProtocol


def aura(audio: AudioFormat = MULAW, voice: str = "", **options: Any) -> DeepgramTtsProtocol:
    """One connection's."""
    return DeepgramTtsProtocol(DeepgramTtsOptions(**options), TtsConfig(audio, "en", voice), KEY)


def flux(audio: AudioFormat = MULAW, voice: str = "", **options: Any) -> FluxTtsProtocol:
    """One connection's."""
    return FluxTtsProtocol(DeepgramFluxTtsOptions(**options), TtsConfig(audio, "en", voice), KEY)


def told(known: Protocol, *messages: dict[str, Any]) -> list[TtsEvent | Cleared]:
    """The events of messages."""
    return [event for message in messages for event in known.take(message)]


def test_the_address_says_what_the_audio_is_to_be() -> None:
    """The key is in a header alone; what is as by default is left out."""
    assert aura().address().target == (
        "wss://api.deepgram.com/v1/speak?encoding=mulaw&sample_rate=8000&model=aura-2-thalia-en"
    )
    assert flux(pcm16(16_000)).address().target == (
        "wss://api.deepgram.com/v2/speak?encoding=linear16&sample_rate=16000&model=flux-priya-en"
    )
    for known in (aura(), flux()):
        assert known.address().headers == {"Authorization": f"Token {KEY}"}
        assert KEY not in repr(known.address())


def test_every_option_reaches_the_address() -> None:
    """The template's voice comes before the default; ``extra`` has the last word."""
    given_aura: dict[str, Any] = {
        "default_voice": "x",
        "speed": 0.9,
        "mip_opt_out": True,
        "extra": {"a": [1, 2]},
    }
    assert aura(voice="aura-2-luna-en", **given_aura).address().target == (
        "wss://api.deepgram.com/v1/speak?encoding=mulaw&sample_rate=8000&model=aura-2-luna-en"
        "&speed=0.9&mip_opt_out=true&a=1&a=2"
    )
    given_flux: dict[str, Any] = {
        "default_voice": "flux-meena-en",
        "speed": 1.15,
        "expressivity": -1,
    }
    more: dict[str, Any] = {"tags": ("bot", "test"), "mip_opt_out": True, "extra": {"speed": 1.2}}
    assert flux(**given_flux, **more).address().target == (
        "wss://api.deepgram.com/v2/speak?encoding=mulaw&sample_rate=8000&model=flux-meena-en"
        "&speed=1.2&expressivity=-1&tag=bot&tag=test&mip_opt_out=true"
    )


@pytest.mark.parametrize("options", [{"speed": 1.07}, {"speed": 1.6}, {"expressivity": 3}])
def test_what_flux_would_refuse_is_refused_at_the_start(options: dict[str, Any]) -> None:
    """The message names the option."""
    with pytest.raises(ProviderConfigError, match=next(iter(options))):
        create(Kind.TTS, "deepgram-flux", options)


@pytest.mark.parametrize("known", [aura(), flux()], ids=["aura", "flux"])
def test_text_is_spoken_as_it_is(known: Protocol) -> None:
    """Quotes and other scripts too; a flush ends the utterance."""
    assert list(known.text("u1", 'Say "हाँ".')) == ['{"type":"Speak","text":"Say \\"हाँ\\"."}']
    assert list(known.end("u1")) == ['{"type":"Flush"}']
    assert list(known.goodbye()) == ['{"type":"Close"}']
    assert list(known.take_bytes(b"\x01\x02")) == [TtsAudio("", b"\x01\x02")]


def test_auras_messages() -> None:
    """``Clear`` stops an utterance."""
    known = aura()
    assert list(known.cancel("u1")) == ['{"type":"Clear"}']
    assert told(
        known,
        {"type": "Metadata", "request_id": "r1"},
        {"type": "Flushed", "sequence_id": 0},
        {"type": "Cleared", "sequence_id": 1},
        {"type": "Warning", "warn_code": "ANOTHER"},
        {"type": "Later"},
    ) == [TtsDone(""), Cleared()]
    with pytest.raises(ProviderUnavailableError, match=r"INTERNAL.*\(request r1\)") as caught:
        told(known, {"type": "Error", "err_code": "INTERNAL", "err_msg": KEY})
    assert KEY not in str(caught.value)


def test_fluxs_messages() -> None:
    """An utterance is over with its metadata, not when it is flushed; what comes late of one that
    was interrupted is nobody's end."""
    known = flux()
    assert not known.ready
    assert list(known.cancel("u1")) == ['{"type":"Interrupt"}']
    assert told(
        known,
        {"type": "Connected", "request_id": "r1"},
        {"type": "SpeechStarted", "speech_id": "s1"},
        {"type": "Flushed", "speech_id": "s1"},
        {"type": "SpeechMetadata", "speech_id": "s1"},
        {"type": "SpeechInterrupted", "metadata": {"speech_id": "s2"}},
        {"type": "SpeechMetadata", "speech_id": "s2"},
        {"type": "SpeechMetadata", "speech_id": "s3"},
        {"type": "Warning", "code": "NO_ACTIVE_SPEECH"},
        {"type": "Warning", "code": "NO_SYNTHESIZABLE_TEXT"},
        {"type": "ConfigureSuccess"},
    ) == [TtsDone(""), Cleared(), TtsDone(""), Cleared()]
    assert known.ready
    with pytest.raises(ProviderUnavailableError, match=r"NET-0000.*\(request r1\)") as caught:
        told(known, {"type": "Error", "code": "NET-0000", "description": KEY})
    assert KEY not in str(caught.value)


@given(
    messages(
        ["type", "code", "warn_code", "metadata", "speech_id"],
        ["Metadata", "Flushed", "Cleared", "Warning", "Error", "Connected", "SpeechInterrupted"],
    )
)
def test_no_message_does_harm(message: dict[str, Any]) -> None:
    """It gives events, or is garbage."""
    for known in (aura(), flux()):
        bears(known.take, message)


async def test_too_many_utterances_in_a_minute_may_be_tried_again() -> None:
    """The host opens another connection, which bears as many."""
    async with deepgram_aura.FakeDeepgramAura().listening() as vendor:
        provider = deepgram_aura.CASE.provider(vendor)
        assert isinstance(provider, TtsProvider)
        with key_in_environment(vendor):
            await provider.start()
        session = await provider.open(TtsConfig(MULAW, "en-IN"))
        for number in range(deepgram_aura.MAX_FLUSHES + 1):
            await session.say(str(number), "yes")
        with pytest.raises(ProviderUnavailableError) as caught:
            await _heard(session.events(), "none of them")
        assert caught.value.retryable
        await session.aclose()


async def test_what_flux_cannot_stop_is_left_and_the_next_is_spoken() -> None:
    """It stops nothing on a connection that has made no audio yet; none of it is heard."""
    async with deepgram_flux_tts.FakeDeepgramFluxTts().listening() as vendor:
        vendor.first_audio_seconds = 0.3
        provider = deepgram_flux_tts.CASE.provider(vendor)
        assert isinstance(provider, TtsProvider)
        with key_in_environment(vendor):
            await provider.start()
        session = await provider.open(TtsConfig(pcm16(8000), "en-IN"))
        await session.say("first", "welcome to the bank")
        await until(lambda: any("Flush" in str(message) for _, message in vendor.received))
        await session.cancel("first")
        await session.say("second", "goodbye")
        heard = await _heard(session.events(), "second")
        await session.aclose()
        assert (heard, len(vendor.connections)) == ("goodbye", 2)
        assert not vendor.violations


async def _heard(events: AsyncIterator[TtsEvent], utterance_id: str) -> str:
    """The words up to the end of an utterance."""
    audio = b""
    async with asyncio.timeout(10):
        async for event in events:
            if event == TtsDone(utterance_id):
                break
            audio += event.audio if isinstance(event, TtsAudio) else b""
    return understood(audio)
