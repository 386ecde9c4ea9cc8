"""ElevenLabs' voices: their words on the wire."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.base import TtsAudio, TtsConfig, TtsDone
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind, create
from exobridge_providers.testing.conformance.stage import Stage
from exobridge_providers.testing.vendors.elevenlabs_tts import CASE
from exobridge_providers.tts.elevenlabs import ElevenLabsTts, ElevenLabsTtsProtocol
from exobridge_providers.tts.elevenlabs_options import ElevenLabsTtsOptions
from exobridge_providers.vendor import Message

KEY = "sk_voice_secret"
HINDI = TtsConfig(pcm16(8000), "hi-IN")
CLOSE = {"context_id": "u1", "close_context": True}
FLUSH = {"context_id": "u1", "flush": True}


def protocol(config: TtsConfig = HINDI, **options: Any) -> ElevenLabsTtsProtocol:
    return ElevenLabsTtsProtocol(ElevenLabsTtsOptions(**options), config, KEY)


def sent(messages: Iterable[Message]) -> list[dict[str, Any]]:
    return [json.loads(each) for each in messages]


def begun(**options: Any) -> ElevenLabsTtsProtocol:
    voices = protocol(**options)
    list(voices.begin("u1"))
    return voices


def audio(chars: str | None = None, context: str = "u1") -> dict[str, Any]:
    alignment = None if chars is None else {"chars": list(chars)}
    piece = base64.b64encode(b"\x01\x02").decode()
    return {"audio": piece, "contextId": context, "isFinal": None, "alignment": alignment}


def heard(voices: ElevenLabsTtsProtocol, chars: str | None = None) -> list[dict[str, Any]]:
    """What is said in answer to audio."""
    assert list(voices.take(audio(chars))) == [TtsAudio("u1", b"\x01\x02")]
    return sent(voices.replies())


def test_a_connection_goes_to_the_documented_address() -> None:
    """The voice is in the path, the key in a header."""
    address = protocol(TtsConfig(pcm16(8000), "hi-IN", voice="a/b")).address()
    assert address.target == (
        "wss://api.elevenlabs.io/v1/text-to-speech/a%2Fb/multi-stream-input"
        "?model_id=eleven_flash_v2_5&output_format=pcm_8000&language_code=hi&auto_mode=true"
        "&inactivity_timeout=180&sync_alignment=true"
    )
    assert address.headers == {"xi-api-key": KEY}
    assert address.secrets == (KEY,)


@pytest.mark.parametrize(
    ("audio_format", "name"),
    [(AudioFormat(Encoding.MULAW, 8000), "ulaw_8000"), (pcm16(24_000), "pcm_24000")],
)
def test_each_format_has_the_vendors_name(audio_format: AudioFormat, name: str) -> None:
    """What the line has is made as it is."""
    assert protocol(TtsConfig(audio_format, "en-IN")).address().query["output_format"] == name


def test_only_models_that_take_the_language_are_told_it() -> None:
    """Others refuse it; ``extra`` has the last word."""
    assert protocol(model="eleven_multilingual_v2").address().query["language_code"] is None
    address = protocol(extra={"language_code": "ta", "enable_logging": False}).address()
    assert "language_code=ta" in address.target
    assert address.target.endswith("&enable_logging=false")


def test_a_context_begins_with_a_space_and_the_voices_settings() -> None:
    """Those that are set; later they may not come."""
    voices = protocol(stability=0.4, use_speaker_boost=False, speed=1.1)
    assert sent(voices.begin("u1")) == [
        {
            "text": " ",
            "context_id": "u1",
            "voice_settings": {"stability": 0.4, "use_speaker_boost": False, "speed": 1.1},
        }
    ]
    assert sent(protocol().begin("u1")) == [{"text": " ", "context_id": "u1"}]


def test_without_auto_mode_the_vendor_is_told_how_much_to_collect() -> None:
    """With it there is nothing to collect."""
    schedule: dict[str, Any] = {"chunk_length_schedule": (60, 120)}
    (first,) = sent(protocol(auto_mode=False, **schedule).begin("u1"))
    assert first["generation_config"] == {"chunk_length_schedule": [60, 120]}
    assert "generation_config" not in sent(protocol(**schedule).begin("u1"))[0]


def test_text_goes_in_whole_sentences_each_with_a_space_behind_it() -> None:
    """Where a piece ends says nothing of where a word does."""
    voices = begun()
    assert sent(voices.text("u1", "Your bill is due tomor")) == []
    assert sent(voices.text("u1", "row. Shall I")) == [
        {"text": "Your bill is due tomorrow. ", "context_id": "u1"}
    ]
    assert sent(voices.end("u1")) == [{"text": "Shall I ", "context_id": "u1"}, FLUSH]


def test_a_context_is_closed_when_its_audio_has_begun() -> None:
    """A close that overtakes the text is obeyed at once, and the caller hears nothing."""
    voices = begun()
    list(voices.text("u1", "Hello there."))
    assert sent(voices.end("u1")) == [FLUSH]
    assert heard(voices) == [CLOSE]
    assert heard(voices) == []


def test_a_context_is_closed_at_once_if_its_last_audio_has_begun_before_its_end() -> None:
    """The end may come late."""
    voices = begun()
    list(voices.text("u1", "Hello there, how are you?"))
    assert heard(voices) == []
    assert sent(voices.end("u1")) == [FLUSH, CLOSE]


def test_a_context_is_not_closed_while_audio_of_an_earlier_sentence_comes() -> None:
    """The vendor tells which characters a piece of audio holds."""
    voices = begun()
    list(voices.text("u1", "The first sentence is long. "))
    list(voices.text("u1", "The last."))
    assert sent(voices.end("u1")) == [FLUSH]
    assert heard(voices, "The first ") == []
    assert heard(voices, "sentence is") == []
    assert heard(voices, " long. The") == [CLOSE]


def test_a_text_without_letters_is_closed_at_once() -> None:
    """No audio can be waited for."""
    voices = begun()
    list(voices.text("u1", "..."))
    assert sent(voices.end("u1"))[-2:] == [FLUSH, CLOSE]
    assert list(voices.take({"contextId": "u1", "isFinal": True})) == [TtsDone("u1")]


def test_a_cancel_closes_the_context_once() -> None:
    """One that is being closed is not closed again; what comes late has its name."""
    voices = begun()
    list(voices.text("u1", "Hello there."))
    assert sent(voices.cancel("u1")) == [CLOSE]
    assert list(voices.take(audio())) == [TtsAudio("u1", b"\x01\x02")]
    assert list(voices.take({"contextId": "u1", "isFinal": True})) == [TtsDone("u1")]
    voices = begun()
    list(voices.text("u1", "Hello there."))
    list(voices.end("u1"))
    assert heard(voices) == [CLOSE]
    assert sent(voices.cancel("u1")) == []


def test_a_text_of_which_nothing_is_heard_is_an_error() -> None:
    """Another session says it then; better than silence."""
    voices = begun()
    list(voices.text("u1", "Hello there."))
    with pytest.raises(ProviderUnavailableError) as raised:
        list(voices.take({"contextId": "u1", "isFinal": True}))
    assert raised.value.retryable


@pytest.mark.parametrize("final", [{"isFinal": True}, {"is_final": True}])
def test_the_end_of_a_context_may_be_spelled_in_two_ways(final: dict[str, bool]) -> None:
    """The vendor's documents use both."""
    voices = begun()
    assert list(voices.take({"context_id": "u1", "audio": None, **final})) == [TtsDone("u1")]


