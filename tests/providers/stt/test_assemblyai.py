"""AssemblyAI: what is asked of it, and what becomes of its turns."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.base import Final, Partial, SpeechStarted, SttConfig, SttEvent
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind
from exobridge_providers.stt.assemblyai import AssemblyAiProtocol, AssemblyAiStt
from exobridge_providers.stt.assemblyai_options import AssemblyAiOptions
from exobridge_providers.testing.cases import VendorCase, key_in_environment
from exobridge_providers.testing.contract.promises import Reader
from exobridge_providers.testing.fake_vendor import VendorConnection
from exobridge_providers.testing.letters import spoken
from exobridge_providers.testing.vendors.assemblyai import CASE, PATH, FakeAssemblyAi

KEY = "a-secret-key"
GARBAGE = (LookupError, TypeError, ValueError, AttributeError)


def protocol(
    language: str = "hi-IN", audio: AudioFormat | None = None, **options: Any
) -> AssemblyAiProtocol:
    config = SttConfig(audio or pcm16(8000), language)
    return AssemblyAiProtocol(AssemblyAiOptions.model_validate(options), config, KEY)


def asked(language: str = "hi-IN", audio: AudioFormat | None = None, **options: Any) -> str:
    """Where the socket goes."""
    return protocol(language, audio, **options).address().target


def turn(transcript: str, *, order: int | None = 0, **fields: Any) -> dict[str, Any]:
    return {"type": "Turn", "turn_order": order, "transcript": transcript, **fields}


def end(transcript: str, *, order: int | None = 0, **fields: Any) -> dict[str, Any]:
    return turn(transcript, order=order, end_of_turn=True, **fields)


def heard(spoken_to: AssemblyAiProtocol, *messages: dict[str, Any]) -> list[SttEvent]:
    return [event for message in messages for event in spoken_to.take(message)]


# ------------------------------------------------------------------ what is said


def test_what_is_asked_for_by_default() -> None:
    """The newest model, the phone's rate, the call's language and English as one list in JSON."""
    assert asked() == (
        "wss://streaming.assemblyai.com/v3/ws?speech_model=universal-3-6-pro&sample_rate=8000"
        "&encoding=pcm_s16le&language_codes=%5B%22hi%22%2C%22en%22%5D&language_detection=true"
        "&inactivity_timeout=60"
    )


def test_the_key_stands_alone_in_its_header() -> None:
    """Without ``Bearer``, and nowhere in the URL."""
    address = protocol().address()
    assert address.headers == {"Authorization": KEY}
    assert address.secrets == (KEY,)
    assert KEY not in address.target


def test_every_option_is_sent() -> None:
    """None is ignored; ``extra`` wins, and its lists are JSON too."""
    told = protocol(
        "en-IN",
        AudioFormat(Encoding.MULAW, 8000),
        url="wss://streaming.eu.assemblyai.com/v3/ws",
        model="universal-3-5-pro",
        mixed_languages=["hi-IN", "en"],
        keyterms=["Exotel", "KYC"],
        mode="min_latency",
        min_turn_silence_ms=200,
        max_turn_silence_ms=900,
        end_of_turn_threshold=0.5,
        interruption_delay_ms=0,
        vad_threshold=0.3,
        inactivity_seconds=30,
        extra={"prompt": "A bank.", "redact_pii_policies": ["a", "b"], "vad_threshold": 0.6},
    ).address()
    assert told.url == "wss://streaming.eu.assemblyai.com/v3/ws"
    assert dict(told.query) == {
        "speech_model": "universal-3-5-pro",
        "sample_rate": 8000,
        "encoding": "pcm_mulaw",
        "language_codes": '["en","hi"]',
        "language_detection": True,
        "keyterms_prompt": '["Exotel","KYC"]',
        "mode": "min_latency",
        "min_turn_silence": 200,
        "max_turn_silence": 900,
        "end_of_turn_confidence_threshold": 0.5,
        "interruption_delay": 0,
        "vad_threshold": 0.6,
        "inactivity_timeout": 30,
        "prompt": "A bank.",
        "redact_pii_policies": '["a","b"]',
    }


@pytest.mark.parametrize(
    ("model", "detects"),
    [("universal-streaming-english", "false"), ("universal-streaming-multilingual", "true")],
)
def test_older_models_take_no_languages(model: str, detects: str) -> None:
    """They know one, or find out."""
    target = asked("en-IN", model=model)
    assert "language_codes" not in target
    assert f"language_detection={detects}" in target


def test_languages_are_those_of_the_model() -> None:
    """A template in Hindi is refused before a call, where the model knows no Hindi."""

    def languages(**options: Any) -> frozenset[str]:
        return AssemblyAiStt(AssemblyAiOptions.model_validate(options)).capabilities.languages

    assert languages() == {"en", "hi", "mr", "ur"}
    assert languages(model="universal-3-5-pro") == {"en", "hi"}
    assert languages(model="universal-streaming-english") == {"en"}
    assert languages(model="of-next-year") == {"en", "hi", "mr", "ur"}


def test_capabilities_follow_the_options() -> None:
    """The host is told what it gets."""
    known = AssemblyAiStt(AssemblyAiOptions(end_of_turn=False, inactivity_seconds=9)).capabilities
    assert not known.end_of_turn
    assert known.keepalive_seconds == 9


@pytest.mark.parametrize(
    "options",
    [
        {"chunk_ms": 40},
        {"keyterms": ["x"] * 101},
        {"keyterms": ["x" * 51]},
        {"mixed_languages": ["en"] * 10},
        {"mode": "fast"},
        {"min_turn_silence_ms": 49},
        {"min_turn_silence_ms": 600, "max_turn_silence_ms": 500},
        {"end_of_turn_threshold": 1.1},
        {"interruption_delay_ms": 1001},
        {"inactivity_seconds": 4},
        {"keepalive_seconds": 5},
    ],
)
def test_ranges_are_those_of_the_vendor(options: dict[str, Any]) -> None:
    """What AssemblyAI would refuse in a call is refused at the start."""
    with pytest.raises(ValidationError):
        AssemblyAiOptions.model_validate(options)


def test_control_messages() -> None:
    """As documented."""
    spoken_to = protocol()
    assert list(spoken_to.finalize()) == ['{"type":"ForceEndpoint"}']
    assert spoken_to.idle() == '{"type":"KeepAlive"}'
    assert list(spoken_to.goodbye()) == ['{"type":"Terminate"}']


# ------------------------------------------------------------------ what is heard


def test_it_is_ready_when_it_says_so() -> None:
    """Audio before ``Begin`` would be lost."""
    spoken_to = protocol()
    assert not spoken_to.ready
    assert heard(spoken_to, {"type": "Begin", "id": "x", "expires_at": 1}) == []
    assert spoken_to.ready


def test_a_turn_grows_and_ends() -> None:
    """Each message has all of it so far."""
    spoken_to = protocol()
    assert heard(spoken_to, {"type": "SpeechStarted", "timestamp": 1}) == [SpeechStarted()]
    assert heard(spoken_to, turn("mujhe")) == [Partial("mujhe")]
    assert spoken_to.hearing
    assert heard(spoken_to, turn("mujhe loan")) == [Partial("mujhe loan")]
    told = heard(spoken_to, end("Mujhe loan chahiye.", language_code="hi"))
    assert told == [Final("Mujhe loan chahiye.", "hi", end_of_turn=True)]
    assert not spoken_to.hearing


def test_words_that_are_not_sure_are_interims_too() -> None:
    """Older models leave them out of the transcript, and an interruption is decided by them."""
    words = [{"text": "hi", "word_is_final": True}, {"text": "my", "word_is_final": False}]
    assert heard(protocol(), turn("hi", words=words)) == [Partial("hi my")]
    assert heard(protocol(), turn("", words=words[1:])) == [Partial("my")]
    assert heard(protocol(), turn("hi", words=None)) == [Partial("hi")]
    assert heard(protocol(), turn("hi", words=[{"text": None}, {}])) == [Partial("hi")]
    assert heard(protocol(), turn("", words=[])) == []


def test_a_turn_that_comes_again_formatted_is_told_once() -> None:
    """With ``format_turns`` every turn ends twice; waiting for the second costs time."""
    spoken_to = protocol(extra={"format_turns": True})
    told = heard(
        spoken_to,
        end("two rupees", turn_is_formatted=False),
        end("2 rupees.", turn_is_formatted=True),
        turn("two", turn_is_formatted=False),
        end("next", order=1, turn_is_formatted=False),
        end("Next.", order=1, turn_is_formatted=True),
    )
    assert told == [Final("two rupees", end_of_turn=True), Final("next", end_of_turn=True)]


def test_a_turn_that_was_made_to_end_does_not_end_the_callers() -> None:
    """It says nothing of what the caller is about to do; the one after it does."""
    spoken_to = protocol()
    list(spoken_to.finalize())
    assert heard(spoken_to, turn("ek"), end("Ek")) == [Partial("ek"), Final("Ek")]
    assert heard(spoken_to, end("Do.", order=1)) == [Final("Do.", end_of_turn=True)]


def test_an_end_of_turn_need_not_be_told() -> None:
    """By option it only makes the text final."""
    assert heard(protocol(end_of_turn=False), end("Ek.")) == [Final("Ek.")]


def test_an_empty_turn_answers_a_request_and_nothing_else() -> None:
    """A cough is no turn of the caller's."""
    spoken_to = protocol()
    assert heard(spoken_to, end("", order=0)) == []
    list(spoken_to.finalize())
    assert heard(spoken_to, end("", order=1)) == [Final("")]


