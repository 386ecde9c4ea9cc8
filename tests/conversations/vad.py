"""A voice detector that knows the truth, and tells it as late and as wrong as a real one."""

from __future__ import annotations

import asyncio

from exobridge_providers.base import OnVadFailure, OnVoice, Options, VadProvider, VadSession
from tests.conversations.numbered import RATE
from tests.conversations.options import InWorld, world_of
from tests.conversations.track import FRAME_MS, number_of
from tests.conversations.world import World

WINDOW_MS = 32
"""As silero's at 8 kHz."""

LATENCY_S = 0.012
"""From the last frame of a window to its result: it is computed elsewhere, batched."""


class ScriptedVadSession:
    """One call's windows."""

    def __init__(self, world: World, on_voice: OnVoice) -> None:
        self._track = world.track
        self._variant = world.variant
        self._dice = world.variant.chance("vad")
        self._on_voice = on_voice
        self._loop = asyncio.get_running_loop()
        self._frames: list[int] = []
        self._windows = 0
        self._due: list[tuple[float, float]] = []
        self._closed = False

    def send(self, pcm: bytes) -> None:
        """One frame; a window's result follows a moment later."""
        self._frames.append(number_of(pcm))
        while (self._windows + 1) * WINDOW_MS <= len(self._frames) * FRAME_MS:
            self._windows += 1
            end_ms = float(self._windows * WINDOW_MS)
            if not self._due:
                self._loop.call_later(LATENCY_S, self._tell)
            self._due.append((end_ms, self._probability(end_ms)))

    def _probability(self, end_ms: float) -> float:
        until_ms = end_ms - self._variant.lag_ms
        middle = int((until_ms - WINDOW_MS / 2) // FRAME_MS)
        around = (self._voice(middle), self._voice(middle + 1))
        voice = sum(around) / len(around)
        if voice > 0.5 and self._dice.random() < self._variant.misses:
            voice = 0.2
        return min(1.0, max(0.0, 0.96 * voice + self._dice.gauss(0.02, 0.02)))

    def _voice(self, at: int) -> float:
        number = self._frames[at] if 0 <= at < len(self._frames) else -1
        return self._track.voice[number] if number >= 0 else 0.0

    def _tell(self) -> None:
        due, self._due = self._due, []
        for end_ms, probability in due:
            if not self._closed:
                self._on_voice(end_ms, probability)

    def close(self) -> None:
        """No result is reported from now on."""
        self._closed = True


class ScriptedVad(VadProvider):
    """See the module. Unrealistic: it is never sure of a voice where there is none for long."""

    options_type = InWorld
    sample_rates = (RATE,)

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._world = world_of(options)

    def open(self, sample_rate: int, on_voice: OnVoice, on_failure: OnVadFailure) -> VadSession:
        """As :meth:`exobridge_providers.base.VadProvider.open`."""
        del sample_rate, on_failure
        return ScriptedVadSession(self._world, on_voice)
