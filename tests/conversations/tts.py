"""Text-to-speech whose audio is numbered, made at its own pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import (
    Options,
    TtsAudio,
    TtsCapabilities,
    TtsConfig,
    TtsDone,
    TtsEvent,
    TtsProvider,
    TtsSession,
)
from exobridge_providers.events import EventStream
from tests.conversations.line import APART_S
from tests.conversations.numbered import MAX_PAIRS, PAIRS_PER_MS, RATE, Take
from tests.conversations.options import InWorld, world_of
from tests.conversations.world import World

MS_PER_CHAR = 60
CHUNK_MS = 160.0
"""How much of it comes at a time."""


class ScriptedTtsSession:
    """One session's utterances, one after the other. What was being made of a cancelled one still
    comes out: the host has to drop it."""

    def __init__(self, world: World) -> None:
        self._variant = world.variant
        self._world = world
        self._dice = world.variant.chance(f"tts {len(world.takes)}")
        self._loop = asyncio.get_running_loop()
        self._events: EventStream[TtsEvent] = EventStream()
        self._takes: dict[str, Take] = {}
        self._cancelled: set[str] = set()
        self._free_at = 0.0

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        """Make a text."""
        late_s = 0.0
        take = self._takes.get(utterance_id)
        if take is None:
            take = self._takes[utterance_id] = self._world.take()
            late_s = self._dice.uniform(*self._variant.voice_ms) / 1000
        take.text += text
        self._free_at = max(self._free_at, self._loop.time() + late_s)
        pairs = round(len(text) * MS_PER_CHAR * PAIRS_PER_MS)
        chunk = int(CHUNK_MS * PAIRS_PER_MS)
        for first in range(take.pairs, take.pairs + pairs, chunk):
            size = min(chunk, take.pairs + pairs - first)
            self._loop.call_at(self._free_at, self._make, utterance_id, take, first, size)
            self._free_at += size / PAIRS_PER_MS / 1000 / self._variant.voice_pace
        take.pairs += pairs
        assert take.pairs <= MAX_PAIRS, "the pairs of a take can be numbered"
        if last:
            self._loop.call_at(self._free_at, self._done, utterance_id)
            self._free_at += APART_S

    def _make(self, utterance_id: str, take: Take, first: int, pairs: int) -> None:
        if utterance_id not in self._cancelled:
            self._events.post(TtsAudio(utterance_id, take.audio(first, pairs)))

    def _done(self, utterance_id: str) -> None:
        if utterance_id not in self._cancelled:
            self._events.post(TtsDone(utterance_id))

    async def cancel(self, utterance_id: str) -> None:
        """Stop making one, a moment later."""
        self._loop.call_later(0.1, self._cancelled.add, utterance_id)

    def events(self) -> AsyncIterator[TtsEvent]:
        """As :meth:`exobridge_providers.base.TtsSession.events`."""
        return aiter(self._events)

    async def aclose(self) -> None:
        """End it."""
        self._events.close()


class ScriptedTts(TtsProvider):
    """See the module. Unrealistic: every character takes the same time."""

    options_type = InWorld
    capabilities = TtsCapabilities(formats=(pcm16(RATE),))

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._world = world_of(options)

    async def open(self, config: TtsConfig) -> TtsSession:
        """As :meth:`exobridge_providers.base.TtsProvider.open`."""
        del config
        return ScriptedTtsSession(self._world)
