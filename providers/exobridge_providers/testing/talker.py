"""The voice of a fake vendor."""

from __future__ import annotations

from exobridge_codecs.codec import encoder
from exobridge_codecs.formats import AudioFormat
from exobridge_providers.testing.letters import spoken


def pieces(text: str, audio_format: AudioFormat, piece_ms: int = 100) -> list[bytes]:
    """A text in letters, cut as a vendor cuts its audio; the last piece is as long as is left."""
    audio = encoder(audio_format.encoding)(spoken(text, audio_format.sample_rate))
    size = piece_ms * audio_format.bytes_per_ms
    return [audio[at : at + size] for at in range(0, len(audio), size)]
