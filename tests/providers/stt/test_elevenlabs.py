"""ElevenLabs' Scribe: its words on the wire."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.base import Final, Partial, SttConfig, SttEvent
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind, create
from exobridge_providers.stt.elevenlabs import (
    ElevenLabsOptions,
    ElevenLabsProtocol,
    ElevenLabsStt,
)
from exobridge_providers.testing.conformance.stage import Stage
from exobridge_providers.testing.vendors.elevenlabs_scribe import CASE

KEY = "sk_scribe_secret"
HINDI = SttConfig(pcm16(8000), "hi-IN")
SILENCE_MS = 320


def protocol(config: SttConfig = HINDI, **options: Any) -> ElevenLabsProtocol:
    return ElevenLabsProtocol(ElevenLabsOptions(**options), config, KEY)


def taken(scribe: ElevenLabsProtocol, **message: Any) -> list[SttEvent]:
    return list(scribe.take(message))


def test_a_session_goes_to_the_documented_address() -> None:
    """The key is in a header, and only there."""
    address = protocol().address()
    assert address.target == (
        "wss://api.elevenlabs.io/v1/speech-to-text/realtime?model_id=scribe_v2_realtime"
        "&audio_format=pcm_8000&language_code=hi&commit_strategy=manual"
    )
    assert address.headers == {"xi-api-key": KEY}
    assert address.secrets == (KEY,)


@pytest.mark.parametrize(
    ("audio_format", "name"),
    [
        (pcm16(8000), "pcm_8000"),
        (AudioFormat(Encoding.MULAW, 8000), "ulaw_8000"),
        (pcm16(16_000), "pcm_16000"),
        (pcm16(24_000), "pcm_24000"),
    ],
)
def test_each_format_has_the_vendors_name(audio_format: AudioFormat, name: str) -> None:
    """Audio goes up as the line has it."""
    assert protocol(SttConfig(audio_format, "en-IN")).address().query["audio_format"] == name


@pytest.mark.parametrize(("tag", "code"), [("or-IN", "or"), ("pa-IN", "pa"), ("en", "en")])
def test_the_vendor_is_told_the_bare_language(tag: str, code: str) -> None:
    """Odia too is as in BCP-47."""
    assert protocol(SttConfig(pcm16(8000), tag)).address().query["language_code"] == code


def test_the_vendors_own_ear_is_asked_for_with_all_its_settings() -> None:
    """Those that are not set are left to the vendor."""
    query = protocol(
        commit="vad", vad_silence_seconds=0.5, vad_threshold=0.4, min_speech_ms=100
    ).address()
    assert query.target.endswith(
        "&commit_strategy=vad&vad_silence_threshold_secs=0.5&vad_threshold=0.4"
        "&min_speech_duration_ms=100"
    )


def test_keyterms_come_one_by_one_and_extra_parameters_replace_ours() -> None:
    """``extra`` has the last word."""
    address = protocol(
        keyterms=("Aadhaar", "EMI due"), extra={"enable_logging": False, "language_code": "ta"}
    ).address()
    assert "language_code=ta" in address.target
    assert address.target.endswith("&keyterms=Aadhaar&keyterms=EMI%20due&enable_logging=false")


@pytest.mark.parametrize(
    "options",
    [
        {"keyterms": ("a word of more than twenty letters",)},
        {"keyterms": ("x",) * 51},
        {"commit": "never"},
        {"vad_silence_seconds": 0.2},
        {"url": "https://api.elevenlabs.io"},
    ],
)
def test_what_the_vendor_does_not_bear_is_refused(options: dict[str, Any]) -> None:
    """When the server starts, and not in a call."""
    with pytest.raises(ProviderConfigError):
        create(Kind.STT, "elevenlabs", options)


def test_audio_goes_up_in_base64() -> None:
    """With the rate of the session."""
    assert json.loads(protocol().audio(b"\x01\x02")) == {
        "message_type": "input_audio_chunk",
        "audio_base_64": base64.b64encode(b"\x01\x02").decode(),
        "commit": False,
        "sample_rate": 8000,
    }


@pytest.mark.parametrize("audio_format", [pcm16(8000), AudioFormat(Encoding.MULAW, 8000)])
def test_a_commit_brings_as_much_silence_as_the_vendor_wants(audio_format: AudioFormat) -> None:
    """One of less than 0.3 s of audio would end the session."""
    (message,) = protocol(SttConfig(audio_format, "hi-IN")).finalize()
    told = json.loads(message)
    audio = base64.b64decode(told["audio_base_64"])
    assert told["commit"] is True
    assert audio == audio_format.silence(SILENCE_MS * audio_format.bytes_per_ms)


def test_the_session_is_ready_when_the_vendor_says_so() -> None:
    """A wrong key is told in its place."""
    scribe = protocol()
    assert not scribe.ready
    assert not taken(scribe, message_type="session_started", session_id="s", config={})
    assert scribe.ready


def test_interims_lead_to_the_text_that_a_commit_gives() -> None:
    """A partial that is empty is none."""
    scribe = protocol()
    assert taken(scribe, message_type="partial_transcript", text="") == []
    assert not scribe.hearing
    assert taken(scribe, message_type="partial_transcript", text="नमस् ") == [Partial("नमस्")]
    assert scribe.hearing
    scribe.finalize()
    found = taken(scribe, message_type="committed_transcript", text=" नमस्ते। ")
    assert found == [Final("नमस्ते।", finalized=True)]
    assert not scribe.hearing


def test_each_commit_is_answered_once_and_an_answer_may_be_empty() -> None:
    """What is committed without being asked for is no answer, and nothing if it is empty."""
    scribe = protocol()
    assert taken(scribe, message_type="committed_transcript", text="") == []
    assert taken(scribe, message_type="committed_transcript", text="one") == [Final("one")]
    scribe.finalize()
    scribe.finalize()
    assert taken(scribe, message_type="committed_transcript", text="") == [
        Final("", finalized=True)
    ]
    assert taken(scribe, message_type="committed_transcript", text="two") == [
        Final("two", finalized=True)
    ]


def test_a_commit_that_is_turned_down_is_answered_with_nothing() -> None:
    """The text comes with the next one."""
    scribe = protocol()
    scribe.finalize()
    assert taken(scribe, message_type="commit_throttled", error="only 0.01s") == [
        Final("", finalized=True)
    ]
    assert taken(scribe, message_type="commit_throttled", error="only 0.01s") == []


def test_with_the_vendors_ear_its_word_ends_the_turn() -> None:
    """Only where there were words."""
    scribe = protocol(commit="vad")
    assert taken(scribe, message_type="committed_transcript", text="yes") == [
        Final("yes", end_of_turn=True)
    ]
    scribe.finalize()
    assert taken(scribe, message_type="committed_transcript", text="") == [
        Final("", finalized=True)
    ]
    assert create(Kind.STT, "elevenlabs", {"commit": "vad"}).__class__ is ElevenLabsStt


@pytest.mark.parametrize(("ear", "declared"), [("manual", False), ("vad", True)])
def test_the_end_of_a_turn_is_declared_where_the_vendor_says_it(ear: str, declared: bool) -> None:
    """It depends on the options."""
    provider = create(Kind.STT, "elevenlabs", {"commit": ear})
    assert isinstance(provider, ElevenLabsStt)
    assert provider.capabilities.end_of_turn is declared


@pytest.mark.parametrize(
    ("code", "tag"),
    [("hin", "hi-IN"), ("hi", "hi-IN"), ("ory", "or-IN"), ("or", "or-IN"), ("fr", "fr"), (7, None)],
)
def test_a_language_that_is_found_out_is_told_as_bcp_47(code: object, tag: str | None) -> None:
    """The plain text, which comes beside it, is passed over."""
    scribe = protocol(detect_language=True)
    assert "language_code" not in scribe.address().target
    assert scribe.address().target.endswith(
        "&include_language_detection=true&include_timestamps=true"
    )
    scribe.finalize()
    assert taken(scribe, message_type="committed_transcript", text="बस") == []
    timed: dict[str, Any] = {"text": "बस", "language_code": code, "words": []}
    assert taken(scribe, message_type="committed_transcript_with_timestamps", **timed) == [
        Final("बस", tag, finalized=True)
    ]


@pytest.mark.parametrize(
    ("kind", "error", "retryable"),
    [
        ("auth_error", ProviderAuthError, False),
        ("quota_exceeded", ProviderUnavailableError, False),
        ("quota_exceeded_error", ProviderUnavailableError, False),
        ("unaccepted_terms", ProviderAuthError, False),
        ("rate_limited", ProviderUnavailableError, True),
        ("queue_overflow", ProviderUnavailableError, True),
        ("resource_exhausted", ProviderUnavailableError, True),
        ("transcriber_error", ProviderUnavailableError, True),
        ("session_time_limit_exceeded", ProviderUnavailableError, True),
        ("insufficient_audio_activity", ProviderUnavailableError, True),
        ("chunk_size_exceeded", ProviderUnavailableError, True),
        ("input_error", ProviderConfigError, False),
        ("one_that_is_new", ProviderUnavailableError, True),
    ],
)
def test_each_error_says_whether_trying_again_helps(
    kind: str, error: type[ProviderError], retryable: bool
) -> None:
    """And none shows the key."""
    with pytest.raises(error) as raised:
        taken(protocol(), message_type=kind, error=f"refused for {KEY}")
    assert raised.value.retryable is retryable
    assert KEY not in str(raised.value)
    assert kind in str(raised.value)


def test_an_error_is_known_by_its_name_too() -> None:
    """A refused key must not look like a connection that broke."""
    with pytest.raises(ProviderAuthError):
        taken(protocol(), message_type="auth_error")
    with pytest.raises(ProviderUnavailableError, match="too busy"):
        taken(protocol(), message_type="rate_limited", message="too busy")


def test_other_messages_and_fields_are_passed_over() -> None:
    """Whatever the vendor adds."""
    scribe = protocol()
    assert taken(scribe, message_type="warning", warning="x") == []
    assert taken(scribe, message_type="committed_transcript_with_timestamps", text="x") == []
    assert taken(scribe) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
KINDS = st.sampled_from(
    ["session_started", "partial_transcript", "committed_transcript", "commit_throttled", "error"]
)


@given(
    message=st.dictionaries(st.sampled_from(["text", "error", "language_code", "words"]), JSON),
    kind=KINDS | JSON,
)
def test_nothing_that_comes_breaks_it(message: dict[str, Any], kind: object) -> None:
    """It is an event, an error of a provider, or garbage."""
    scribe = protocol()
    scribe.finalize()
    with suppress(ProviderError, LookupError, TypeError, ValueError, AttributeError):
        for event in scribe.take({**message, "message_type": kind}):
            assert isinstance(event, Partial | Final)
            assert isinstance(event.text, str)


@pytest.mark.parametrize("options", [{"commit": "vad"}, {"detect_language": True}])
async def test_the_other_ways_of_asking_work_with_the_vendor(options: dict[str, Any]) -> None:
    """Two sentences, each asked for."""
    async with Stage.of_case(CASE, options) as stage:
        call = await stage.hear()
        call.ask("one two")
        await call.well_answered()
        call.ask("three")
        await call.well_answered(2)
        assert call.text == "one two three"
        await call.aclose()


async def test_the_vendors_own_ear_gives_a_sentence_unasked() -> None:
    """And ends the turn with it."""
    async with Stage.of_case(CASE, {"commit": "vad", "vad_silence_seconds": 0.3}) as stage:
        call = await stage.hear()
        call.send(call.audio("one two"))
        call.hush(400)
        await call.until(lambda: any(isinstance(each, Final) for each in call.events), "a final")
        assert Final("one two", end_of_turn=True) in call.events
        await call.aclose()
