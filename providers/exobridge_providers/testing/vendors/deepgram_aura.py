"""Deepgram's ``/v1/speak``, as documented: what it looks at, and what it says."""

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

PATH = "/v1/speak"
KNOWN = {"model", "encoding", "sample_rate", "speed", "mip_opt_out"}
MAX_CHARS = 2000
MAX_FLUSHES = 20
"""On one connection in a minute; no test takes so long."""


class FakeDeepgramAura(FakeVendor):
    """Unrealistic also in that it speaks nothing before it is flushed."""

    paths = (PATH,)

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """In the header."""
        return token_of(headers)

    async def serve(self, connection: VendorConnection) -> None:
        """Text, and a flush; what is made waits to be sent, until it is cleared."""
        wanted = self._looked_at(connection)
        connection.send({"type": "Metadata", "request_id": "fake", "model_name": "fake"})
        text, flushes = "", 0
        while True:
            told = connection.json(await connection.receive())
            match told.get("type"):
                case "Speak":
                    text += str(told["text"])
                    if len(text) > MAX_CHARS:
                        connection.violation(f"more than {MAX_CHARS} characters without a flush")
                case "Flush":
                    flushes += 1
                    if flushes > MAX_FLUSHES:
                        words = {"warn_code": "EXCESSIVE_FLUSH", "warn_msg": "Too many."}
                        connection.send({"type": "Warning", **words})
                        continue
                    connection.speak(talker.pieces(text, wanted), wanted)
                    connection.send({"type": "Flushed", "sequence_id": 0})
                    text = ""
                case "Clear":
                    text = ""
                    connection.forget_unsent()
                    connection.send({"type": "Cleared", "sequence_id": 0})
                case "Close":
                    await connection.close(1000)
                case other:
                    connection.violation(f"there is no message of type {other!r}")

    def _looked_at(self, connection: VendorConnection) -> AudioFormat:
        known_only(connection, KNOWN)
        if not (connection.parameter("model") or "").startswith("aura-"):
            connection.violation(f"model {connection.parameter('model')!r}")
        if not 0.7 <= float(connection.parameter("speed") or 1) <= 1.5:
            connection.violation(f"speed {connection.parameter('speed')!r}")
        return audio_format(connection)

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """Of an open stream."""
        return ({"type": "Error", "err_code": CODES[error], "err_msg": f"of {self.key}"},)


CASE = VendorCase(Kind.TTS, "deepgram", FakeDeepgramAura, PATH)
