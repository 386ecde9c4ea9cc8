"""Hibari: English text-to-speech inside the process, offline.

30 to 40 ms of one core for a sentence of four seconds.
"""

from __future__ import annotations

import asyncio
from functools import partial

from pydantic import Field

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import (
    Options,
    TtsCapabilities,
    TtsConfig,
    TtsProvider,
    TtsSession,
    check_config,
)
from exobridge_providers.errors import ProviderConfigError
from exobridge_providers.tts.hibari_voice import VOICE, HibariVoice, split_sentences
from exobridge_providers.tts.sentences import SentenceSession
from exobridge_providers.workers import WorkerPool

MAX_CHARS = 1000


class HibariOptions(Options):
    """The ``[tts.options]`` table.

    Attributes:
        threads: Sentences made at once, 1 to 16: each takes a core while it is made, and about
            100 MB for its copy of the voice.
        queue_limit: Sentences of all calls that may wait, 1 to 1000; more are refused.
        speed: Pace of speech, 0.5 (slow) to 2.0.
    """

    threads: int = Field(default=1, ge=1, le=16)
    queue_limit: int = Field(default=64, ge=1, le=1000)
    speed: float = Field(default=1.0, ge=0.5, le=2.0)


class HibariTts(TtsProvider):
    """English text-to-speech, offline, in one voice."""

    options_type = HibariOptions
    offline = True
    capabilities = TtsCapabilities(
        formats=(pcm16(24_000), pcm16(16_000), pcm16(8_000)),
        languages=frozenset({"en"}),
        max_chars=MAX_CHARS,
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, HibariOptions)
        self._options = options
        self._pool: WorkerPool[HibariVoice] | None = None

    async def start(self) -> None:
        """Load the voice (about 0.5 s for each thread)."""
        options = self._options
        voices = await asyncio.to_thread(
            lambda: [HibariVoice(options.speed) for _ in range(options.threads)]
        )
        self._pool = WorkerPool(voices, limit=options.queue_limit, provider="hibari")

    async def aclose(self) -> None:
        """Wait for the sentences under way and end the threads."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.aclose()

    async def open(self, config: TtsConfig) -> TtsSession:
        """As :meth:`exobridge_providers.base.TtsProvider.open`.

        Raises:
            ProviderConfigError: Another language, format or voice, or the provider was not
                started.
        """
        check_config(config, self.capabilities, "hibari")
        if config.voice not in ("", VOICE):
            raise ProviderConfigError(
                f"hibari has the voice {VOICE!r} only, not {config.voice!r}: "
                f'leave the voice out of the template, or write voice = "{VOICE}"',
                provider="hibari",
            )
        if self._pool is None:
            raise ProviderConfigError("hibari was not started", provider="hibari")
        return SentenceSession(
            partial(_synthesise, self._pool, config.format.sample_rate),
            split_sentences,
            max_chars=MAX_CHARS,
            provider="hibari",
        )


def _synthesise(
    pool: WorkerPool[HibariVoice], sample_rate: int, sentence: str
) -> asyncio.Future[bytes]:
    return pool.submit(lambda voice: voice.synthesise(sentence, sample_rate))
