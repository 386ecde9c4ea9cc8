"""AssemblyAI's ``/v3/ws``, as documented: what it looks at, and what it says."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_providers.registry import Kind
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_vendor import FakeVendor, VendorConnection
from exobridge_providers.testing.faults import VendorError
from exobridge_providers.testing.recogniser import END_MS, Began, Ended, Interim, Recogniser

PATH = "/v3/ws"
ENCODINGS = {"pcm_s16le": Encoding.PCM16, "pcm_mulaw": Encoding.MULAW}
PRO_MODELS = {"universal-3-6-pro", "universal-3-5-pro", "u3-rt-pro"}
STREAMING_MODELS = {"universal-streaming-english", "universal-streaming-multilingual"}
LANGUAGES = {"en", "hi", "mr", "ur", "es", "fr", "de", "ar", "ja", "zh"}
FLAGS = {"language_detection", "format_turns"}
RANGES = {
    "min_turn_silence": (50, 10_000),
    "max_turn_silence": (50, 10_000),
    "end_of_turn_confidence_threshold": (0, 1),
    "interruption_delay": (0, 1000),
    "vad_threshold": (0, 1),
    "inactivity_timeout": (5, 3600),
}
MODES = {"min_latency", "balanced", "max_accuracy"}
OTHERS = {"speech_model", "sample_rate", "encoding", "language_codes", "keyterms_prompt", "mode"}
MIN_MS, MAX_MS = 50, 1000
SESSION_SECONDS = 3 * 3600
USUAL_INACTIVITY = 60.0
"""What a plugin asks for unless it is told otherwise, in seconds; a session that asks for nothing
is never ended for it."""


class FakeAssemblyAi(FakeVendor):
    """Unrealistic also in that a turn ends after a short pause, however it reads."""

    paths = (PATH,)
    idle_seconds = USUAL_INACTIVITY

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """``Authorization``, with nothing before the key."""
        return headers.get("authorization", "")

    def idle_limit(self, connection: VendorConnection) -> float | None:
        """What was asked for; ``idle_seconds``, where that is shorter than usual, shortens it."""
        asked = connection.parameter("inactivity_timeout")
        if asked is None or self.idle_seconds is None:
            return None
        return float(asked) * self.idle_seconds / USUAL_INACTIVITY

    async def serve(self, connection: VendorConnection) -> None:
        """Turns, each message with all of it so far."""
        turns = self._begin(connection)
        while True:
            message = await connection.receive()
            if isinstance(message, bytes):
                self._hear(connection, turns, message)
                continue
            match connection.json(message).get("type"):
                case "ForceEndpoint":
                    self._end(connection, turns)
                case "KeepAlive":
                    if connection.parameter("inactivity_timeout") is None:
                        connection.violation("KeepAlive where nothing ends an idle session")
                case "Terminate":
                    self._end(connection, turns)
                    connection.send({"type": "Termination", "audio_duration_seconds": 0})
                    await connection.close(1000)
                case other:
                    connection.violation(f"there is no message of type {other!r}")

    def _begin(self, connection: VendorConnection) -> _Turns:
        languages = _look_at(connection)
        model = connection.parameter("speech_model")
        connection.send(
            {
                "type": "Begin",
                "id": "fake",
                "expires_at": int(time.time()) + SESSION_SECONDS,
                "configuration": {"model": model},
            }
        )
        return _Turns(connection, languages)

    def _hear(self, connection: VendorConnection, turns: _Turns, audio: bytes) -> None:
        if not connection.sent:
            connection.violation("audio before Begin")
        milliseconds = turns.format.duration_ms(len(audio))
        if not MIN_MS <= milliseconds <= MAX_MS:
            connection.violation(f"{milliseconds} ms of audio in a message")
        for heard in turns.ear.hear(audio):
            match heard:
                case Began():
                    if turns.pro:
                        connection.send({"type": "SpeechStarted", "timestamp": 0})
                case Interim(text):
                    connection.send(turns.going_on(text), self.interim_seconds)
                case Ended(text):
                    for message in turns.ended(text):
                        connection.send(message, self.final_seconds)

    def _end(self, connection: VendorConnection, turns: _Turns) -> None:
        """The turn that is under way; without one nothing is said."""
        if turns.ear.text:
            for message in turns.ended(turns.ear.flush()):
                connection.send(message, self.final_seconds)

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """Of an open session."""
        code, words = self.error_close(error)
        return ({"type": "Error", "error_code": code, "error": f"{words} for {self.key}"},)

    def error_close(self, error: VendorError) -> tuple[int, str]:
        """The same code."""
        return {
            VendorError.AUTH: (1008, "Unauthorized Connection: Missing Authorization header"),
            VendorError.QUOTA: (1008, "Unauthorized Connection: insufficient account balance"),
            VendorError.RATE: (3009, "Unauthorized Connection: Too many concurrent sessions"),
            VendorError.INTERNAL: (3005, "Session Cancelled: An error occurred"),
        }[error]


class _Turns:
    """What is heard, in the words of the model that was asked for."""

    def __init__(self, connection: VendorConnection, languages: Sequence[str]) -> None:
        encoding = ENCODINGS.get(connection.parameter("encoding") or "", Encoding.PCM16)
        self.format = AudioFormat(encoding, int(connection.parameter("sample_rate") or 16_000))
        silence = connection.parameter("min_turn_silence")
        self.ear = Recogniser(self.format, float(silence or END_MS))
        self.pro = connection.parameter("speech_model") in PRO_MODELS
        self._formats = connection.parameter("format_turns") == "true"
        detects = connection.parameter("language_detection") == "true"
        self._language = {"language_code": (*languages, "en")[0]} if detects else {}
        self._order = 0

    def going_on(self, text: str) -> dict[str, Any]:
        """The older models leave out of the transcript what may still change."""
        words = text.split()
        sure = words if self.pro else words[:-1]
        return self._turn(" ".join(sure), words, sure=len(sure))

    def ended(self, text: str) -> list[dict[str, Any]]:
        """Once more, and formatted, where the older models were asked for that."""
        words = text.split()
        plain = self._turn(text, words, sure=len(words), end_of_turn=True)
        pretty = {**plain, "transcript": f"{text.capitalize()}.", "turn_is_formatted": True}
        self._order += 1
        if self.pro:
            return [pretty]
        return [plain, pretty] if self._formats else [plain]

    def _turn(
        self, transcript: str, words: Sequence[str], *, sure: int, end_of_turn: bool = False
    ) -> dict[str, Any]:
        return {
            "type": "Turn",
            "turn_order": self._order,
            "turn_is_formatted": False,
            "end_of_turn": end_of_turn,
            "end_of_turn_confidence": float(end_of_turn),
            "transcript": transcript,
            "utterance": transcript if end_of_turn else "",
            "words": [
                {"text": word, "start": 0, "end": 0, "word_is_final": number < sure}
                for number, word in enumerate(words)
            ],
            **(self._language if end_of_turn else {}),
        }


def _look_at(connection: VendorConnection) -> list[str]:
    """Its languages."""
    for name in connection.query:
        if name not in {*FLAGS, *RANGES, *OTHERS}:
            connection.violation(f"there is no {name}, and it is ignored")
        if name in FLAGS and connection.parameter(name) not in ("true", "false"):
            connection.violation(f"{name} is no flag")
    model, encoding = connection.parameter("speech_model"), connection.parameter("encoding")
    if model not in PRO_MODELS | STREAMING_MODELS:
        connection.violation(f"model {model!r}")
    rate = connection.parameter("sample_rate") or ""
    if encoding not in ENCODINGS or rate not in ("8000", "16000", "24000"):
        connection.violation(f"encoding {encoding!r} at {rate!r} Hz")
    if connection.parameter("mode") not in {None, *MODES}:
        connection.violation(f"mode {connection.parameter('mode')!r}")
    for name, (least, most) in RANGES.items():
        value = connection.parameter(name)
        if value is not None and not least <= float(value) <= most:
            connection.violation(f"{name} is {value}, and not from {least} to {most}")
    if model in STREAMING_MODELS and "language_codes" in connection.query:
        connection.violation(f"language_codes for {model}")
    codes = _listed(connection, "language_codes", 10)
    if not set(codes) <= LANGUAGES:
        connection.violation(f"language_codes {codes}")
    if any(len(term) > 50 for term in _listed(connection, "keyterms_prompt", 100)):
        connection.violation("a keyterm of more than 50 characters")
    return codes


def _listed(connection: VendorConnection, name: str, most: int) -> list[str]:
    """A list in JSON."""
    text = connection.parameter(name)
    try:
        listed = msgspec.json.decode(text, type=list[str]) if text is not None else []
    except msgspec.DecodeError:
        connection.violation(f"{name} is no list in JSON")
        return []
    if len(listed) > most:
        connection.violation(f"{name} has more than {most}")
    return listed


CASE = VendorCase(Kind.STT, "assemblyai", FakeAssemblyAi, PATH, options={"keepalive_seconds": 0.1})
