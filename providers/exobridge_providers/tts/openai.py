"""OpenAI's voices (``/v1/audio/speech``), and those of servers that speak its protocol.

Protocol: platform.openai.com, "Create speech". A request for each sentence or some; the answer is
raw PCM16 at 24 kHz while it is made. The language is that of the text.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field, model_validator

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import Cancel, Options, TtsCapabilities, TtsConfig, wrong_option
from exobridge_providers.vendor.http_answer import Asked
from exobridge_providers.vendor.http_tts import HttpTts, HttpTtsOptions

NAME = "openai"
URL = "https://api.openai.com/v1/audio/speech"
MAX_CHARS = 4096


class OpenAiTtsOptions(HttpTtsOptions):
    """The ``[tts.options]`` table. ``extra`` goes into the body of each request.

    Attributes:
        url: The endpoint; another server's, if it speaks the same protocol and answers with PCM16
            at 24 kHz.
        api_key_env: The environment variable with the key; empty for a server that wants none.
        model: ``gpt-4o-mini-tts``, or ``tts-1``, which is older and begins sooner.
        default_voice: Where the template names none.
        instructions: How to speak: accent, tone, pace. Not for ``tts-1`` and ``tts-1-hd``.
        speed: Pace of speech; 1 is as the voice has it.
    """

    url: str = URL
    api_key_env: str = "OPENAI_API_KEY"
    model: str = Field(default="gpt-4o-mini-tts", min_length=1)
    default_voice: str = Field(default="coral", min_length=1)
    instructions: str = Field(default="", max_length=4096)
    speed: float = Field(default=1, ge=0.25, le=4)

    @model_validator(mode="after")
    def _instructions_are_taken(self) -> OpenAiTtsOptions:
        if self.instructions and self.model in ("tts-1", "tts-1-hd"):
            raise wrong_option(f"is not taken by {self.model}", "instructions")
        return self


class OpenAiTts(HttpTts[OpenAiTtsOptions]):
    """Text-to-speech by OpenAI. What another server speaks is not known, so that any language may
    be asked of it."""

    options_type = OpenAiTtsOptions
    name = NAME
    capabilities = TtsCapabilities(
        formats=(pcm16(24_000),),
        languages=frozenset({"en", "hi", "kn", "mr", "ne", "ta", "ur"}),
        max_chars=MAX_CHARS,
        cancel=Cancel.ABORT,
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        if self.options.url != URL:
            self.capabilities = replace(self.capabilities, languages=frozenset[str]())

    def asked(self, text: str, config: TtsConfig, key: str) -> Asked:
        """As :meth:`exobridge_providers.vendor.http_tts.HttpTts.asked`."""
        options = self.options
        body = {
            "model": options.model,
            "voice": config.voice or options.default_voice,
            "input": text,
            "response_format": "pcm",
            **({"instructions": options.instructions} if options.instructions else {}),
            **({"speed": options.speed} if options.speed != 1 else {}),
            **options.extra,
        }
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return Asked(options.url, body, headers, (key,))
