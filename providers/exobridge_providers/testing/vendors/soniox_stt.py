"""Soniox's ``/transcribe-websocket``, as documented: what it looks at, and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_providers.registry import Kind
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_vendor import FakeVendor, VendorConnection
from exobridge_providers.testing.faults import VendorError
from exobridge_providers.testing.recogniser import END_MS, Ended, Interim, Recogniser

PATH = "/transcribe-websocket"
ENCODINGS = {"pcm_s16le": Encoding.PCM16, "mulaw": Encoding.MULAW}
LANGUAGES = {"bn", "en", "gu", "hi", "kn", "ml", "mr", "pa", "ta", "te", "ur"}
FLAGS = (
    "language_hints_strict",
    "enable_language_identification",
    "enable_endpoint_detection",
    "enable_speaker_diarization",
)
RANGES = {
    "num_channels": (1, 1),
    "max_endpoint_delay_ms": (500, 3000),
    "endpoint_sensitivity": (-1, 1),
    "endpoint_latency_adjustment_level": (0, 3),
}
OTHERS = {"model", "audio_format", "sample_rate", "language_hints", "context", "translation"}
MAX_CONTEXT_CHARS = 10_000


class FakeSoniox(FakeVendor):
    """Unrealistic also in that it hears the language that stands first in the hints."""

    paths = (PATH,)
    idle_seconds = 20.0

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """``Authorization: Bearer …``."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return key if scheme == "Bearer" else ""

    async def serve(self, connection: VendorConnection) -> None:
        """What is wanted, and then tokens: those of a word are final when the next one begins."""
        wanted = connection.json(await connection.receive())
        _look_at(connection, wanted)
        listener = _Listener(wanted)
        while True:
            message = await connection.receive()
            if isinstance(message, bytes):
                self._hear(connection, listener, message)
                continue
            if not message:
                connection.send(listener.ended(), self.final_seconds)
                connection.send({"tokens": [], "finished": True})
                await connection.close(1000)
            match connection.json(message).get("type"):
                case "finalize":
                    connection.send(listener.ended("<fin>"), self.final_seconds)
                case "keepalive":
                    pass
                case other:
                    connection.violation(f"there is no message of type {other!r}")

    def _hear(self, connection: VendorConnection, listener: _Listener, audio: bytes) -> None:
        if not audio:
            connection.violation("an empty message of audio, which ends the session")
        for heard in listener.ear.hear(audio):
            match heard:
                case Interim(text):
                    connection.send(listener.goes_on(text), self.interim_seconds)
                case Ended(text):
                    connection.send(listener.tokens_of(text, "<end>"), self.final_seconds)
                case _:
                    pass

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """Of an open session."""
        code, kind = {
            VendorError.AUTH: (401, "unauthenticated"),
            VendorError.QUOTA: (402, "organization_balance_exhausted"),
            VendorError.RATE: (429, "limit_exceeded"),
            VendorError.INTERNAL: (503, "service_unavailable"),
        }[error]
        words = f"{kind} for {self.key}"
        return ({"tokens": [], "error_code": code, "error_type": kind, "error_message": words},)


class _Listener:
    """The sentence that goes on: how much of it was told as final."""

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        encoding = ENCODINGS.get(str(wanted.get("audio_format")), Encoding.PCM16)
        audio_format = AudioFormat(encoding, int(wanted.get("sample_rate") or 8000))
        ends = END_MS if wanted.get("enable_endpoint_detection") else None
        self.ear = Recogniser(audio_format, ends)
        identifies = wanted.get("enable_language_identification")
        self._language = (wanted.get("language_hints") or [None])[0] if identifies else None
        self._finals = 0

    def goes_on(self, text: str) -> dict[str, Any]:
        """All words but the last are final."""
        words = text.split()
        finals = words[self._finals : -1]
        self._finals = len(words) - 1
        return _response([*self._tokens(finals, True), *self._tokens(words[-1:], False)])

    def ended(self, marker: str = "") -> dict[str, Any]:
        """The sentence ends because the client wants it."""
        return self.tokens_of(self.ear.flush(), marker)

    def tokens_of(self, text: str, marker: str) -> dict[str, Any]:
        """What is left of a sentence, and the token that says why it is over."""
        tokens = self._tokens(text.split()[self._finals :], True)
        self._finals = 0
        return _response([*tokens, *([{"text": marker, "is_final": True}] if marker else [])])

    def _tokens(self, words: Sequence[str], is_final: bool) -> list[dict[str, Any]]:
        pieces = [piece for word in words for piece in (f" {word[:3]}", word[3:]) if piece]
        told = {} if self._language is None else {"language": self._language}
        return [
            {"text": piece, "confidence": 0.9, "is_final": is_final, **told} for piece in pieces
        ]


def _look_at(connection: VendorConnection, wanted: Mapping[str, Any]) -> None:
    for name in wanted:
        if name == "api_key":
            connection.violation("a key in the first message, which is refused from 2027 on")
        elif name not in {*FLAGS, *RANGES, *OTHERS}:
            connection.violation(f"there is no {name}")
    if not str(wanted.get("model")).startswith("stt-rt-"):
        connection.violation(f"model {wanted.get('model')!r}")
    encoding, rate = wanted.get("audio_format"), wanted.get("sample_rate")
    if encoding not in ENCODINGS or rate not in (8000, 16_000, 24_000):
        connection.violation(f"audio_format {encoding!r} at {rate!r} Hz")
    if "num_channels" not in wanted:
        connection.violation("raw audio without num_channels")
    for name in FLAGS:
        if not isinstance(wanted.get(name, False), bool):
            connection.violation(f"{name} is no flag")
    for name, (least, most) in RANGES.items():
        if not least <= wanted.get(name, least) <= most:
            connection.violation(f"{name} is {wanted[name]}, and not from {least} to {most}")
    if unknown := set(wanted.get("language_hints", ())) - LANGUAGES:
        connection.violation(f"no languages: {sorted(unknown)}")
    if len(msgspec.json.encode(wanted.get("context"))) > MAX_CONTEXT_CHARS:
        connection.violation("too much context")


def _response(tokens: list[dict[str, Any]]) -> dict[str, Any]:
    return {"tokens": tokens, "final_audio_proc_ms": 0, "total_audio_proc_ms": 0}


CASE = VendorCase(Kind.STT, "soniox", FakeSoniox, PATH, options={"keepalive_seconds": 0.1})
