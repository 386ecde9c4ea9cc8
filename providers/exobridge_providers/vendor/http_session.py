"""Text-to-speech over HTTP: the session of one call."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exobridge_providers.base import TtsAudio, TtsDone, TtsEvent
from exobridge_providers.errors import as_provider_error
from exobridge_providers.events import EventStream
from exobridge_providers.vendor.text_cut import TextCut

if TYPE_CHECKING:
    from exobridge_providers.vendor.http_answer import Answer

Ask = Callable[[str], "Answer"]
"""Begins the request for a text."""

AT_ONCE = 2
"""Requests under way at once: while the audio of one is given out the next is made."""

MAX_UNREAD = 64
"""Events that wait to be read; then the vendor has to."""

REMEMBERED = 64
"""Utterances that were cancelled, so many of them: a piece of text may still be on its way."""


@dataclass(slots=True)
class _Utterance:
    id: str
    text: TextCut
    answers: deque[Answer] = field(default_factory=deque["Answer"])


class HttpTtsSession:
    """Utterances in the order they were begun; one that is not ended holds up those after it.

    Args:
        sample_bytes: Of one sample.
        max_chars: Longest text of a request.
        provider: Name for errors.
    """

    def __init__(self, ask: Ask, sample_bytes: int, max_chars: int, provider: str) -> None:
        self._ask = ask
        self._provider = provider
        self._sample_bytes = sample_bytes
        self._max_chars = max_chars
        self._utterances: dict[str, _Utterance] = {}
        self._cancelled: deque[str] = deque(maxlen=REMEMBERED)
        self._events: EventStream[TtsEvent] = EventStream()
        self._more = asyncio.Event()
        self._parting: set[asyncio.Task[None]] = set()
        self._open = True
        self._task = asyncio.get_running_loop().create_task(self._speak())
        self._task.add_done_callback(self._ended)

    # -------------------------------------------------------------- what is asked for

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        """As :meth:`exobridge_providers.base.TtsSession.say`."""
        if not self._open or utterance_id in self._cancelled:
            return
        utterance = self._utterances.get(utterance_id)
        if utterance is None:
            utterance = _Utterance(utterance_id, TextCut(self._max_chars))
            self._utterances[utterance_id] = utterance
        utterance.text.add(text)
        utterance.text.whole = utterance.text.whole or last
        self._feed()

    async def cancel(self, utterance_id: str) -> None:
        """As :meth:`exobridge_providers.base.TtsSession.cancel`; no more audio of it comes out."""
        self._cancelled.append(utterance_id)
        self._events.drop(lambda event: event.utterance_id == utterance_id)
        utterance = self._utterances.pop(utterance_id, None)
        if utterance is not None:
            self._leave(utterance)
            self._feed()

    def _leave(self, utterance: _Utterance) -> None:
        for answer in utterance.answers:
            task = asyncio.get_running_loop().create_task(answer.aclose())
            self._parting.add(task)
            task.add_done_callback(self._parting.discard)
        utterance.answers.clear()

    def _feed(self) -> None:
        """Ask for what comes next, as far as that may be."""
        self._more.set()
        if self._task.done():  # it has failed
            return
        free = AT_ONCE - sum(len(each.answers) for each in self._utterances.values())
        for utterance in self._utterances.values():
            while free > 0 and (text := utterance.text.take()):
                utterance.answers.append(self._ask(text))
                free -= 1

    # -------------------------------------------------------------- what comes

    async def _speak(self) -> None:
        while True:
            utterance = next(iter(self._utterances.values()), None)
            if utterance is not None and utterance.answers:
                await self._give_out(utterance, utterance.answers[0])
            elif utterance is not None and utterance.text.whole and utterance.text.is_empty:
                del self._utterances[utterance.id]
                self._events.post(TtsDone(utterance.id))
            else:
                self._more.clear()
                await self._more.wait()

    async def _give_out(self, utterance: _Utterance, answer: Answer) -> None:
        odd = b""
        async with aclosing(answer.pieces()) as pieces:
            async for piece in pieces:
                if utterance.id not in self._utterances:
                    return
                piece = odd + piece
                whole = len(piece) - len(piece) % self._sample_bytes
                odd = piece[whole:]
                if whole:
                    self._events.post(TtsAudio(utterance.id, piece[:whole]))
                await self._events.room(MAX_UNREAD)
        if utterance.answers:
            utterance.answers.popleft()
            self._feed()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._events.fail(as_provider_error(error, "speech", self._provider))

    def events(self) -> AsyncIterator[TtsEvent]:
        """As :meth:`exobridge_providers.base.TtsSession.events`."""
        return aiter(self._events)

    async def aclose(self) -> None:
        """As :meth:`exobridge_providers.base.TtsSession.aclose`."""
        self._open = False
        self._events.close()
        self._task.cancel()
        for utterance in self._utterances.values():
            self._leave(utterance)
        self._utterances.clear()
        await asyncio.wait([self._task, *self._parting])
