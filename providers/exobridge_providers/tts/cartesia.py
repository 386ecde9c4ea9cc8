"""Cartesia's Sonic voices, streaming (``/tts/websocket``).

Protocol: docs.cartesia.ai, "Text to Speech (WebSocket)", "Contexts", "API errors". An utterance is
a context of the vendor's; the inputs of one are put together as they are. A cancelled context that
is being made goes on to its end: its audio is dropped by its name.

Read in the vendor's documents, and not tried with an account.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from typing import Any

import msgspec
from pydantic import Field

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.base import (
    Cancel,
    TtsAudio,
    TtsCapabilities,
    TtsConfig,
    TtsDone,
    TtsEvent,
    TtsTrouble,
)
from exobridge_providers.errors import ProviderConfigError, ProviderError
from exobridge_providers.vendor import (
    Address,
    Message,
    TtsProtocol,
    VendorTts,
    VendorTtsOptions,
    refused,
    trouble_of_status,
    vendor_code,
)

NAME = "cartesia"
LANGUAGES = frozenset({"bn", "en", "gu", "hi", "kn", "ml", "mr", "pa", "ta", "te"})
_ENCODINGS = {Encoding.PCM16: "pcm_s16le", Encoding.MULAW: "pcm_mulaw"}
_STATUS_OF_CODE = {"quota_exceeded": 402, "concurrency_limited": 429}
"""What these mean, whatever the status that comes with them."""


class CartesiaOptions(VendorTtsOptions):
    """The ``[tts.options]`` table. ``extra`` goes into every request for speech.

    Attributes:
        model: ``sonic-3.5``, or another of the vendor's.
        default_voice: Id of the voice where the template names none.
        language: The vendor's code, in place of the call's language.
        version: Date of the vendor's interface.
        max_buffer_delay_ms: How long the vendor may wait for more text before it speaks. 0: not at
            all, which suits text that comes by the sentence.
        speed, volume: Factors; the vendor's own where they are not given.
        emotion: ``calm``, say; the voice's own where it is empty.
    """

    url: str = "wss://api.cartesia.ai/tts/websocket"
    api_key_env: str = Field(default="CARTESIA_API_KEY", min_length=1)
    model: str = Field(default="sonic-3.5", min_length=1)
    default_voice: str = Field(default="3b554273-4299-48b9-9aaf-eefd438e3941", min_length=1)
    language: str = ""
    version: str = Field(default="2026-03-01", pattern=r"^\d{4}-\d\d-\d\d$")
    max_buffer_delay_ms: int = Field(default=0, ge=0, le=5000)
    speed: float | None = Field(default=None, ge=0.6, le=1.5)
    volume: float | None = Field(default=None, ge=0.5, le=2.0)
    emotion: str = ""


class CartesiaProtocol(TtsProtocol):
    """Pure. One context at a time: the vendor's plans count those of all calls."""

    def __init__(self, options: CartesiaOptions, config: TtsConfig, key: str) -> None:
        self._options = options
        self._key = key
        audio = config.format
        self._request: dict[str, Any] = {
            "model_id": options.model,
            "voice": {"mode": "id", "id": config.voice or options.default_voice},
            "language": options.language or vendor_code(config.language, {}),
            "output_format": {
                "container": "raw",
                "encoding": _ENCODINGS[audio.encoding],
                "sample_rate": audio.sample_rate,
            },
            "max_buffer_delay_ms": options.max_buffer_delay_ms,
        }
        manner = {"speed": options.speed, "volume": options.volume, "emotion": options.emotion}
        if manner := {name: value for name, value in manner.items() if value}:
            self._request["generation_config"] = manner
        self._request |= options.extra

    def address(self) -> Address:
        """The connection's."""
        headers = {"X-API-Key": self._key, "Cartesia-Version": self._options.version}
        return Address(self._options.url, {}, headers, (self._key,))

    def text(self, context: str, text: str) -> Iterable[Message]:
        """But for the text, all inputs of a context have to be the same."""
        yield self._input(context, text, more=True)

    def end(self, context: str) -> Iterable[Message]:
        """``done`` follows the last of the audio."""
        yield self._input(context, "", more=False)

    def _input(self, context: str, text: str, *, more: bool) -> Message:
        own = {"context_id": context, "transcript": text, "continue": more}
        return msgspec.json.encode({**self._request, **own}).decode()

    def cancel(self, context: str) -> Iterable[Message]:
        """What is not being made yet will not be; nothing is answered."""
        yield msgspec.json.encode({"context_id": context, "cancel": True}).decode()

    def take(self, message: dict[str, Any]) -> Iterable[TtsEvent]:
        """``chunk``, ``done``, ``error``; others (``flush_done``, ``timestamps``) are passed
        over."""
        match message.get("type"):
            case "chunk":
                yield TtsAudio(_context(message), b64decode(message["data"], validate=True))
            case "done":
                yield TtsDone(_context(message))
            case "error":
                yield self._refusal(message)
            case _:
                pass

    def _refusal(self, message: dict[str, Any]) -> TtsTrouble:
        """What is wrong with one utterance; what will be wrong with the next too, or may be right
        in another try, is raised."""
        error = self._error(message)
        if isinstance(error, ProviderConfigError) and message.get("context_id"):
            return TtsTrouble(_context(message), error)
        raise error

    def _error(self, message: dict[str, Any]) -> ProviderError:
        status = _STATUS_OF_CODE.get(str(message.get("error_code")), message.get("status_code"))
        told = (message.get(field) for field in ("title", "message", "error"))
        words = refused(": ".join(str(each) for each in told if each), (self._key,))
        return trouble_of_status(status if isinstance(status, int) else 500, NAME, words)


def _context(message: dict[str, Any]) -> str:
    context = message["context_id"]
    if not isinstance(context, str) or not context:
        raise TypeError("context_id is a name")
    return context


class CartesiaTts(VendorTts[CartesiaOptions]):
    """Text-to-speech by Cartesia Sonic."""

    options_type = CartesiaOptions
    name = NAME
    capabilities = TtsCapabilities(
        formats=(pcm16(8000), AudioFormat(Encoding.MULAW, 8000), pcm16(16_000), pcm16(24_000)),
        languages=LANGUAGES,
        max_chars=500,
        cancel=Cancel.MESSAGE,
    )

    def protocol(self, config: TtsConfig, key: str) -> TtsProtocol:
        """As :meth:`exobridge_providers.vendor.VendorTts.protocol`."""
        return CartesiaProtocol(self.options, config, key)
