"""One call's way to the workers of a recogniser: audio that is asked for twice is read once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from exobridge_providers.workers import WorkerPool

ModelT = TypeVar("ModelT")


class Reader(Generic[ModelT]):
    """Has audio read, as :class:`exobridge_providers.stt.segments.Transcribe`.

    The audio of a pause is mostly asked for twice: while the pause may be the end of what is said,
    and when it is. The second time waits for the reading that is under way, in place of another
    behind it.

    Args:
        recognise: The text of some audio; called on a worker's thread.
    """

    def __init__(self, pool: WorkerPool[ModelT], recognise: Callable[[ModelT, bytes], str]) -> None:
        self._pool = pool
        self._recognise = recognise
        self._last: _Reading[ModelT] | None = None

    def __call__(self, audio: bytes, *, spare: bool = False) -> asyncio.Future[str]:
        """Start to read some audio.

        Raises:
            ProviderUnavailableError: As :meth:`WorkerPool.submit`.
        """
        reading = self._last
        if reading is None or reading.audio != audio:
            reading = _Reading(audio, self._recognise)
        self._last = reading if spare else None
        return self._pool.submit(reading.text, spare=spare)


class _Reading(Generic[ModelT]):
    """The text of some audio, which is made once. One that failed may be tried again."""

    def __init__(self, audio: bytes, recognise: Callable[[ModelT, bytes], str]) -> None:
        self.audio = audio
        self._recognise = recognise
        self._text: str | None = None
        self._lock = Lock()

    def text(self, model: ModelT) -> str:
        """Make it, or wait until another thread has."""
        with self._lock:
            if self._text is None:
                self._text = self._recognise(model, self.audio)
            return self._text
