"""The options of AssemblyAI's plugin.

Ranges and limits: assemblyai.com/docs, "Streaming WebSocket API" and "Turn detection".
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from exobridge_providers.base import wrong_option
from exobridge_providers.vendor import VendorSttOptions

LANGUAGES = {
    "universal-3-5-pro": {"en", "hi"},
    "u3-rt-pro": {"en"},
    "universal-streaming-english": {"en"},
    "universal-streaming-multilingual": {"en"},
}
"""Those of India, of models that know less than the newest."""

_Keyterm = Annotated[str, Field(min_length=1, max_length=50)]


class AssemblyAiOptions(VendorSttOptions):
    """The ``[stt.options]`` table. ``extra`` goes into the query; lists in it are written as JSON.

    Attributes:
        chunk_ms: Audio of one message; AssemblyAI closes a session that gets less than 50 ms.
        model: AssemblyAI's name of it.
        mixed_languages: BCP-47 tags of what callers mix in: hints, beside the call's language, for
            models that take some.
        keyterms: Names and words that are hard to hear.
        mode: AssemblyAI's set of values for what stands below. ``None``: ``balanced``.
        end_of_turn: AssemblyAI's word that a turn is over ends the caller's turn.
        min_turn_silence_ms: Silence after which it looks whether the turn reads as complete.
        max_turn_silence_ms: Silence that ends the turn in any case.
        end_of_turn_threshold: How sure it has to be; of the ``universal-streaming`` models alone.
        interruption_delay_ms: From the begin of speech to the first words, 256 ms not counted.
        vad_threshold: How sure it has to be that sound is speech.
        inactivity_seconds: Pause in all that is sent after which AssemblyAI ends the session.
        keepalive_seconds: Pause in the audio after which a sign of life is sent.
    """

    url: str = "wss://streaming.assemblyai.com/v3/ws"
    api_key_env: str = Field(default="ASSEMBLYAI_API_KEY", min_length=1)
    chunk_ms: int = Field(default=60, ge=60, le=200, multiple_of=20)
    model: str = Field(default="universal-3-6-pro", min_length=1)
    mixed_languages: tuple[str, ...] = Field(default=("en",), max_length=9)
    keyterms: tuple[_Keyterm, ...] = Field(default=(), max_length=100)
    mode: Literal["min_latency", "balanced", "max_accuracy"] | None = None
    end_of_turn: bool = True
    min_turn_silence_ms: int | None = Field(default=None, ge=50, le=10_000)
    max_turn_silence_ms: int | None = Field(default=None, ge=50, le=10_000)
    end_of_turn_threshold: float | None = Field(default=None, ge=0, le=1)
    interruption_delay_ms: int | None = Field(default=None, ge=0, le=1000)
    vad_threshold: float | None = Field(default=None, ge=0, le=1)
    inactivity_seconds: int = Field(default=60, ge=5, le=3600)
    keepalive_seconds: float = Field(default=4, ge=0.05, le=4)

    @model_validator(mode="after")
    def _silences_in_order(self) -> AssemblyAiOptions:
        least, most = self.min_turn_silence_ms, self.max_turn_silence_ms
        if least is not None and most is not None and least > most:
            raise wrong_option("is more than max_turn_silence_ms", "min_turn_silence_ms")
        return self
