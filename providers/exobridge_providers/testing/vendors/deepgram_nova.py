"""Deepgram's ``/v1/listen``, as documented: what it looks at, and what it says."""

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
ENCODINGS = {"linear16": Encoding.PCM16, "mulaw": Encoding.MULAW}
RATES = ("8000", "16000", "24000")
LANGUAGES = {"en", "en-IN", "en-US", "en-GB", "en-AU", "en-NZ", "multi"} | set(
    "bn gu hi kn mr ne pa ta te ur".split()  # noqa: SIM905  # one a word
)
SWITCHES = {"punctuate", "smart_format", "numerals", "no_delay", "filler_words"} | {
    "profanity_filter",
    "mip_opt_out",
    "interim_results",
    "vad_events",
}
LISTS = {"keyterm", "redact", "tag"}
KNOWN = SWITCHES | LISTS | {"model", "language", "encoding", "sample_rate", "channels"}
NUMBERS = {"endpointing": 10, "utterance_end_ms": 1000}
"""The least of each, in milliseconds."""

CODES = {
    VendorError.AUTH: "INVALID_AUTH",
    VendorError.QUOTA: "ASR_PAYMENT_REQUIRED",
    VendorError.RATE: "TOO_MANY_REQUESTS",
    VendorError.INTERNAL: "INTERNAL_SERVER_ERROR",
}


def token_of(headers: Mapping[str, str]) -> str:
    """The key of ``Authorization: Token …``; the scheme of keys is no other."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key if scheme == "Token" else ""


def audio_format(connection: VendorConnection, rates: Sequence[str] = RATES) -> AudioFormat:
    """What the query says that audio is in."""
    encoding = connection.parameter("encoding") or ""
    rate = connection.parameter("sample_rate") or ""
    if encoding not in ENCODINGS or rate not in rates:
        connection.violation(f"encoding {encoding!r} at {rate!r} Hz")
    return AudioFormat(ENCODINGS.get(encoding, Encoding.PCM16), int(rate or 8000))


def known_only(connection: VendorConnection, known: set[str]) -> None:
    """Parameters that it does not know are refused."""
    for name in sorted(set(connection.query) - known):
        connection.violation(f"there is no parameter {name!r}")


class FakeDeepgramNova(FakeVendor):
    """It leaves a ``Finalize`` unanswered when there is nothing left to tell, as the real one may.
    Unrealistic in that one that comes with no text is answered always until text was told."""

    paths = (PATH,)
    idle_seconds = 10.0

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """In the header."""
        return token_of(headers)

    async def serve(self, connection: VendorConnection) -> None:
        """Text in pieces; each sentence is final after a pause, or when it is asked for."""
        ear = self._ear(connection)
        told = False
        while True:
            message = await connection.receive()
            if isinstance(message, bytes):
                told = self._hear(connection, ear, message) or told
                continue
            match connection.json(message).get("type"):
                case "Finalize":
                    text = ear.flush()
                    if text or not told:
                        connection.send(
                            results(text, is_final=True, from_finalize=True), self.final_seconds
                        )
                    told = False
                case "KeepAlive":
                    pass
                case "CloseStream":
                    connection.send({"type": "Metadata", "request_id": "fake"})
                    await connection.close(1000)
                case other:
                    connection.violation(f"there is no message of type {other!r}")

    def _ear(self, connection: VendorConnection) -> Recogniser:
        known_only(connection, KNOWN | set(NUMBERS))
        if connection.parameter("language") not in LANGUAGES:
            connection.violation(f"language {connection.parameter('language')!r}")
        if not (connection.parameter("model") or "").startswith("nova-3"):
            connection.violation(f"model {connection.parameter('model')!r}")
        if connection.parameter("interim_results") != "true":
            connection.violation("utterances are cut without interim_results")
        for name in SWITCHES & set(connection.query):
            if connection.parameter(name) not in ("true", "false"):
                connection.violation(f"{name} is {connection.parameter(name)!r}")
        for name, least in NUMBERS.items():
            value = connection.parameter(name)
            if value is not None and not (value.isdecimal() and int(value) >= least):
                connection.violation(f"{name} is {value!r}")
        endpointing = float(connection.parameter("endpointing") or 10)
        return Recogniser(audio_format(connection), endpointing)

    def _hear(self, connection: VendorConnection, ear: Recogniser, audio: bytes) -> bool:
        """Whether a sentence ended."""
        if not audio:
            connection.violation("an empty message of audio, which closes the stream")
        ended = False
        for heard in ear.hear(audio):
            match heard:
                case Began():
                    connection.send({"type": "SpeechStarted", "timestamp": 0.0})
                case Interim(text):
                    connection.send(results(text), self.interim_seconds)
                case Ended(text):
                    ended = True
                    connection.send(
                        results(text, is_final=True, speech_final=True), self.final_seconds
                    )
                    if connection.parameter("utterance_end_ms"):
                        connection.send({"type": "UtteranceEnd", "last_word_end": 0.0})
        return ended

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """Of an open stream."""
        words = f"{CODES[error]} for {self.key}"
        return ({"type": "Error", "description": words, "variant": CODES[error]},)

    def idle_close(self) -> tuple[int, str]:
        """Ten seconds, at Deepgram's."""
        return 1011, "NET-0001"


def results(
    text: str, *, is_final: bool = False, speech_final: bool = False, from_finalize: bool = False
) -> dict[str, Any]:
    """A piece of text."""
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "start": 0.0,
        "duration": 0.0,
        "is_final": is_final,
        "speech_final": speech_final,
        "from_finalize": from_finalize,
        "channel": {"alternatives": [{"transcript": text, "confidence": 0.99, "words": []}]},
        "metadata": {"request_id": "fake"},
    }


CASE = VendorCase(Kind.STT, "deepgram", FakeDeepgramNova, PATH, options={"keepalive_seconds": 0.1})
