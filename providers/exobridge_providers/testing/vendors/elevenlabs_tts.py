"""ElevenLabs' ``multi-stream-input``, as documented: what it looks at, and what it says."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_providers.registry import Kind
from exobridge_providers.testing import talker
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_vendor import FakeVendor, VendorConnection
from exobridge_providers.testing.faults import VendorError

URL_PATH = "/v1/text-to-speech"
VOICE = "EXAVITQu4vr4xnSDxMaL"
MAX_CONTEXTS = 5
SENTENCE_ENDS = (". ", "? ", "! ", "। ")
"""With ``auto_mode`` a sentence is made when it comes; what is none waits for a flush."""
ENCODINGS = {"pcm": Encoding.PCM16, "ulaw": Encoding.MULAW}
OUTPUTS = ("pcm_8000", "pcm_16000", "pcm_22050", "pcm_24000", "pcm_44100", "ulaw_8000")
LANGUAGES = (
    "ar bg cs da de el en es fi fil fr hi hr hu id it ja ko ms nl no pl pt ro ru sk sv ta tr uk "
    "vi zh"
)
"""Of the models v2.5."""
PARAMETERS = {
    "model_id",
    "output_format",
    "language_code",
    "auto_mode",
    "inactivity_timeout",
    "sync_alignment",
    "enable_logging",
    "enable_ssml_parsing",
    "apply_text_normalization",
    "seed",
}
SETTINGS = {"stability", "similarity_boost", "style", "use_speaker_boost", "speed"}


@dataclass(slots=True)
class _Context:
    """One utterance's.

    Attributes:
        text: Not made yet.
        letters: Came at all.
        sent: Pieces of audio that went out.
        making: What is being made, piece by piece.
    """

    text: str = ""
    letters: bool = False
    sent: int = 0
    making: asyncio.Task[None] | None = None


class FakeElevenLabsTts(FakeVendor):
    """A close that comes before the first audio is obeyed at once, and nothing is heard: ElevenLabs
    does so now and then. Unrealistic also in that it knows one voice.
    """

    paths = (f"{URL_PATH}/{VOICE}/multi-stream-input",)
    idle_seconds = 20

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """``xi-api-key: …``."""
        return headers.get("xi-api-key", "")

    async def serve(self, connection: VendorConnection) -> None:
        """Contexts, each with its text, its audio and its end."""
        session = _Session(self, connection)
        try:
            while True:
                await session.take(connection.json(await connection.receive()))
        finally:
            session.stop()

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """Of an open connection."""
        name = {
            VendorError.AUTH: "invalid_api_key",
            VendorError.QUOTA: "quota_exceeded",
            VendorError.RATE: "rate_limited",
            VendorError.INTERNAL: "internal_error",
        }[error]
        return ({"message": f"refused for {self.key}", "error": name, "code": 1008},)

    def idle_close(self) -> tuple[int, str]:
        """Of a connection on which no text comes."""
        return 1008, "Have not received a new text input within the timeout of 20 seconds."


class _Session:
    """One connection's."""

    def __init__(self, vendor: FakeElevenLabsTts, connection: VendorConnection) -> None:
        self._vendor = vendor
        self._connection = connection
        self._contexts: dict[str, _Context] = {}
        self._closed: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._auto = connection.parameter("auto_mode") == "true"
        self._timed = connection.parameter("sync_alignment") == "true"
        self._format = self._checked()

    def _checked(self) -> AudioFormat:
        connection = self._connection
        parameter, wrong = connection.parameter, connection.violation
        if unknown := connection.query.keys() - PARAMETERS:
            wrong(f"unknown parameters: {sorted(unknown)}")
        model, language = parameter("model_id") or "", parameter("language_code")
        if not model.startswith("eleven_") or model.startswith("eleven_v3"):
            wrong(f"model_id {model!r}")
        if language is not None and not (model.endswith("_v2_5") and language in LANGUAGES.split()):
            wrong(f"language_code {language!r} for {model}")
        if not 1 <= int(parameter("inactivity_timeout") or 20) <= 180:
            wrong("inactivity_timeout")
        output = parameter("output_format") or ""
        if output not in OUTPUTS:
            wrong(f"output_format {output!r}")
        encoding, _, rate = output.partition("_")
        return AudioFormat(ENCODINGS.get(encoding, Encoding.PCM16), int(rate or 8000))

    async def take(self, told: Mapping[str, Any]) -> None:
        """A message of the client's."""
        if told.get("close_socket"):
            await self._connection.close(1000)
        name = told.get("context_id")
        if name is None:
            if told != {"text": ""}:
                self._connection.violation("no context_id")
            return
        if name in self._closed:
            self._connection.violation(f"context {name} was closed before")
            return
        context = self._contexts.get(name)
        if context is None:
            context = await self._opened(name, told)
        elif "voice_settings" in told or "generation_config" in told:
            self._connection.violation("voice_settings in other than the first message")
        self._add(context, told.get("text", ""))
        sentence = self._auto and context.text.endswith(SENTENCE_ENDS)
        if context.text and (sentence or told.get("flush")):
            self._make(name, context)
        if told.get("close_context"):
            self._close(name, context)

    async def _opened(self, name: str, told: Mapping[str, Any]) -> _Context:
        if told.get("text") != " ":
            self._connection.violation("a context does not begin with a space")
        if unknown := told.get("voice_settings", {}).keys() - SETTINGS:
            self._connection.violation(f"voice_settings {sorted(unknown)}")
        if len(self._contexts) >= MAX_CONTEXTS:
            self._connection.violation("more than five contexts")
            words = "Maximum simultaneous contexts per WebSocket connection exceeded (5)."
            message = {"message": words, "error": "max_active_conversations", "code": 1008}
            self._connection.send(message)
            await self._connection.close(1008, words)
        self._contexts[name] = _Context()
        return self._contexts[name]

    def _add(self, context: _Context, text: str) -> None:
        if text and not text.endswith(" "):
            self._connection.violation("text that does not end with a space")
        context.letters = context.letters or any(map(str.isalnum, text))
        context.text = (context.text + text).lstrip()

    def _make(self, name: str, context: _Context) -> None:
        text, context.text = context.text, ""
        before = context.making
        context.making = asyncio.create_task(self._speak(name, context, text, before))
        self._keep(context.making)

    async def _speak(
        self, name: str, context: _Context, text: str, before: asyncio.Task[None] | None
    ) -> None:
        if before is not None:
            await before
        pieces = talker.pieces(text, self._format)
        for number, piece in enumerate(pieces):
            seconds = self._format.duration_ms(len(piece)) / 1000 * self._vendor.pace
            await asyncio.sleep(seconds if number else self._vendor.first_audio_seconds)
            chars = text[
                len(text) * number // len(pieces) : len(text) * (number + 1) // len(pieces)
            ]
            self._connection.send(
                {
                    "audio": b64encode(piece).decode(),
                    "contextId": name,
                    "isFinal": None,
                    "alignment": {"chars": list(chars)} if self._timed else None,
                }
            )
            context.sent += 1

    def _close(self, name: str, context: _Context) -> None:
        self._closed.add(name)
        if context.making is not None and not context.sent:
            context.making.cancel()
            context.making = None
        self._keep(asyncio.create_task(self._end(name, context)))

    async def _end(self, name: str, context: _Context) -> None:
        if context.making is not None:
            await context.making
        self._connection.send({"audio": None, "contextId": name, "isFinal": True})
        del self._contexts[name]

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """The connection is over."""
        for task in self._tasks:
            task.cancel()


CASE = VendorCase(Kind.TTS, "elevenlabs", FakeElevenLabsTts, URL_PATH)
