"""Deepgram's Nova models: the protocol, without a socket, and what a session makes of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.base import (
    Final,
    Partial,
    SpeechEnded,
    SpeechStarted,
    SttConfig,
    SttEvent,
    SttProvider,
)
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderUnavailableError,
)
from exobridge_providers.stt.deepgram import DeepgramOptions, DeepgramProtocol
from exobridge_providers.testing.cases import key_in_environment
from exobridge_providers.testing.letters import spoken
from exobridge_providers.testing.vendors.deepgram_nova import CASE, FakeDeepgramNova, results
from tests.providers.fuzz import bears, messages

KEY = "secret-key"
MULAW = AudioFormat(Encoding.MULAW, 8000)


def protocol(
    language: str = "en-IN", audio: AudioFormat | None = None, **options: Any
) -> DeepgramProtocol:
    """One session's."""
    config = SttConfig(audio or pcm16(8000), language)
    return DeepgramProtocol(DeepgramOptions(**options), config, KEY)


def query(known: DeepgramProtocol) -> dict[str, list[str]]:
    """What stands in its address."""
    return parse_qs(urlsplit(known.address().target).query, keep_blank_values=True)


def told(known: DeepgramProtocol, *messages: dict[str, Any]) -> list[SttEvent]:
    """The events of messages."""
    return [event for message in messages for event in known.take(message)]


def test_the_address_says_what_the_audio_is_and_carries_the_key_in_a_header() -> None:
    """Nothing of the key stands in the URL, nor in what is printed of the address."""
    address = protocol().address()
    assert address.target == (
        "wss://api.deepgram.com/v1/listen?encoding=linear16&sample_rate=8000&channels=1"
        "&model=nova-3&language=en-IN&interim_results=true&vad_events=true&endpointing=300"
        "&punctuate=true&no_delay=true"
    )
    assert address.headers == {"Authorization": f"Token {KEY}"}
    assert KEY not in repr(address)
    mulaw = query(protocol(audio=MULAW))
    assert (mulaw["encoding"], mulaw["sample_rate"]) == (["mulaw"], ["8000"])


@pytest.mark.parametrize(
    ("tag", "code"),
    [("en-IN", "en-IN"), ("EN-in", "en-IN"), ("en", "en"), ("en-ZA", "en"), ("hi-IN", "hi")],
)
def test_a_language_is_written_as_deepgram_writes_it(tag: str, code: str) -> None:
    """English with a region that it knows, all others without."""
    assert query(protocol(tag))["language"] == [code]


def test_every_option_reaches_the_address() -> None:
    """Lists as the same parameter several times; ``extra`` has the last word."""
    asked = query(
        protocol(
            model="nova-3-medical",
            language="multi",
            endpointing_ms=25,
            utterance_end_ms=1000,
            keyterms=("KYC", "Aadhaar card"),
            punctuate=False,
            smart_format=True,
            numerals=True,
            no_delay=False,
            filler_words=True,
            profanity_filter=True,
            redact=("pci", "numbers"),
            tags=("bot", "test"),
            mip_opt_out=True,
            extra={"endpointing": 40, "language_hint": ["hi", "en"]},
        )
    )
    assert asked == {
        "encoding": ["linear16"],
        "sample_rate": ["8000"],
        "channels": ["1"],
        "model": ["nova-3-medical"],
        "language": ["multi"],
        "interim_results": ["true"],
        "vad_events": ["true"],
        "endpointing": ["40"],
        "utterance_end_ms": ["1000"],
        "smart_format": ["true"],
        "numerals": ["true"],
        "filler_words": ["true"],
        "profanity_filter": ["true"],
        "redact": ["pci", "numbers"],
        "keyterm": ["KYC", "Aadhaar card"],
        "tag": ["bot", "test"],
        "mip_opt_out": ["true"],
        "language_hint": ["hi", "en"],
    }


def test_words_are_partial_until_they_are_final() -> None:
    """Speech begins once, with the first word or before, and ends where Deepgram hears it end."""
    known = protocol()
    events = told(
        known,
        results("two"),
        {"type": "SpeechStarted", "timestamp": 0.1},
        results("two samosas", is_final=True),
        results("please"),
    )
    assert known.hearing
    events += told(
        known,
        results("please", is_final=True, speech_final=True),
        {"type": "UtteranceEnd", "last_word_end": 2.1},
    )
    assert events == [
        SpeechStarted(),
        Partial("two"),
        Final("two samosas"),
        Partial("please"),
        Final("please"),
        SpeechEnded(),
    ]
    assert not known.hearing


