"""Sarvam's older recognition: its messages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import Final, SpeechEnded, SpeechStarted, SttConfig, SttEvent
from exobridge_providers.errors import ProviderAuthError, ProviderError
from exobridge_providers.stt.sarvam_legacy import SarvamLegacyOptions, SarvamLegacyProtocol
from tests.providers.fuzz import bears, messages

KEY = "sk-1234"


def protocol(language: str = "hi-IN", rate: int = 8000, **options: Any) -> SarvamLegacyProtocol:
    """One session's."""
    config = SttConfig(pcm16(rate), language)
    return SarvamLegacyProtocol(SarvamLegacyOptions(**options), config, KEY)


def taken(message: dict[str, Any]) -> list[SttEvent]:
    """The events of a message."""
    return list(protocol().take(message))


def test_the_address_has_the_rate_and_the_vendors_odia() -> None:
    """8 kHz counts only here; the key is in its header and nowhere else."""
    address = protocol("or-IN", positive_speech_threshold=0.6).address()
    assert address.target == (
        "wss://api.sarvam.ai/speech-to-text/ws?language-code=od-IN&model=saaras%3Av3"
        "&mode=transcribe&sample_rate=8000&input_audio_codec=pcm_s16le&high_vad_sensitivity=true"
        "&vad_signals=true&flush_signal=true&positive_speech_threshold=0.6"
    )
    assert address.headers == {"api-subscription-key": KEY}


def test_an_older_model_is_told_no_mode() -> None:
    """It would refuse one; other parameters may be added."""
    more = {"negative_frames_count": 8}
    older = protocol(model="saarika:v2.5", mode="", detect_language=True, extra=more)
    query = older.address().target
    assert "mode=" not in query
    assert "language-code=unknown" in query
    assert query.endswith("&negative_frames_count=8")


def test_audio_tells_its_rate() -> None:
    """And that it is WAV, as the vendor wants it, though it is not."""
    sent = json.loads(protocol(rate=16_000).audio(b"\1\2"))
    assert sent == {"audio": {"data": "AQI=", "encoding": "audio/wav", "sample_rate": 16_000}}


def test_a_prompt_comes_first_and_a_flush_asks() -> None:
    """Without a prompt nothing comes first."""
    assert not list(protocol().hello())
    (hello,) = protocol(prompt='say "loan"').hello()
    assert json.loads(hello) == {"type": "config", "prompt": 'say "loan"'}
    assert list(protocol().finalize()) == ['{"type":"flush"}']
    assert protocol().idle() is None, "silence keeps it open"


def test_text_is_final() -> None:
    """Its language in the host's words."""
    data = {"transcript": " a b ", "language_code": "od-IN", "request_id": "1"}
    assert taken({"type": "data", "data": data}) == [Final("a b", "or-IN")]


@pytest.mark.parametrize("kind", ["events", "event"])
def test_speech_is_told(kind: str) -> None:
    """From its start on words are awaited, until they come."""
    session = protocol()
    signal = {"type": kind, "data": {"signal_type": "START_SPEECH"}}
    assert list(session.take(signal)) == [SpeechStarted()]
    assert session.hearing
    signal = {"type": kind, "data": {"signal_type": "END_SPEECH"}}
    assert list(session.take(signal)) == [SpeechEnded()]
    assert session.hearing
    list(session.take({"type": "data", "data": {"transcript": "a"}}))
    assert not session.hearing


def test_what_is_not_known_is_passed_over() -> None:
    """Types and signals."""
    assert taken({"type": "new"}) == taken({}) == []
    assert taken({"type": "events", "data": {"signal_type": "NEW"}}) == []


@pytest.mark.parametrize(
    "message",
    [
        {"type": "error", "data": {"error": "key invalid", "code": "invalid_api_key_error"}},
        {"type": "errors", "errors": [{"message": "no", "code": 403}]},
        {"type": "error", "error": {"message": "no", "code": "403"}},
        {"type": "data", "data": {"error": {"message": "bad API key"}}},
        {"type": "error", "message": "no", "code": 403},
    ],
)
def test_an_error_is_seen_wherever_it_is(message: dict[str, Any]) -> None:
    """Documents do not agree on where that is."""
    with pytest.raises(ProviderAuthError):
        taken(message)


def test_an_error_without_words_is_one() -> None:
    """It may pass."""
    with pytest.raises(ProviderError) as caught:
        taken({"type": "error"})
    assert caught.value.retryable


@settings(max_examples=80)
@given(
    messages(
        ["type", "data", "transcript", "language_code", "signal_type", "error", "code", "message"],
        ["data", "events", "error", "errors", "START_SPEECH", "429"],
    )
)
def test_no_message_breaks_a_session(message: dict[str, Any]) -> None:
    """Whatever is in it."""
    bears(protocol().take, message)
