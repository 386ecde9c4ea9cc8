"""Smallest.ai's ``/waves/v1/tts/live``, as documented: what it looks at, and what it says."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from exobridge_codecs.formats import pcm16
from exobridge_providers.registry import Kind
from exobridge_providers.testing import talker
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_vendor import FakeVendor, VendorConnection
from exobridge_providers.testing.faults import VendorError

PATH = "/waves/v1/tts/live"
LANGUAGES = {"en", "hi", "mr", "kn", "ta", "bn", "gu", "te", "ml", "pa", "or"}
_ERRORS = {
    VendorError.AUTH: "Invalid API key",
    VendorError.QUOTA: "Your account has run out of credits",
    VendorError.RATE: "Concurrency limit reached",
    VendorError.INTERNAL: "Something went wrong",
}
_NAME = Meta(pattern=r"^[A-Za-z0-9_\-.]+$", max_length=128)


class _Request(Struct, forbid_unknown_fields=True):
    text: Annotated[str, Meta(pattern=r"\S")]
    voice_id: Annotated[str, _NAME]
    request_id: Annotated[str, _NAME]
    model: Literal["lightning_v3.1", "lightning_v3.1_pro"] = "lightning_v3.1"
    language: str = "en"
    sample_rate: Literal[8000, 16000, 24000, 44100] = 44100
    output_format: Literal["pcm"] = "pcm"
    speed: Annotated[float, Meta(ge=0.5, le=2)] = 1
    complete_backoff_ms: Annotated[float, Meta(ge=0, le=10_000)] = 4000
    session_id: str = ""


class FakeSmallest(FakeVendor):
    """Unrealistic also in that a second of ``complete_backoff_ms`` lasts a hundredth."""

    paths = (PATH,)
    idle_seconds = 60.0

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """``Authorization: Bearer …``."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return key if scheme == "Bearer" else ""

    async def serve(self, connection: VendorConnection) -> None:
        """One request, after whose end the connection is closed."""
        if not (connection.parameter("timeout") or "60").isdecimal():
            connection.violation(f"timeout {connection.parameter('timeout')!r}")
        told = connection.json(await connection.receive())
        try:
            request = msgspec.convert(told, _Request)
        except msgspec.ValidationError as error:
            connection.violation(str(error))
            connection.send({"status": "error", "message": f"Validation failed: {error}"})
        else:
            if request.language not in LANGUAGES:
                connection.violation(f"language {request.language!r}")
            self._speak(connection, request)
        await connection.close(1000)

    def _speak(self, connection: VendorConnection, request: _Request) -> None:
        audio_format = pcm16(request.sample_rate)
        for number, piece in enumerate(talker.pieces(request.text, audio_format)):
            seconds = audio_format.duration_ms(len(piece)) / 1000 * self.pace
            message = {**_answer("chunk", request), "data": {"audio": b64encode(piece).decode()}}
            connection.send(message, seconds if number else self.first_audio_seconds)
        connection.send(_answer("complete", request), request.complete_backoff_ms / 100_000)

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """Of an open connection."""
        return ({"status": "error", "message": f"{_ERRORS[error]} ({self.key})"},)

    def idle_close(self) -> tuple[int, str]:
        """After a minute, or what ``timeout`` says."""
        return 1000, "Connection timed out after 60 seconds of inactivity"


def _answer(status: str, request: _Request) -> dict[str, Any]:
    return {
        "session_id": "ws_fake",
        "request_id": "task_fake",
        "external_request_id": request.request_id,
        "status": status,
    }


CASE = VendorCase(Kind.TTS, "smallest", FakeSmallest, PATH)
