"""ElevenLabs' Scribe, streaming (``/v1/speech-to-text/realtime``).

Protocol: elevenlabs.io/docs, "Realtime" of speech to text. Audio goes up in base64, interims come
by themselves, and a *commit* gives the final text: the host's, or one of the vendor's own ear.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

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
from exobridge_providers.elevenlabs import KEY_VARIABLE, LANGUAGES, NAME, is_error, tag, trouble
from exobridge_providers.vendor import (
    Address,
    Message,
    SttProtocol,
    VendorStt,
    VendorSttOptions,
    vendor_code,
)

COMMIT_MS = 320
"""Silence that goes with a commit: one of less than 0.3 s of audio ends the session, and how much
of it the vendor has committed by itself is not known here."""

_FORMATS = {Encoding.PCM16: "pcm", Encoding.MULAW: "ulaw"}
Keyterm = Annotated[str, Field(min_length=1, max_length=20)]


class ElevenLabsOptions(VendorSttOptions):
    """The ``[stt.options]`` table. ``extra`` goes into the query.

    Attributes:
        model: Of the streaming ones.
        commit: Who ends a sentence: ``manual``, exobridge by its own rules; ``vad``, the vendor's
            ear too, whose word ends the caller's turn then.
        vad_silence_seconds: With ``vad``: silence that ends a sentence.
        vad_threshold: With ``vad``: how sure it has to be of speech; less hears more.
        min_speech_ms, min_silence_ms: With ``vad``: what is shorter does not count.
        detect_language: The language is found out, and told with each final text, in place of
            being taken from the template.
        keyterms: Names and words to be listened for, at most 50 of 20 characters.
        keepalive_seconds: Pause in the audio after which silence is sent.
    """

    url: str = "wss://api.elevenlabs.io/v1/speech-to-text/realtime"
    api_key_env: str = Field(default=KEY_VARIABLE, min_length=1)
    model: str = Field(default="scribe_v2_realtime", min_length=1)
    commit: Literal["manual", "vad"] = "manual"
    vad_silence_seconds: float = Field(default=0.7, ge=0.3, le=3)
    vad_threshold: float | None = Field(default=None, ge=0.1, le=0.9)
    min_speech_ms: int | None = Field(default=None, ge=50, le=2000)
    min_silence_ms: int | None = Field(default=None, ge=50, le=2000)
    detect_language: bool = False
    keyterms: tuple[Keyterm, ...] = Field(default=(), max_length=50)
    keepalive_seconds: float = Field(default=8, ge=0.05, le=12)


class ElevenLabsProtocol(SttProtocol):
    """Pure."""

    acknowledges: ClassVar[bool] = True

    def __init__(self, options: ElevenLabsOptions, config: SttConfig, key: str) -> None:
        self.ready = False
        self.keepalive_seconds = options.keepalive_seconds
        self._options = options
        self._config = config
        self._key = key
        self._asked = 0
        audio = config.format
        self._pause = audio.silence(COMMIT_MS * audio.bytes_per_ms)
        self._final = "committed_transcript"
        if options.detect_language:  # the plain one does not tell it
            self._final = "committed_transcript_with_timestamps"

    def address(self) -> Address:
        """The session's."""
        options, audio = self._options, self._config.format
        detects, ear = options.detect_language, options.commit == "vad"
        query = {
            "model_id": options.model,
            "audio_format": f"{_FORMATS[audio.encoding]}_{audio.sample_rate}",
            "language_code": None if detects else vendor_code(self._config.language, {}),
            "commit_strategy": options.commit,
            "vad_silence_threshold_secs": options.vad_silence_seconds if ear else None,
            "vad_threshold": options.vad_threshold if ear else None,
            "min_speech_duration_ms": options.min_speech_ms if ear else None,
            "min_silence_duration_ms": options.min_silence_ms if ear else None,
            "include_language_detection": detects or None,
            "include_timestamps": detects or None,
            "keyterms": list(options.keyterms),
            **options.extra,
        }
        return Address(options.url, query, {"xi-api-key": self._key}, (self._key,))

    def audio(self, chunk: bytes) -> Message:
        """A chunk in base64."""
        return self._chunk(chunk, commit=False)

    def _chunk(self, audio: bytes, *, commit: bool) -> Message:
        message = {
            "message_type": "input_audio_chunk",
            "audio_base_64": b64encode(audio).decode(),
            "commit": commit,
            "sample_rate": self._config.format.sample_rate,
        }
        return msgspec.json.encode(message).decode()

    def finalize(self) -> Iterable[Message]:
        """Answered by a final text, which may be empty."""
        self._asked += 1
        return (self._chunk(self._pause, commit=True),)

    def take(self, message: dict[str, Any]) -> Iterable[SttEvent]:
        """Texts and errors; others are passed over."""
        kind = message.get("message_type")
        match kind:
            case "session_started":
                self.ready = True
            case "partial_transcript":
                text = message["text"].strip()
                self.hearing = bool(text)
                if text:
                    yield Partial(text)
            case "commit_throttled":  # what there is comes with the next one
                yield from self._answered("", None)
            case str() if kind == self._final:
                yield from self._answered(message["text"].strip(), message.get("language_code"))
            case _ if "error" in message or is_error(kind):
                raise trouble(kind, message.get("error") or message.get("message"), self._key)
            case _:
                pass

    def _answered(self, text: str, code: object) -> Iterable[SttEvent]:
        """One that nobody has asked for is of the vendor's ear, or comes after 90 s."""
        self.hearing = False
        asked = self._asked > 0
        self._asked -= asked
        ear = self._options.commit == "vad"
        if text or asked:
            yield Final(text, tag(code), end_of_turn=ear and bool(text), finalized=asked)


class ElevenLabsStt(VendorStt[ElevenLabsOptions]):
    """Speech-to-text by ElevenLabs."""

    options_type = ElevenLabsOptions
    name = NAME
    capabilities = SttCapabilities(
        formats=(pcm16(8000), AudioFormat(Encoding.MULAW, 8000), pcm16(16_000), pcm16(24_000)),
        languages=frozenset(LANGUAGES.values()),
        interims=True,
        keepalive_seconds=15,
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        ear = self.options.commit == "vad"
        self.capabilities = replace(self.capabilities, end_of_turn=ear)

    def protocol(self, config: SttConfig, key: str) -> SttProtocol:
        """As :meth:`exobridge_providers.vendor.VendorStt.protocol`."""
        return ElevenLabsProtocol(self.options, config, key)
