"""Smallest.ai's Lightning voices, streaming (``/waves/v1/tts/live``).

Protocol: docs.smallest.ai, "Stream Speech (WebSocket)". An utterance is one request: the vendor
cuts its text itself, names the request in each answer, and closes the connection after
``complete``. So each utterance has a connection of its own; the next one is opened meanwhile, and
serves too when an utterance is cancelled, for which the vendor has no message.

Its continuations (``context_id``) are not used: nothing tells where one of them ends.

Read in the vendor's documents, and not tried with an account.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable
from typing import Any, ClassVar, cast

import msgspec
from pydantic import Field

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import (
    Cancel,
    TtsAudio,
    TtsCapabilities,
    TtsConfig,
    TtsDone,
    TtsEvent,
)
from exobridge_providers.errors import ProviderError
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

NAME = "smallest"
LANGUAGES = frozenset({"bn", "en", "gu", "hi", "kn", "ml", "mr", "or", "pa", "ta", "te"})
_STATUS_OF_WORDS = (
    (re.compile(r"api.?key|unauthori[sz]ed|authenticat|invalid token", re.I), 401),
    (re.compile(r"credit|quota|balance|subscription|payment", re.I), 402),
    (re.compile(r"concurren|rate.?limit|too many", re.I), 429),
    (re.compile(r"invalid|validation|not found|unsupported|not supported", re.I), 400),
)
"""The vendor's errors on an open connection have words, and no documented codes."""


class SmallestOptions(VendorTtsOptions):
    """The ``[tts.options]`` table. ``extra`` goes into every request for speech.

    Attributes:
        model: ``lightning_v3.1_pro``, or another of the vendor's.
        default_voice: Where the template names none. It has to be one of the call's language.
        language: The vendor's code, in place of the call's language.
        speed: A factor.
        complete_backoff_ms: How long the vendor waits, after the last of the audio, before it says
            so. Its own default, 4000, would keep the next utterance waiting.
        idle_seconds: How long the vendor keeps a connection on which nothing is said.
    """

    url: str = "wss://api.smallest.ai/waves/v1/tts/live"
    api_key_env: str = Field(default="SMALLEST_API_KEY", min_length=1)
    model: str = Field(default="lightning_v3.1_pro", min_length=1)
    default_voice: str = Field(default="meher", min_length=1)
    language: str = ""
    speed: float = Field(default=1, ge=0.5, le=2)
    complete_backoff_ms: int = Field(default=500, ge=0, le=10_000)
    idle_seconds: int = Field(default=600, ge=10, le=999)


class SmallestProtocol(TtsProtocol):
    """Pure. Text is gathered until it is whole."""

    cancels: ClassVar[bool] = False
    single: ClassVar[bool] = True

    def __init__(self, options: SmallestOptions, config: TtsConfig, key: str) -> None:
        self._options = options
        self._key = key
        self._pieces: list[str] = []
        self._request: dict[str, Any] = {
            "voice_id": config.voice or options.default_voice,
            "model": options.model,
            "language": options.language or vendor_code(config.language, {}),
            "sample_rate": config.format.sample_rate,
            "output_format": "pcm",
            "speed": options.speed,
            "complete_backoff_ms": options.complete_backoff_ms,
            **options.extra,
        }

    def address(self) -> Address:
        """The connection's."""
        query = {"timeout": self._options.idle_seconds}
        headers = {"Authorization": f"Bearer {self._key}"}
        return Address(self._options.url, query, headers, (self._key,))

    def text(self, context: str, text: str) -> Iterable[Message]:
        """Nothing is sent yet."""
        self._pieces.append(text)
        return ()

    def end(self, context: str) -> Iterable[Message]:
        """``complete`` follows the last of the audio."""
        text = "".join(self._pieces)
        self._pieces.clear()
        own = {"text": text, "request_id": context}
        yield msgspec.json.encode({**self._request, **own}).decode()

    def take(self, message: dict[str, Any]) -> Iterable[TtsEvent]:
        """``chunk``, ``complete``, ``error``; others (``word_timestamp``) are passed over."""
        match message.get("status"):
            case "chunk":
                audio = b64decode(message["data"]["audio"], validate=True)
                yield TtsAudio(_context(message), audio)
            case "complete":
                yield TtsDone(_context(message))
            case "error":
                raise self._error(message)
            case _:
                pass

    def _error(self, message: dict[str, Any]) -> ProviderError:
        told = message.get("error")
        nested = cast(dict[str, Any], told) if isinstance(told, dict) else {"message": told}
        words = str(message.get("message") or nested.get("message") or nested.get("code") or "")
        known = (status for pattern, status in _STATUS_OF_WORDS if pattern.search(words))
        return trouble_of_status(next(known, 500), NAME, refused(words, (self._key,)))


def _context(message: dict[str, Any]) -> str:
    """The utterance's; where the vendor does not name it: that of the only one at work."""
    context = message.get("external_request_id", "")
    if not isinstance(context, str):
        raise TypeError("external_request_id is a name")
    return context


class SmallestTts(VendorTts[SmallestOptions]):
    """Text-to-speech by Smallest.ai's Lightning."""

    options_type = SmallestOptions
    name = NAME
    capabilities = TtsCapabilities(
        formats=(pcm16(8000), pcm16(16_000), pcm16(24_000)),
        languages=LANGUAGES,
        max_chars=1000,
        cancel=Cancel.RECONNECT,
    )

    def protocol(self, config: TtsConfig, key: str) -> TtsProtocol:
        """As :meth:`exobridge_providers.vendor.VendorTts.protocol`."""
        return SmallestProtocol(self.options, config, key)
