"""Audio of a stream without a voice in it: silence, or noise of some level."""

from __future__ import annotations

from functools import lru_cache
from random import Random

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_codecs.g711 import pcm_to_mulaw


@lru_cache
def noise(audio: AudioFormat, milliseconds: int, level: int) -> bytes:
    """Always the same noise, evenly spread.

    Args:
        level: Its highest sample, of 32767; 0: silence.
    """
    dice = Random(1)
    samples = (dice.randint(-level, level) for _ in range(audio.sample_rate * milliseconds // 1000))
    pcm = b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)
    return pcm_to_mulaw(pcm) if audio.encoding is Encoding.MULAW else pcm
