"""ElevenLabs' voices, streaming, several utterances on a connection (``multi-stream-input``).

Protocol: elevenlabs.io/docs, "Multi-Context WebSocket". An utterance is a context: text goes in,
``flush`` has it made, audio comes in base64, and ``close_context`` is what ends it, early or not.
The models of ``eleven_v3`` are not to be had here.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers.base import (
    Cancel,
    Options,
    TtsAudio,
    TtsCapabilities,
    TtsConfig,
    TtsDone,
    TtsEvent,
)
from exobridge_providers.elevenlabs import NAME, trouble
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.tts.elevenlabs_contexts import Context
from exobridge_providers.tts.elevenlabs_options import LANGUAGES, ElevenLabsTtsOptions
from exobridge_providers.vendor import (
    Address,
    Cleared,
    Message,
    TtsProtocol,
    VendorTts,
    vendor_code,
)

MAX_CHARS = 2500
_FORMATS = {Encoding.PCM16: "pcm", Encoding.MULAW: "ulaw"}
_TOLD_THE_LANGUAGE = ("eleven_flash_v2_5", "eleven_turbo_v2_5")


class ElevenLabsTtsProtocol(TtsProtocol):
    """Pure."""

    contexts: ClassVar[int] = 4
    """The vendor bears five, and one that is closed counts until it is silent."""

    def __init__(self, options: ElevenLabsTtsOptions, config: TtsConfig, key: str) -> None:
        self.keepalive_seconds = options.keepalive_seconds
        self._options = options
        self._config = config
        self._key = key
        self._contexts: dict[str, Context] = {}
        self._replies: list[Message] = []

    def address(self) -> Address:
        """The connection's."""
        options, audio = self._options, self._config.format
        voice = quote(self._config.voice or options.default_voice, safe="")
        told = options.model in _TOLD_THE_LANGUAGE
        query = {
            "model_id": options.model,
            "output_format": f"{_FORMATS[audio.encoding]}_{audio.sample_rate}",
            "language_code": vendor_code(self._config.language, {}) if told else None,
            "auto_mode": options.auto_mode,
            "inactivity_timeout": 180,
            "sync_alignment": True,
            **options.extra,
        }
        url = f"{options.url.rstrip('/')}/{voice}/multi-stream-input"
        return Address(url, query, {"xi-api-key": self._key}, (self._key,))

    def begin(self, context: str) -> Iterable[Message]:
        """The voice's settings may stand in the first message only."""
        options = self._options
        self._contexts[context] = Context(MAX_CHARS)
        names = ("stability", "similarity_boost", "style", "use_speaker_boost", "speed")
        settings = {name: getattr(options, name) for name in names}
        settings = {name: value for name, value in settings.items() if value is not None}
        schedule = options.chunk_length_schedule if not options.auto_mode else ()
        yield _written(
            text=" ",
            context_id=context,
            voice_settings=settings or None,
            generation_config={"chunk_length_schedule": schedule} if schedule else None,
        )

    def text(self, context: str, text: str) -> Iterable[Message]:
        """In whole sentences, as far as there are."""
        for piece in self._contexts[context].add(text):
            yield _written(text=f"{piece} ", context_id=context)

    def end(self, context: str) -> Iterable[Message]:
        """The rest, and a flush; the close comes when its audio does."""
        for piece in self._contexts[context].end():
            yield _written(text=f"{piece} ", context_id=context)
        yield _written(context_id=context, flush=True)
        yield from self._closes(context)

    def _closes(self, context: str) -> Iterable[Message]:
        found = self._contexts.get(context)
        if found is not None and found.may_close:
            found.closing = True
            yield _written(context_id=context, close_context=True)

    def cancel(self, context: str) -> Iterable[Message]:
        """Audio that is on its way still comes, and then ``isFinal``."""
        found = self._contexts.pop(context, None)
        if found is not None and not found.closing:
            yield _written(context_id=context, close_context=True)

    def replies(self) -> Iterable[Message]:
        """The close of an utterance whose last audio has begun."""
        replies, self._replies = self._replies, []
        return replies

    def idle(self) -> Message:
        """Twenty seconds without a message end a connection, or a context."""
        named = (name for name, each in self._contexts.items() if not each.closing)
        return _written(text="", context_id=next(named, None))

    def goodbye(self) -> Iterable[Message]:
        """The vendor closes after it."""
        return (_written(close_socket=True),)

    def take(self, message: dict[str, Any]) -> Iterable[TtsEvent | Cleared]:
        """Audio, the end of a context, an error; others are passed over."""
        if error := message.get("error"):
            raise trouble(error, message.get("message"), self._key)
        context = str(message.get("contextId") or message.get("context_id") or "")
        found = self._contexts.get(context)
        if audio := message.get("audio"):
            yield TtsAudio(context, b64decode(audio, validate=True))
            if found is not None:
                found.hear(message.get("alignment"))
                self._replies += self._closes(context)
        if message.get("isFinal") or message.get("is_final"):
            self._contexts.pop(context, None)
            if found is not None and found.silent:
                raise ProviderUnavailableError(f"{NAME} made no audio of a text", provider=NAME)
            yield TtsDone(context)


def _written(**fields: Any) -> str:
    given = {name: value for name, value in fields.items() if value is not None}
    return msgspec.json.encode(given).decode()


class ElevenLabsTts(VendorTts[ElevenLabsTtsOptions]):
    """Text-to-speech by ElevenLabs. Its languages are those of the model."""

    options_type = ElevenLabsTtsOptions
    name = NAME
    capabilities = TtsCapabilities(
        formats=(pcm16(8000), AudioFormat(Encoding.MULAW, 8000), pcm16(16_000), pcm16(24_000)),
        languages=LANGUAGES["eleven_flash_v2_5"],
        max_chars=MAX_CHARS,
        cancel=Cancel.MESSAGE,
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        known = LANGUAGES.get(self.options.model, frozenset[str]())
        self.capabilities = replace(self.capabilities, languages=known)

    def protocol(self, config: TtsConfig, key: str) -> TtsProtocol:
        """As :meth:`exobridge_providers.vendor.VendorTts.protocol`."""
        return ElevenLabsTtsProtocol(self.options, config, key)
