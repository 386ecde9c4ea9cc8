"""Cartesia's Sonic: its words on the wire."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.base import TtsAudio, TtsConfig, TtsDone, TtsTrouble
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind, create
from exobridge_providers.tts.cartesia import CartesiaOptions, CartesiaProtocol

KEY = "sk_car_secret"
HINDI = TtsConfig(pcm16(8000), "hi-IN")
CONTEXT = {"done": False, "status_code": 206, "context_id": "u1"}
REFUSED = {
    "type": "error",
    "done": True,
    "status_code": 404,
    "error_code": "voice_not_found",
    "title": "Voice not found",
    "message": f"No such voice for {KEY}",
    "request_id": "r",
    "context_id": "u1",
}


def protocol(config: TtsConfig = HINDI, **options: Any) -> CartesiaProtocol:
    return CartesiaProtocol(CartesiaOptions(**options), config, KEY)


def sent(cartesia: CartesiaProtocol) -> dict[str, Any]:
    (message,) = cartesia.text("u1", "नमस्ते ")
    found: dict[str, Any] = json.loads(message)
    return found


def taken(message: dict[str, Any]) -> list[Any]:
    return list(protocol().take(message))


def test_the_key_and_the_version_go_by_headers() -> None:
    """They stand in no URL, which others may log."""
    address = protocol(version="2025-04-16").address()
    assert address.target == "wss://api.cartesia.ai/tts/websocket"
    assert address.headers == {"X-API-Key": KEY, "Cartesia-Version": "2025-04-16"}
    assert address.secrets == (KEY,)


def test_a_request_has_all_that_the_vendor_asks_for() -> None:
    """Text is sent at once, and says that more may come."""
    assert sent(protocol()) == {
        "model_id": "sonic-3.5",
        "voice": {"mode": "id", "id": "3b554273-4299-48b9-9aaf-eefd438e3941"},
        "language": "hi",
        "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 8000},
        "max_buffer_delay_ms": 0,
        "context_id": "u1",
        "transcript": "नमस्ते ",
        "continue": True,
    }


def test_the_last_input_of_a_context_differs_in_text_and_continue_alone() -> None:
    """The vendor refuses other inputs of a context."""
    cartesia = protocol(speed=1.1)
    (end,) = cartesia.end("u1")
    assert json.loads(end) == {**sent(cartesia), "transcript": "", "continue": False}


def test_options_go_into_the_request() -> None:
    """Each in its place; a further one replaces the plugin's own."""
    request = sent(
        protocol(
            TtsConfig(AudioFormat(Encoding.MULAW, 8000), "en-IN", "voice-of-the-template"),
            model="sonic-3",
            max_buffer_delay_ms=250,
            speed=0.9,
            volume=1.5,
            emotion="calm",
            extra={"pronunciation_dict_id": "d", "model_id": "sonic-preview"},
        )
    )
    assert request["output_format"]["encoding"] == "pcm_mulaw"
    assert request["language"] == "en"
    assert request["voice"]["id"] == "voice-of-the-template"
    assert request["model_id"] == "sonic-preview"
    assert request["max_buffer_delay_ms"] == 250
    assert request["generation_config"] == {"speed": 0.9, "volume": 1.5, "emotion": "calm"}
    assert request["pronunciation_dict_id"] == "d"
    assert sent(protocol(default_voice="v"))["voice"]["id"] == "v"
    assert sent(protocol(language="ta"))["language"] == "ta"


@pytest.mark.parametrize("option", [{"speed": 1.6}, {"volume": 0.4}, {"max_buffer_delay_ms": 5001}])
def test_what_the_vendor_would_refuse_stops_the_start(option: dict[str, Any]) -> None:
    """Its documented ranges are those of the options."""
    with pytest.raises(ProviderConfigError):
        create(Kind.TTS, "cartesia", option)


def test_a_context_is_cancelled_by_its_name() -> None:
    """With nothing else in the message."""
    (message,) = protocol().cancel("u1")
    assert json.loads(message) == {"context_id": "u1", "cancel": True}


def test_events_bear_the_name_of_their_context() -> None:
    """So that late audio of a cancelled one is known."""
    data = base64.b64encode(b"\1\0\2\0").decode()
    chunk = {"type": "chunk", "data": data, "step_time": 1.0, **CONTEXT}
    assert taken(chunk) == [TtsAudio("u1", b"\1\0\2\0")]
    assert taken({"type": "done", **CONTEXT}) == [TtsDone("u1")]


@pytest.mark.parametrize("kind", ["flush_done", "timestamps", "phoneme_timestamps", "new", None, 7])
def test_messages_that_are_not_needed_are_passed_over(kind: object) -> None:
    """Unknown ones too."""
    assert not taken({"type": kind, **CONTEXT})


@pytest.mark.parametrize("context", [None, "", 7, ["u1"]])
def test_a_context_that_is_no_name_is_garbage(context: object) -> None:
    """It is told as such, not handed on."""
    with pytest.raises(TypeError):
        taken({"type": "done", "context_id": context})


def test_an_utterance_that_is_refused_does_not_end_the_session() -> None:
    """The next may be taken."""
    (event,) = taken(REFUSED)
    assert isinstance(event, TtsTrouble)
    assert event.utterance_id == "u1"
    assert isinstance(event.error, ProviderConfigError)
    assert "No such voice" in str(event.error)
    assert KEY not in str(event.error)


@pytest.mark.parametrize(
    ("fields", "error", "retryable"),
    [
        ({"status_code": 401}, ProviderAuthError, False),
        ({"status_code": 402}, ProviderUnavailableError, False),
        ({"status_code": 429, "error_code": "quota_exceeded"}, ProviderUnavailableError, False),
        ({"status_code": 400, "error_code": "concurrency_limited"}, ProviderUnavailableError, True),
        ({"status_code": 500}, ProviderUnavailableError, True),
        ({"status_code": None, "title": None, "error": "of old"}, ProviderUnavailableError, True),
        ({"context_id": None}, ProviderConfigError, False),
    ],
)
def test_other_errors_end_the_session(
    fields: dict[str, Any], error: type[ProviderError], retryable: bool
) -> None:
    """They say whether another try may help."""
    with pytest.raises(error) as raised:
        taken({**REFUSED, **fields})
    assert raised.value.retryable is retryable
    assert KEY not in str(raised.value)


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("u1")
FIELDS = ("data", "context_id", "status_code", "error_code", "title", "message", "error", "done")
ANY = st.fixed_dictionaries(
    {"type": st.sampled_from(["chunk", "done", "error", "timestamps"]) | VALUES},
    optional=dict.fromkeys(FIELDS, VALUES | st.lists(VALUES, max_size=2)),
)


@given(ANY)
def test_no_message_breaks_it(message: dict[str, Any]) -> None:
    """It is understood, or told to be garbage, or an error of the provider's."""
    with suppress(ProviderError, LookupError, TypeError, ValueError, AttributeError):
        assert all(isinstance(each, TtsAudio | TtsDone | TtsTrouble) for each in taken(message))
