"""Sarvam's Bulbul voices, streaming (``/text-to-speech/ws``): eleven languages of India.

Protocol: docs.sarvam.ai, "Streaming Text-to-Speech". The first message says what is wanted, text
is spoken when there is enough of it or when it is flushed, and an event says that all of it has
been. Nothing stops the vendor but closing the connection.

Not verified against the live vendor: that the event comes once for each flush, and not also for
text that was spoken before it (such a one is passed over); and that raw audio has no header (it
would be taken off).
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec
from pydantic import Field, model_validator

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers import sarvam
from exobridge_providers.base import (
    Cancel,
    TtsAudio,
    TtsCapabilities,
    TtsConfig,
    TtsDone,
    TtsEvent,
    TtsTrouble,
    wrong_option,
)
from exobridge_providers.errors import ProviderConfigError, ProviderError
from exobridge_providers.tts.sarvam_audio import raw
from exobridge_providers.vendor import (
    Address,
    Cleared,
    Message,
    TtsProtocol,
    VendorTts,
    VendorTtsOptions,
    vendor_code,
)

NAME = "sarvam"
MAX_CHARS = 1500
"""Of one message: bulbul:v2 takes so many, the later models 2,500."""

_CODES = sarvam.older_codes(sarvam.SPOKEN)
_CODECS = {Encoding.PCM16: "linear16", Encoding.MULAW: "mulaw"}


class SarvamTtsOptions(VendorTtsOptions):
    """The ``[tts.options]`` table. ``extra`` is of the first message's data.

    Attributes:
        model: Of the voices.
        default_voice: Where ``tts.voice`` names none. Each model has voices of its own.
        pace: Of speech; 1 is the voice's own. ``bulbul:v3`` takes 0.5 to 2.
        temperature: How lively, 0.01 to 1; not for ``bulbul:v2``. None: the vendor's own, 0.6.
        min_buffer_size: Characters of a text that goes on from which the vendor begins to speak.
        max_chunk_length: Characters that it speaks in one go: less is sooner heard.
        keepalive_seconds: Pause after which ``ping`` is sent: the vendor closes after 60 s without
            any message.
    """

    url: str = "wss://api.sarvam.ai/text-to-speech/ws"
    api_key_env: str = Field(default=sarvam.KEY_VARIABLE, min_length=1)
    model: str = Field(default="bulbul:v3", min_length=1)
    default_voice: str = Field(default="shubh", min_length=1)
    pace: float = Field(default=1.0, ge=0.3, le=3)
    temperature: float | None = Field(default=None, ge=0.01, le=1)
    min_buffer_size: int = Field(default=50, ge=30, le=200)
    max_chunk_length: int = Field(default=150, ge=50, le=500)
    keepalive_seconds: float = Field(default=20, ge=0.05, le=50)

    @model_validator(mode="after")
    def _suits_the_model(self) -> SarvamTtsOptions:
        if self.model == "bulbul:v2" and self.temperature is not None:
            raise wrong_option("is not taken by bulbul:v2", "temperature")
        if self.model == "bulbul:v3" and not 0.5 <= self.pace <= 2:
            raise wrong_option("is from 0.5 to 2 for bulbul:v3", "pace")
        return self


class SarvamTtsProtocol(TtsProtocol):
    """Pure."""

    cancels: ClassVar[bool] = False

    def __init__(self, options: SarvamTtsOptions, config: TtsConfig, key: str) -> None:
        self.keepalive_seconds = options.keepalive_seconds
        self._options = options
        self._config = config
        self._key = key
        self._flushed = False
        self._has_spoken = False

    def address(self) -> Address:
        """The connection's."""
        query = {"model": self._options.model, "send_completion_event": True}
        return Address(self._options.url, query, sarvam.headers(self._key), (self._key,))

    def hello(self) -> Iterable[Message]:
        """What is wanted; the rate is a string."""
        options, audio = self._options, self._config.format
        wanted = {
            "target_language_code": vendor_code(self._config.language, _CODES),
            "speaker": self._config.voice or options.default_voice,
            "model": options.model,
            "speech_sample_rate": str(audio.sample_rate),
            "output_audio_codec": _CODECS[audio.encoding],
            "pace": options.pace,
            "min_buffer_size": options.min_buffer_size,
            "max_chunk_length": options.max_chunk_length,
            **({} if options.temperature is None else {"temperature": options.temperature}),
            **options.extra,
        }
        yield _message("config", wanted)

    def text(self, context: str, text: str) -> Iterable[Message]:
        """Spoken when there is enough of it."""
        yield _message("text", {"text": text})

    def end(self, context: str) -> Iterable[Message]:
        """``final`` follows the last of the audio."""
        self._flushed = True
        return ('{"type":"flush"}',)

    def idle(self) -> Message:
        """Not answered."""
        return '{"type":"ping"}'

    def take(self, message: dict[str, Any]) -> Iterable[TtsEvent | Cleared]:
        """``audio``, ``event`` and ``error``; others are passed over."""
        match message.get("type"):
            case "audio":
                data = message["data"]
                audio = b64decode(data["audio"], validate=True)
                self._has_spoken = True
                yield TtsAudio("", raw(audio, data.get("content_type"), self._config.format, NAME))
            case "event":
                if message["data"]["event_type"] == "final" and self._flushed:
                    self._flushed = False
                    yield TtsDone("")
            case "error":
                yield from self._error(message.get("data") or message.get("error"))
            case _:
                pass

    def _error(self, told: object) -> Iterable[TtsEvent]:
        error = sarvam.trouble(told, NAME, self._key)
        if not (isinstance(error, ProviderConfigError) and self._has_spoken):
            raise error
        # What is wanted was fine before: it is the text that is not, and other calls need not care.
        self._flushed = False
        code = error.status_code
        yield TtsTrouble("", ProviderError(str(error), provider=NAME, status_code=code))


def _message(kind: str, data: dict[str, Any]) -> str:
    return msgspec.json.encode({"type": kind, "data": data}).decode()


class SarvamTts(VendorTts[SarvamTtsOptions]):
    """Text-to-speech by Sarvam Bulbul."""

    options_type = SarvamTtsOptions
    name = NAME
    capabilities = TtsCapabilities(
        formats=(pcm16(8000), AudioFormat(Encoding.MULAW, 8000), pcm16(16_000), pcm16(24_000)),
        languages=sarvam.SPOKEN,
        max_chars=MAX_CHARS,
        cancel=Cancel.RECONNECT,
    )

    def protocol(self, config: TtsConfig, key: str) -> TtsProtocol:
        """As :meth:`exobridge_providers.vendor.VendorTts.protocol`."""
        return SarvamTtsProtocol(self.options, config, key)
