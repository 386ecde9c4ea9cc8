"""Sarvam's ``/speech-to-text/ws``, as documented: what it looks at, and what it says."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

from exobridge_codecs.formats import pcm16
from exobridge_providers.registry import Kind
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_vendor import FakeVendor, VendorConnection
from exobridge_providers.testing.faults import VendorError
from exobridge_providers.testing.recogniser import Began, Ended, Recogniser
from exobridge_providers.testing.vendors.sarvam_realtime import BUT_ODIA, ERRORS

PATH = "/speech-to-text/ws"
CHOICES = {
    "language-code": {*BUT_ODIA, "od-IN", "unknown"},
    "model": {"saaras:v3", "saaras:v4", "saarika:v2.5"},
    "sample_rate": {"8000", "16000"},
    "input_audio_codec": {"pcm_s16le"},
    "high_vad_sensitivity": {"true", "false"},
    "vad_signals": {"true"},
    "flush_signal": {"true"},
}
MODES = {"transcribe", "translate", "verbatim", "translit", "codemix"}
THRESHOLDS = {"positive_speech_threshold", "negative_speech_threshold", "min_speech_frames"}


class FakeSarvamLegacy(FakeVendor):
    """A flush is not answered where nothing was heard: its documents do not say that it is."""

    paths = (PATH,)
    idle_seconds = 60.0

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """``Api-Subscription-Key``."""
        return headers.get("api-subscription-key", "")

    async def serve(self, connection: VendorConnection) -> None:
        """Final texts, each when an utterance ends or is asked for."""
        _check(connection)
        rate = int(connection.parameter("sample_rate") or 16_000)
        quiet_ms = 500 if connection.parameter("high_vad_sensitivity") == "true" else 1000
        ear = Recogniser(pcm16(rate), quiet_ms)
        number = 0
        while True:
            message = connection.json(await connection.receive())
            number += 1
            match message:
                case {"audio": {"data": str(data), "encoding": "audio/wav", "sample_rate": said}}:
                    if said != rate:
                        connection.violation(f"audio at {said} Hz where the URL says {rate}")
                    self._hear(connection, ear, b64decode(data, validate=True))
                case {"type": "flush"}:
                    if text := ear.flush():
                        self._tell(connection, text)
                case {"type": "config", "prompt": str()} if number == 1:
                    pass
                case _:
                    connection.violation(f"there is no message {sorted(message)} at this place")

    def _hear(self, connection: VendorConnection, ear: Recogniser, audio: bytes) -> None:
        if not audio:
            connection.violation("a message without audio")
        for heard in ear.hear(audio):
            match heard:
                case Began():
                    connection.send(_signal("START_SPEECH"))
                case Ended(text):
                    connection.send(_signal("END_SPEECH"))
                    self._tell(connection, text)
                case _:
                    pass

    def _tell(self, connection: VendorConnection, text: str) -> None:
        code = connection.parameter("language-code")
        data = {
            "request_id": "fake",
            "transcript": text,
            "language_code": "hi-IN" if code == "unknown" else code,
            "metrics": {"audio_duration": 1.0, "processing_latency": 0.1},
        }
        connection.send({"type": "data", "data": data}, self.final_seconds)

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """Of an open session."""
        told = {"error": f"{error} for {self.key}", "code": ERRORS[error][0]}
        return ({"type": "error", "data": told},)

    def error_close(self, error: VendorError) -> tuple[int, str]:
        """As at the realtime endpoint."""
        return (1011 if error is VendorError.INTERNAL else 1003), ""


def _signal(signal: str) -> dict[str, Any]:
    data = {"event_type": "vad", "signal_type": signal, "occured_at": 0.0}
    return {"type": "events", "data": data}


def _check(connection: VendorConnection) -> None:
    for name, known in CHOICES.items():
        if connection.parameter(name) not in known:
            connection.violation(f"{name}={connection.parameter(name)!r}")
    for name in connection.query.keys() - CHOICES.keys() - THRESHOLDS - {"mode"}:
        connection.violation(f"there is no parameter {name}")
    newer = (connection.parameter("model") or "").startswith("saaras:")
    for name in connection.query.keys() & {*THRESHOLDS, "mode"}:
        if not newer:
            connection.violation(f"{name} is of saaras")
    if newer and connection.parameter("mode") not in MODES:
        connection.violation(f"mode={connection.parameter('mode')!r}")


CASE = VendorCase(Kind.STT, "sarvam-legacy", FakeSarvamLegacy, PATH, "or-IN")
