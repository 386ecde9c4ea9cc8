"""Sarvam's older streaming recognition (``/speech-to-text/ws``): final texts only.

Protocol: docs.sarvam.ai, "Streaming Speech-to-Text" (legacy). Everything is JSON, audio in base64.
``flush`` has the text of what was heard made at once; without it the vendor's detector ends an
utterance. The rate counts where it stands in the URL.

Not verified against the live vendor: whether ``flush`` is answered where no speech was heard. The
endpoint's errors are told by two documents in two ways; both are understood.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from pydantic import Field

from exobridge_codecs.formats import pcm16
from exobridge_providers import sarvam
from exobridge_providers.base import (
    Final,
    SpeechEnded,
    SpeechStarted,
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
    vendor_code,
)

NAME = "sarvam-legacy"
_CODES = sarvam.older_codes(sarvam.HEARD)


class SarvamLegacyOptions(VendorSttOptions):
    """The ``[stt.options]`` table. ``extra`` is of the query.

    Attributes:
        model: ``saaras:v3``; an older one takes neither ``mode`` nor ``prompt`` nor thresholds.
        mode: What is written: the words, their translation into English, every sound, Latin
            letters, or English words in Latin letters among the others. Empty: not said.
        prompt: What the call is about, and words that may come.
        detect_language: The vendor finds out the language; else it is the call's.
        high_vad_sensitivity: The vendor's detector ends an utterance after half a second of
            silence, not a whole one.
        positive_speech_threshold: Above this probability it takes audio for speech, 0 to 1.
        negative_speech_threshold: Below this one for silence.
        min_speech_frames: Shortest speech, in its frames.
        keepalive_seconds: Pause in the audio after which silence is sent: the vendor closes after
            60 s without any.
    """

    url: str = "wss://api.sarvam.ai/speech-to-text/ws"
    api_key_env: str = Field(default=sarvam.KEY_VARIABLE, min_length=1)
    model: str = Field(default="saaras:v3", min_length=1)
    mode: Literal["", "transcribe", "translate", "verbatim", "translit", "codemix"] = "transcribe"
    prompt: str = ""
    detect_language: bool = False
    high_vad_sensitivity: bool = True
    positive_speech_threshold: float | None = Field(default=None, ge=0, le=1)
    negative_speech_threshold: float | None = Field(default=None, ge=0, le=1)
    min_speech_frames: int | None = Field(default=None, ge=1, le=1000)
    keepalive_seconds: float = Field(default=20, ge=0.05, le=50)


class SarvamLegacyProtocol(SttProtocol):
    """Pure."""

    def __init__(self, options: SarvamLegacyOptions, config: SttConfig, key: str) -> None:
        self.keepalive_seconds = options.keepalive_seconds
        self._options = options
        self._config = config
        self._key = key

    def address(self) -> Address:
        """The session's."""
        options = self._options
        code = "unknown" if options.detect_language else vendor_code(self._config.language, _CODES)
        query = {
            "language-code": code,
            "model": options.model,
            "mode": options.mode or None,
            "sample_rate": self._config.format.sample_rate,
            "input_audio_codec": "pcm_s16le",
            "high_vad_sensitivity": options.high_vad_sensitivity,
            "vad_signals": True,
            "flush_signal": True,
            "positive_speech_threshold": options.positive_speech_threshold,
            "negative_speech_threshold": options.negative_speech_threshold,
            "min_speech_frames": options.min_speech_frames,
            **options.extra,
        }
        return Address(options.url, query, sarvam.headers(self._key), (self._key,))

    def hello(self) -> Iterable[Message]:
        """The prompt."""
        if self._options.prompt:
            message = {"type": "config", "prompt": self._options.prompt}
            yield msgspec.json.encode(message).decode()

    def audio(self, chunk: bytes) -> Message:
        """The encoding is said to be WAV's whatever it is; the URL says what it is."""
        rate = self._config.format.sample_rate
        return (
            f'{{"audio":{{"data":"{b64encode(chunk).decode()}",'
            f'"encoding":"audio/wav","sample_rate":{rate}}}}}'
        )

    def finalize(self) -> Iterable[Message]:
        """Answered by ``data``, if words were heard."""
        return ('{"type":"flush"}',)

    def take(self, message: dict[str, Any]) -> Iterable[SttEvent]:
        """``data``, ``events`` and ``error``; others are passed over."""
        match message.get("type"):
            case "data":
                yield from self._data(message["data"])
            case "events" | "event":
                yield from self._signal(message["data"].get("signal_type"))
            case "error" | "errors":
                nested = (message.get(name) for name in ("data", "errors", "error"))
                told = next(filter(None, nested), message)
                raise sarvam.trouble(told, NAME, self._key)
            case _:
                pass

    def _data(self, data: dict[str, Any]) -> Iterable[SttEvent]:
        if "transcript" not in data and (told := data.get("error") or data.get("errors")):
            raise sarvam.trouble(told, NAME, self._key)
        text = data["transcript"].strip()
        self.hearing = False
        yield Final(text, sarvam.host_tag(data.get("language_code")))

    def _signal(self, signal: object) -> Iterable[SttEvent]:
        if signal == "START_SPEECH":
            self.hearing = True
            yield SpeechStarted()
        elif signal == "END_SPEECH":
            yield SpeechEnded()


class SarvamLegacyStt(VendorStt[SarvamLegacyOptions]):
    """Speech-to-text by Sarvam's older endpoint."""

    options_type = SarvamLegacyOptions
    name = NAME
    capabilities = SttCapabilities(
        formats=(pcm16(8000), pcm16(16_000)),
        languages=sarvam.HEARD,
        keepalive_seconds=60,
    )

    def protocol(self, config: SttConfig, key: str) -> SttProtocol:
        """As :meth:`exobridge_providers.vendor.VendorStt.protocol`."""
        return SarvamLegacyProtocol(self.options, config, key)
