"""Deepgram's ``/v2/speak``, as documented: what it looks at, and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exobridge_codecs.formats import AudioFormat
from exobridge_providers.registry import Kind
from exobridge_providers.testing import talker
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_vendor import FakeVendor, VendorConnection
from exobridge_providers.testing.faults import VendorError
from exobridge_providers.testing.vendors.deepgram_nova import (
    CODES,
    audio_format,
    known_only,
    token_of,
)

PATH = "/v2/speak"
KNOWN = {"model", "encoding", "sample_rate", "speed", "expressivity", "tag", "mip_opt_out"}


class FakeDeepgramFluxTts(FakeVendor):
    """Unrealistic also in that it speaks nothing before it is flushed, and that it makes the next
    turn at once."""

    paths = (PATH,)

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """In the header."""
        return token_of(headers)

    async def serve(self, connection: VendorConnection) -> None:
        """Turns: text, a flush, audio, and word that it is over; or that it was interrupted."""
        wanted = self._looked_at(connection)
        connection.send({"type": "Connected", "request_id": "fake", "model_name": "fake"})
        text, turns = "", 0
        while True:
            told = connection.json(await connection.receive())
            match told.get("type"):
                case "Speak":
                    text += str(told["text"])
                case "Flush":
                    turns += 1
                    connection.send({"type": "SpeechStarted", "speech_id": f"dg_sp_{turns}"})
                    connection.send({"type": "Flushed", "speech_id": f"dg_sp_{turns}"})
                    connection.speak(talker.pieces(text, wanted), wanted)
                    connection.send({"type": "SpeechMetadata", "speech_id": f"dg_sp_{turns}"})
                    text = ""
                case "Interrupt":
                    text = ""
                    self._interrupted(connection, turns)
                case "Close":
                    await connection.close(1000)
                case other:
                    connection.violation(f"there is no message of type {other!r}")

    def _interrupted(self, connection: VendorConnection, turns: int) -> None:
        code = "" if connection.unsent else "NO_ACTIVE_SPEECH"
        if connection.unsent and not connection.spoken:
            code = "NO_AUDIO_GENERATED"
        if code:
            connection.send({"type": "Warning", "code": code, "description": ""})
            return
        connection.forget_unsent()
        metadata = {"speech_id": f"dg_sp_{turns}"}
        connection.send({"type": "SpeechInterrupted", "audio_played_ms": 0, "metadata": metadata})

    def _looked_at(self, connection: VendorConnection) -> AudioFormat:
        known_only(connection, KNOWN)
        if not (connection.parameter("model") or "").startswith("flux-"):
            connection.violation(f"model {connection.parameter('model')!r}")
        steps = float(connection.parameter("speed") or 1) * 20
        if not 10 <= steps <= 30 or abs(steps - round(steps)) > 1e-6:
            connection.violation(f"speed {connection.parameter('speed')!r}")
        if connection.parameter("expressivity") not in (None, "-2", "-1", "1", "2"):
            connection.violation(f"expressivity {connection.parameter('expressivity')!r}")
        return audio_format(connection)

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """Of an open stream."""
        return ({"type": "Error", "code": CODES[error], "description": f"of {self.key}"},)


CASE = VendorCase(
    Kind.TTS, "deepgram-flux", FakeDeepgramFluxTts, PATH, options={"connect_seconds": 1}
)
