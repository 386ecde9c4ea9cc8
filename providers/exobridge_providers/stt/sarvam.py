"""Sarvam's realtime recognition (``/speech-to-text-realtime/ws``): Indian languages with interims.

Protocol: docs.sarvam.ai, "Realtime Streaming Speech-to-Text". Everything is JSON, audio in base64.
Of who ends an utterance there are two kinds. With ``endpointing = "manual"`` the host does, whose
voice detector has found the pause already: ``speech_start`` before the audio, ``speech_end`` after
it, and the final text follows at once. With ``"vad"`` the vendor's detector does, and ``flush`` is
not spoken of: silence is sent ahead of its time, so that the vendor ends the utterance.

Not verified against the live vendor: whether ``transcript.final`` also comes for an utterance
without words (the number of the next one tells that it is left out), and how long a pause without
audio may be (``ping`` is sent, as its documents say).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers import sarvam
from exobridge_providers.base import (
    Final,
    Options,
    Partial,
    SpeechEnded,
    SpeechStarted,
    SttCapabilities,
    SttConfig,
    SttEvent,
    SttTrouble,
)
from exobridge_providers.vendor import (
    Address,
    Message,
    SttProtocol,
    VendorStt,
    VendorSttOptions,
    vendor_code,
)

NAME = "sarvam"
_CODES = sarvam.codes(sarvam.HEARD)
_ENCODINGS = {Encoding.PCM16: "linear16", Encoding.MULAW: "mulaw"}
_BEYOND_MS = 100
"""Silence that is sent beyond what ends an utterance, to be sure of it."""
_PIECE_MS = 200
"""Of one message of it: the vendor refuses more than half a second."""


class SarvamOptions(VendorSttOptions):
    """The ``[stt.options]`` table. ``extra`` is of the query.

    Attributes:
        model: ``saaras:v3-realtime`` or ``saaras:v4``.
        stream_type: ``fast`` has the earliest interims, ``balanced`` the steadier ones, and
            ``simulated`` makes them of a model that does not stream.
        endpointing: Who ends an utterance: ``manual``, the host; ``vad``, the vendor.
        mode: What is written: the words, their translation into English, every sound, Latin
            letters, or English words in Latin letters among the others.
        prompt: What the call is about, and words that may come, for the final text.
        detect_language: The vendor finds out the language; else it is the call's.
        threshold: How loud and clear speech is for the vendor's detector, 0 to 1.
        silence_duration_ms: Silence after which the vendor's detector ends an utterance.
        min_speech_duration_ms: Shortest speech for it.
        prefix_padding_ms: Audio before the speech that it takes along.
        keepalive_seconds: Pause in the audio after which ``ping`` is sent.
    """

    url: str = "wss://api.sarvam.ai/speech-to-text-realtime/ws"
    api_key_env: str = Field(default=sarvam.KEY_VARIABLE, min_length=1)
    model: str = Field(default="saaras:v3-realtime", min_length=1)
    stream_type: Literal["fast", "balanced", "simulated"] = "fast"
    endpointing: Literal["manual", "vad"] = "manual"
    mode: Literal["transcribe", "translate", "verbatim", "translit", "codemix"] = "transcribe"
    prompt: str = ""
    detect_language: bool = False
    threshold: float | None = Field(default=None, ge=0, le=1)
    silence_duration_ms: int = Field(default=300, ge=100, le=3000)
    min_speech_duration_ms: int | None = Field(default=None, ge=0, le=2000)
    prefix_padding_ms: int | None = Field(default=None, ge=0, le=2000)
    keepalive_seconds: float = Field(default=15, ge=0.05, le=50)


class SarvamProtocol(SttProtocol):
    """Pure."""

    def __init__(self, options: SarvamOptions, config: SttConfig, key: str) -> None:
        self.keepalive_seconds = options.keepalive_seconds
        self._options = options
        self._config = config
        self._key = key
        self._manual = options.endpointing == "manual"
        self._utterance = -1

    def address(self) -> Address:
        """The session's."""
        options, audio = self._options, self._config.format
        code = "auto" if options.detect_language else vendor_code(self._config.language, _CODES)
        query = {
            "language_code": code,
            "model": options.model,
            "stream_type": options.stream_type,
            "endpointing": options.endpointing,
            "encoding": _ENCODINGS[audio.encoding],
            "sample_rate": audio.sample_rate,
            "mode": options.mode,
            "return_timestamps": False,
            "prompt": options.prompt or None,
            **({} if self._manual else self._detector()),
            **options.extra,
        }
        return Address(options.url, query, sarvam.headers(self._key), (self._key,))

    def _detector(self) -> dict[str, Any]:
        names = ("threshold", "silence_duration_ms", "min_speech_duration_ms", "prefix_padding_ms")
        return {name: getattr(self._options, name) for name in names}

    def begin(self) -> Iterable[Message]:
        """An utterance, where it is the host who says so."""
        return ('{"event":"speech_start"}',) if self._manual else ()

    def audio(self, chunk: bytes) -> Message:
        """In base64, which needs no escapes."""
        return f'{{"event":"audio_input","audio":"{b64encode(chunk).decode()}"}}'

    def finalize(self) -> Iterable[Message]:
        """Answered by ``transcript.final``."""
        if self._manual:
            self._utterance += 1
            yield '{"event":"speech_end"}'
            return
        audio = self._config.format
        left_ms = self._options.silence_duration_ms + _BEYOND_MS
        while left_ms > 0:
            piece_ms = min(left_ms, _PIECE_MS)
            yield self.audio(audio.silence(piece_ms * audio.bytes_per_ms))
            left_ms -= piece_ms

    def idle(self) -> Message:
        """Answered by ``pong``."""
        return '{"event":"ping"}'

    def goodbye(self) -> Iterable[Message]:
        """Answered by ``session.end``, for which nobody waits."""
        return ('{"event":"end"}',)

    def take(self, message: dict[str, Any]) -> Iterable[SttEvent]:
        """``transcript.…``, ``vad.…`` and ``error``; others are passed over."""
        match message.get("event"):
            case "transcript.partial":
                if text := message["text"].strip():
                    self.hearing = True
                    yield Partial(text, sarvam.host_tag(message.get("language")))
            case "transcript.final":
                text = message["text"].strip()
                self.hearing = False
                self.caught_up = self._manual and message.get("utterance_idx") == self._utterance
                yield Final(text, sarvam.host_tag(message.get("language")))
            case "vad.speech_start":
                self.hearing = True
                yield SpeechStarted()
            case "vad.speech_end":
                yield SpeechEnded()
            case "error":
                error = sarvam.trouble(message, NAME, self._key)
                fatal = message.get("is_fatal")
                if fatal or (fatal is None and not error.retryable):
                    raise error
                yield SttTrouble(error)
            case _:
                pass


class SarvamStt(VendorStt[SarvamOptions]):
    """Speech-to-text by Sarvam's realtime models. What the vendor's detector is to end is the whole
    call; else it is sent what the host's takes for speech."""

    options_type = SarvamOptions
    name = NAME
    capabilities = SttCapabilities(
        formats=(pcm16(8000), AudioFormat(Encoding.MULAW, 8000), pcm16(16_000)),
        languages=sarvam.HEARD,
        continuous=False,
        interims=True,
        keepalive_seconds=60,
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.capabilities = replace(self.capabilities, continuous=self.options.endpointing == "vad")

    def protocol(self, config: SttConfig, key: str) -> SttProtocol:
        """As :meth:`exobridge_providers.vendor.VendorStt.protocol`."""
        return SarvamProtocol(self.options, config, key)
