"""Speech-to-text that understands the words whose frames it was given, at its own pace.

A word is understood when most of its frames were in the audio since the last ``finalize()``. What
the host did not hand on, or cut in the middle, is not understood: as with a real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import (
    EagerEnd,
    Final,
    Options,
    Partial,
    Resumed,
    SttCapabilities,
    SttConfig,
    SttEvent,
    SttProvider,
    SttSession,
)
from exobridge_providers.events import EventStream
from tests.conversations.line import APART_S
from tests.conversations.numbered import RATE
from tests.conversations.options import InWorld, world_of
from tests.conversations.scenario import Ears
from tests.conversations.track import FRAME_MS, SpokenWord, enough, number_of
from tests.conversations.world import World

EAGER_MS, OVER_MS = 260.0, 700.0
"""Silence after which one that takes turns sends ``EagerEnd``, and its ``Final``."""

WRONG = ("the", "so", "her", "on")
"""What a wrong partial has for its last word."""


class ScriptedSttSession:
    """One call's words."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._variant = world.variant
        self._dice = world.variant.chance("stt")
        self._loop = asyncio.get_running_loop()
        self._events: EventStream[SttEvent] = EventStream()
        self._last_due = 0.0
        self._segment: set[int] = set()
        self._newest = -1
        self._next_partial_ms = 0.0
        self._told = ""
        self._finals = 0
        self._peeking: asyncio.TimerHandle | None = None
        self._eager = False

    # -------------------------------------------------------------- what is understood

    def _words(self) -> list[SpokenWord]:
        """The words of this segment, so far."""
        segment = self._segment
        return [
            word
            for word in self._world.track.words
            if word.end_ms <= (self._newest + 1.5) * FRAME_MS
            and enough(sum(number in segment for number in word.frames), word)
        ]

    def _text(self) -> str:
        return " ".join(word.text for word in self._words())

    # -------------------------------------------------------------- what comes in

    def send(self, audio: bytes) -> None:
        """One frame."""
        number = number_of(audio)
        if number >= 0:
            self._segment.add(number)
            self._newest = number
        if self._variant.ears in (Ears.STREAMING, Ears.TURNS):
            self._listen()

    def finalize(self) -> None:
        """The text of what was sent follows; the next segment begins."""
        if self._peeking is not None:
            self._peeking.cancel()
            self._peeking = None
        text = self._text()
        self._begin_segment()
        number, self._finals = self._finals, self._finals + 1
        if number in self._world.scenario.faults.finals_missing:
            self._world.note("stt", f"never answers: {text!r}")
            return
        self._post(Final(text, finalized=True), self._dice.uniform(*self._variant.final_ms))

    def peek(self) -> None:
        """The text so far follows."""
        assert self._variant.ears is Ears.SEGMENTS, "it did not say that it can"
        if self._peeking is None:
            late_ms = self._dice.uniform(*self._variant.partial_ms)
            told = partial(self._tell_peek, self._text())
            self._peeking = self._loop.call_later(late_ms / 1000, told)

    def _tell_peek(self, text: str) -> None:
        self._peeking = None
        self._tell(Partial(self._maybe_wrong(text)))

    def _begin_segment(self) -> None:
        self._segment.clear()
        self._told = ""
        self._eager = False

    # -------------------------------------------------------------- one that hears the whole call

    def _listen(self) -> None:
        now_ms = self._newest * FRAME_MS
        if now_ms < self._next_partial_ms:
            return
        self._next_partial_ms = now_ms + self._variant.partial_every_ms
        text = self._text()
        if text and text != self._told:
            if self._eager:
                self._eager = False
                self._post_soon(Resumed())
            self._told = text
            self._post_soon(Partial(self._maybe_wrong(text)))
        elif text and self._variant.ears is Ears.TURNS:
            self._end_turn(text, now_ms - self._world.track.words[-1].end_ms)

    def _end_turn(self, text: str, silent_ms: float) -> None:
        if silent_ms >= OVER_MS:
            self._begin_segment()
            self._post_soon(Final(text, end_of_turn=True))
        elif silent_ms >= EAGER_MS and not self._eager:
            self._eager = True
            self._post_soon(EagerEnd(text))

    def _maybe_wrong(self, text: str) -> str:
        if not text or self._dice.random() >= self._variant.wrong_partials:
            return text
        *before, _ = text.split()
        return " ".join([*before, self._dice.choice(WRONG)])

    # -------------------------------------------------------------- what goes out

    def _post_soon(self, event: SttEvent) -> None:
        self._post(event, self._dice.uniform(*self._variant.partial_ms))

    def _post(self, event: SttEvent, late_ms: float) -> None:
        self._last_due = max(self._last_due + APART_S, self._loop.time() + late_ms / 1000)
        self._loop.call_at(self._last_due, self._tell, event)

    def _tell(self, event: SttEvent) -> None:
        self._world.note("stt", f"{type(event).__name__} {getattr(event, 'text', '')!r}")
        self._events.post(event)

    def events(self) -> AsyncIterator[SttEvent]:
        """As :meth:`exobridge_providers.base.SttSession.events`."""
        return aiter(self._events)

    async def aclose(self) -> None:
        """End it."""
        self._events.close()


def _capabilities(ears: Ears) -> SttCapabilities:
    whole_call = ears in (Ears.STREAMING, Ears.TURNS)
    return SttCapabilities(
        formats=(pcm16(RATE),),
        continuous=whole_call,
        interims=whole_call,
        on_demand=ears is Ears.SEGMENTS,
        end_of_turn=ears is Ears.TURNS,
    )


class ScriptedStt(SttProvider):
    """See the module. Unrealistic: the words of a final text are always right."""

    options_type = InWorld

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._world = world_of(options)
        self.capabilities = _capabilities(self._world.variant.ears)

    async def open(self, config: SttConfig) -> SttSession:
        """As :meth:`exobridge_providers.base.SttProvider.open`."""
        del config
        return ScriptedSttSession(self._world)
