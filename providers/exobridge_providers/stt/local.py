"""What the recognisers inside the process have in common: models on threads, segments in, text out.

No end-of-turn signal and no partials of their own: the host's voice activity detection cuts the
segments, and asks for words of one that goes on (``peek``).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from functools import partial
from typing import ClassVar, Protocol

from pydantic import Field

from exobridge_codecs.pcm import to_float
from exobridge_providers.base import (
    Options,
    SttConfig,
    SttProvider,
    SttSession,
    check_config,
)
from exobridge_providers.errors import ProviderConfigError
from exobridge_providers.stt.invented import is_invented
from exobridge_providers.stt.reading import Reader
from exobridge_providers.stt.segments import SegmentSession
from exobridge_providers.vad.silero_model import SileroModel
from exobridge_providers.workers import WorkerPool

_LOUDEST_GAIN = 30.0


class LocalOptions(Options):
    """The ``[stt.options]`` table of a local recogniser.

    Attributes:
        workers: Recognisers at work at once, 1 to 16: each takes a core while it works.
        queue_limit: Segments of all calls that may wait, 1 to 1000; more are refused with an empty
            final.
        max_segment_seconds: Longest audio given to the recogniser at once, 5 to 15 seconds; it
            grows unsure, or slow, on more.
        min_voiced_ms: Audio with less voice than this, in milliseconds, 0 to 2000, is not
            transcribed, since a recogniser invents words where there are none. 0: all is.
    """

    workers: int = Field(default=1, ge=1, le=16)
    queue_limit: int = Field(default=64, ge=1, le=1000)
    max_segment_seconds: float = Field(default=15, ge=5, le=15)
    min_voiced_ms: float = Field(default=200, ge=0, le=2000)


class Model(Protocol):
    """A loaded recogniser. One caller at a time."""

    def transcribe(self, pcm: bytes, sample_rate: int) -> str:
        """The text of some PCM16.

        Raises:
            ProviderError: It failed.
        """
        ...

    def close(self) -> None:
        """Free the memory."""
        ...


class LocalStt(SttProvider, ABC):
    """Speech-to-text by models inside the process.

    Class attributes:
        name: In the registry.
    """

    name: ClassVar[str]
    options_type = LocalOptions
    offline = True

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, LocalOptions)
        self._options = options
        self._models: list[Model] = []
        self._vad: SileroModel | None = None
        self._pool: WorkerPool[Model] | None = None

    @abstractmethod
    def load(self) -> Model:
        """Load a model; on a thread.

        Raises:
            ProviderConfigError: It cannot be loaded here; the message names the cure.
        """

    async def start(self) -> None:
        """Load the models.

        Raises:
            ProviderConfigError: They cannot be loaded here; the message names the cure.
        """
        await asyncio.to_thread(self._load)
        self._pool = WorkerPool(self._models, limit=self._options.queue_limit, provider=self.name)

    def _load(self) -> None:
        self._vad = SileroModel() if self._options.min_voiced_ms else None
        for _ in range(self._options.workers):
            self._models.append(self.load())

    async def aclose(self) -> None:
        """Wait for the recognitions under way and free the models."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.aclose()
        for model in self._models:
            model.close()
        self._models.clear()

    async def open(self, config: SttConfig) -> SttSession:
        """As :meth:`exobridge_providers.base.SttProvider.open`.

        Raises:
            ProviderConfigError: Another language or format, or the provider was not started.
        """
        check_config(config, self.capabilities, self.name)
        if self._pool is None:
            raise ProviderConfigError(f"{self.name} was not started", provider=self.name)
        rate = config.format.sample_rate
        return SegmentSession(
            Reader(self._pool, partial(self._recognise, sample_rate=rate)),
            config.format,
            max_seconds=self._options.max_segment_seconds,
            provider=self.name,
        )

    def _recognise(self, model: Model, pcm: bytes, sample_rate: int) -> str:
        """On a worker's thread."""
        if not self._has_voice(pcm, sample_rate):
            return ""
        text = model.transcribe(pcm, sample_rate)
        return "" if is_invented(text) else text

    def _has_voice(self, pcm: bytes, sample_rate: int) -> bool:
        if self._vad is None:
            return True
        samples = to_float(pcm)
        peak = float(abs(samples).max(initial=0.0))
        if peak == 0:
            return False
        enough = self._options.min_voiced_ms
        # A caller who is far from the telephone counts too: the network wants a usual level.
        louder = samples * min(0.5 / peak, _LOUDEST_GAIN)
        return self._vad.voiced_ms(louder, sample_rate, enough_ms=enough) >= enough
