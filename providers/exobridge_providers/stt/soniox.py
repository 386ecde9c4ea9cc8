"""Soniox, real time: many languages in one model, of India too, mixed in one sentence.

Protocol: soniox.com/docs, "WebSocket API", "Endpoint detection", "Manual finalization", "Connection
keepalive" and "WebSocket authentication" of its speech-to-text. The first message says what is
wanted, audio goes up as it is, and text comes in tokens: final ones once, the others anew in each
message. ``<end>`` and ``<fin>`` are tokens too, and no text.

The key goes with the connection. Soniox refuses one in the first message from January 2027 on.
Nothing was tried with an account; how fast the audio of a broken session may follow is not known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

import msgspec
from pydantic import Field

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.base import (
    Final,
    Options,
    Partial,
    SttCapabilities,
    SttConfig,
    SttEvent,
)
from exobridge_providers.vendor import (
    Address,
    Message,
    SttProtocol,
    VendorStt,
    VendorSttOptions,
    refused,
    trouble_of_status,
    vendor_code,
)

NAME = "soniox"
_ENCODINGS = {Encoding.PCM16: "pcm_s16le", Encoding.MULAW: "mulaw"}


class SonioxOptions(VendorSttOptions):
    """The ``[stt.options]`` table. ``extra`` goes into the message that begins the session.

    Attributes:
        model: Soniox's name of it.
        mixed_languages: BCP-47 tags of what callers mix in: hints, beside the call's language.
        strict_languages: Nothing but those and the call's language is heard.
        keyterms: Names and words that are hard to hear.
        context: What the calls are about, in plain words.
        end_of_turn: Soniox's word that an utterance is over ends the caller's turn.
        max_endpoint_delay_ms: Longest wait, after speech, for that word.
        endpoint_sensitivity: How readily it comes: more is sooner. ``None``: Soniox's own.
        endpoint_latency_level: How much exactness it may cost to be quick. ``None``: Soniox's own.
        keepalive_seconds: Pause in the audio after which a sign of life is sent.
    """

    url: str = "wss://stt-rt.soniox.com/transcribe-websocket"
    api_key_env: str = Field(default="SONIOX_API_KEY", min_length=1)
    model: str = Field(default="stt-rt-v5", min_length=1)
    mixed_languages: tuple[str, ...] = ("en",)
    strict_languages: bool = False
    keyterms: tuple[str, ...] = ()
    context: str = Field(default="", max_length=8000)
    end_of_turn: bool = True
    max_endpoint_delay_ms: int = Field(default=2000, ge=500, le=3000)
    endpoint_sensitivity: float | None = Field(default=None, ge=-1, le=1)
    endpoint_latency_level: int | None = Field(default=None, ge=0, le=3)
    keepalive_seconds: float = Field(default=8, ge=0.05, le=15)


class _Token(msgspec.Struct):
    text: str
    is_final: bool | None = None
    language: str | None = None
    translation_status: str | None = None


class _Response(msgspec.Struct):
    tokens: list[_Token] | None = None
    error_code: int | None = None
    error_message: Any = None


class SonioxProtocol(SttProtocol):
    """Pure."""

    acknowledges: ClassVar[bool] = True

    def __init__(self, options: SonioxOptions, config: SttConfig, key: str) -> None:
        self.keepalive_seconds = options.keepalive_seconds
        self._options = options
        self._config = config
        self._key = key
        self._final = ""
        self._languages: Counter[str] = Counter()
        self._told = ""

    def address(self) -> Address:
        """The session's."""
        headers = {"Authorization": f"Bearer {self._key}"}
        return Address(self._options.url, headers=headers, secrets=(self._key,))

    def hello(self) -> Iterable[Message]:
        """What is wanted."""
        options, audio = self._options, self._config.format
        tags = (self._config.language, *options.mixed_languages)
        context = {"text": options.context, "terms": list(options.keyterms)}
        wanted = {
            "model": options.model,
            "audio_format": _ENCODINGS[audio.encoding],
            "sample_rate": audio.sample_rate,
            "num_channels": 1,
            "language_hints": list(dict.fromkeys(vendor_code(tag, {}) for tag in tags)),
            "language_hints_strict": options.strict_languages,
            "enable_language_identification": True,
            "enable_endpoint_detection": True,
            "max_endpoint_delay_ms": options.max_endpoint_delay_ms,
            "endpoint_sensitivity": options.endpoint_sensitivity,
            "endpoint_latency_adjustment_level": options.endpoint_latency_level,
            "context": {name: value for name, value in context.items() if value} or None,
            **options.extra,
        }
        said = {name: value for name, value in wanted.items() if value is not None}
        return (msgspec.json.encode(said).decode(),)

    def finalize(self) -> Iterable[Message]:
        """Answered by ``<fin>``."""
        return ('{"type":"finalize"}',)

    def idle(self) -> Message:
        """Twenty seconds without it or audio may end the connection."""
        return '{"type":"keepalive"}'

    def goodbye(self) -> Iterable[Message]:
        """An empty message is the end of the audio."""
        return ("",)

    def take(self, message: dict[str, Any]) -> Iterable[SttEvent]:
        """Tokens, or an error."""
        response = msgspec.convert(message, _Response, strict=False)
        if response.error_code is not None:
            told = refused(response.error_message or "", (self._key,))
            raise trouble_of_status(response.error_code, NAME, told)
        pending = ""
        for token in response.tokens or ():
            if token.text == "<fin>":
                yield self._answer(finalized=True)
            elif token.text == "<end>":
                yield self._answer(end_of_turn=self._options.end_of_turn)
            elif token.translation_status == "translation":
                continue
            elif token.is_final:
                self._final += token.text
                self._languages[token.language or ""] += len(token.text)
            else:
                pending += token.text
        text = f"{self._final}{pending}".strip()
        self.hearing = bool(text)
        if text and text != self._told:
            yield Partial(text, self._language())
        self._told = text

    def _answer(self, *, end_of_turn: bool = False, finalized: bool = False) -> Final:
        text, language = self._final.strip(), self._language()
        self._final = ""
        self._languages.clear()
        return Final(text, language, end_of_turn=end_of_turn, finalized=finalized)

    def _language(self) -> str | None:
        """That of most of the text."""
        return max(self._languages, key=self._languages.__getitem__, default=None) or None


class SonioxStt(VendorStt[SonioxOptions]):
    """Speech-to-text by Soniox."""

    options_type = SonioxOptions
    name = NAME
    capabilities = SttCapabilities(
        formats=(pcm16(8000), AudioFormat(Encoding.MULAW, 8000), pcm16(16_000), pcm16(24_000)),
        languages=frozenset({"bn", "en", "gu", "hi", "kn", "ml", "mr", "pa", "ta", "te", "ur"}),
        interims=True,
        end_of_turn=True,
        keepalive_seconds=20,
        session_seconds=18_000,
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.capabilities = replace(self.capabilities, end_of_turn=self.options.end_of_turn)

    def protocol(self, config: SttConfig, key: str) -> SttProtocol:
        """As :meth:`exobridge_providers.vendor.VendorStt.protocol`."""
        return SonioxProtocol(self.options, config, key)
