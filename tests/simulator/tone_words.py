"""A language of tones: each word is one frequency. Bots of the tests speak it, and a real provider
understands it, so that words can be tested without a model.

It is not like speech: no noise, no mistakes, and every word takes 160 ms.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np

from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import to_int16
from exobridge_codecs.tones import tone
from exobridge_providers.base import (
    Final,
    Options,
    SttCapabilities,
    SttConfig,
    SttEvent,
    SttProvider,
    SttSession,
    check_config,
)
from exobridge_providers.events import EventStream

EARS = f"{__name__}:ToneEars"
"""How a script names the provider."""
VOICE = "exobridge_providers.testing.fake_tts:FakeTts"
"""A caller's voice that needs no model: it hums 60 ms a character."""

WORDS = ("hello", "we", "are", "open", "from", "nine", "to", "five", "it", "costs", "fifty", "bye")
TONE_MS, PAUSE_MS = 120, 40
RATE = 8000
_HOP = RATE // 100


def spoken(text: str) -> bytes:
    """PCM16 at 8 kHz, whole multiples of 320 bytes."""
    pause = bytes(2 * RATE * PAUSE_MS // 1000)
    tones = [tone(300 + 200 * WORDS.index(word), TONE_MS, RATE) for word in text.split()]
    return b"".join(each + pause for each in tones)


def understood(pcm: bytes) -> str:
    """The words in PCM16 at 8 kHz."""
    samples = to_int16(pcm).astype(np.float64)
    words: list[str] = []
    loud = False
    for at in range(0, len(samples) - 4 * _HOP, _HOP):
        window = samples[at : at + _HOP]
        was, loud = loud, float(np.abs(window).max()) > 1000
        if loud and not was:
            spectrum = np.abs(np.fft.rfft(samples[at : at + 4 * _HOP]))
            hertz = float(np.argmax(spectrum)) * RATE / (4 * _HOP)
            words.append(WORDS[min(len(WORDS) - 1, max(0, round((hertz - 300) / 200)))])
    return " ".join(words)


class ToneSession:
    """One turn."""

    def __init__(self) -> None:
        self._heard = bytearray()
        self._events: EventStream[SttEvent] = EventStream()

    def send(self, audio: bytes) -> None:
        """Keep it."""
        self._heard += audio

    def finalize(self) -> None:
        """Understand it."""
        self._events.post(Final(understood(bytes(self._heard)), finalized=True))
        self._heard.clear()

    def peek(self) -> None:
        """Not declared."""

    def events(self) -> AsyncIterator[SttEvent]:
        """As they come."""
        return self._events.__aiter__()

    async def aclose(self) -> None:
        """End the events."""
        self._events.close()


class ToneEars(SttProvider):
    """Speech-to-text for tones."""

    options_type = Options
    capabilities = SttCapabilities(formats=(pcm16(RATE),), continuous=False)

    async def open(self, config: SttConfig) -> SttSession:
        """As :meth:`exobridge_providers.base.SttProvider.open`."""
        check_config(config, self.capabilities, "tones")
        return ToneSession()
