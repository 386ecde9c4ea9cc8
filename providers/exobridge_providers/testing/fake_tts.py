"""A text-to-speech provider that hums."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Literal

from pydantic import Field

from exobridge_codecs.formats import pcm16
from exobridge_codecs.tones import tone
from exobridge_providers.base import (
    Options,
    TtsAudio,
    TtsCapabilities,
    TtsConfig,
    TtsDone,
    TtsEvent,
    TtsProvider,
    TtsSession,
    TtsTrouble,
    check_config,
)
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.events import EventStream

TtsFault = Literal["none", "open", "die", "hang", "stall", "trouble", "late", "odd"]


class FakeTtsOptions(Options):
    """How it hums, and what goes wrong.

    Attributes:
        ms_per_char: Length of the tone, in milliseconds a character.
        frequency_hz: Its pitch.
        chunk_ms: Audio of one event, in milliseconds.
        delay_ms: Before an utterance's first audio.
        pace: Milliseconds that a millisecond of audio takes to come: 0 is at once, 1 real time.
        languages: As in the capabilities; none is any.
        sample_rates: Hertz, the preferred first.
        fault: ``open`` raises; ``die`` kills the session in place of an utterance; ``hang`` gives
            none of its audio; ``stall`` half of it; ``trouble`` fails it after half; ``late`` goes
            on after ``cancel``, to the end; ``odd`` cuts samples in half.
        fault_at: The utterance from which on it goes wrong; the first is 1.
    """

    ms_per_char: float = Field(default=60, gt=0)
    frequency_hz: float = Field(default=440, gt=0)
    chunk_ms: int = Field(default=100, ge=20)
    delay_ms: float = Field(default=0, ge=0)
    pace: float = Field(default=0, ge=0)
    languages: frozenset[str] = frozenset()
    sample_rates: tuple[int, ...] = (24_000, 16_000, 8_000)
    fault: TtsFault = "none"
    fault_at: int = Field(default=1, ge=1)


class FakeTtsSession:
    """One call's humming.

    Attributes:
        texts: What was to be said, by utterance id.
        cancelled: Ids that were cancelled.
    """

    def __init__(self, options: FakeTtsOptions, config: TtsConfig) -> None:
        self.texts: dict[str, str] = {}
        self.cancelled: list[str] = []
        self._options = options
        self._format = config.format
        self._begun: deque[str] = deque()
        self._ended: set[str] = set()
        self._count = 0
        self._more = asyncio.Event()
        self._events: EventStream[TtsEvent] = EventStream()
        self._task = asyncio.get_running_loop().create_task(self._hum())

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        """As :meth:`exobridge_providers.base.TtsSession.say`."""
        if utterance_id not in self.texts:
            self.texts[utterance_id] = ""
            self._begun.append(utterance_id)
        self.texts[utterance_id] += text
        if last:
            self._ended.add(utterance_id)
            self._more.set()

    async def cancel(self, utterance_id: str) -> None:
        """As :meth:`exobridge_providers.base.TtsSession.cancel`."""
        self.cancelled.append(utterance_id)
        self._more.set()

    def _is_over(self, utterance_id: str) -> bool:
        return utterance_id in self.cancelled and self._options.fault != "late"

    async def _hum(self) -> None:
        while True:
            if self._begun and self._is_over(self._begun[0]):
                self._begun.popleft()
            elif self._begun and self._begun[0] in self._ended:
                self._count += 1
                await self._utter(self._begun.popleft())
            else:
                self._more.clear()
                await self._more.wait()

    async def _utter(self, utterance_id: str) -> None:
        fault = self._options.fault if self._count >= self._options.fault_at else "none"
        await asyncio.sleep(self._options.delay_ms / 1000)
        if fault == "die":
            self._events.fail(ProviderUnavailableError("the line broke", provider="fake"))
        if fault in ("die", "hang"):
            await asyncio.Event().wait()
        chunks = self._chunks(self.texts[utterance_id])
        if fault in ("stall", "trouble"):
            chunks = chunks[: max(1, len(chunks) // 2)]
        for chunk in chunks:
            if self._is_over(utterance_id):
                return
            self._events.post(TtsAudio(utterance_id, chunk[:-1] if fault == "odd" else chunk))
            await asyncio.sleep(self._format.duration_ms(len(chunk)) * self._options.pace / 1000)
        if fault == "stall":
            await asyncio.Event().wait()
        if self._is_over(utterance_id):
            return
        error = ProviderUnavailableError("one utterance failed", provider="fake")
        trouble = fault == "trouble"
        self._events.post(TtsTrouble(utterance_id, error) if trouble else TtsDone(utterance_id))

    def _chunks(self, text: str) -> list[bytes]:
        audio = tone(
            self._options.frequency_hz,
            len(text) * self._options.ms_per_char,
            self._format.sample_rate,
        )
        size = self._options.chunk_ms * self._format.bytes_per_ms
        return [audio[start : start + size] for start in range(0, len(audio), size)]

    def events(self) -> AsyncIterator[TtsEvent]:
        """As :meth:`exobridge_providers.base.TtsSession.events`."""
        return aiter(self._events)

    async def aclose(self) -> None:
        """As :meth:`exobridge_providers.base.TtsSession.aclose`."""
        self._events.close()
        self._task.cancel()
        await asyncio.wait([self._task])


class FakeTts(TtsProvider):
    """Text-to-speech that gives a tone, as long as its text is.

    Unrealistic in that the tone starts at full level at once, has no pauses, and costs next to
    nothing; it begins only when an utterance's text is complete.

    Attributes:
        sessions: All that were opened, for tests to look at.
    """

    options_type = FakeTtsOptions
    offline = True

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, FakeTtsOptions)
        self._options = options
        self.capabilities = TtsCapabilities(
            formats=tuple(map(pcm16, options.sample_rates)), languages=options.languages
        )
        self.sessions: list[FakeTtsSession] = []

    async def open(self, config: TtsConfig) -> TtsSession:
        """As :meth:`exobridge_providers.base.TtsProvider.open`."""
        check_config(config, self.capabilities, "fake")
        if self._options.fault == "open":
            raise ProviderUnavailableError("nobody there", provider="fake")
        session = FakeTtsSession(self._options, config)
        self.sessions.append(session)
        return session
