"""AssemblyAI, streaming (``/v3/ws``): English and Hindi, and what they are mixed with.

Protocol: assemblyai.com/docs, "Message sequence", "Turn detection" and "Common session errors and
closures" of its streaming speech-to-text. Audio goes up as it is, in pieces of 50 to 1000 ms; text
comes in turns, each message with all of the turn so far. ``ForceEndpoint`` ends the turn that is
under way. Parameters that AssemblyAI does not know are ignored, not refused.

Nothing was tried with an account. Not known are whether ``ForceEndpoint`` is answered where nothing
was said, and how fast the audio of a broken session may follow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

import msgspec

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.base import (
    Final,
    Options,
    Partial,
    SpeechStarted,
    SttCapabilities,
    SttConfig,
    SttEvent,
)
from exobridge_providers.errors import ProviderError
from exobridge_providers.stt.assemblyai_options import LANGUAGES, AssemblyAiOptions
from exobridge_providers.vendor import (
    Address,
    Message,
    SttProtocol,
    VendorStt,
    refused,
    trouble_of_status,
    vendor_code,
)

NAME = "assemblyai"
_ENCODINGS = {Encoding.PCM16: "pcm_s16le", Encoding.MULAW: "pcm_mulaw"}
_UNSTEERED = ("universal-streaming", "whisper")
_STATUS = {3006: 400, 3008: 408, 3009: 429}
_OUT_OF_MONEY = ("balance", "fund", "credit", "billing", "payment")


class _Word(msgspec.Struct):
    text: str | None = None


class _Turn(msgspec.Struct):
    transcript: str
    end_of_turn: bool | None = None
    turn_order: int | None = None
    words: list[_Word] | None = None
    language_code: str | None = None


class AssemblyAiProtocol(SttProtocol):
    """Pure. AssemblyAI may not answer where no turn is under way; else it takes half a second."""

    answer_seconds: ClassVar[float] = 1.5
    whole_chunks: ClassVar[bool] = True

    ready = False

    def __init__(self, options: AssemblyAiOptions, config: SttConfig, key: str) -> None:
        self.keepalive_seconds = options.keepalive_seconds
        self._options = options
        self._config = config
        self._key = key
        self._turns = -1
        self._forced = False

    def address(self) -> Address:
        """The session's."""
        options, audio = self._options, self._config.format
        tags = (self._config.language, *options.mixed_languages)
        codes = list(dict.fromkeys(vendor_code(tag, {}) for tag in tags))
        query = {
            "speech_model": options.model,
            "sample_rate": audio.sample_rate,
            "encoding": _ENCODINGS[audio.encoding],
            "language_codes": None if options.model.startswith(_UNSTEERED) else codes,
            "language_detection": options.model != "universal-streaming-english",
            "keyterms_prompt": options.keyterms or None,
            "mode": options.mode,
            "min_turn_silence": options.min_turn_silence_ms,
            "max_turn_silence": options.max_turn_silence_ms,
            "end_of_turn_confidence_threshold": options.end_of_turn_threshold,
            "interruption_delay": options.interruption_delay_ms,
            "vad_threshold": options.vad_threshold,
            "inactivity_timeout": options.inactivity_seconds,
            **options.extra,
        }
        written = {name: _written(value) for name, value in query.items()}
        return Address(options.url, written, {"Authorization": self._key}, (self._key,))

    def finalize(self) -> Iterable[Message]:
        """Answered by the turn that is under way, if there is one."""
        self._forced = True
        return ('{"type":"ForceEndpoint"}',)

    def idle(self) -> Message:
        """Only counts because a longest inactivity is asked for."""
        return '{"type":"KeepAlive"}'

    def goodbye(self) -> Iterable[Message]:
        """Without it the session would go on, and be billed."""
        return ('{"type":"Terminate"}',)

    def take(self, message: dict[str, Any]) -> Iterable[SttEvent]:
        """``Begin``, ``SpeechStarted``, ``Turn``, ``Error``; others are passed over."""
        match message.get("type"):
            case "Begin":
                self.ready = True
            case "SpeechStarted":
                yield SpeechStarted()
            case "Turn":
                yield from self._turn(msgspec.convert(message, _Turn))
            case "Error":
                raise self._trouble(message.get("error_code"), message.get("error"))
            case _:
                pass

    def _turn(self, turn: _Turn) -> Iterable[SttEvent]:
        if turn.turn_order is not None and turn.turn_order <= self._turns:
            return  # told before: with format_turns a turn ends twice, and then in prettier words
        text = turn.transcript.strip()
        if not turn.end_of_turn:
            # Some models write into the transcript only what they are sure of.
            text = " ".join(each.text for each in turn.words or () if each.text) or text
            self.hearing = bool(text)
            if text:
                yield Partial(text, turn.language_code)
            return
        self.hearing = False
        self._turns = self._turns if turn.turn_order is None else turn.turn_order
        # A turn that ends because it was told to does not say that the caller has finished.
        forced, self._forced = self._forced, False
        if text or forced:
            by_itself = self._options.end_of_turn and not forced
            yield Final(text, turn.language_code, end_of_turn=by_itself)

    def ended(self, error: ProviderError) -> ProviderError:
        """The code of the closing says as much as an ``Error`` before it, which may be missing."""
        code = error.status_code
        return self._trouble(code, error) if code == 1008 or code in _STATUS else error

    def _trouble(self, code: object, words: object) -> ProviderError:
        told = refused(words or "", (self._key,))
        plain = told.lower()
        status = _STATUS.get(code, 503) if isinstance(code, int) else 503
        if "too many" in plain:
            status = 429
        elif any(word in plain for word in _OUT_OF_MONEY):
            status = 402
        elif code == 1008 or "unauthorized" in plain:
            status = 401
        return trouble_of_status(status, NAME, f"{told} ({code})")


def _written(value: object) -> object:
    """Lists are one parameter, in JSON: AssemblyAI refuses the same one several times."""
    is_list = isinstance(value, list | tuple | dict)
    return msgspec.json.encode(value).decode() if is_list else value


class AssemblyAiStt(VendorStt[AssemblyAiOptions]):
    """Speech-to-text by AssemblyAI."""

    options_type = AssemblyAiOptions
    name = NAME
    capabilities = SttCapabilities(
        formats=(pcm16(8000), AudioFormat(Encoding.MULAW, 8000), pcm16(16_000), pcm16(24_000)),
        languages=frozenset({"en", "hi", "mr", "ur"}),
        interims=True,
        end_of_turn=True,
        keepalive_seconds=60,
        session_seconds=10_800,
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        known = self.capabilities.languages
        self.capabilities = replace(
            self.capabilities,
            languages=frozenset(LANGUAGES.get(self.options.model, known)),
            end_of_turn=self.options.end_of_turn,
            keepalive_seconds=self.options.inactivity_seconds,
        )

    def protocol(self, config: SttConfig, key: str) -> SttProtocol:
        """As :meth:`exobridge_providers.vendor.VendorStt.protocol`."""
        return AssemblyAiProtocol(self.options, config, key)
