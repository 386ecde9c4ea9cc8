"""ElevenLabs' ``/v1/speech-to-text/realtime``, as documented: what it looks at and says."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Mapping, Sequence
from typing import Any

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_providers.registry import Kind
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_vendor import FakeVendor, VendorConnection
from exobridge_providers.testing.faults import VendorError
from exobridge_providers.testing.recogniser import Ended, Interim, Recogniser

PATH = "/v1/speech-to-text/realtime"
RATES = ("8000", "16000", "22050", "24000", "44100", "48000")
FORMATS = {**{f"pcm_{rate}": Encoding.PCM16 for rate in RATES}, "ulaw_8000": Encoding.MULAW}
LANGUAGES = "as bn en gu hi kn ml mr ne or pa sd ta te ur"
PARAMETERS = {
    "model_id",
    "audio_format",
    "language_code",
    "commit_strategy",
    "vad_silence_threshold_secs",
    "vad_threshold",
    "min_speech_duration_ms",
    "min_silence_duration_ms",
    "include_language_detection",
    "include_timestamps",
    "keyterms",
    "enable_logging",
    "filter_background_audio",
}
MIN_COMMIT_MS = 300
MAX_CHUNK_MS = 1000

_NAMES = {
    VendorError.AUTH: "auth_error",
    VendorError.QUOTA: "quota_exceeded",
    VendorError.RATE: "rate_limited",
    VendorError.INTERNAL: "transcriber_error",
}


class FakeElevenLabsScribe(FakeVendor):
    """A wrong key is told on the open connection. Unrealistic also in that interims come at once,
    and not only after two seconds of audio.
    """

    paths = (PATH,)
    idle_seconds = 15

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """:meth:`serve` looks at it."""
        return None

    async def serve(self, connection: VendorConnection) -> None:
        """Audio, and commits."""
        if connection.headers.get("xi-api-key") != self.key:
            connection.send(self.error_messages(VendorError.AUTH)[0])
            await connection.close(1000)
        session = _Session(self, connection)
        connection.send({"message_type": "session_started", "session_id": "fake", "config": {}})
        while True:
            await session.take(connection.json(await connection.receive()))

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """Of an open session."""
        return ({"message_type": _NAMES[error], "error": f"{error} for {self.key}"},)

    def error_close(self, error: VendorError) -> tuple[int, str]:
        """The error was told before."""
        return 1000, _NAMES[error]


class _Session:
    """One connection's."""

    def __init__(self, vendor: FakeElevenLabsScribe, connection: VendorConnection) -> None:
        self._vendor = vendor
        self._connection = connection
        self._format = self._checked()
        parameter = connection.parameter
        self._timed = parameter("include_timestamps") == "true"
        self._language = parameter("language_code") or "hin"
        ear = parameter("commit_strategy") == "vad"
        silence = 1000 * float(parameter("vad_silence_threshold_secs") or 1.5) if ear else None
        self._ear = Recogniser(self._format, silence)
        self._open_ms = 0.0

    def _checked(self) -> AudioFormat:
        parameter, wrong = self._connection.parameter, self._connection.violation
        if unknown := self._connection.query.keys() - PARAMETERS:
            wrong(f"unknown parameters: {sorted(unknown)}")
        if parameter("model_id") != "scribe_v2_realtime":
            wrong(f"model_id {parameter('model_id')!r}")
        ear = parameter("commit_strategy") == "vad"
        if not ear and parameter("commit_strategy") != "manual":
            wrong(f"commit_strategy {parameter('commit_strategy')!r}")
        if ear and not 0.3 <= float(parameter("vad_silence_threshold_secs") or 1.5) <= 3:
            wrong("vad_silence_threshold_secs")
        language = parameter("language_code")
        if language is not None and language not in LANGUAGES.split():
            wrong(f"language_code {language!r}")
        keyterms = self._connection.query.get("keyterms", [])
        if len(keyterms) > 50 or any(len(each) > 20 for each in keyterms):
            wrong("keyterms")
        name = parameter("audio_format") or ""
        if name not in FORMATS:
            wrong(f"audio_format {name!r}")
        return AudioFormat(FORMATS.get(name, Encoding.PCM16), int(name.partition("_")[2] or 8000))

    async def take(self, told: Mapping[str, Any]) -> None:
        """A message of the client's."""
        if told.get("message_type") != "input_audio_chunk":
            self._connection.violation(f"message_type {told.get('message_type')!r}")
            return
        if told.get("sample_rate", self._format.sample_rate) != self._format.sample_rate:
            self._connection.violation("sample_rate is not that of the session")
        self._hear(self._audio(told))
        if told.get("commit"):
            await self._commit()

    def _audio(self, told: Mapping[str, Any]) -> bytes:
        try:
            audio = b64decode(told["audio_base_64"], validate=True)
        except (KeyError, TypeError, BadBase64):
            self._connection.violation("audio_base_64 is no base64")
            return b""
        if self._format.duration_ms(len(audio)) > MAX_CHUNK_MS:
            self._connection.violation("chunk_size_exceeded")
        return audio

    def _hear(self, audio: bytes) -> None:
        self._open_ms += self._format.duration_ms(len(audio))
        for heard in self._ear.hear(audio):
            if isinstance(heard, Interim):
                message = {"message_type": "partial_transcript", "text": heard.text}
                self._connection.send(message, self._vendor.interim_seconds)
            elif isinstance(heard, Ended):
                self._tell(heard.text)

    def _tell(self, text: str) -> None:
        self._open_ms = 0
        after = self._vendor.final_seconds
        self._connection.send({"message_type": "committed_transcript", "text": text}, after)
        if self._timed:
            kind = "committed_transcript_with_timestamps"
            timed: dict[str, Any] = {"text": text, "language_code": self._language, "words": []}
            self._connection.send({"message_type": kind, **timed})

    async def _commit(self) -> None:
        if self._open_ms >= MIN_COMMIT_MS:
            self._tell(self._ear.flush())
            return
        words = (
            f"Commit request ignored: only {self._open_ms / 1000:.2f}s of uncommitted audio. "
            "You need at least 0.3s of uncommitted audio before committing."
        )
        self._connection.violation(words)
        self._connection.send({"message_type": "commit_throttled", "error": words})
        await self._connection.close(1000, "commit_throttled")


CASE = VendorCase(Kind.STT, "elevenlabs", FakeElevenLabsScribe, PATH)
