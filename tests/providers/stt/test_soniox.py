"""Soniox: what is said to it, and what becomes of its tokens."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.base import Final, Partial, SttConfig, SttEvent
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderUnavailableError,
)
from exobridge_providers.stt.soniox import SonioxOptions, SonioxProtocol, SonioxStt
from exobridge_providers.testing.cases import key_in_environment
from exobridge_providers.testing.vendors.soniox_stt import CASE

KEY = "a-secret-key"
GARBAGE = (LookupError, TypeError, ValueError, AttributeError)


def protocol(
    language: str = "hi-IN", audio: AudioFormat | None = None, **options: Any
) -> SonioxProtocol:
    config = SttConfig(audio or pcm16(8000), language)
    return SonioxProtocol(SonioxOptions.model_validate(options), config, KEY)


def wanted(spoken_to: SonioxProtocol) -> dict[str, Any]:
    """What is said first."""
    (message,) = spoken_to.hello()
    return msgspec.json.decode(message, type=dict[str, Any])


def final(text: str, language: str | None = None) -> dict[str, Any]:
    return {"text": text, "is_final": True, "language": language}


def vague(text: str) -> dict[str, Any]:
    return {"text": text, "is_final": False}


def heard(spoken_to: SonioxProtocol, *tokens: dict[str, Any]) -> list[SttEvent]:
    return list(spoken_to.take({"tokens": list(tokens), "total_audio_proc_ms": 10}))


# ------------------------------------------------------------------ what is said


def test_the_key_goes_with_the_connection_alone() -> None:
    """Soniox refuses one in the first message from 2027 on."""
    spoken_to = protocol()
    address = spoken_to.address()
    assert address.target == "wss://stt-rt.soniox.com/transcribe-websocket"
    assert address.headers == {"Authorization": f"Bearer {KEY}"}
    assert address.secrets == (KEY,)
    assert KEY not in str(wanted(spoken_to))


def test_what_is_wanted_by_default() -> None:
    """Raw audio of the phone, the call's language and English, endpoints and languages told."""
    assert wanted(protocol()) == {
        "model": "stt-rt-v5",
        "audio_format": "pcm_s16le",
        "sample_rate": 8000,
        "num_channels": 1,
        "language_hints": ["hi", "en"],
        "language_hints_strict": False,
        "enable_language_identification": True,
        "enable_endpoint_detection": True,
        "max_endpoint_delay_ms": 2000,
    }


def test_every_option_is_sent() -> None:
    """None is ignored, and ``extra`` wins."""
    told = wanted(
        protocol(
            "ta-IN",
            AudioFormat(Encoding.MULAW, 8000),
            model="stt-rt-v9",
            mixed_languages=["en-IN", "te", "ta"],
            strict_languages=True,
            keyterms=["Exotel"],
            context="Calls to a bank.",
            max_endpoint_delay_ms=900,
            endpoint_sensitivity=-0.5,
            endpoint_latency_level=3,
            extra={"client_reference_id": "x", "enable_endpoint_detection": False},
        )
    )
    assert told["model"] == "stt-rt-v9"
    assert told["audio_format"] == "mulaw"
    assert told["language_hints"] == ["ta", "en", "te"]
    assert told["language_hints_strict"] is True
    assert told["context"] == {"text": "Calls to a bank.", "terms": ["Exotel"]}
    assert told["max_endpoint_delay_ms"] == 900
    assert told["endpoint_sensitivity"] == -0.5
    assert told["endpoint_latency_adjustment_level"] == 3
    assert told["client_reference_id"] == "x"
    assert told["enable_endpoint_detection"] is False


def test_control_messages() -> None:
    """As documented; an empty message ends the audio."""
    spoken_to = protocol(keepalive_seconds=6)
    assert list(spoken_to.finalize()) == ['{"type":"finalize"}']
    assert spoken_to.idle() == '{"type":"keepalive"}'
    assert spoken_to.keepalive_seconds == 6
    assert list(spoken_to.goodbye()) == [""]


@pytest.mark.parametrize(
    "options",
    [
        {"max_endpoint_delay_ms": 499},
        {"endpoint_sensitivity": 1.1},
        {"endpoint_latency_level": 4},
        {"keepalive_seconds": 20},
        {"model": ""},
    ],
)
def test_ranges_are_those_of_the_vendor(options: dict[str, Any]) -> None:
    """What Soniox would refuse in a call is refused at the start."""
    with pytest.raises(ValidationError):
        SonioxOptions.model_validate(options)


def test_the_end_of_turn_is_a_capability_unless_it_is_switched_off() -> None:
    """The host is told what it gets."""
    assert SonioxStt(SonioxOptions()).capabilities.end_of_turn
    assert not SonioxStt(SonioxOptions(end_of_turn=False)).capabilities.end_of_turn


# ------------------------------------------------------------------ what is heard


def test_final_tokens_gather_and_others_are_replaced() -> None:
    """An interim is all of the sentence as it is understood now."""
    spoken_to = protocol()
    assert heard(spoken_to, vague("na"), vague("mas")) == [Partial("namas")]
    assert heard(spoken_to, final("Nama", "hi"), vague("ste")) == [Partial("Namaste", "hi")]
    assert heard(spoken_to, final("ste", "hi"), vague(" I")) == [Partial("Namaste I", "hi")]
    assert heard(spoken_to, final(" ji", "hi"), final("<end>")) == [
        Final("Namaste ji", "hi", end_of_turn=True)
    ]
    assert not spoken_to.hearing


def test_an_interim_is_told_once() -> None:
    """Soniox reports progress without new words too."""
    spoken_to = protocol()
    assert heard(spoken_to, final("haan")) == [Partial("haan")]
    assert heard(spoken_to) == []
    assert spoken_to.hearing
    assert heard(spoken_to, final("<fin>")) == [Final("haan", finalized=True)]
    assert heard(spoken_to, vague("haan")) == [Partial("haan")]


