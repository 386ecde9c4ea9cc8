"""Skylark's text-to-speech, streaming (``/v1/speak``).

One WebSocket a call; an utterance is a *context* with a name, of which four can be made at once.
Not verified: there is no such vendor.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any, ClassVar

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
)
from exobridge_providers.vendor import (
    Address,
    Cleared,
    Message,
    TtsProtocol,
    VendorTts,
    VendorTtsOptions,
    refused,
    trouble_of_status,
    vendor_code,
)

NAME = "skylark"
TAGS = {"en": "en-IN", "hi": "hi-IN", "od": "or-IN"}
"""Languages as templates write them, by the vendor's own codes: see Odia."""
CODES = {tag.lower(): code for code, tag in TAGS.items()}
ENCODINGS = {Encoding.PCM16: "pcm16", Encoding.MULAW: "mulaw"}


class SkylarkOptions(VendorTtsOptions):
    """The ``[tts.options]`` table.

    Attributes:
        default_voice: Where the template names none.
        pace: Of speech; 1 is the voice's own.
    """

    url: str = "wss://api.skylark.example/v1/speak"
    api_key_env: str = Field(default="SKYLARK_API_KEY", min_length=1)
    default_voice: str = Field(default="asha", min_length=1)
    pace: float = Field(default=1.0, ge=0.5, le=2.0)


class SkylarkProtocol(TtsProtocol):
    """A connection in the vendor's words. Pure."""

    contexts: ClassVar[int] = 4
    keepalive_seconds = 5.0  # the vendor closes after 20 s without a message

    def __init__(self, options: SkylarkOptions, config: TtsConfig, key: str) -> None:
        self._options, self._config, self._key = options, config, key

    def address(self) -> Address:
        """The connection's."""
        audio = self._config.format
        query = {
            "voice": self._config.voice or self._options.default_voice,
            "language": vendor_code(self._config.language, CODES),
            "encoding": ENCODINGS[audio.encoding],
            "sample_rate": audio.sample_rate,
            "pace": self._options.pace,
            **self._options.extra,
        }
        headers = {"Authorization": f"Bearer {self._key}"}
        return Address(self._options.url, query, headers, secrets=(self._key,))

    def text(self, context: str, text: str) -> Iterable[Message]:
        """Spoken as it comes."""
        return (_message("text", context, text=text),)

    def end(self, context: str) -> Iterable[Message]:
        """``done`` follows the last of the audio."""
        return (_message("end", context),)

    def cancel(self, context: str) -> Iterable[Message]:
        """``done`` follows here too."""
        return (_message("cancel", context),)

    def idle(self) -> Message:
        """Keeps the connection open while nothing is spoken."""
        return '{"type":"ping"}'

    def take(self, message: dict[str, Any]) -> Iterable[TtsEvent | Cleared]:
        """``audio``, ``done``, ``error``; others are passed over."""
        match message["type"]:
            case "audio":
                yield TtsAudio(message["id"], base64.b64decode(message["audio"], validate=True))
            case "done":
                yield TtsDone(message["id"])
            case "error":
                words = refused(message.get("message", ""), (self._key,))
                raise trouble_of_status(int(message["status"]), NAME, words)
            case _:
                pass


def _message(type_: str, context: str, **more: str) -> str:
    return msgspec.json.encode({"type": type_, "id": context, **more}).decode()


class SkylarkTts(VendorTts[SkylarkOptions]):
    """Text-to-speech by Skylark."""

    options_type = SkylarkOptions
    name = NAME
    capabilities = TtsCapabilities(
        formats=(pcm16(8000), AudioFormat(Encoding.MULAW, 8000), pcm16(16_000)),
        languages=frozenset(TAGS.values()),
        max_chars=2000,
        cancel=Cancel.MESSAGE,
    )

    def protocol(self, config: TtsConfig, key: str) -> TtsProtocol:
        """As :meth:`exobridge_providers.vendor.VendorTts.protocol`."""
        return SkylarkProtocol(self.options, config, key)
