"""Deepgram's Flux: the protocol, without a socket, and what a session makes of it."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.base import (
    EagerEnd,
    Final,
    Partial,
    Resumed,
    SpeechStarted,
    SttConfig,
    SttEvent,
    SttProvider,
    SttSession,
)
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind, create
from exobridge_providers.stt.deepgram_flux import (
    DeepgramFluxOptions,
    FluxProtocol,
    ForcedFluxProtocol,
)
from exobridge_providers.testing.cases import key_in_environment
from exobridge_providers.testing.letters import spoken
from exobridge_providers.testing.vendors.deepgram_flux import CASE, FakeDeepgramFlux
from tests.providers.fuzz import bears, messages

KEY = "secret-key"
MULAW = AudioFormat(Encoding.MULAW, 8000)


def protocol(
    language: str = "en-IN", audio: AudioFormat | None = None, **options: Any
) -> FluxProtocol:
    """One session's."""
    config = SttConfig(audio or pcm16(8000), language)
    kind = ForcedFluxProtocol if options.get("force_end_turn") else FluxProtocol
    return kind(DeepgramFluxOptions(**options), config, KEY)


def query(known: FluxProtocol) -> dict[str, list[str]]:
    """What stands in its address."""
    return parse_qs(urlsplit(known.address().target).query, keep_blank_values=True)


def turn(event: str, transcript: str = "", **more: Any) -> dict[str, Any]:
    """A message about a turn."""
    return {"type": "TurnInfo", "event": event, "turn_index": 0, "transcript": transcript, **more}


def told(known: FluxProtocol, *messages: dict[str, Any]) -> list[SttEvent]:
    """The events of messages."""
    return [event for message in messages for event in known.take(message)]


def test_the_address_says_what_the_audio_is_and_carries_the_key_in_a_header() -> None:
    """Nothing of the key stands in the URL, nor in what is printed of the address."""
    address = protocol().address()
    assert address.target == (
        "wss://api.deepgram.com/v2/listen?encoding=linear16&sample_rate=8000"
        "&model=flux-general-en&eot_threshold=0.7&eot_timeout_ms=2000&eager_eot_threshold=0.5"
    )
    assert address.headers == {"Authorization": f"Token {KEY}"}
    assert KEY not in repr(address)


def test_the_model_goes_by_the_language_and_hints_by_the_model() -> None:
    """The English one refuses hints."""
    assert query(protocol("hi-IN"))["model"] == ["flux-general-multi"]
    assert query(protocol("hi-IN"))["language_hint"] == ["hi"]
    mixed = query(protocol("hi-IN", language_hints=("hi", "en")))
    assert mixed["language_hint"] == ["hi", "en"]
    assert "language_hint" not in query(protocol("en-IN", language_hints=("hi",)))
    multi = query(protocol("en-IN", model="flux-general-multi"))
    assert multi["language_hint"] == ["en"]


def test_every_option_reaches_the_address() -> None:
    """Lists as the same parameter several times; ``extra`` has the last word."""
    asked = query(
        protocol(
            "hi",
            MULAW,
            eot_threshold=1,
            eager_eot_threshold=0,
            eot_timeout_ms=30_000,
            keyterms=("KYC", "Aadhaar card"),
            numerals=True,
            profanity_filter=True,
            redact="numbers",
            tags=("bot",),
            mip_opt_out=True,
            extra={"eot_timeout_ms": 700},
        )
    )
    assert asked == {
        "encoding": ["mulaw"],
        "sample_rate": ["8000"],
        "model": ["flux-general-multi"],
        "language_hint": ["hi"],
        "eot_threshold": ["1.0"],
        "eot_timeout_ms": ["700"],
        "keyterm": ["KYC", "Aadhaar card"],
        "numerals": ["true"],
        "profanity_filter": ["true"],
        "redact": ["numbers"],
        "tag": ["bot"],
        "mip_opt_out": ["true"],
    }


@pytest.mark.parametrize(
    "options",
    [
        {"eager_eot_threshold": 0.2},
        {"eager_eot_threshold": 0.8},
        {"eot_threshold": 0.4},
        {"eot_threshold": 1.1},
        {"eot_timeout_ms": 100},
        {"redact": "pci"},
    ],
)
def test_thresholds_that_flux_would_refuse_are_refused_at_the_start(
    options: dict[str, Any],
) -> None:
    """The message names the option."""
    with pytest.raises(ProviderConfigError, match=next(iter(options))):
        create(Kind.STT, "deepgram-flux", options)


def test_audio_waits_for_connected() -> None:
    """Before it, the session is not ready."""
    known = protocol()
    assert not known.ready
    assert told(known, {"type": "Connected", "request_id": "r1", "sequence_id": 0}) == []
    assert known.ready


def test_a_turn_is_told_as_it_grows() -> None:
    """An update that says nothing new gives nothing."""
    known = protocol()
    events = told(
        known,
        turn("StartOfTurn", "two"),
        turn("Update", "two"),
        turn("Update", "two samosas"),
        turn("EagerEndOfTurn", "two samosas"),
        turn("TurnResumed", "two samosas"),
        turn("Update", "two samosas please"),
        turn("EagerEndOfTurn", "two samosas please."),
    )
    assert events == [
        SpeechStarted(),
        Partial("two"),
        Partial("two samosas"),
        EagerEnd("two samosas"),
        Resumed(),
        Partial("two samosas please"),
        Partial("two samosas please."),
        EagerEnd("two samosas please."),
    ]
    assert known.hearing
    end = turn("EndOfTurn", "two samosas please.", trigger="model", languages=["hi", "en"])
    assert told(known, end) == [Final("two samosas please.", "hi", end_of_turn=True)]
    assert not known.hearing


