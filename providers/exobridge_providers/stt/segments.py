"""A speech-to-text session over a recogniser that takes whole segments.

The host sends voiced segments and ends each with ``finalize()``. Here they are collected, cut where
they grow too long, given to the recogniser, and answered in order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import numpy as np

from exobridge_codecs.formats import AudioFormat
from exobridge_codecs.pcm import to_float
from exobridge_providers.base import Final, SttEvent, SttTrouble
from exobridge_providers.errors import (
    ProviderError,
    ProviderUnavailableError,
    as_provider_error,
)
from exobridge_providers.events import EventStream

Transcribe = Callable[[bytes], asyncio.Future[str]]
"""Starts the recognition of some audio; raises ``ProviderError`` if it is refused."""

_STEP_MS = 20
_LOOK_BACK_MS = 3000


@dataclass(slots=True)
class _Segment:
    """From one ``finalize()`` to the next."""

    pieces: list[asyncio.Future[str]] = field(default_factory=list[asyncio.Future[str]])
    ended: bool = False

    @property
    def settled(self) -> bool:
        return self.ended and all(piece.done() for piece in self.pieces)


class SegmentSession:
    """Speech-to-text of one call, segment by segment.

    Each ``finalize()`` is answered by one ``Final(finalized=True)``, in order. A piece that failed
    or was refused is told by ``SttTrouble`` and missing from the text.

    Args:
        transcribe: Starts the recognition of a piece.
        audio_format: PCM16, of the audio sent.
        max_seconds: Longest piece; a longer segment is cut at its quietest place near the end, and
            the texts are joined.
        provider: Name for errors.
    """

    def __init__(
        self,
        transcribe: Transcribe,
        audio_format: AudioFormat,
        *,
        max_seconds: float,
        provider: str,
    ) -> None:
        self._transcribe = transcribe
        self._format = audio_format
        self._max_bytes = int(max_seconds * 1000) * audio_format.bytes_per_ms
        self._provider = provider
        self._audio = bytearray()
        self._segments: deque[_Segment] = deque([_Segment()])
        self._events: EventStream[SttEvent] = EventStream()
        self._open = True

    def send(self, audio: bytes) -> None:
        """As :meth:`exobridge_providers.base.SttSession.send`."""
        if not self._open:
            return
        self._audio += audio
        while len(self._audio) > self._max_bytes:
            self._start(quietest_cut(bytes(self._audio[: self._max_bytes]), self._format))

    def finalize(self) -> None:
        """As :meth:`exobridge_providers.base.SttSession.finalize`."""
        if not self._open:
            return
        if self._audio:
            self._start(len(self._audio))
        self._segments[-1].ended = True
        self._segments.append(_Segment())
        self._answer()

    def _start(self, size: int) -> None:
        piece = bytes(self._audio[:size])
        del self._audio[:size]
        try:
            future = self._transcribe(piece)
        except ProviderError as error:
            future = asyncio.get_running_loop().create_future()
            future.set_exception(error)
        self._segments[-1].pieces.append(future)
        future.add_done_callback(lambda _: self._answer())

    def _answer(self) -> None:
        while self._open and self._segments[0].settled:
            texts = [self._text_of(piece) for piece in self._segments.popleft().pieces]
            self._events.post(Final(" ".join(filter(None, texts)), finalized=True))

    def _text_of(self, piece: asyncio.Future[str]) -> str:
        error: BaseException | None
        if piece.cancelled():
            error = ProviderUnavailableError("the provider was closed", provider=self._provider)
        else:
            error = piece.exception()
        if error is None:
            return piece.result().strip()
        self._events.post(SttTrouble(as_provider_error(error, "recognition", self._provider)))
        return ""

    def events(self) -> AsyncIterator[SttEvent]:
        """As :meth:`exobridge_providers.base.SttSession.events`."""
        return aiter(self._events)

    async def aclose(self) -> None:
        """As :meth:`exobridge_providers.base.SttSession.aclose`."""
        if not self._open:
            return
        self._open = False
        self._audio.clear()
        self._events.close()
        for segment in self._segments:
            for piece in segment.pieces:
                if not piece.cancel() and not piece.cancelled():
                    piece.exception()  # looked at, or the loop would complain that nobody did
        self._segments.clear()


def quietest_cut(pcm: bytes, audio_format: AudioFormat) -> int:
    """Where to cut audio that is too long: the byte after the quietest 20 ms of its last three
    seconds (of its second half, if it is shorter than six)."""
    step = audio_format.bytes_per_ms * _STEP_MS
    steps = min(len(pcm) // 2 // step, _LOOK_BACK_MS // _STEP_MS)
    if steps < 1:
        return len(pcm)
    start = len(pcm) - steps * step
    levels = np.square(to_float(pcm[start:]).reshape(steps, -1)).mean(axis=1)
    return start + (int(levels.argmin()) + 1) * step