def test_unknown_and_null_fields() -> None:
    """They are passed over."""
    spoken_to = protocol()
    assert heard(spoken_to, {"type": "Heartbeat"}, {"type": None}, {"x": 1}) == []
    assert heard(spoken_to, end("ek", order=None, words=None, language_code=None, new={})) == [
        Final("ek", end_of_turn=True)
    ]
    assert heard(spoken_to, end("do", order=None)) == [Final("do", end_of_turn=True)]


def test_a_turn_without_text_is_garbage() -> None:
    """It is counted, and the turn goes on."""
    spoken_to = protocol()
    with pytest.raises(GARBAGE):
        heard(spoken_to, {"type": "Turn", "turn_order": 0, "end_of_turn": True})
    with pytest.raises(GARBAGE):
        heard(spoken_to, end(None))  # type: ignore[arg-type]  # no text, on purpose
    assert heard(spoken_to, end("ek")) == [Final("ek", end_of_turn=True)]


TOO_MANY = "Unauthorized Connection: Too many concurrent sessions"
ERRORS: list[tuple[object, str, type[ProviderError], bool]] = [
    (1008, "Unauthorized Connection: Missing Authorization header", ProviderAuthError, False),
    (1008, "Invalid API key", ProviderAuthError, False),
    (1008, "Unauthorized Connection: insufficient balance", ProviderUnavailableError, False),
    (1008, TOO_MANY, ProviderUnavailableError, True),
    (3009, TOO_MANY, ProviderUnavailableError, True),
    (3005, "Session Cancelled: An error occurred", ProviderUnavailableError, True),
    (3006, "User Input Validation Error", ProviderConfigError, False),
    (3007, "Audio Transmission Rate Exceeded", ProviderUnavailableError, True),
    (3008, "Session Expired", ProviderUnavailableError, True),
]