def test_a_turn_may_begin_with_any_message() -> None:
    """``StartOfTurn`` may be missing; without words nothing has begun."""
    known = protocol()
    assert told(known, turn("Update")) == []
    assert told(known, turn("Update", "yes")) == [SpeechStarted(), Partial("yes")]
    assert told(known, turn("EndOfTurn", "yes"), turn("StartOfTurn")) == [
        Final("yes", end_of_turn=True),
        SpeechStarted(),
    ]


def test_a_turn_resumes_only_if_it_was_probably_over() -> None:
    """A stray message says nothing."""
    assert told(protocol(), turn("StartOfTurn"), turn("TurnResumed")) == [SpeechStarted()]


def test_flux_is_asked_for_nothing_unless_it_may_be_told() -> None:
    """A turn that it is told to end is over by our word, not by its own."""
    assert list(protocol().finalize()) == []
    known = protocol(force_end_turn=True)
    assert list(known.finalize()) == ['{"type":"ForceEndTurn"}']
    warning = {"type": "Warning", "code": "FORCE_END_TURN_NO_ACTIVE_TURN", "description": "no"}
    assert told(
        known,
        turn("EndOfTurn", "one", trigger="manual"),
        turn("EndOfTurn", "two", trigger="timeout"),
        warning,
        {"type": "Warning", "code": "ANOTHER"},
    ) == [
        Final("one", finalized=True),
        Final("two", end_of_turn=True),
        Final("", finalized=True),
    ]


def test_a_pause_in_the_audio_is_filled_with_as_much_silence() -> None:
    """The audio is Flux's clock."""
    assert protocol(audio=MULAW, keepalive_seconds=0.5).idle() == b"\xff" * 4000
    assert protocol(keepalive_seconds=0.05).idle() == bytes(800)
    assert list(protocol().goodbye()) == ['{"type":"CloseStream"}']


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [
        ("INSUFFICIENT_PERMISSIONS", ProviderAuthError, False),
        ("UNPARSABLE_CLIENT_MESSAGE", ProviderConfigError, False),
        ("INTERNAL_SERVER_ERROR", ProviderUnavailableError, True),
    ],
)
def test_an_error_says_whose_fault_it_is(
    code: str, kind: type[ProviderError], retryable: bool
) -> None:
    """And which request it was, without the key."""
    known = protocol()
    told(known, {"type": "Connected", "request_id": "r1"})
    with pytest.raises(kind) as caught:
        told(known, {"type": "Error", "code": code, "description": f"no: {KEY}"})
    assert caught.value.retryable is retryable
    assert "(request r1)" in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "message",
    [{}, {"type": "ConfigureSuccess"}, {"type": "Later"}, {"type": 7}, turn("Later")],
)
def test_unknown_messages_are_passed_over(message: dict[str, Any]) -> None:
    """So are unknown events of a turn."""
    assert told(protocol(), message) == []


@given(
    messages(
        ["type", "event", "transcript", "languages", "trigger", "code"],
        ["TurnInfo", "Connected", "Warning", "Error", "StartOfTurn", "EagerEndOfTurn", "EndOfTurn"],
    )
)
def test_no_message_does_harm(message: dict[str, Any]) -> None:
    """It gives events, or is garbage."""
    for known in (protocol(), protocol(force_end_turn=True)):
        bears(known.take, message)
        bears(known.take, {**message, "type": "TurnInfo"})


async def _finals(session: SttSession, wanted: int) -> list[Final]:
    finals: list[Final] = []
    async for event in session.events():
        if isinstance(event, Final):
            finals.append(event)
        if len(finals) == wanted:
            break
    return finals


async def test_a_flux_that_warns_of_nothing_holds_up_nobody() -> None:
    """It ended the turn itself: the answer to what is asked then comes soon, and it is empty."""
    async with FakeDeepgramFlux().listening() as flux:
        flux.warns = False
        provider = CASE.provider(flux, force_end_turn=True)
        assert isinstance(provider, SttProvider)
        with key_in_environment(flux):
            await provider.start()
        session = await provider.open(SttConfig(pcm16(8000), "en-IN"))
        session.send(spoken("tea ") + bytes(16 * 150))
        session.finalize()
        async with asyncio.timeout(ForcedFluxProtocol.answer_seconds / 2):
            finals = await _finals(session, 2)
        await session.aclose()
    assert finals == [Final("tea", end_of_turn=True), Final("", finalized=True)]


@pytest.mark.parametrize("forced", [False, True])
async def test_a_turn_that_goes_on_answers_what_was_asked_in_its_pauses(forced: bool) -> None:
    """Left to itself, Flux answers all requests by the end of the turn; told, each by its part."""
    async with FakeDeepgramFlux().listening() as flux:
        provider = CASE.provider(flux, force_end_turn=forced)
        assert isinstance(provider, SttProvider)
        with key_in_environment(flux):
            await provider.start()
        session = await provider.open(SttConfig(pcm16(8000), "en-IN"))
        for words in ("tea and ", "milk "):
            session.send(spoken(words))
            session.finalize()
        finals = await _finals(session, 2)
        await session.aclose()
        assert not flux.violations
    if forced:
        assert finals == [Final("tea and", finalized=True), Final("milk", finalized=True)]
    else:
        whole = Final("tea and milk", end_of_turn=True, finalized=True)
        assert finals == [whole, Final("", finalized=True)]