def test_is_final_alone_ends_no_turn() -> None:
    """Nor does any other message: exobridge's own turn-taking does."""
    final = results("yes", is_final=True, speech_final=True)
    assert not any(isinstance(each, Final) and each.end_of_turn for each in told(protocol(), final))


def test_the_answer_to_finalize_may_be_empty() -> None:
    """Any other empty text is passed over."""
    known = protocol()
    empty = results("", is_final=True, from_finalize=True)
    assert told(known, results("", is_final=True), results(""), empty) == [
        Final("", finalized=True)
    ]
    assert list(known.finalize()) == ['{"type":"Finalize"}']


def test_the_language_that_was_heard_is_told() -> None:
    """The first of those in the piece."""
    message = results("haan", is_final=True)
    message["channel"]["alternatives"][0]["languages"] = ["hi", "en"]
    assert Final("haan", "hi") in told(protocol(), message)


def test_the_vendor_is_spoken_to_in_text() -> None:
    """What keeps the connection open, and what ends it."""
    known = protocol()
    assert known.idle() == '{"type":"KeepAlive"}'
    assert list(known.goodbye()) == ['{"type":"CloseStream"}']


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [
        ("INVALID_AUTH", ProviderAuthError, False),
        ("INSUFFICIENT_PERMISSIONS", ProviderAuthError, False),
        ("ASR_PAYMENT_REQUIRED", ProviderUnavailableError, False),
        ("TOO_MANY_REQUESTS", ProviderUnavailableError, True),
        ("UNPARSABLE_CLIENT_MESSAGE", ProviderConfigError, False),
        ("NET-0000", ProviderUnavailableError, True),
        ("", ProviderUnavailableError, True),
    ],
)
def test_an_error_says_whose_fault_it_is(
    code: str, kind: type[ProviderError], retryable: bool
) -> None:
    """And which request it was, without the key."""
    known = protocol()
    told(known, results("yes", is_final=True))
    with pytest.raises(kind) as caught:
        told(known, {"type": "Error", "variant": code, "description": f"no: {KEY}"})
    assert caught.value.retryable is retryable
    assert "(request fake)" in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "message",
    [{}, {"type": "Metadata"}, {"type": "Later"}, {"type": 7}, {"type": ["Results"]}],
)
def test_unknown_messages_are_passed_over(message: dict[str, Any]) -> None:
    """So are unknown fields of known ones."""
    assert told(protocol(), message) == []
    assert told(protocol(), {"type": "SpeechStarted", "later": {}}) == [SpeechStarted()]


@given(
    messages(
        ["type", "channel", "alternatives", "transcript", "languages", "is_final", "metadata"],
        ["Results", "SpeechStarted", "UtteranceEnd", "Error"],
    )
)
def test_no_message_does_harm(message: dict[str, Any]) -> None:
    """It gives events, or is garbage."""
    bears(protocol().take, message)
    channel = {"alternatives": [message]}
    bears(protocol().take, {"is_final": True, **message, "type": "Results", "channel": channel})


async def test_a_finalize_that_deepgram_leaves_unanswered_holds_up_nobody() -> None:
    """It ended the sentence itself, and has nothing left to tell: the answer comes soon, and it is
    empty; the next one is answered by its words."""
    async with FakeDeepgramNova().listening() as nova:
        provider = CASE.provider(nova, endpointing_ms=50)
        assert isinstance(provider, SttProvider)
        with key_in_environment(nova):
            await provider.start()
        session = await provider.open(SttConfig(pcm16(8000), "en-IN"))
        events = session.events()

        async def final() -> Final:
            async for event in events:
                if isinstance(event, Final):
                    return event
            raise AssertionError

        session.send(spoken("one ") + bytes(16 * 80))
        assert await final() == Final("one")
        session.finalize()
        assert await final() == Final("", finalized=True)
        session.send(spoken("two "))
        session.finalize()
        assert await final() == Final("two", finalized=True)
        await session.aclose()
        assert not nova.violations