@pytest.mark.parametrize(
    ("code", "words", "kind", "retryable"),
    [
        *ERRORS,
        (None, TOO_MANY, ProviderUnavailableError, True),
        (None, "Unauthorized", ProviderAuthError, False),
        ("3006", None, ProviderUnavailableError, True),
    ],
)
def test_errors(
    code: object, words: str | None, kind: type[ProviderError], retryable: bool
) -> None:
    """1008 stands for a wrong key, for an empty account and for one line too many."""
    said = None if words is None else f"{words} {KEY}"
    with pytest.raises(kind) as told:
        heard(protocol(), {"type": "Error", "error_code": code, "error": said})
    assert told.value.retryable is retryable
    assert KEY not in str(told.value)


class Curt(FakeAssemblyAi):
    """Closes as soon as it is called, without an ``Error`` before it."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__()
        self._code, self._words = code, words

    async def serve(self, connection: VendorConnection) -> None:
        """Nothing but the close."""
        await connection.close(self._code, self._words)


@pytest.mark.parametrize(("code", "words", "kind", "retryable"), ERRORS)
async def test_the_code_of_a_close_says_as_much(
    code: int, words: str, kind: type[ProviderError], retryable: bool
) -> None:
    """The ``Error`` before it may be missing."""
    case = VendorCase(Kind.STT, "assemblyai", lambda: Curt(code, words), PATH)
    async with case.fake().listening() as vendor:
        with key_in_environment(vendor):
            provider = case.provider(vendor)
            assert isinstance(provider, AssemblyAiStt)
            await provider.start()
            with pytest.raises(kind) as told:
                await provider.open(SttConfig(pcm16(8000), "en-IN"))
    assert told.value.retryable is retryable


async def test_a_turn_of_its_own_ends_the_callers_and_a_forced_one_does_not() -> None:
    """Over a socket: first a pause, and then a request."""
    async with CASE.fake().listening() as vendor:
        with key_in_environment(vendor):
            provider = CASE.provider(vendor)
            assert isinstance(provider, AssemblyAiStt)
            await provider.start()
            session = await provider.open(SttConfig(pcm16(8000), "en-IN"))
            reader: Reader[SttEvent] = Reader(session.events())
            for frame in frames(spoken("one two") + bytes(600 * 16)):
                session.send(frame)
            await reader.until(lambda events: len(finals(events)) == 1, 5, "the turn ends")
            for frame in frames(spoken("three four")):
                session.send(frame)
            session.finalize()
            await reader.until(lambda events: len(finals(events)) == 2, 5, "it is answered")
            await session.aclose()
            await reader.ended(5)
    assert finals(reader.events) == [
        Final("One two.", "en", end_of_turn=True),
        Final("Three four.", "en", finalized=True),
    ]
    assert vendor.violations == []


def frames(pcm: bytes) -> list[bytes]:
    """20 ms each, the last one filled up."""
    return [pcm[at : at + 320].ljust(320, b"\0") for at in range(0, len(pcm), 320)]


def finals(events: list[SttEvent]) -> list[Final]:
    return [each for each in events if isinstance(each, Final)]


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"speech_model": "nova"}, "model 'nova'"),
        ({"sample_rate": 44_100}, "at '44100' Hz"),
        ({"encoding": "linear16"}, "encoding 'linear16'"),
        ({"speechModel": "x"}, "there is no speechModel"),
        ({"language_detection": 1}, "language_detection is no flag"),
        ({"mode": "fast"}, "mode 'fast'"),
        ({"min_turn_silence": 5}, "min_turn_silence is 5"),
        ({"language_codes": "hi"}, "language_codes is no list"),
        ({"language_codes": ["or"]}, "language_codes ['or']"),
        ({"speech_model": "universal-streaming-english"}, "language_codes for universal"),
        ({"keyterms_prompt": ["x"] * 101}, "keyterms_prompt has more than 100"),
        ({"keyterms_prompt": ["x" * 51]}, "a keyterm of more than 50"),
        ({"inactivity_timeout": None}, "KeepAlive where nothing"),
    ],
)
async def test_the_fake_looks_at_what_it_is_asked_for(extra: dict[str, Any], words: str) -> None:
    """A plugin that asks for what there is not does not pass the kit."""
    async with CASE.fake().listening() as vendor:
        with key_in_environment(vendor):
            provider = CASE.provider(vendor, extra=extra, keepalive_seconds=0.05)
            assert isinstance(provider, AssemblyAiStt)
            await provider.start()
            session = await provider.open(SttConfig(pcm16(8000), "en-IN"))
            if "KeepAlive" in words:
                await asyncio.sleep(0.1)
            await session.aclose()
    assert any(words in each for each in vendor.violations), vendor.violations


FIELDS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"type": st.sampled_from(["Turn", "Begin", "SpeechStarted", "Error", "Termination", 7])},
    optional={
        "transcript": st.sampled_from(["a", "", None, 5]),
        "end_of_turn": st.sampled_from([True, False, None, "yes"]),
        "turn_order": st.sampled_from([0, 1, -5, 10**30, None, "0"]),
        "words": st.sampled_from([[], [{"text": "b"}], [{"x": ""}], [None], None, "x"]),
        "language_code": st.sampled_from(["hi", None, 3]),
        "error": st.sampled_from(["no", None, 4]),
        "error_code": st.sampled_from([1008, None, 0.5, "x", 3006]),
    },
)


@given(st.lists(FIELDS, max_size=8))
def test_no_message_crashes_it(messages: list[dict[str, Any]]) -> None:
    """It is understood, an error of the vendor's, or garbage."""
    spoken_to = protocol()
    for message in messages:
        try:
            for event in spoken_to.take(message):
                assert isinstance(event, Final | Partial | SpeechStarted)
        except (*GARBAGE, ProviderError):
            pass
