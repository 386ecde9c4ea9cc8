"""Smallest.ai's Lightning: its words on the wire."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import TtsAudio, TtsConfig, TtsDone
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind, create
from exobridge_providers.tts.smallest import SmallestOptions, SmallestProtocol

KEY = "sk_secret"
NAMES = {"session_id": "ws_1", "request_id": "task_1", "external_request_id": "u1"}


def protocol(language: str = "hi-IN", voice: str = "", **options: Any) -> SmallestProtocol:
    config = TtsConfig(pcm16(8000), language, voice)
    return SmallestProtocol(SmallestOptions(**options), config, KEY)


def sent(smallest: SmallestProtocol, *pieces: str) -> dict[str, Any]:
    for piece in pieces or ("नमस्ते",):
        assert not list(smallest.text("u1", piece))
    (message,) = smallest.end("u1")
    found: dict[str, Any] = json.loads(message)
    return found


def taken(message: dict[str, Any]) -> list[Any]:
    return list(protocol().take(message))


def test_the_key_goes_by_a_header_and_idle_time_by_the_query() -> None:
    """The vendor closes connections after a minute unless it is asked to wait."""
    address = protocol(idle_seconds=120).address()
    assert address.target == "wss://api.smallest.ai/waves/v1/tts/live?timeout=120"
    assert address.headers == {"Authorization": f"Bearer {KEY}"}
    assert address.secrets == (KEY,)


def test_an_utterance_is_one_request_with_a_name() -> None:
    """Its pieces are put together as they are."""
    assert sent(protocol(), "नमस्ते, ", "आप कैसे हैं?") == {
        "text": "नमस्ते, आप कैसे हैं?",
        "request_id": "u1",
        "voice_id": "meher",
        "model": "lightning_v3.1_pro",
        "language": "hi",
        "sample_rate": 8000,
        "output_format": "pcm",
        "speed": 1.0,
        "complete_backoff_ms": 500,
    }


def test_a_text_is_sent_once() -> None:
    """The next utterance has its own alone."""
    smallest = protocol()
    assert sent(smallest, "one")["text"] == "one"
    assert sent(smallest, "two")["text"] == "two"


@pytest.mark.parametrize(("tag", "code"), [("or-IN", "or"), ("en-IN", "en"), ("ta", "ta")])
def test_languages_are_written_as_the_vendor_does(tag: str, code: str) -> None:
    """Odia is ``or`` for it."""
    assert sent(protocol(tag))["language"] == code


def test_options_go_into_the_request() -> None:
    """Each in its place; a further one replaces the plugin's own."""
    request = sent(
        protocol(
            voice="of-the-template",
            model="lightning_v3.1",
            speed=1.25,
            complete_backoff_ms=0,
            extra={"speed": 2, "number_pronunciation_language": "en"},
        )
    )
    assert request["voice_id"] == "of-the-template"
    assert request["model"] == "lightning_v3.1"
    assert request["speed"] == 2
    assert request["complete_backoff_ms"] == 0
    assert request["number_pronunciation_language"] == "en"
    assert sent(protocol(default_voice="devansh"))["voice_id"] == "devansh"


def test_the_language_option_is_stronger_than_the_call() -> None:
    """``hi`` speaks English with an Indian accent."""
    options = SmallestOptions(language="hi")
    smallest = SmallestProtocol(options, TtsConfig(pcm16(8000), "en-IN"), KEY)
    assert sent(smallest)["language"] == "hi"


@pytest.mark.parametrize(
    "option", [{"speed": 2.1}, {"complete_backoff_ms": 10_001}, {"idle_seconds": 1000}]
)
def test_what_the_vendor_would_refuse_stops_the_start(option: dict[str, Any]) -> None:
    """Its documented ranges are those of the options."""
    with pytest.raises(ProviderConfigError):
        create(Kind.TTS, "smallest", option)


def test_events_bear_the_name_that_the_request_was_given() -> None:
    """Where the vendor does not repeat it, they are of the only utterance at work."""
    audio = {"audio": base64.b64encode(b"\1\0\2\0").decode()}
    assert taken({"status": "chunk", "data": audio, **NAMES}) == [TtsAudio("u1", b"\1\0\2\0")]
    assert taken({"status": "complete", **NAMES}) == [TtsDone("u1")]
    assert taken({"status": "chunk", "data": audio}) == [TtsAudio("", b"\1\0\2\0")]
    assert taken({"status": "complete"}) == [TtsDone("")]


@pytest.mark.parametrize("status", ["word_timestamp", "new", None, 206])
def test_messages_that_are_not_needed_are_passed_over(status: object) -> None:
    """Unknown ones too."""
    assert not taken({"status": status, "data": {"word": "hi"}, **NAMES})


@pytest.mark.parametrize("name", [None, 7, ["u1"]])
def test_a_request_id_that_is_no_name_is_garbage(name: object) -> None:
    """It is told as such, not handed on."""
    with pytest.raises(TypeError):
        taken({"status": "complete", "external_request_id": name})


@pytest.mark.parametrize(
    ("words", "error", "retryable"),
    [
        ("Invalid API key", ProviderAuthError, False),
        ("Insufficient credits", ProviderUnavailableError, False),
        ("Concurrency limit reached", ProviderUnavailableError, True),
        ("Validation failed: voice_id", ProviderConfigError, False),
        ("Connection timed out after 60 seconds of inactivity", ProviderUnavailableError, True),
        ("", ProviderUnavailableError, True),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_errors_say_whether_another_try_may_help(
    words: str, error: type[ProviderError], retryable: bool, nested: bool
) -> None:
    """By the vendor's words, wherever they stand."""
    told = f"{words} {KEY}"
    where: dict[str, Any] = {"error": {"message": told}} if nested else {"message": told}
    with pytest.raises(error) as raised:
        taken({"status": "error", **where})
    assert raised.value.retryable is retryable
    assert words in str(raised.value)
    assert KEY not in str(raised.value)


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("u1")
FIELDS = ("data", "external_request_id", "request_id", "message", "error")
NESTED = VALUES | st.dictionaries(st.sampled_from(["audio", "message", "code"]), VALUES)
ANY = st.fixed_dictionaries(
    {"status": st.sampled_from(["chunk", "complete", "error", "word_timestamp"]) | VALUES},
    optional=dict.fromkeys(FIELDS, NESTED),
)


@given(ANY)
def test_no_message_breaks_it(message: dict[str, Any]) -> None:
    """It is understood, or told to be garbage, or an error of the provider's."""
    with suppress(ProviderError, LookupError, TypeError, ValueError, AttributeError):
        assert all(isinstance(each, TtsAudio | TtsDone) for each in taken(message))
