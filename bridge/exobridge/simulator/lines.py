"""The caller's lines, made ready for a stream: encoded, cut into frames, written as base64.

All of it happens once for each clip and format, and is shared by every call that uses it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache

from exobridge.simulator.ear import voiced_span
from exobridge_codecs.codec import encoder
from exobridge_codecs.formats import AudioFormat
from exobridge_codecs.pcm import whole_samples
from exobridge_codecs.resample import resample


@dataclass(frozen=True, slots=True)
class Clip:
    """Something the caller's side can play.

    Attributes:
        pcm: PCM16, one channel.
        sample_rate: Its rate in hertz; any.
        text: The words in it; for a recording its file's name.
    """

    pcm: bytes
    sample_rate: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A clip as a stream carries it.

    Attributes:
        text: The words in it.
        payloads: Base64 of each frame, the last one filled up with silence.
        audio: The same frames' bytes.
        voiced_from_ms: First audible window, from the line's start; 0 if nothing is audible.
        voiced_to_ms: End of the last audible window; the line's length if nothing is audible.
    """

    text: str
    payloads: tuple[str, ...]
    audio: bytes
    voiced_from_ms: float
    voiced_to_ms: float


@lru_cache(maxsize=256)
def prepare(clip: Clip, audio: AudioFormat, frame_ms: int) -> Line:
    """``clip`` as frames of ``frame_ms`` in the stream's format."""
    pcm = clip.pcm
    if clip.sample_rate != audio.sample_rate:
        pcm = resample(pcm, clip.sample_rate, audio.sample_rate)
    encoded = encoder(audio.encoding)(whole_samples(pcm))
    size = audio.bytes_per_ms * frame_ms
    encoded += audio.silence(-len(encoded) % size)
    length = audio.duration_ms(len(encoded))
    voiced_from, voiced_to = voiced_span(pcm, audio.sample_rate) or (0.0, length)
    return Line(
        text=clip.text,
        payloads=tuple(
            base64.b64encode(encoded[at : at + size]).decode()
            for at in range(0, len(encoded), size)
        ),
        audio=encoded,
        voiced_from_ms=voiced_from,
        voiced_to_ms=voiced_to,
    )


@lru_cache(maxsize=64)
def silent_payload(audio: AudioFormat, frame_ms: int) -> str:
    """Base64 of one frame of silence."""
    return base64.b64encode(audio.silence(audio.bytes_per_ms * frame_ms)).decode()
