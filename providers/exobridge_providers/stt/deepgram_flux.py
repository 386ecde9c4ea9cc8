"""Deepgram's Flux, streaming speech-to-text that hears when a turn is over (``/v2/listen``).

Flux tells turns, not sentences: they begin, their text grows, perhaps they are over
(``EagerEndOfTurn``), perhaps they go on after that, and then they are over. It counts the silence
in the audio that it is sent: where audio stops in the middle of a turn, silence has to go in its
place, or the turn never ends.

Facts: developers.deepgram.com, "Turn-based Audio (Flux)" and the guides of Flux; the code of the
warning is that of Deepgram's own kits. Not tried with an account.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from exobridge_providers import deepgram
from exobridge_providers.base import (
    EagerEnd,
    Final,
    Partial,
    Resumed,
    SpeechStarted,
    SttCapabilities,
    SttConfig,
    SttEvent,
    wrong_option,
)
from exobridge_providers.vendor import (
    Address,
    Message,
    SttProtocol,
    VendorStt,
    VendorSttOptions,
    vendor_code,
)

NAME = "deepgram-flux"
_MAY_BE_OFF = ("eager_eot_threshold", "numerals", "profanity_filter", "redact", "mip_opt_out")


class DeepgramFluxOptions(VendorSttOptions):
    """The ``[stt.options]`` table.

    Attributes:
        chunk_ms: As everywhere; Deepgram asks for 80.
        model: Empty: ``flux-general-en`` for English, ``flux-general-multi`` for other languages.
        language_hints: Codes that ``flux-general-multi`` should expect, ``["hi", "en"]`` say;
            empty: that of the template's language.
        eot_threshold: How sure Flux is when it ends a turn. 1: it never is.
        eager_eot_threshold: How sure it is when it says that the turn is probably over, so that the
            answer can be made meanwhile; 0.3 or more, not above ``eot_threshold``. 0: it says
            nothing.
        eot_timeout_ms: Silence that ends a turn however sure it is, in milliseconds.
        force_end_turn: exobridge's own turn-taking decides: in each pause Flux is told to end its
            turn. Deepgram's own machines know that since August 2026, other installations may not.
        keyterms: Names and terms it should expect.
        numerals: Spoken numbers as digits; not in Hindi.
        profanity_filter: Swear words are masked.
        redact: Numbers are masked: ``numbers``, ``aggressive_numbers``; empty: none.
        tags: Labels of these requests in Deepgram's reports of usage.
        mip_opt_out: The audio is kept out of its programme for improving models, at another price.
        keepalive_seconds: Pause in the audio after which silence is sent in its place, as much as
            has passed.
    """

    url: str = "wss://api.deepgram.com/v2/listen"
    api_key_env: str = Field(default=deepgram.KEY_VARIABLE, min_length=1)
    chunk_ms: int = Field(default=80, ge=20, le=200, multiple_of=20)
    model: str = ""
    language_hints: tuple[str, ...] = ()
    eot_threshold: float = Field(default=0.7, ge=0.5, le=1)
    eager_eot_threshold: float = Field(default=0.5, ge=0, le=0.9)
    eot_timeout_ms: int = Field(default=2000, ge=500, le=60_000)
    force_end_turn: bool = False
    keyterms: tuple[str, ...] = Field(default=(), max_length=100)
    numerals: bool = False
    profanity_filter: bool = False
    redact: Literal["", "numbers", "aggressive_numbers"] = ""
    tags: tuple[str, ...] = ()
    mip_opt_out: bool = False
    keepalive_seconds: float = Field(default=0.5, ge=0.02, le=5)

    @model_validator(mode="after")
    def _eager_is_sooner(self) -> DeepgramFluxOptions:
        if 0 < self.eager_eot_threshold < 0.3:
            raise wrong_option("is 0 or from 0.3", "eager_eot_threshold")
        if self.eager_eot_threshold > self.eot_threshold:
            raise wrong_option("is above eot_threshold", "eager_eot_threshold")
        return self


class FluxProtocol(SttProtocol):
    """Pure. Flux alone decides when a turn is over; that answers all requests."""

    def __init__(self, options: DeepgramFluxOptions, config: SttConfig, key: str) -> None:
        self.ready = False
        self.keepalive_seconds = options.keepalive_seconds
        self._options = options
        self._config = config
        self._key = key
        self._request_id = ""
        self._text = ""
        self._eager = False

    def address(self) -> Address:
        """The session's. What is off is left out."""
        options, language = self._options, vendor_code(self._config.language, {})
        model = options.model or f"flux-general-{'en' if language == 'en' else 'multi'}"
        hints = options.language_hints or (language,)
        query = {
            "model": model,
            "language_hint": hints if model.endswith("-multi") else (),
            "eot_threshold": options.eot_threshold,
            "eot_timeout_ms": options.eot_timeout_ms,
            "keyterm": options.keyterms,
            "tag": options.tags,
            **{name: getattr(options, name) or None for name in _MAY_BE_OFF},
            **options.extra,
        }
        return deepgram.address(options.url, self._config.format, query, self._key)

    def idle(self) -> Message:
        """Flux's clock is the audio: as much silence as has passed."""
        audio = self._config.format
        return audio.silence(round(self._options.keepalive_seconds * 1000) * audio.bytes_per_ms)

    def goodbye(self) -> Iterable[Message]:
        """It does not end the turn."""
        return ('{"type":"CloseStream"}',)

    def take(self, message: dict[str, Any]) -> Iterable[SttEvent]:
        """``Connected``, ``TurnInfo``, ``Warning``, ``Error``; others are passed over."""
        match message.get("type"):
            case "Connected":
                self._request_id = str(message.get("request_id") or "")
                self.ready = True
            case "TurnInfo":
                yield from self._turn(message)
            case "Warning" if message.get("code") == "FORCE_END_TURN_NO_ACTIVE_TURN":
                yield Final("", finalized=True)
            case "Error":
                raise deepgram.trouble(message, self._request_id, self._key, NAME)
            case _:
                pass

    def _turn(self, message: dict[str, Any]) -> Iterable[SttEvent]:
        event = message["event"]
        text: str = message["transcript"].strip()
        language = next(iter(message.get("languages") or ()), None)
        if event == "EndOfTurn":
            self.hearing = self._eager = False
            self._text = ""
            forced = message.get("trigger") == "manual"
            yield Final(text, language, end_of_turn=not forced, finalized=forced)
            return
        if not self.hearing and (text or event == "StartOfTurn"):
            self.hearing = True
            yield SpeechStarted()
        if self._eager and event == "TurnResumed":
            self._eager = False
            yield Resumed()
        if text and text != self._text:  # most updates say nothing new
            self._text = text
            yield Partial(text, language)
        if event == "EagerEndOfTurn":
            self._eager = True
            yield EagerEnd(text)


class ForcedFluxProtocol(FluxProtocol):
    """Flux is told when a turn is over, and so it is not its word that it is."""

    acknowledges: ClassVar[bool] = True
    forgets: ClassVar[bool] = True  # where it warns of nothing

    def finalize(self) -> Iterable[Message]:
        """Answered by an end of the turn with the trigger ``manual``, or by a warning."""
        return ('{"type":"ForceEndTurn"}',)


class DeepgramFlux(VendorStt[DeepgramFluxOptions]):
    """Speech-to-text by Deepgram Flux."""

    options_type = DeepgramFluxOptions
    name = NAME
    capabilities = SttCapabilities(
        formats=deepgram.FORMATS,
        languages=frozenset({"de", "en", "es", "fr", "hi", "it", "ja", "nl", "pt", "ru"}),
        interims=True,
        end_of_turn=True,
        keepalive_seconds=10,
    )

    def protocol(self, config: SttConfig, key: str) -> SttProtocol:
        """As :meth:`exobridge_providers.vendor.VendorStt.protocol`."""
        forced = self.options.force_end_turn
        return (ForcedFluxProtocol if forced else FluxProtocol)(self.options, config, key)
