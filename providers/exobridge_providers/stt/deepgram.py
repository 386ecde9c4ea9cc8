"""Deepgram's Nova models, streaming (``/v1/listen``).

Audio goes up as it is. Text comes in pieces, each final for itself: several of them make a
sentence, and ``Finalize`` asks for the rest of it. ``SpeechStarted`` may come twice or never, so
that the first words count as one.

Facts: developers.deepgram.com, "Live Audio" of the API reference and the pages of the features;
which models know which language: its changelog up to October 2026. Not tried with an account.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import Field

from exobridge_providers import deepgram
from exobridge_providers.base import (
    Final,
    Partial,
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

NAME = "deepgram"
_REGIONS = {tag.lower(): tag for tag in ("en-IN", "en-US", "en-GB", "en-AU", "en-NZ")}
"""Of its English models; other languages stand without a region."""


class DeepgramOptions(VendorSttOptions):
    """The ``[stt.options]`` table.

    Attributes:
        model: Nova-3 or a model derived of it; older ones know no ``keyterms``.
        language: Deepgram's code, in place of that of the template's language: ``multi``, say.
        endpointing_ms: Silence after which it ends a piece of text by itself, in milliseconds.
        utterance_end_ms: Pause between words, in milliseconds, that it reports as the end of
            speech.
        keyterms: Names and terms it should expect, 500 tokens together; 20 to 50 of them do best.
        punctuate: Full stops, commas and capitals.
        smart_format: Dates, sums and numbers as they are written.
        numerals: Spoken numbers as digits.
        no_delay: Text is not held back for ``smart_format``, which then sees less of it at once.
        filler_words: "uh" and "um" stand in the text (English).
        profanity_filter: Swear words are masked.
        redact: What is masked in the text: ``pci``, ``numbers``, ``ssn``, or the name of another
            group or entity.
        tags: Labels of these requests in Deepgram's reports of usage.
        mip_opt_out: The audio is kept out of its programme for improving models, at another price.
        keepalive_seconds: Pause in the audio after which the connection is kept alive; it is closed
            after ten.
    """

    url: str = "wss://api.deepgram.com/v1/listen"
    api_key_env: str = Field(default=deepgram.KEY_VARIABLE, min_length=1)
    model: str = Field(default="nova-3", min_length=1)
    language: str = ""
    endpointing_ms: int = Field(default=300, ge=10, le=5000)
    utterance_end_ms: int | None = Field(default=None, ge=1000, le=5000)
    keyterms: tuple[str, ...] = Field(default=(), max_length=100)
    punctuate: bool = True
    smart_format: bool = False
    numerals: bool = False
    no_delay: bool = True
    filler_words: bool = False
    profanity_filter: bool = False
    redact: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    mip_opt_out: bool = False
    keepalive_seconds: float = Field(default=4, ge=0.05, le=8)


class DeepgramProtocol(SttProtocol):
    """Pure. Deepgram may not answer a ``Finalize`` when all is told."""

    acknowledges: ClassVar[bool] = True
    forgets: ClassVar[bool] = True

    def __init__(self, options: DeepgramOptions, config: SttConfig, key: str) -> None:
        self.keepalive_seconds = options.keepalive_seconds
        self._options = options
        self._config = config
        self._key = key
        self._request_id = ""
        self._speaking = False

    def address(self) -> Address:
        """The session's. What is off is left out."""
        options = self._options
        switches = ("punctuate", "smart_format", "numerals", "no_delay", "filler_words")
        query = {
            "channels": 1,
            "model": options.model,
            "language": options.language or vendor_code(self._config.language, _REGIONS),
            "interim_results": True,
            "vad_events": True,
            "endpointing": options.endpointing_ms,
            "utterance_end_ms": options.utterance_end_ms,
            **{name: getattr(options, name) or None for name in switches},
            "profanity_filter": options.profanity_filter or None,
            "redact": options.redact,
            "keyterm": options.keyterms,
            "tag": options.tags,
            "mip_opt_out": options.mip_opt_out or None,
            **options.extra,
        }
        return deepgram.address(options.url, self._config.format, query, self._key)

    def finalize(self) -> Iterable[Message]:
        """Answered by ``from_finalize``."""
        return ('{"type":"Finalize"}',)

    def idle(self) -> Message:
        """Ten seconds without it or audio end the connection (NET-0001)."""
        return '{"type":"KeepAlive"}'

    def goodbye(self) -> Iterable[Message]:
        """Nothing is awaited after it."""
        return ('{"type":"CloseStream"}',)

    def take(self, message: dict[str, Any]) -> Iterable[SttEvent]:
        """``Results``, ``SpeechStarted``, ``UtteranceEnd``, ``Error``; others are passed over."""
        match message.get("type"):
            case "Results":
                yield from self._results(message)
            case "SpeechStarted":
                yield from self._started()
            case "UtteranceEnd":
                yield from self._ended()
            case "Error":
                raise deepgram.trouble(message, self._request_id, self._key, NAME)
            case _:
                pass

    def _results(self, message: dict[str, Any]) -> Iterable[SttEvent]:
        best = message["channel"]["alternatives"][0]
        text: str = best["transcript"].strip()
        language = next(iter(best.get("languages") or ()), None)
        metadata: dict[str, Any] = message.get("metadata") or {}
        self._request_id = str(metadata.get("request_id") or "")
        if text:
            yield from self._started()
        if message["is_final"]:
            self.hearing = False
            finalized = bool(message.get("from_finalize"))
            if text or finalized:
                yield Final(text, language, finalized=finalized)
            if finalized or message.get("speech_final"):
                yield from self._ended()
        elif text:
            self.hearing = True
            yield Partial(text, language)

    def _started(self) -> Iterable[SttEvent]:
        if not self._speaking:
            self._speaking = True
            yield SpeechStarted()

    def _ended(self) -> Iterable[SttEvent]:
        if self._speaking:
            self._speaking = False
            yield SpeechEnded()


class DeepgramStt(VendorStt[DeepgramOptions]):
    """Speech-to-text by Deepgram Nova."""

    options_type = DeepgramOptions
    name = NAME
    capabilities = SttCapabilities(
        formats=deepgram.FORMATS,
        languages=frozenset({"bn", "en", "gu", "hi", "kn", "mr", "ne", "pa", "ta", "te", "ur"}),
        interims=True,
        keepalive_seconds=10,
    )

    def protocol(self, config: SttConfig, key: str) -> SttProtocol:
        """As :meth:`exobridge_providers.vendor.VendorStt.protocol`."""
        return DeepgramProtocol(self.options, config, key)
