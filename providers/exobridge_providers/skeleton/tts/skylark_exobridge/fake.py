"""Skylark's ``/v1/speak``, as documented: what it looks at, and what it says.

It refuses what the vendor would refuse. A rule that stands here and that the plugin breaks is told
by the checks; one that does not stand here is found out on a call.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_providers.registry import Kind
from exobridge_providers.testing import talker
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_vendor import FakeVendor, VendorConnection
from exobridge_providers.testing.faults import VendorError

PATH = "/v1/speak"
ENCODINGS = {"pcm16": Encoding.PCM16, "mulaw": Encoding.MULAW}
RATES = {"pcm16": ("8000", "16000"), "mulaw": ("8000",)}
LANGUAGES = ("en", "hi", "od")
MAX_CONTEXTS = 4
MAX_CHARS = 2000
STATUS = {
    VendorError.AUTH: 401,
    VendorError.QUOTA: 402,
    VendorError.RATE: 429,
    VendorError.INTERNAL: 500,
}


class FakeSkylark(FakeVendor):
    """Unrealistic in that it speaks an utterance when all of its text is there, and one after the
    other."""

    paths = (PATH,)
    idle_seconds = 20.0

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """``Authorization: Bearer …``."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return key if scheme == "Bearer" else ""

    async def serve(self, connection: VendorConnection) -> None:
        """Text by contexts; each is spoken when it ends."""
        audio_format = self._format(connection)
        texts: dict[str, str] = {}
        while True:
            message = connection.json(await connection.receive())
            context = str(message.get("id", ""))
            match message.get("type"):
                case "text":
                    texts[context] = texts.get(context, "") + str(message.get("text", ""))
                    if len(texts) > MAX_CONTEXTS:
                        connection.violation(f"more than {MAX_CONTEXTS} contexts")
                    if len(texts[context]) > MAX_CHARS:
                        connection.violation(f"more than {MAX_CHARS} characters")
                case "end":
                    self._speak(connection, context, texts.pop(context, ""), audio_format)
                case "cancel":
                    if texts.pop(context, None) is not None:
                        connection.send({"type": "done", "id": context})
                case "ping":
                    connection.send({"type": "pong"})
                case other:
                    connection.violation(f"there is no message of type {other!r}")

    def _format(self, connection: VendorConnection) -> AudioFormat:
        encoding = connection.parameter("encoding") or ""
        rate = connection.parameter("sample_rate") or ""
        if rate not in RATES.get(encoding, ()):
            connection.violation(f"encoding {encoding!r} at {rate!r} Hz")
        if connection.parameter("language") not in LANGUAGES:
            connection.violation(f"language {connection.parameter('language')!r}")
        if not connection.parameter("voice"):
            connection.violation("no voice")
        return AudioFormat(ENCODINGS.get(encoding, Encoding.PCM16), int(rate or 8000))

    def _speak(
        self, connection: VendorConnection, context: str, text: str, audio_format: AudioFormat
    ) -> None:
        """Audio that is made goes out even if its context is cancelled meanwhile."""
        for number, piece in enumerate(talker.pieces(text, audio_format)):
            audio = base64.b64encode(piece).decode()
            seconds = audio_format.duration_ms(len(piece)) / 1000 * self.pace
            connection.send(
                {"type": "audio", "id": context, "audio": audio},
                seconds if number else self.first_audio_seconds,
            )
        connection.send({"type": "done", "id": context})

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """As the vendor words them. It repeats the key, so that the checks find it in an error."""
        return ({"type": "error", "status": STATUS[error], "message": f"{error} ({self.key})"},)

    def idle_close(self) -> tuple[int, str]:
        """Twenty seconds, at Skylark's."""
        return 1000, "idle"


CASE = VendorCase(Kind.TTS, "skylark", FakeSkylark, PATH, language="or-IN")
