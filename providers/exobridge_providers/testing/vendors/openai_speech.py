"""OpenAI's ``/v1/audio/speech``, as documented: what it looks at, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from exobridge_codecs.formats import pcm16
from exobridge_providers.registry import Kind
from exobridge_providers.testing import talker
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_http_vendor import END, FakeHttpVendor
from exobridge_providers.testing.fake_vendor import VendorConnection
from exobridge_providers.testing.faults import VendorError

PATH = "/v1/audio/speech"
OLD_MODELS = ("tts-1", "tts-1-hd")
MODELS = (*OLD_MODELS, "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15")
OLD_VOICES = ("alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer")
VOICES = (*OLD_VOICES, "ballad", "verse", "marin", "cedar")
FIELDS = {
    "model",
    "voice",
    "input",
    "response_format",
    "instructions",
    "speed",
    "stream_format",
}
MAX_CHARS = 4096
FORMAT = pcm16(24_000)

_CODES = {
    VendorError.AUTH: (401, "invalid_request_error", "invalid_api_key"),
    VendorError.QUOTA: (429, "insufficient_quota", "insufficient_quota"),
    VendorError.RATE: (429, "requests", "rate_limit_exceeded"),
    VendorError.INTERNAL: (500, "server_error", None),
}


class FakeOpenAiSpeech(FakeHttpVendor):
    """Unrealistic also in that other voices than OpenAI's own are unknown to it."""

    paths = (PATH,)

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """``Authorization: Bearer …``."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return key if scheme == "Bearer" else ""

    async def serve(self, connection: VendorConnection) -> None:
        """An answer for each request, or a refusal."""
        while True:
            asked = connection.json(await connection.receive())
            wrong = list(_wrong(asked))
            for words in wrong:
                connection.violation(words)
            if wrong:
                connection.send(_error(wrong[0], "invalid_request_error", None))
                await connection.close(400)
            connection.speak(talker.pieces(str(asked["input"]), FORMAT), FORMAT)
            connection.send(END)

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """In place of an answer. It repeats the key, as OpenAI does in part."""
        _, kind, code = _CODES[error]
        return (_error(f"{error} for {self.key}", kind, code),)

    def error_close(self, error: VendorError) -> tuple[int, str]:
        """The status."""
        return _CODES[error][0], ""


def _error(message: str, kind: str, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _wrong(asked: Mapping[str, Any]) -> Iterable[str]:
    if unknown := asked.keys() - FIELDS:
        yield f"unrecognized request arguments: {sorted(unknown)}"
    model, text = asked.get("model"), asked.get("input")
    if model not in MODELS:
        yield f"model {model!r}"
    if asked.get("voice") not in (OLD_VOICES if model in OLD_MODELS else VOICES):
        yield f"voice {asked.get('voice')!r}"
    if not isinstance(text, str) or not 1 <= len(text) <= MAX_CHARS or not text.strip():
        yield "input is not of 1 to 4096 characters"
    if asked.get("response_format") != "pcm":
        yield f"response_format {asked.get('response_format')!r}"
    if "instructions" in asked and model in OLD_MODELS:
        yield f"instructions to {model}"
    if not 0.25 <= asked.get("speed", 1) <= 4:
        yield f"speed {asked['speed']!r}"


CASE = VendorCase(Kind.TTS, "openai", FakeOpenAiSpeech, PATH)