def test_a_pause_is_bridged_by_empty_text() -> None:
    """For a context where there is one: before it has begun, and when it is being closed, its name
    must not be used."""
    assert json.loads(protocol().idle()) == {"text": ""}
    voices = begun()
    assert json.loads(voices.idle()) == {"text": "", "context_id": "u1"}
    list(voices.end("u1"))
    assert json.loads(voices.idle()) == {"text": ""}
    assert sent(protocol().goodbye()) == [{"close_socket": True}]


@pytest.mark.parametrize(
    ("name", "error", "retryable"),
    [
        ("invalid_api_key", ProviderAuthError, False),
        ("quota_exceeded", ProviderUnavailableError, False),
        ("voice_not_found", ProviderConfigError, False),
        ("max_active_conversations", ProviderUnavailableError, True),
        ("input_timeout_exceeded", ProviderUnavailableError, True),
    ],
)
def test_each_error_says_whether_trying_again_helps(
    name: str, error: type[ProviderError], retryable: bool
) -> None:
    """And none shows the key."""
    with pytest.raises(error) as raised:
        list(begun().take({"message": f"No {KEY}", "error": name, "code": 1008}))
    assert raised.value.retryable is retryable
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    "options",
    [
        {"model": "eleven_v3"},
        {"chunk_length_schedule": [20]},
        {"speed": 1.5},
        {"stability": -0.1},
    ],
)
def test_what_the_vendor_does_not_bear_is_refused(options: dict[str, Any]) -> None:
    """When the server starts, and not in a call."""
    with pytest.raises(ProviderConfigError):
        create(Kind.TTS, "elevenlabs", options)


@pytest.mark.parametrize(
    ("model", "languages"),
    [
        ("eleven_flash_v2", {"en"}),
        ("eleven_multilingual_v2", {"hi", "ta"}),
        ("eleven_new", set[str]()),
    ],
)
def test_the_languages_are_those_of_the_model(model: str, languages: set[str]) -> None:
    """Of a model that is not known, any may be asked."""
    provider = create(Kind.TTS, "elevenlabs", {"model": model})
    assert isinstance(provider, ElevenLabsTts)
    assert languages <= provider.capabilities.languages
    assert bool(languages) == bool(provider.capabilities.languages)
    assert "hu" not in provider.capabilities.languages


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
FIELDS = st.sampled_from(["audio", "contextId", "isFinal", "alignment", "error", "message"])


@given(message=st.dictionaries(FIELDS, JSON), known=st.booleans())
def test_nothing_that_comes_breaks_it(message: dict[str, Any], known: bool) -> None:
    """It is an event, an error of a provider, or garbage."""
    voices = begun()
    list(voices.text("u1", "Hello there."))
    told = {**message, "contextId": "u1"} if known else message
    with suppress(ProviderError, LookupError, TypeError, ValueError, AttributeError):
        for event in voices.take(told):
            assert isinstance(event, TtsAudio | TtsDone)


async def test_an_answer_in_sentences_is_spoken_to_its_end() -> None:
    """The last sentence is not lost to a close that comes too early, however late its audio is."""
    async with Stage.of_case(CASE) as stage:
        stage.vendor.first_audio_seconds = 0.03
        call = await stage.speak()
        for text in ("Quartz violet hazel onyx. ", "Amber. ", "Topaz."):
            await call.say("a", text, last=False)
            await call.settle(0.02)
        await call.say("a", "", last=True)
        heard = await call.spoken("a")
        assert heard.replace(" ", "") == "quartzviolethazelonyxambertopaz"
        await call.aclose()
