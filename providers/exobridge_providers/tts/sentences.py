"""A text-to-speech session over a synthesiser that takes whole sentences.

Text is collected, cut into sentences, and made one sentence at a time: the first is given out while
the next is made.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from exobridge_providers.base import TtsAudio, TtsDone, TtsEvent, TtsTrouble
from exobridge_providers.errors import (
    ProviderError,
    ProviderUnavailableError,
    as_provider_error,
)
from exobridge_providers.events import EventStream

Synthesise = Callable[[str], asyncio.Future[bytes]]
"""Starts the synthesis of one sentence; raises ``ProviderError`` if it is refused."""

Split = Callable[[str], list[str]]
"""Cuts a text into sentences; nothing but white space may get lost."""

AHEAD = 4
"""Sentences made and not read yet, before the session stops to make more."""
MAX_WAITING_CHARS = 20_000
REMEMBERED_CANCELS = 256


@dataclass(slots=True)
class _Utterance:
    id: str
    text: str = ""
    ended: bool = False
    cancelled: bool = False


class SentenceSession:
    """Text-to-speech of one call, sentence by sentence, utterances in the order they were begun.

    An utterance that is not ended holds up those after it.

    Args:
        synthesise: Starts the synthesis of a sentence.
        split: Cuts a text into sentences.
        max_chars: Longest text given to ``synthesise``.
        provider: Name for errors.
    """

    def __init__(
        self, synthesise: Synthesise, split: Split, *, max_chars: int, provider: str
    ) -> None:
        self._synthesise = synthesise
        self._split = split
        self._max_chars = max_chars
        self._provider = provider
        self._waiting: deque[_Utterance] = deque()
        self._cancelled: deque[str] = deque(maxlen=REMEMBERED_CANCELS)
        self._making: asyncio.Future[bytes] | None = None
        """Of the first utterance that waits."""
        self._more = asyncio.Event()
        self._events: EventStream[TtsEvent] = EventStream()
        self._task = asyncio.get_running_loop().create_task(self._speak())
        self._task.add_done_callback(self._ended)
        self._open = True

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        """As :meth:`exobridge_providers.base.TtsSession.say`.

        Raises:
            ProviderError: Far too much text waits (20,000 characters).
        """
        if not self._open or utterance_id in self._cancelled:
            return
        if sum(len(waiting.text) for waiting in self._waiting) + len(text) > MAX_WAITING_CHARS:
            raise ProviderError("too much text is waiting", provider=self._provider)
        for utterance in self._waiting:
            if utterance.id == utterance_id:
                break
        else:
            utterance = _Utterance(utterance_id)
            self._waiting.append(utterance)
        utterance.text += text
        utterance.ended = last
        self._more.set()

    async def cancel(self, utterance_id: str) -> None:
        """Stop an utterance: no event of it comes out once this has returned. The sentence under
        way is cancelled; where the synthesiser cannot stop, it is made to its end and dropped."""
        self._cancelled.append(utterance_id)
        for utterance in [each for each in self._waiting if each.id == utterance_id]:
            utterance.cancelled = True
            if utterance is self._waiting[0] and self._making is not None:
                self._making.cancel()
            self._waiting.remove(utterance)
        self._events.drop(lambda event: event.utterance_id == utterance_id)
        self._more.set()

    async def _speak(self) -> None:
        while True:
            await self._events.room(AHEAD)
            utterance = self._waiting[0] if self._waiting else None
            if utterance is None:
                await self._wait()
            elif sentence := self._next_sentence(utterance):
                await self._make(utterance, sentence)
            elif utterance.ended:
                self._waiting.popleft()
                self._events.post(TtsDone(utterance.id))
            else:
                await self._wait()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._events.fail(as_provider_error(error, "speech", self._provider))

    async def _wait(self) -> None:
        self._more.clear()
        await self._more.wait()

    def _next_sentence(self, utterance: _Utterance) -> str:
        """A sentence that is whole, taken off the utterance; empty if there is none."""
        sentences = self._split(utterance.text) if utterance.text.strip() else []
        if not sentences:
            return ""
        sentence = sentences[0]
        whole = utterance.ended or len(sentences) > 1
        if len(sentence) > self._max_chars:
            sentence = sentence[: _word_end(sentence, self._max_chars)]
        elif not whole:
            return ""
        start = utterance.text.index(sentence)
        utterance.text = utterance.text[start + len(sentence) :]
        return sentence

    async def _make(self, utterance: _Utterance, sentence: str) -> None:
        try:
            audio = await self._audio_of(sentence)
        except Exception as error:
            self._trouble(utterance, as_provider_error(error, "synthesis", self._provider))
        else:
            if audio and not utterance.cancelled:
                self._events.post(TtsAudio(utterance.id, audio))

    async def _audio_of(self, sentence: str) -> bytes:
        self._making = future = self._synthesise(sentence)
        try:
            await asyncio.wait([future])
        finally:
            self._making = None
            future.cancel()
            await asyncio.wait([future])  # a process that makes it has its own end to come to
        if future.cancelled():  # by the provider, or by cancel(), which wants no answer
            raise ProviderUnavailableError("the provider was closed", provider=self._provider)
        return future.result()

    def _trouble(self, utterance: _Utterance, error: ProviderError) -> None:
        if not utterance.cancelled:
            self._waiting.popleft()
            self._cancelled.append(utterance.id)  # what is still said of it is not spoken
            self._events.post(TtsTrouble(utterance.id, error))

    def events(self) -> AsyncIterator[TtsEvent]:
        """As :meth:`exobridge_providers.base.TtsSession.events`."""
        return aiter(self._events)

    async def aclose(self) -> None:
        """As :meth:`exobridge_providers.base.TtsSession.aclose`."""
        if not self._open:
            return
        self._open = False
        self._events.close()
        self._waiting.clear()
        self._task.cancel()
        await asyncio.wait([self._task])


def _word_end(text: str, limit: int) -> int:
    """The end of the last whole word within ``limit`` characters, or ``limit``."""
    space = text.rfind(" ", 1, limit + 1)
    return space if space > 0 else limit
