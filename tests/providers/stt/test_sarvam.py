"""Sarvam's realtime recognition: its messages, and what its fake says of the vendor's detector."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given, settings

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.base import (
    Final,
    Partial,
    SpeechEnded,
    SpeechStarted,
    SttConfig,
    SttEvent,
    SttTrouble,
)
from exobridge_providers.errors import ProviderAuthError, ProviderUnavailableError
from exobridge_providers.registry import Kind
from exobridge_providers.stt.sarvam import SarvamOptions, SarvamProtocol, SarvamStt
from exobridge_providers.testing.cases import key_in_environment
from exobridge_providers.testing.conformance import CHECKS, Check, run_check
from exobridge_providers.testing.contract.promises import Reader
from exobridge_providers.testing.letters import spoken
from exobridge_providers.testing.vendors.sarvam_realtime import CASE, FakeSarvamRealtime
from tests.providers.fuzz import bears, messages

KEY = "sk-1234"
LINEAR = pcm16(8000)
SOON_S = 2.0
"""Less than a request that stays unanswered is waited for."""
MULAW = AudioFormat(Encoding.MULAW, 8000)


def protocol(
    language: str = "hi-IN", audio: AudioFormat = LINEAR, **options: Any
) -> SarvamProtocol:
    """One session's."""
    return SarvamProtocol(SarvamOptions(**options), SttConfig(audio, language), KEY)


def taken(message: dict[str, Any]) -> list[SttEvent]:
    """The events of a message."""
    return list(protocol().take(message))


def test_the_address_has_what_was_asked_for() -> None:
    """The rate and the encoding of the line, the key in its header and nowhere else."""
    address = protocol("or-IN", MULAW, prompt="loans", mode="codemix").address()
    assert address.target == (
        "wss://api.sarvam.ai/speech-to-text-realtime/ws?language_code=or-IN"
        "&model=saaras%3Av3-realtime&stream_type=fast&endpointing=manual&encoding=mulaw"
        "&sample_rate=8000&mode=codemix&return_timestamps=false&prompt=loans"
    )
    assert address.headers == {"api-subscription-key": KEY}
    assert KEY not in repr(address)


def test_the_vendors_detector_has_its_own_parameters() -> None:
    """Only where it is at work; those not given are the vendor's own."""
    query = protocol(endpointing="vad", threshold=0.4).address().target
    assert "&threshold=0.4&silence_duration_ms=300" in query
    assert "min_speech_duration_ms" not in query


def test_extra_parameters_replace_those_of_the_plugin() -> None:
    """And the vendor may find out the language."""
    query = protocol(detect_language=True, extra={"model": "x", "beta": True}).address().target
    assert "language_code=auto&model=x&" in query
    assert query.endswith("&beta=true")


def test_the_host_ends_utterances_by_messages() -> None:
    """Each begins with one, too."""
    session = protocol()
    assert list(session.begin()) == ['{"event":"speech_start"}']
    assert list(session.finalize()) == ['{"event":"speech_end"}']
    assert json.loads(session.audio(b"\1\2")) == {"event": "audio_input", "audio": "AQI="}
    assert [json.loads(each)["event"] for each in (session.idle(), *session.goodbye())] == [
        "ping",
        "end",
    ]


@pytest.mark.parametrize(("audio", "silence"), [(LINEAR, b"\0"), (MULAW, b"\xff")])
def test_the_vendor_ends_utterances_by_silence(audio: AudioFormat, silence: bytes) -> None:
    """So much as its detector waits for and some more, in messages it takes."""
    session = protocol(audio=audio, endpointing="vad", silence_duration_ms=500)
    sent = [b64decode(json.loads(each)["audio"]) for each in session.finalize()]
    assert audio.duration_ms(sum(map(len, sent))) == 600
    assert max(map(len, sent)) <= 500 * audio.bytes_per_ms
    assert set(b"".join(sent)) == set(silence)
    assert not list(session.begin())


def test_text_is_final_or_may_change() -> None:
    """In the host's words for a language that was detected; there is none without."""
    assert taken({"event": "transcript.partial", "text": " a ", "language": "or-IN"}) == [
        Partial("a", "or-IN")
    ]
    assert taken({"event": "transcript.partial", "text": " "}) == []
    assert taken({"event": "transcript.final", "text": "a b", "language": None}) == [Final("a b")]
    assert taken({"event": "transcript.final", "text": ""}) == [Final("")]


