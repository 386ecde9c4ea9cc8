"""Providers that speak and understand a language of tones. What the language is, each says that
stands on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import (
    Final,
    Options,
    SttCapabilities,
    SttConfig,
    SttEvent,
    SttProvider,
    SttSession,
    TtsAudio,
    TtsCapabilities,
    TtsConfig,
    TtsDone,
    TtsEvent,
    TtsProvider,
    TtsSession,
    check_config,
)
from exobridge_providers.events import EventStream

RATE = 8000


class _EarSession:
    """One call's words."""

    def __init__(self, understood: Callable[[bytes], str]) -> None:
        self._understood = understood
        self._heard = bytearray()
        self._events: EventStream[SttEvent] = EventStream()

    def send(self, audio: bytes) -> None:
        """Keep it."""
        self._heard += audio

    def finalize(self) -> None:
        """Understand it."""
        self._events.post(Final(self._understood(bytes(self._heard)), finalized=True))
        self._heard.clear()

    def peek(self) -> None:
        """Not declared."""

    def events(self) -> AsyncIterator[SttEvent]:
        """As they come."""
        return aiter(self._events)

    async def aclose(self) -> None:
        """End the events."""
        self._events.close()


class ToneEars(SttProvider):
    """Speech-to-text of a language."""

    options_type = Options
    capabilities = SttCapabilities(formats=(pcm16(RATE),), continuous=False)

    def understood(self, pcm: bytes) -> str:
        """The words in PCM16 at 8 kHz."""
        raise AssertionError("a language understands")

    async def open(self, config: SttConfig) -> SttSession:
        """As :meth:`exobridge_providers.base.SttProvider.open`."""
        check_config(config, self.capabilities, "tones")
        return _EarSession(self.understood)


class _VoiceSession:
    """One call's tones: all of an utterance's audio at once, when its text is whole."""

    def __init__(self, spoken: Callable[[str], bytes]) -> None:
        self._spoken = spoken
        self._texts: dict[str, str] = {}
        self._events: EventStream[TtsEvent] = EventStream()

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        """As :meth:`exobridge_providers.base.TtsSession.say`."""
        self._texts[utterance_id] = self._texts.get(utterance_id, "") + text
        if last:
            await asyncio.sleep(0)
            self._events.post(TtsAudio(utterance_id, self._spoken(self._texts.pop(utterance_id))))
            self._events.post(TtsDone(utterance_id))

    async def cancel(self, utterance_id: str) -> None:
        """What is there is there."""
        self._texts.pop(utterance_id, None)

    def events(self) -> AsyncIterator[TtsEvent]:
        """As they come."""
        return aiter(self._events)

    async def aclose(self) -> None:
        """End the events."""
        self._events.close()


class ToneVoice(TtsProvider):
    """Text-to-speech of a language."""

    options_type = Options
    offline = True
    capabilities = TtsCapabilities(formats=(pcm16(RATE),))

    def spoken(self, text: str) -> bytes:
        """PCM16 at 8 kHz."""
        raise AssertionError("a language speaks")

    async def open(self, config: TtsConfig) -> TtsSession:
        """As :meth:`exobridge_providers.base.TtsProvider.open`."""
        check_config(config, self.capabilities, "tones")
        return _VoiceSession(self.spoken)
