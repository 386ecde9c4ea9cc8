"""Cartesia's ``/tts/websocket``, as documented: what it looks at, and what it says."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_providers.registry import Kind
from exobridge_providers.testing import talker
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_vendor import FakeVendor, VendorConnection
from exobridge_providers.testing.faults import VendorError

PATH = "/tts/websocket"
VERSIONS = {"2024-06-10", "2024-11-13", "2025-04-16", "2026-03-01"}
ENCODINGS = {"pcm_s16le": Encoding.PCM16, "pcm_mulaw": Encoding.MULAW}
LANGUAGES = {"en", "hi", "ta", "bn", "te", "gu", "kn", "ml", "mr", "pa"}
_ERRORS = {
    VendorError.AUTH: (401, "unauthorized"),
    VendorError.QUOTA: (402, "quota_exceeded"),
    VendorError.RATE: (429, "concurrency_limited"),
    VendorError.INTERNAL: (500, None),
}


class _Voice(Struct, forbid_unknown_fields=True):
    mode: Literal["id"]
    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class _Output(Struct, forbid_unknown_fields=True):
    container: Literal["raw"]
    encoding: Literal["pcm_s16le", "pcm_mulaw"]
    sample_rate: Literal[8000, 16000, 22050, 24000, 44100, 48000]

    @property
    def audio_format(self) -> AudioFormat:
        """Of what is sent."""
        return AudioFormat(ENCODINGS[self.encoding], self.sample_rate)


class _Manner(Struct, forbid_unknown_fields=True):
    speed: Annotated[float, Meta(ge=0.6, le=1.5)] = 1.0
    volume: Annotated[float, Meta(ge=0.5, le=2.0)] = 1.0
    emotion: str = ""


class _Request(Struct, forbid_unknown_fields=True, rename={"more": "continue"}):
    context_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+$")]
    transcript: str
    model_id: Annotated[str, Meta(pattern="^sonic-")]
    voice: _Voice
    output_format: _Output
    language: str = "en"
    more: bool = False
    max_buffer_delay_ms: Annotated[int, Meta(ge=0, le=5000)] = 3000
    generation_config: _Manner | UnsetType = UNSET
    pronunciation_dict_id: str | UnsetType = UNSET
    add_timestamps: bool = False


class FakeCartesia(FakeVendor):
    """Unrealistic also in that it speaks nothing of a context before its end, and one after the
    other. A cancelled one is spoken on, as by the vendor, whose cancelling halts only what it has
    not begun."""

    paths = (PATH,)
    idle_seconds = 300.0

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """``X-API-Key``, beside which the version has to stand."""
        if headers.get("cartesia-version") not in VERSIONS:
            self.violations.append(f"Cartesia-Version {headers.get('cartesia-version')!r}")
        return headers.get("x-api-key", "")

    async def serve(self, connection: VendorConnection) -> None:
        """Inputs of contexts, which are put together as they are."""
        begun: dict[str, dict[str, Any]] = {}
        texts: dict[str, str] = {}
        over: set[str] = set()
        while True:
            told = connection.json(await connection.receive())
            context = str(told.get("context_id", ""))
            if told.get("cancel"):
                if set(told) != {"context_id", "cancel"} or context not in begun:
                    connection.violation(f"nothing can be cancelled by {sorted(told)}")
                over.add(context)
                continue
            if context in over:
                connection.violation("an input for a context that is over")
            same = {name: told[name] for name in set(told) - {"transcript", "continue"}}
            if begun.setdefault(context, same) != same:
                connection.violation("inputs of a context differ in more than their text")
            try:
                request = msgspec.convert(told, _Request)
            except msgspec.ValidationError as error:
                connection.violation(str(error))
                continue
            if request.language not in LANGUAGES:
                connection.violation(f"language {request.language!r}")
            texts[context] = texts.get(context, "") + request.transcript
            if not request.more:
                over.add(context)
                self._speak(connection, request, texts.pop(context))

    def _speak(self, connection: VendorConnection, request: _Request, text: str) -> None:
        context, output = request.context_id, request.output_format.audio_format
        for number, piece in enumerate(talker.pieces(text, output)):
            seconds = output.duration_ms(len(piece)) / 1000 * self.pace
            chunk = {"data": b64encode(piece).decode(), "step_time": 1.5, "flush_id": 1}
            message = {**_answer("chunk", context), **chunk}
            connection.send(message, seconds if number else self.first_audio_seconds)
        connection.send({**_answer("done", context), "done": True})

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """Of an open connection."""
        status, code = _ERRORS[error]
        return (
            {
                "type": "error",
                "done": True,
                "status_code": status,
                "error_code": code,
                "title": "An error",
                "message": f"{error} for {self.key}",
                "request_id": "fake",
            },
        )

    def idle_close(self) -> tuple[int, str]:
        """After five minutes."""
        return 1000, "connection idle timeout"


def _answer(kind: str, context: str) -> dict[str, Any]:
    return {"type": kind, "done": False, "status_code": 206, "context_id": context}


CASE = VendorCase(Kind.TTS, "cartesia", FakeCartesia, PATH)
