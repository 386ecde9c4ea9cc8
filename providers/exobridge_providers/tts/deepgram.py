"""Deepgram's Aura voices, streaming (``/v1/speak``). English, of those that callers in India speak.

Text is spoken when it is flushed, audio comes as it is, and ``Clear`` stops it. A connection bears
20 flushes and 2400 characters a minute: more ends the session, and the host opens another.

Facts: developers.deepgram.com, "Text to Speech Streaming", "Flush", "Clear"; the words of the
warning are those of Deepgram's own kit. Not tried with an account.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec
from pydantic import Field

from exobridge_providers import deepgram
from exobridge_providers.base import (
    Cancel,
    TtsAudio,
    TtsCapabilities,
    TtsConfig,
    TtsDone,
    TtsEvent,
)
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.vendor import (
    Address,
    Cleared,
    Message,
    TtsProtocol,
    VendorTts,
    VendorTtsOptions,
)

NAME = "deepgram"


class DeepgramTtsOptions(VendorTtsOptions):
    """The ``[tts.options]`` table.

    Attributes:
        default_voice: The model, which is the voice, where the template names none.
        speed: Pace of speech.
        mip_opt_out: The text is kept out of Deepgram's programme for improving models, at another
            price.
    """

    url: str = "wss://api.deepgram.com/v1/speak"
    api_key_env: str = Field(default=deepgram.KEY_VARIABLE, min_length=1)
    default_voice: str = Field(default="aura-2-thalia-en", min_length=1)
    speed: float = Field(default=1, ge=0.7, le=1.5)
    mip_opt_out: bool = False


class DeepgramTtsProtocol(TtsProtocol):
    """Pure."""

    clears: ClassVar[bool] = True

    def __init__(self, options: DeepgramTtsOptions, config: TtsConfig, key: str) -> None:
        self._options = options
        self._config = config
        self._key = key
        self._request_id = ""

    def address(self) -> Address:
        """The connection's. What is as by default is left out."""
        options = self._options
        query = {
            "model": self._config.voice or options.default_voice,
            "speed": options.speed if options.speed != 1 else None,
            "mip_opt_out": options.mip_opt_out or None,
            **options.extra,
        }
        return deepgram.address(options.url, self._config.format, query, self._key)

    def text(self, context: str, text: str) -> Iterable[Message]:
        """Kept by the vendor until it is flushed."""
        yield msgspec.json.encode({"type": "Speak", "text": text}).decode()

    def end(self, context: str) -> Iterable[Message]:
        """``Flushed`` follows the last of the audio."""
        return ('{"type":"Flush"}',)

    def cancel(self, context: str) -> Iterable[Message]:
        """``Cleared`` follows."""
        return ('{"type":"Clear"}',)

    def goodbye(self) -> Iterable[Message]:
        """The vendor closes after it."""
        return ('{"type":"Close"}',)

    def take(self, message: dict[str, Any]) -> Iterable[TtsEvent | Cleared]:
        """``Metadata``, ``Flushed``, ``Cleared``, ``Warning``, ``Error``; others are passed
        over."""
        match message.get("type"):
            case "Metadata":
                self._request_id = str(message.get("request_id") or "")
            case "Flushed":
                yield TtsDone("")
            case "Cleared":
                yield Cleared()
            case "Warning" if "FLUSH" in str(message.get("warn_code") or message.get("code")):
                raise ProviderUnavailableError(
                    f"{NAME}: too many utterances in a minute on one connection", provider=NAME
                )
            case "Error":
                raise deepgram.trouble(message, self._request_id, self._key, NAME)
            case _:
                pass

    def take_bytes(self, audio: bytes) -> Iterable[TtsEvent | Cleared]:
        """Audio."""
        yield TtsAudio("", audio)


class DeepgramTts(VendorTts[DeepgramTtsOptions]):
    """Text-to-speech by Deepgram Aura."""

    options_type = DeepgramTtsOptions
    name = NAME
    capabilities = TtsCapabilities(
        formats=deepgram.FORMATS,
        languages=frozenset({"en"}),
        max_chars=1000,
        cancel=Cancel.MESSAGE,
        session_seconds=3600,
    )

    def protocol(self, config: TtsConfig, key: str) -> TtsProtocol:
        """As :meth:`exobridge_providers.vendor.VendorTts.protocol`."""
        return DeepgramTtsProtocol(self.options, config, key)
