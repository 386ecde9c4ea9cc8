"""A speech-to-text session over a recogniser that takes whole segments.

The host sends voiced segments and ends each with ``finalize()``. Here they are collected, cut where
they grow too long, given to the recogniser, and answered in order. A ``peek()`` has the recogniser
read what there is of a segment that goes on, when nothing else is to be read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from exobridge_codecs.formats import AudioFormat
from exobridge_codecs.pcm import to_float
from exobridge_providers.base import Final, Partial, SttEvent, SttTrouble
from exobridge_providers.errors import (
    ProviderError,
    ProviderUnavailableError,
    as_provider_error,
)
from exobridge_providers.events import EventStream


class Transcribe(Protocol):
    """Starts the recognition of some audio."""

    def __call__(self, audio: bytes, *, spare: bool = False) -> asyncio.Future[str]:
        """The text to come; ``spare`` audio is read when no other waits.

        Raises:
            ProviderError: It is refused.
        """
        ...


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

    def known(self) -> list[str]:
        """The texts that are there."""
        read = [piece for piece in self.pieces if piece.done() and not piece.cancelled()]
        return [piece.result() for piece in read if piece.exception() is None]


class SegmentSession:
    """Speech-to-text of one call, segment by segment.

    Each ``finalize()`` is answered by one ``Final(finalized=True)``, in order. A piece that failed
    or was refused is told by ``SttTrouble`` and missing from the text. A ``peek()`` that failed,
    was refused, or was overtaken by a ``finalize()`` is not answered.

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
        self._peek: asyncio.Future[str] | None = None
        self._peeked_bytes = 0
        self._read: asyncio.Future[str] | None = None
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
        read, self._read = self._read, None
        if read is not None and self._peeked_bytes == len(self._audio):
            self._add(read, len(self._audio))  # a peek has read all of it
        elif self._audio:
            self._start(len(self._audio))
        self._segments[-1].ended = True
        self._segments.append(_Segment())
        self._answer()

    def peek(self) -> None:
        """As :meth:`exobridge_providers.base.SttSession.peek`."""
        if not self._open or not self._audio or self._peek is not None:
            return
        try:
            self._peek = self._transcribe(bytes(self._audio), spare=True)
        except ProviderError:
            return  # too much to do; the text comes with the final
        self._read = None
        self._peeked_bytes = len(self._audio)
        self._peek.add_done_callback(self._peeked)

    def _peeked(self, peek: asyncio.Future[str]) -> None:
        if peek is not self._peek:
            return
        self._peek = None
        if not peek.cancelled() and peek.exception() is None:
            self._read = peek
            texts = [*self._segments[-1].known(), peek.result()]
            self._events.post(Partial(_joined(texts)))

    def _forget_peek(self) -> None:
        peek, self._peek = self._peek, None
        self._read = None
        if peek is not None and not peek.cancel():
            _look_at(peek)

    def _start(self, size: int) -> None:
        self._forget_peek()
        try:
            future = self._transcribe(bytes(self._audio[:size]))
        except ProviderError as error:
            future = asyncio.get_running_loop().create_future()
            future.set_exception(error)
        self._add(future, size)

    def _add(self, text: asyncio.Future[str], size: int) -> None:
        """This is, or will be, the text of the audio's first bytes."""
        del self._audio[:size]
        self._segments[-1].pieces.append(text)
        text.add_done_callback(lambda _: self._answer())

    def _answer(self) -> None:
        while self._open and self._segments[0].settled:
            texts = [self._text_of(piece) for piece in self._segments.popleft().pieces]
            self._events.post(Final(_joined(texts), finalized=True))

    def _text_of(self, piece: asyncio.Future[str]) -> str:
        error: BaseException | None
        if piece.cancelled():
            error = ProviderUnavailableError("the provider was closed", provider=self._provider)
        else:
            error = piece.exception()
        if error is None:
            return piece.result()
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
        self._forget_peek()
        for segment in self._segments:
            for piece in segment.pieces:
                if not piece.cancel():
                    _look_at(piece)
        self._segments.clear()


def _joined(texts: list[str]) -> str:
    return " ".join(filter(None, map(str.strip, texts)))


def _look_at(done: asyncio.Future[str]) -> None:
    """Or the loop would complain that nobody looked at its error."""
    if not done.cancelled():
        done.exception()


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
