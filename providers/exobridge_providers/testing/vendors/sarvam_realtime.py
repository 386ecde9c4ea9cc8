"""Sarvam's ``/speech-to-text-realtime/ws``, as documented: what it looks at, and what it says."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_providers.registry import Kind
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_vendor import FakeVendor, VendorConnection
from exobridge_providers.testing.faults import VendorError
from exobridge_providers.testing.recogniser import Began, Ended, Interim, Recogniser

PATH = "/speech-to-text-realtime/ws"
ENCODINGS = {"linear16": Encoding.PCM16, "mulaw": Encoding.MULAW}
_NORTHERN = ["as", "bn", "brx", "doi", "gu", "hi", "kok", "ks", "mai", "mni", "mr", "ne", "pa"]
_OTHERS = ["en", "kn", "ml", "sa", "sat", "sd", "ta", "te", "ur"]
BUT_ODIA = {f"{each}-IN" for each in (*_NORTHERN, *_OTHERS)}
CHOICES = {
    "language_code": {*BUT_ODIA, "or-IN", "auto"},
    "model": {"saaras:v3-realtime", "saaras:v4"},
    "stream_type": {"fast", "balanced", "simulated"},
    "endpointing": {"vad", "manual"},
    "encoding": set(ENCODINGS),
    "sample_rate": {"8000", "16000"},
    "mode": {"transcribe", "translate", "verbatim", "translit", "codemix"},
    "return_timestamps": {"true", "false"},
}
DETECTOR = {
    "threshold": 1.0,
    "silence_duration_ms": 60_000.0,
    "min_speech_duration_ms": 60_000.0,
    "prefix_padding_ms": 60_000.0,
}
MAX_CHUNK_MS = 500
ERRORS = {
    VendorError.AUTH: ("invalid_api_key_error", 403),
    VendorError.QUOTA: ("insufficient_quota_error", 429),
    VendorError.RATE: ("rate_limit_exceeded_error", 429),
    VendorError.INTERNAL: ("internal_server_error", 500),
}


class FakeSarvamRealtime(FakeVendor):
    """What becomes of an utterance without words is not documented.

    Attributes:
        tells_all: It has an empty final text; else none.
    """

    paths = (PATH,)
    idle_seconds = 60.0  # as at the older endpoint: of this one it is not documented

    def __init__(self) -> None:
        super().__init__()
        self.tells_all = True

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """``API-SUBSCRIPTION-KEY``."""
        return headers.get("api-subscription-key", "")

    async def serve(self, connection: VendorConnection) -> None:
        """Interims, and a final text where an utterance ends."""
        await _Session(self, connection).serve()

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """Of an open session."""
        code, status = ERRORS[error]
        words = f"{error} for {self.key}"
        told = {"code": code, "is_fatal": True, "message": words, "status_code": status}
        return ({"event": "error", **told},)

    def error_close(self, error: VendorError) -> tuple[int, str]:
        """1003 stands for key, quota and rate alike."""
        return (1011 if error is VendorError.INTERNAL else 1003), ""

    def idle_close(self) -> tuple[int, str]:
        """Its code is."""
        return 1008, "inactivity timeout"


class _Session:
    def __init__(self, vendor: FakeSarvamRealtime, connection: VendorConnection) -> None:
        self._vendor = vendor
        self._connection = connection
        _check(connection)
        parameter = connection.parameter
        encoding = ENCODINGS.get(parameter("encoding") or "", Encoding.PCM16)
        self._format = AudioFormat(encoding, int(parameter("sample_rate") or 16_000))
        self._manual = parameter("endpointing") == "manual"
        silence_ms = float(parameter("silence_duration_ms") or 500)
        self._ear = Recogniser(self._format, None if self._manual else silence_ms)
        code = parameter("language_code")
        self._language = "hi-IN" if code == "auto" else None
        self._in_utterance = not self._manual
        self._utterance = 0

    async def serve(self) -> None:
        connection = self._connection
        connection.send({"event": "session.begin", "request_id": "fake"})
        while True:
            message = connection.json(await connection.receive())
            match message.get("event"):
                case "audio_input":
                    self._hear(b64decode(str(message["audio"]), validate=True))
                case "speech_start" if self._manual and not self._in_utterance:
                    self._in_utterance = True
                case "speech_end" if self._manual and self._in_utterance:
                    self._in_utterance = False
                    self._final(self._ear.flush())
                case "flush" if self._manual and self._in_utterance:
                    self._final(self._ear.flush())
                case "ping":
                    connection.send({"event": "pong"})
                case "end":
                    connection.send({"event": "session.end", "request_id": "fake"})
                    await connection.close(1000)
                case other:
                    connection.violation(f"there is no message {other!r} at this place")

    def _hear(self, audio: bytes) -> None:
        connection = self._connection
        if not self._in_utterance:
            connection.violation("audio before speech_start")
        if not 0 < self._format.duration_ms(len(audio)) <= MAX_CHUNK_MS:
            connection.violation(f"{len(audio)} bytes of audio in a message")
        for heard in self._ear.hear(audio):
            match heard:
                case Began():
                    self._send("vad.speech_start")
                case Interim(text):
                    self._send(
                        "transcript.partial",
                        self._vendor.interim_seconds,
                        text=text,
                        language=self._language,
                    )
                case Ended(text):
                    self._send("vad.speech_end")
                    self._final(text)

    def _final(self, text: str) -> None:
        if text or self._vendor.tells_all:
            after = self._vendor.final_seconds
            self._send("transcript.final", after, text=text, language=self._language)
        self._utterance += 1

    def _send(self, event: str, after: float = 0.0, **fields: object) -> None:
        message = {"event": event, "utterance_idx": self._utterance, **fields}
        self._connection.send(message, after)


def _check(connection: VendorConnection) -> None:
    for name, known in CHOICES.items():
        if connection.parameter(name) not in known:
            connection.violation(f"{name}={connection.parameter(name)!r}")
    for name in connection.query.keys() - CHOICES.keys() - DETECTOR.keys() - {"prompt"}:
        connection.violation(f"there is no parameter {name}")
    for name in connection.query.keys() & DETECTOR.keys():
        if connection.parameter("endpointing") != "vad":
            connection.violation(f"{name} is of endpointing=vad")
        if not 0 <= float(connection.parameter(name) or -1) <= DETECTOR[name]:
            connection.violation(f"{name}={connection.parameter(name)!r}")


CASE = VendorCase(Kind.STT, "sarvam", FakeSarvamRealtime, PATH, "or-IN")
