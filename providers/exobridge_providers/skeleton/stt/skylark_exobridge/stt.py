"""Skylark's speech-to-text, streaming (``/v1/listen``).

Audio goes up as it is, one WebSocket a call. Text comes sentence by sentence, and ``finalize`` asks
for the rest. Not verified: there is no such vendor.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import Field

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.base import Final, Partial, SttCapabilities, SttConfig, SttEvent
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

NAME = "skylark"
TAGS = {"en": "en-IN", "hi": "hi-IN", "od": "or-IN"}
"""Languages as templates write them, by the vendor's own codes: see Odia."""
CODES = {tag.lower(): code for code, tag in TAGS.items()}
ENCODINGS = {Encoding.PCM16: "pcm16", Encoding.MULAW: "mulaw"}


class SkylarkOptions(VendorSttOptions):
    """The ``[stt.options]`` table.

    Attributes:
        model: Which of the vendor's ears listens.
        pause_ms: Quiet after which a sentence is over: less is quicker, more waits for slow
            speakers.
    """

    url: str = "wss://api.skylark.example/v1/listen"
    api_key_env: str = Field(default="SKYLARK_API_KEY", min_length=1)
    model: str = Field(default="phone-1", min_length=1)
    pause_ms: int = Field(default=300, ge=100, le=2000)


class SkylarkProtocol(SttProtocol):
    """A session in the vendor's words. Pure."""

    acknowledges: ClassVar[bool] = True
    keepalive_seconds = 5.0  # the vendor closes after 20 s without a message

    def __init__(self, options: SkylarkOptions, config: SttConfig, key: str) -> None:
        self._options, self._config, self._key = options, config, key

    def address(self) -> Address:
        """The session's."""
        audio = self._config.format
        query = {
            "model": self._options.model,
            "language": vendor_code(self._config.language, CODES),
            "encoding": ENCODINGS[audio.encoding],
            "sample_rate": audio.sample_rate,
            "pause_ms": self._options.pause_ms,
            **self._options.extra,
        }
        headers = {"Authorization": f"Bearer {self._key}"}
        return Address(self._options.url, query, headers, secrets=(self._key,))

    def finalize(self) -> Iterable[Message]:
        """Answered by a ``final`` that says so."""
        return ('{"type":"finalize"}',)

    def idle(self) -> Message:
        """Keeps the connection open while no audio is sent."""
        return '{"type":"ping"}'

    def take(self, message: dict[str, Any]) -> Iterable[SttEvent]:
        """``partial``, ``final``, ``error``; others are passed over."""
        match message["type"]:
            case "partial":
                self.hearing = True
                yield Partial(message["text"], TAGS.get(message["language"]))
            case "final":
                self.hearing = False
                asked = bool(message.get("answers_finalize"))
                yield Final(message["text"], TAGS.get(message["language"]), finalized=asked)
            case "error":
                words = refused(message.get("message", ""), (self._key,))
                raise trouble_of_status(int(message["status"]), NAME, words)
            case _:
                pass


class SkylarkStt(VendorStt[SkylarkOptions]):
    """Speech-to-text by Skylark."""

    options_type = SkylarkOptions
    name = NAME
    capabilities = SttCapabilities(
        formats=(pcm16(8000), AudioFormat(Encoding.MULAW, 8000), pcm16(16_000)),
        languages=frozenset(TAGS.values()),
        interims=True,
        keepalive_seconds=20,
    )

    def protocol(self, config: SttConfig, key: str) -> SttProtocol:
        """As :meth:`exobridge_providers.vendor.VendorStt.protocol`."""
        return SkylarkProtocol(self.options, config, key)