def test_an_answer_of_nothing() -> None:
    """``finalize`` is answered in silence too."""
    assert heard(protocol(), final("<fin>")) == [Final("", finalized=True)]


def test_an_endpoint_before_the_answer_takes_the_words() -> None:
    """The answer that follows is empty, and no word comes twice."""
    spoken_to = protocol()
    told = heard(spoken_to, final("ek"), final("<end>"), final("<fin>"), vague("do"))
    assert told == [
        Final("ek", end_of_turn=True),
        Final("", finalized=True),
        Partial("do"),
    ]


def test_an_endpoint_need_not_end_the_turn() -> None:
    """By option it only makes the text final."""
    spoken_to = protocol(end_of_turn=False)
    assert heard(spoken_to, final("ek"), final("<end>")) == [Final("ek")]


def test_the_language_is_that_of_most_of_the_text() -> None:
    """A sentence in Hindi with an English word is Hindi; the next one counts anew."""
    spoken_to = protocol()
    tokens = final("mujhe loan", "hi"), final(" balance", "en"), final(" chahiye", "hi")
    told = heard(spoken_to, *tokens, final("<end>"))
    assert told == [Final("mujhe loan balance chahiye", "hi", end_of_turn=True)]
    told = heard(spoken_to, final("yes", "en"), final("<end>"))
    assert told == [Final("yes", "en", end_of_turn=True)]


def test_translations_are_no_words_of_the_callers() -> None:
    """Whoever asks for them by ``extra`` does not get everything twice."""
    spoken_to = protocol()
    translated = {**final("hello", "en"), "translation_status": "translation"}
    original = {**final("namaste", "hi"), "translation_status": "original"}
    told = heard(spoken_to, original, translated, final("<fin>"))
    assert told == [Final("namaste", "hi", finalized=True)]


def test_unknown_and_null_fields() -> None:
    """They are passed over."""
    spoken_to = protocol()
    token = {"text": "ji", "is_final": True, "language": None, "speaker": 1, "new": [1]}
    assert list(spoken_to.take({"tokens": [token], "finished": None, "more": 1})) == [Partial("ji")]
    assert list(spoken_to.take({"tokens": None, "finished": True, "error_code": None})) == []
    assert list(spoken_to.take({"type": "new"})) == []


def test_a_message_with_garbage_changes_nothing() -> None:
    """No half of it is counted."""
    spoken_to = protocol()
    heard(spoken_to, final("ek"))
    with pytest.raises(GARBAGE):
        heard(spoken_to, final(" do"), {"text": None, "is_final": True})
    assert heard(spoken_to, final("<fin>")) == [Final("ek", finalized=True)]


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [
        (400, ProviderConfigError, False),
        (401, ProviderAuthError, False),
        (402, ProviderUnavailableError, False),
        (408, ProviderUnavailableError, True),
        (429, ProviderUnavailableError, True),
        (500, ProviderUnavailableError, True),
        ("503", ProviderUnavailableError, True),
    ],
)
def test_errors(code: object, kind: type[ProviderError], retryable: bool) -> None:
    """Soniox borrows its codes from HTTP; its words are told without the key."""
    message = {"error_code": code, "error_message": f"No {KEY}. Please restart the request."}
    with pytest.raises(kind, match="Please restart") as told:
        list(protocol().take(message))
    assert told.value.retryable is retryable
    assert KEY not in str(told.value)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"api_key": "k"}, "a key in the first message"),
        ({"enable_punctuation": True}, "there is no enable_punctuation"),
        ({"model": "nova-3"}, "model 'nova-3'"),
        ({"audio_format": "s16le"}, "audio_format 's16le'"),
        ({"sample_rate": 44_100}, "at 44100 Hz"),
        ({"num_channels": None}, "without num_channels"),
        ({"num_channels": 2}, "num_channels is 2"),
        ({"enable_endpoint_detection": "yes"}, "enable_endpoint_detection is no flag"),
        ({"max_endpoint_delay_ms": 400}, "max_endpoint_delay_ms is 400"),
        ({"language_hints": ["hi-IN"]}, "no languages: ['hi-IN']"),
        ({"context": {"text": "x" * 10_000}}, "too much context"),
    ],
)
async def test_the_fake_looks_at_what_it_is_asked_for(extra: dict[str, Any], words: str) -> None:
    """A plugin that asks for what there is not does not pass the kit."""
    async with CASE.fake().listening() as vendor:
        with key_in_environment(vendor):
            provider = CASE.provider(vendor, extra=extra)
            assert isinstance(provider, SonioxStt)
            await provider.start()
            session = await provider.open(SttConfig(pcm16(8000), "en-IN"))
            await session.aclose()
    assert any(words in each for each in vendor.violations), vendor.violations


TOKENS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"text": st.sampled_from(["a", "<end>", "<fin>", "", None, 7, " b"])},
    optional={
        "is_final": st.sampled_from([True, False, None, "yes", 3]),
        "language": st.sampled_from(["hi", None, 5, 0.5]),
    },
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {}, optional={"tokens": st.lists(TOKENS) | JSON, "error_code": JSON, "x": JSON}
        ),
        max_size=6,
    )
)
def test_no_message_crashes_it(messages: list[dict[str, Any]]) -> None:
    """It is understood, an error of the vendor's, or garbage."""
    spoken_to = protocol()
    for message in messages:
        try:
            for event in spoken_to.take(message):
                assert isinstance(event, Final | Partial)
                assert "<" not in event.text
        except (*GARBAGE, ProviderError):
            pass
