"""What of ElevenLabs' voices can be chosen."""

from __future__ import annotations

from pydantic import Field, field_validator

from exobridge_providers.elevenlabs import KEY_VARIABLE
from exobridge_providers.vendor import VendorTtsOptions

_CODES = "ar bg cs da de el en es fi fil fr hi hr id it ja ko ms nl pl pt ro ru sk sv ta tr uk zh"
_V2 = frozenset(_CODES.split())

LANGUAGES = {
    "eleven_flash_v2_5": _V2 | {"hu", "no", "vi"},
    "eleven_turbo_v2_5": _V2 | {"hu", "no", "vi"},
    "eleven_multilingual_v2": _V2,
    "eleven_flash_v2": frozenset({"en"}),
    "eleven_turbo_v2": frozenset({"en"}),
}
"""By model. Of others nothing is known."""


class ElevenLabsTtsOptions(VendorTtsOptions):
    """The ``[tts.options]`` table. ``extra`` goes into the query.

    Attributes:
        url: The endpoint, without the voice and what comes behind it.
        model: ``eleven_flash_v2_5`` is the quickest; ``eleven_multilingual_v2`` sounds best.
        default_voice: An id, where the template names none.
        auto_mode: A sentence is made as soon as it comes; else the vendor collects text.
        chunk_length_schedule: Without ``auto_mode``: characters that are collected before the
            first, the second, ... piece is made; empty: as the vendor has it.
        stability, similarity_boost, style: Of the voice, 0 to 1; none: as the voice has it.
        use_speaker_boost: Closer to the voice, and slower.
        speed: Pace of speech.
        keepalive_seconds: Pause after which the connection is kept alive.
    """

    url: str = "wss://api.elevenlabs.io/v1/text-to-speech"
    api_key_env: str = Field(default=KEY_VARIABLE, min_length=1)
    model: str = Field(default="eleven_flash_v2_5", min_length=1)
    default_voice: str = Field(default="EXAVITQu4vr4xnSDxMaL", min_length=1)
    auto_mode: bool = True
    chunk_length_schedule: tuple[int, ...] = ()
    stability: float | None = Field(default=None, ge=0, le=1)
    similarity_boost: float | None = Field(default=None, ge=0, le=1)
    style: float | None = Field(default=None, ge=0, le=1)
    use_speaker_boost: bool | None = None
    speed: float | None = Field(default=None, ge=0.7, le=1.2)
    keepalive_seconds: float = Field(default=10, ge=0.05, le=15)

    @field_validator("model")
    @classmethod
    def _is_served_here(cls, model: str) -> str:
        if model.startswith("eleven_v3"):
            raise ValueError(
                "is not served over this protocol; take eleven_flash_v2_5 or eleven_multilingual_v2"
            )
        return model

    @field_validator("chunk_length_schedule")
    @classmethod
    def _is_in_range(cls, schedule: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 50 <= each <= 500 for each in schedule):
            raise ValueError("has numbers below 50 or above 500")
        return schedule
