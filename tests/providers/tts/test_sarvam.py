"""Sarvam's voices: their messages, their audio, and the spare connection of a barge-in."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_codecs.wav import wav_header
from exobridge_providers.base import (
    TtsAudio,
    TtsConfig,
    TtsDone,
    TtsEvent,
    TtsSession,
    TtsTrouble,
)
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderProtocolError,
)
from exobridge_providers.registry import Kind, create
from exobridge_providers.testing.cases import key_in_environment
from exobridge_providers.testing.contract.promises import Reader
from exobridge_providers.testing.faults import Fault, FaultKind
from exobridge_providers.testing.letters import understood
from exobridge_providers.testing.vendors.sarvam_bulbul import CASE, FakeSarvamBulbul
from exobridge_providers.tts.sarvam import SarvamTts, SarvamTtsOptions, SarvamTtsProtocol
from tests.providers.fuzz import bears, messages

KEY = "sk-1234"
LIMIT_S = 10.0
LONG = "a long answer that the caller does not want to hear to its end"


def protocol(language: str = "hi-IN", **options: Any) -> SarvamTtsProtocol:
    """One connection's."""
    return SarvamTtsProtocol(SarvamTtsOptions(**options), TtsConfig(pcm16(8000), language), KEY)


def audio_message(audio: bytes, content_type: str = "audio/pcm") -> dict[str, Any]:
    """As the vendor sends it."""
    data = {"audio": b64encode(audio).decode(), "content_type": content_type}
    return {"type": "audio", "data": data}


FINAL = {"type": "event", "data": {"event_type": "final"}}


def test_the_address_asks_for_the_event_of_the_end() -> None:
    """Without it nobody would know when an utterance is over."""
    address = protocol().address()
    assert address.target == (
        "wss://api.sarvam.ai/text-to-speech/ws?model=bulbul%3Av3&send_completion_event=true"
    )
    assert address.headers == {"api-subscription-key": KEY}


def test_the_first_message_says_all_that_is_wanted() -> None:
    """The codec and the rate of the line, and Odia as this endpoint writes it."""
    config = TtsConfig(AudioFormat(Encoding.MULAW, 8000), "or-IN", voice="priya")
    options = SarvamTtsOptions(temperature=0.4, extra={"pace": 1.2, "dict_id": "d"})
    (hello,) = SarvamTtsProtocol(options, config, KEY).hello()
    assert json.loads(hello) == {
        "type": "config",
        "data": {
            "target_language_code": "od-IN",
            "speaker": "priya",
            "model": "bulbul:v3",
            "speech_sample_rate": "8000",
            "output_audio_codec": "mulaw",
            "pace": 1.2,
            "min_buffer_size": 50,
            "max_chunk_length": 150,
            "temperature": 0.4,
            "dict_id": "d",
        },
    }


def test_a_voice_has_a_default_and_a_temperature_has_none() -> None:
    """An older model would refuse one."""
    data = json.loads(next(iter(protocol().hello())))["data"]
    assert data["speaker"] == "shubh"
    assert "temperature" not in data


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"model": "bulbul:v2", "temperature": 0.5}, "temperature"),
        ({"model": "bulbul:v3", "pace": 0.4}, "pace"),
        ({"model": "bulbul:v3", "pace": 2.1}, "pace"),
    ],
)
def test_options_that_the_model_does_not_take_are_told(options: dict[str, Any], wrong: str) -> None:
    """Before a call; another model's range is wider."""
    with pytest.raises(ProviderConfigError, match=wrong):
        create(Kind.TTS, "sarvam", options)
    assert SarvamTtsOptions(model="bulbul:v2", pace=0.4).pace == 0.4


def test_text_is_sent_and_flushed() -> None:
    """And an idle connection is kept open."""
    session = protocol()
    assert [json.loads(each) for each in session.text("u1", 'a "b"')] == [
        {"type": "text", "data": {"text": 'a "b"'}}
    ]
    assert list(session.end("u1")) == ['{"type":"flush"}']
    assert session.idle() == '{"type":"ping"}'


def test_only_the_event_after_the_flush_is_the_end() -> None:
    """One for text that was spoken before is not, and neither is a second."""
    session = protocol()
    assert list(session.take(FINAL)) == []
    list(session.end("u1"))
    assert list(session.take({"type": "event", "data": {"event_type": "new"}})) == []
    assert list(session.take(FINAL)) == [TtsDone("")]
    assert list(session.take(FINAL)) == []
    assert list(session.take({"type": "new"})) == []


def test_audio_is_what_was_asked_for() -> None:
    """Without the header of a file; compressed audio is an error."""
    message = audio_message(wav_header(pcm16(8000), 1, 4) + b"\1\2\3\4", "audio/wav")
    assert list(protocol().take(message)) == [TtsAudio("", b"\1\2\3\4")]
    with pytest.raises(ProviderProtocolError):
        list(protocol().take(audio_message(b"ID3", "audio/mpeg")))


def test_a_refused_text_is_no_fault_of_the_settings() -> None:
    """Once they are known to be right; before, and a refused key, are the end."""
    refusal = {"type": "error", "data": {"message": "Text must have letters", "code": 422}}
    session = protocol()
    with pytest.raises(ProviderConfigError, match="Text must"):
        list(session.take(refusal))
    list(session.take(audio_message(b"\0\0")))
    list(session.end("u1"))
    (trouble,) = session.take(refusal)
    assert isinstance(trouble, TtsTrouble)
    assert not isinstance(trouble.error, ProviderConfigError)
    assert list(session.take(FINAL)) == []
    with pytest.raises(ProviderAuthError):
        list(session.take({"type": "error", "data": {"message": "no", "code": 403}}))


