"""Skylark's ``/v1/listen``, as documented: what it looks at, and what it says.

It refuses what the vendor would refuse. A rule that stands here and that the plugin breaks is told
by the checks; one that does not stand here is found out on a call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_providers.registry import Kind
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_vendor import FakeVendor, VendorConnection
from exobridge_providers.testing.faults import VendorError
from exobridge_providers.testing.recogniser import Began, Ended, Interim, Recogniser

PATH = "/v1/listen"
ENCODINGS = {"pcm16": Encoding.PCM16, "mulaw": Encoding.MULAW}
RATES = {"pcm16": ("8000", "16000"), "mulaw": ("8000",)}
LANGUAGES = ("en", "hi", "od")
STATUS = {
    VendorError.AUTH: 401,
    VendorError.QUOTA: 402,
    VendorError.RATE: 429,
    VendorError.INTERNAL: 500,
}


class FakeSkylark(FakeVendor):
    """Unrealistic in that it mishears nothing."""

    paths = (PATH,)
    idle_seconds = 20.0

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """``Authorization: Bearer …``."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return key if scheme == "Bearer" else ""

    async def serve(self, connection: VendorConnection) -> None:
        """Text while somebody speaks; it is final after a pause, or when it is asked for."""
        ear = self._ear(connection)
        while True:
            message = await connection.receive()
            if isinstance(message, bytes):
                self._hear(connection, ear, message)
                continue
            match connection.json(message).get("type"):
                case "finalize":
                    final = self._text(connection, "final", ear.flush(), answers_finalize=True)
                    connection.send(final, self.final_seconds)
                case "ping":
                    connection.send({"type": "pong"})
                case other:
                    connection.violation(f"there is no message of type {other!r}")

    def _ear(self, connection: VendorConnection) -> Recogniser:
        encoding = connection.parameter("encoding") or ""
        rate = connection.parameter("sample_rate") or ""
        if rate not in RATES.get(encoding, ()):
            connection.violation(f"encoding {encoding!r} at {rate!r} Hz")
        if connection.parameter("language") not in LANGUAGES:
            connection.violation(f"language {connection.parameter('language')!r}")
        if not connection.parameter("model"):
            connection.violation("no model")
        audio_format = AudioFormat(ENCODINGS.get(encoding, Encoding.PCM16), int(rate or 8000))
        return Recogniser(audio_format, float(connection.parameter("pause_ms") or 300))

    def _hear(self, connection: VendorConnection, ear: Recogniser, audio: bytes) -> None:
        for heard in ear.hear(audio):
            match heard:
                case Interim(text):
                    connection.send(self._text(connection, "partial", text), self.interim_seconds)
                case Ended(text):
                    connection.send(self._text(connection, "final", text), self.final_seconds)
                case Began():
                    pass

    def _text(
        self, connection: VendorConnection, type_: str, text: str, **more: bool
    ) -> dict[str, Any]:
        return {"type": type_, "text": text, "language": connection.parameter("language"), **more}

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """As the vendor words them. It repeats the key, so that the checks find it in an error."""
        return ({"type": "error", "status": STATUS[error], "message": f"{error} ({self.key})"},)

    def idle_close(self) -> tuple[int, str]:
        """Twenty seconds, at Skylark's."""
        return 1000, "idle"


CASE = VendorCase(Kind.STT, "skylark", FakeSkylark, PATH, language="or-IN")
