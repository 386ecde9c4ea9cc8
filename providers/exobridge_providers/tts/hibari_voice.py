"""The hibari voice, loaded: a sentence in, PCM16 out."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from exobridge_codecs.pcm import fade_edges, from_float, trim_silence
from exobridge_codecs.resample import resample

VOICE = "heart"
"""The one voice inside the package (American English); the others are downloads."""
SAMPLE_RATE = 24_000
"""Of the network, in hertz."""
LEAD_MS = 20
"""Silence before a sentence, in milliseconds."""
PAUSE_MS = 220
"""Silence after a sentence, in milliseconds."""
_SEED = 0  # of the breath noise: the same text always makes the same bytes


class _Hibari(Protocol):
    """The part of ``hibari.Hibari`` used here; the package carries no types."""

    def phonemize(self, text: str) -> list[str]: ...

    def from_phonemes(self, phonemes: str, speed: float, seed: int) -> NDArray[np.float32]: ...


class _HibariClass(Protocol):
    def __call__(self, voice: str, *, threads: int) -> _Hibari: ...

    def split_sentences(self, text: str) -> list[str]: ...


_hibari = cast(_HibariClass, import_module("hibari").Hibari)


def split_sentences(text: str) -> list[str]:
    """The sentences of a text; titles and initials do not end one."""
    return _hibari.split_sentences(text)


def _finished(pcm: bytes) -> bytes:
    """One sentence as it is played.

    The network puts 0.3 s of silence before each and 0.45 s behind it: the caller would wait for
    the one, and take the two together for the end.
    """
    trimmed = trim_silence(pcm, SAMPLE_RATE, lead_ms=LEAD_MS, tail_ms=PAUSE_MS)
    return fade_edges(trimmed, SAMPLE_RATE)


class HibariVoice:
    """One loaded voice. One caller at a time.

    Args:
        speed: 0.5 (slow) to 2.0.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._hibari = _hibari(VOICE, threads=1)
        self._speed = speed
        # The dictionaries and the network for unknown words are loaded on first use.
        self.synthesise("Exobridge xqzvri.", SAMPLE_RATE)

    def synthesise(self, sentence: str, sample_rate: int) -> bytes:
        """PCM16 of a sentence; empty if there is nothing to speak in it."""
        parts = [
            self._hibari.from_phonemes(phonemes, self._speed, _SEED)
            for phonemes in self._hibari.phonemize(sentence)
        ]
        faded = [_finished(from_float(part)) for part in parts if len(part)]
        return resample(b"".join(faded), SAMPLE_RATE, sample_rate) if faded else b""