@settings(max_examples=80)
@given(
    messages(
        ["type", "data", "audio", "content_type", "event_type", "error", "code", "message"],
        ["audio", "event", "error", "final", "UklGRgAAAABXQVZF", "audio/mpeg"],
    )
)
def test_no_message_breaks_a_session(message: dict[str, Any]) -> None:
    """Whatever is in it."""
    bears(protocol().take, message)


# ------------------------------------------------------------------ over a socket


@asynccontextmanager
async def speaking(
    fake: FakeSarvamBulbul, call_sid: str = "a call", **options: Any
) -> AsyncGenerator[tuple[TtsSession, Reader[TtsEvent]]]:
    """A session at a fake."""
    async with fake.listening():
        with key_in_environment(fake):
            provider = CASE.provider(fake, **options)
            assert isinstance(provider, SarvamTts)
            await provider.start()
            session = await provider.open(TtsConfig(pcm16(8000), "or-IN", call_sid=call_sid))
            reader = Reader(session.events())
            try:
                yield session, reader
            finally:
                await session.aclose()
                await reader.ended(LIMIT_S)
    assert not fake.violations


async def true(fact: Callable[[], bool]) -> None:
    """Wait for something at the fake, which is in another thread."""
    for _ in range(int(LIMIT_S * 1000)):
        if fact():
            return
        await asyncio.sleep(0.001)
    assert fact()


def told(fake: FakeSarvamBulbul, connection: int) -> list[str]:
    """The types of the messages that came on a connection."""
    return [json.loads(message)["type"] for at, message in fake.received if at == connection]


def heard(events: list[TtsEvent], utterance_id: str) -> str:
    """The words of an utterance so far."""
    ours = [each for each in events if each.utterance_id == utterance_id]
    return understood(b"".join(each.audio for each in ours if isinstance(each, TtsAudio)))


def done(utterance_id: str) -> Callable[[list[TtsEvent]], bool]:
    """Whether an utterance is over."""
    return lambda events: TtsDone(utterance_id) in events


async def interrupted(session: TtsSession, reader: Reader[TtsEvent], utterance_id: str) -> None:
    """Begin an utterance, and cancel it when its first audio has come."""
    await session.say(utterance_id, LONG)
    await reader.until(
        lambda events: any(each.utterance_id == utterance_id for each in events),
        LIMIT_S,
        "audio comes",
    )
    await session.cancel(utterance_id)


async def test_a_barge_in_is_answered_by_the_spare_and_another_is_made() -> None:
    """Each time: nobody waits for a handshake, and the connection that is left is closed."""
    fake = FakeSarvamBulbul()
    fake.pace = 1.0
    async with speaking(fake) as (session, reader):
        for at in (1, 2, 3):
            await true(partial(is_ready, fake, at + 1))
            await interrupted(session, reader, f"long {at}")
            await true(partial(is_ready, fake, at + 2))  # before anything else is to be said
            await true(lambda: fake.open_connections == 2)
            assert told(fake, at) == ["config", "text", "flush"]
        await session.say("short", "yes")
        await reader.until(done("short"), LIMIT_S, "the last is spoken")
        assert told(fake, 4) == ["config", "text", "flush"]
        assert len(fake.connections) == 5
        assert heard(reader.events, "short") == "yes"


def is_ready(fake: FakeSarvamBulbul, connection: int) -> bool:
    """Whether a connection has been told what is wanted, and nothing else."""
    return told(fake, connection) == ["config"]


async def test_both_connections_are_kept_open() -> None:
    """The spare is needed most after a long silence."""
    fake = FakeSarvamBulbul()
    async with speaking(fake, keepalive_seconds=0.05):
        await true(lambda: all(told(fake, at).count("ping") >= 2 for at in (1, 2)))
    assert len(fake.connections) == 2


async def test_a_spare_that_is_lost_is_not_used() -> None:
    """The vendor may close it at any time; the next utterance is spoken all the same."""
    fake = FakeSarvamBulbul()
    fake.faults = [Fault(FaultKind.DROP_IN, connection=2)]
    fake.pace = 1.0
    async with speaking(fake) as (session, reader):
        await true(lambda: len(fake.connections) == 2 and fake.open_connections == 1)
        await interrupted(session, reader, "long")
        await session.say("short", "yes")
        await reader.until(done("short"), LIMIT_S, "the next is spoken")
        assert told(fake, 2) == ["config"]
        assert told(fake, 3) == ["config", "text", "flush"]


async def test_a_line_that_is_made_ahead_needs_no_spare() -> None:
    """A vendor counts connections, and of those made when a server starts there are many."""
    fake = FakeSarvamBulbul()
    async with speaking(fake, call_sid="") as (session, reader):
        await session.say("a", "good morning")
        await reader.until(done("a"), LIMIT_S, "it is spoken")
    assert len(fake.connections) == 1


async def test_a_file_in_each_message_is_heard_as_audio() -> None:
    """No header is, whatever the vendor's default is."""
    fake = FakeSarvamBulbul()
    fake.wav = True
    async with speaking(fake) as (session, reader):
        await session.say("a", "good morning")
        await reader.until(done("a"), LIMIT_S, "it is spoken")
        assert heard(reader.events, "a") == "good morning"
        audio = b"".join(each.audio for each in reader.events if isinstance(each, TtsAudio))
        assert b"RIFF" not in audio