def test_words_are_awaited_from_their_first_sign_to_their_final_text() -> None:
    """By speech or by an interim."""
    session = protocol()
    for first in ({"event": "vad.speech_start"}, {"event": "transcript.partial", "text": "a"}):
        list(session.take(first))
        assert session.hearing
        list(session.take({"event": "vad.speech_end"}))
        assert session.hearing
        list(session.take({"event": "transcript.final", "text": "a"}))
        assert not session.hearing


def test_the_number_of_an_utterance_tells_what_its_text_answers() -> None:
    """All that was asked for, or what is still to come comes."""
    session = protocol()
    assert [*session.finalize(), *session.finalize()]
    for number, caught_up in ((0, False), (1, True), (None, False)):
        list(session.take({"event": "transcript.final", "text": "a", "utterance_idx": number}))
        assert session.caught_up is caught_up


@pytest.mark.parametrize("tells_all", [True, False])
async def test_a_noise_does_not_hold_up_the_words_after_it(tells_all: bool) -> None:
    """Whether the vendor tells that it had none, or nothing at all."""
    fake = FakeSarvamRealtime()
    fake.tells_all = tells_all
    async with fake.listening():
        with key_in_environment(fake):
            provider = CASE.provider(fake)
            assert isinstance(provider, SarvamStt)
            await provider.start()
            session = await provider.open(SttConfig(LINEAR, "hi-IN"))
            reader = Reader(session.events())
            for audio in (bytes(3200), spoken("yes please")):
                session.send(audio)
                session.finalize()
            await reader.until(lambda events: len(finals(events)) == 2, SOON_S, "both are answered")
            assert sorted(each.text for each in finals(reader.events)) == ["", "yes please"]
            await session.aclose()
            await reader.ended(SOON_S)
    assert not fake.violations


def finals(events: list[SttEvent]) -> list[Final]:
    """The answers to ``finalize()``."""
    return [each for each in events if isinstance(each, Final) and each.finalized]


def test_speech_is_told() -> None:
    """Its start and its end; what is not known is passed over."""
    assert taken({"event": "vad.speech_start", "utterance_idx": 1}) == [SpeechStarted()]
    assert taken({"event": "vad.speech_end"}) == [SpeechEnded()]
    for event in ("session.begin", "session.end", "pong", "config.updated", "new", 7, None):
        assert taken({"event": event}) == []


def test_an_error_ends_the_session_only_if_it_is_fatal() -> None:
    """Of another the host is told."""
    told = {"event": "error", "code": "model_unavailable", "message": "soon", "is_fatal": False}
    (trouble,) = taken(told)
    assert isinstance(trouble, SttTrouble)
    assert trouble.error.retryable
    with pytest.raises(ProviderUnavailableError, match="soon"):
        taken({**told, "is_fatal": True})
    with pytest.raises(ProviderAuthError):
        taken({**told, "is_fatal": True, "status_code": 403})


@pytest.mark.parametrize("fields", [{}, {"is_fatal": None}])
def test_an_error_that_does_not_say_is_fatal_if_nothing_mends_it(fields: dict[str, Any]) -> None:
    """A refused key must not look like a connection that broke."""
    told = {"event": "error", "message": "x", **fields}
    with pytest.raises(ProviderAuthError):
        taken({**told, "status_code": 403})
    (trouble,) = taken({**told, "status_code": 503})
    assert isinstance(trouble, SttTrouble)


@settings(max_examples=80)
@given(
    messages(
        ["event", "text", "language", "code", "is_fatal", "message", "status_code"],
        ["transcript.partial", "transcript.final", "vad.speech_start", "error", "429"],
    )
)
def test_no_message_breaks_a_session(message: dict[str, Any]) -> None:
    """Whatever is in it."""
    bears(protocol().take, message)


def test_the_vendors_detector_is_sent_the_whole_call() -> None:
    """The host's sends speech only."""
    assert not SarvamStt(SarvamOptions()).capabilities.continuous
    assert SarvamStt(SarvamOptions(endpointing="vad")).capabilities.continuous


DETECTED = {"contract", "formats", "two-sentences", "interims", "last-words", "unasked", "queued"}


@pytest.mark.parametrize(
    "check",
    [each for each in CHECKS[Kind.STT] if each.name in DETECTED],
    ids=lambda check: check.name,
)
async def test_it_works_with_the_vendors_detector_too(check: Check) -> None:
    """The kit's checks of words, once more."""
    await run_check(CASE.having({"endpointing": "vad"}), check)
