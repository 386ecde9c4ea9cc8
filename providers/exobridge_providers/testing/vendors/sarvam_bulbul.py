"""Sarvam's ``/text-to-speech/ws``, as documented: what it looks at, and what it says."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_codecs.wav import wav_header
from exobridge_providers.registry import Kind
from exobridge_providers.testing import talker
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_vendor import FakeVendor, VendorConnection
from exobridge_providers.testing.faults import VendorError
from exobridge_providers.testing.vendors.sarvam_realtime import ERRORS

PATH = "/text-to-speech/ws"
CODECS = {"linear16": Encoding.PCM16, "mulaw": Encoding.MULAW, "alaw": Encoding.ALAW}
_LANGUAGES = ["bn", "en", "gu", "hi", "kn", "ml", "mr", "od", "pa", "ta", "te"]
LANGUAGES = {f"{each}-IN" for each in _LANGUAGES}
RATES = {"8000", "16000", "22050", "24000"}
SPEAKERS = {"bulbul:v3": {"shubh", "priya", "ritu"}, "bulbul:v2": {"anushka", "vidya", "arya"}}
MAX_CHARS = {"bulbul:v3": 2500, "bulbul:v2": 1500}
RANGES = {
    "pace": (0.5, 2.0),
    "temperature": (0.01, 1.0),
    "min_buffer_size": (30, 200),
    "max_chunk_length": (50, 500),
}
KEYS = {
    *RANGES,
    "target_language_code",
    "speaker",
    "model",
    "speech_sample_rate",
    "output_audio_codec",
    "output_audio_bitrate",
    "enable_preprocessing",
    "dict_id",
}
V2_KEYS = {"pitch", "loudness"}


class FakeSarvamBulbul(FakeVendor):
    """Unrealistic also in that it cuts a text only between words.

    Attributes:
        wav: Each piece of audio has the header of a file.
    """

    paths = (PATH,)
    idle_seconds = 60.0

    def __init__(self) -> None:
        super().__init__()
        self.wav = False

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """``api-subscription-key``."""
        return headers.get("api-subscription-key", "")

    async def serve(self, connection: VendorConnection) -> None:
        """Text, spoken when there is enough of it; a flush, which has the rest spoken."""
        model = connection.parameter("model") or "bulbul:v2"
        if model not in SPEAKERS:
            connection.violation(f"model {model!r}")
        first = connection.json(await connection.receive())
        if first.get("type") != "config":
            connection.violation(f"the first message is no config but {first.get('type')!r}")
        wanted: dict[str, Any] = first.get("data") or {}
        _check(connection, wanted, model)
        encoding = CODECS.get(wanted.get("output_audio_codec", ""), Encoding.PCM16)
        audio_format = AudioFormat(encoding, int(wanted.get("speech_sample_rate", 24_000)))
        enough, text = int(wanted.get("min_buffer_size", 50)), ""
        while True:
            message = connection.json(await connection.receive())
            match message:
                case {"type": "text", "data": {"text": str(piece)}}:
                    if not 0 < len(piece) <= MAX_CHARS.get(model, 0):
                        connection.violation(f"a text of {len(piece)} characters")
                    text += piece
                    if len(text) >= enough and " " in text:
                        whole, _, text = text.rpartition(" ")
                        self._say(connection, whole, audio_format)
                case {"type": "flush"}:
                    self._say(connection, text, audio_format)
                    text = ""
                    if connection.parameter("send_completion_event") == "true":
                        connection.send({"type": "event", "data": {"event_type": "final"}})
                case {"type": "ping"}:
                    pass
                case _:
                    connection.violation(f"there is no message {message.get('type')!r}")

    def _say(self, connection: VendorConnection, text: str, audio_format: AudioFormat) -> None:
        def message(piece: bytes) -> Mapping[str, Any]:
            audio = (wav_header(audio_format, 1, len(piece)) if self.wav else b"") + piece
            kind = "audio/wav" if self.wav else f"audio/{audio_format.encoding}"
            data = {"audio": b64encode(audio).decode(), "content_type": kind, "request_id": "fake"}
            return {"type": "audio", "data": data}

        connection.speak(talker.pieces(text, audio_format), audio_format, message)

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """Of an open connection."""
        code, status = ERRORS[error]
        words = f"{code}: {error} for {self.key}"
        return ({"type": "error", "data": {"message": words, "code": status}},)

    def error_close(self, error: VendorError) -> tuple[int, str]:
        """As at the endpoints of recognition."""
        return (1011 if error is VendorError.INTERNAL else 1003), ""


def _check(connection: VendorConnection, wanted: Mapping[str, Any], model: str) -> None:
    told = connection.violation
    known = KEYS | V2_KEYS if model == "bulbul:v2" else KEYS
    for name in wanted.keys() - known:
        told(f"{name} is not of {model}")
    if wanted.get("model", model) != model:
        told(f"model {wanted['model']!r} where the URL says {model!r}")
    if wanted.get("target_language_code") not in LANGUAGES:
        told(f"target_language_code {wanted.get('target_language_code')!r}")
    if wanted.get("speaker") not in SPEAKERS.get(model, ()):
        told(f"{model} has no speaker {wanted.get('speaker')!r}")
    if wanted.get("speech_sample_rate") not in RATES:
        told(f"speech_sample_rate {wanted.get('speech_sample_rate')!r}")
    if wanted.get("output_audio_codec") not in CODECS:
        told(f"output_audio_codec {wanted.get('output_audio_codec')!r}")
    for name in wanted.keys() & RANGES.keys():
        low, high = RANGES[name]
        if not low <= wanted[name] <= high:
            told(f"{name} {wanted[name]!r}")


CASE = VendorCase(Kind.TTS, "sarvam", FakeSarvamBulbul, PATH, "or-IN")
