"""Deepgram's Flux voices, streaming (``/v2/speak``). English, also in an Indian accent.

An utterance is what Deepgram calls a turn: it is made while its text comes, ``Flush`` ends it, and
``SpeechMetadata`` comes behind the last of its audio. ``Interrupt`` stops it, unless the connection
has never made any audio: then it is left for another.

Facts: developers.deepgram.com, "Flux TTS" (client and server messages, state machine, voices); the
codes of warnings are those of Deepgram's own kits. Not tried with an account.
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

NAME = "deepgram-flux"


class DeepgramFluxTtsOptions(VendorTtsOptions):
    """The ``[tts.options]`` table.

    Attributes:
        default_voice: The model, which is the voice, where the template names none.
        speed: Pace of speech, in steps of 0.05.
        expressivity: From calm to animated; Deepgram vouches for 0 only.
        tags: Labels of these requests in Deepgram's reports of usage.
        mip_opt_out: The text is kept out of Deepgram's programme for improving models, at another
            price.
    """

    url: str = "wss://api.deepgram.com/v2/speak"
    api_key_env: str = Field(default=deepgram.KEY_VARIABLE, min_length=1)
    default_voice: str = Field(default="flux-priya-en", min_length=1)
    speed: float = Field(default=1, ge=0.5, le=1.5, multiple_of=0.05)
    expressivity: int = Field(default=0, ge=-2, le=2)
    tags: tuple[str, ...] = ()
    mip_opt_out: bool = False


class FluxTtsProtocol(TtsProtocol):
    """Pure."""

    clears: ClassVar[bool] = True

    def __init__(self, options: DeepgramFluxTtsOptions, config: TtsConfig, key: str) -> None:
        self.ready = False
        self._options = options
        self._config = config
        self._key = key
        self._request_id = ""
        self._interrupted = ""

    def address(self) -> Address:
        """The connection's. What is as by default is left out: unknown parameters are refused."""
        options = self._options
        query = {
            "model": self._config.voice or options.default_voice,
            "speed": options.speed if options.speed != 1 else None,
            "expressivity": options.expressivity or None,
            "tag": options.tags,
            "mip_opt_out": options.mip_opt_out or None,
            **options.extra,
        }
        return deepgram.address(options.url, self._config.format, query, self._key)

    def text(self, context: str, text: str) -> Iterable[Message]:
        """Joined to the text before as it is."""
        yield msgspec.json.encode({"type": "Speak", "text": text}).decode()

    def end(self, context: str) -> Iterable[Message]:
        """``Flushed`` follows, and ``SpeechMetadata`` behind the last of the audio."""
        return ('{"type":"Flush"}',)

    def cancel(self, context: str) -> Iterable[Message]:
        """``SpeechInterrupted`` follows, or a warning."""
        return ('{"type":"Interrupt"}',)

    def goodbye(self) -> Iterable[Message]:
        """The vendor closes after it."""
        return ('{"type":"Close"}',)

    def take(self, message: dict[str, Any]) -> Iterable[TtsEvent | Cleared]:
        """``Connected``, ``SpeechMetadata``, ``SpeechInterrupted``, ``Warning``, ``Error``; others
        are passed over."""
        match message.get("type"):
            case "Connected":
                self._request_id = str(message.get("request_id") or "")
                self.ready = True
            case "SpeechMetadata":
                if not self._interrupted or message.get("speech_id") != self._interrupted:
                    yield TtsDone("")
            case "SpeechInterrupted":
                self._interrupted = str(message.get("metadata", {}).get("speech_id") or "")
                yield Cleared()
            case "Warning":
                yield from self._warning(message.get("code"))
            case "Error":
                raise deepgram.trouble(message, self._request_id, self._key, NAME)
            case _:
                pass

    def _warning(self, code: object) -> Iterable[Cleared]:
        if code == "NO_ACTIVE_SPEECH":  # it was over before the Interrupt came
            yield Cleared()
        elif code == "NO_AUDIO_GENERATED":  # and so it will be made
            raise ProviderUnavailableError(
                f"{NAME}: what was cancelled cannot be stopped on this connection", provider=NAME
            )

    def take_bytes(self, audio: bytes) -> Iterable[TtsEvent | Cleared]:
        """Audio."""
        yield TtsAudio("", audio)


class DeepgramFluxTts(VendorTts[DeepgramFluxTtsOptions]):
    """Text-to-speech by Deepgram Flux."""

    options_type = DeepgramFluxTtsOptions
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
        return FluxTtsProtocol(self.options, config, key)
