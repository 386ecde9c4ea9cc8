"""What a voice-activity provider promises."""

from __future__ import annotations

import asyncio
import threading

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import VadProvider, VadSession
from exobridge_providers.errors import ProviderError
from exobridge_providers.testing.contract.promises import (
    LIMIT_SECONDS,
    nothing_left_behind,
    promise,
    within,
)

_LAST_WINDOW_MS = 100
"""Audio at the end that may be too short for a window, in milliseconds."""


class _Call:
    """A session and what it reported."""

    def __init__(self, provider: VadProvider, sample_rate: int) -> None:
        self.results: list[tuple[float, float]] = []
        self.failures: list[ProviderError] = []
        self._thread = threading.get_ident()
        self.frame_bytes = pcm16(sample_rate).frame_bytes
        self.session: VadSession = provider.open(sample_rate, self._voice, self._failure)

    def _voice(self, end_ms: float, probability: float) -> None:
        promise(threading.get_ident() == self._thread, "on_voice is called on the event loop")
        self.results.append((end_ms, probability))

    def _failure(self, error: ProviderError) -> None:
        self.failures.append(error)

    async def hear(self, pcm: bytes, limit_s: float) -> None:
        """Send audio in frames, as fast as results come, and wait for the last of them."""
        sent_ms = 0
        for start in range(0, len(pcm) - self.frame_bytes + 1, self.frame_bytes):
            self.session.send(pcm[start : start + self.frame_bytes])
            sent_ms += 20
            if sent_ms % 200 == 0:
                await self._caught_up(sent_ms, limit_s)
        await self._caught_up(sent_ms, limit_s)

    async def _caught_up(self, sent_ms: int, limit_s: float) -> None:
        async def wait() -> None:
            while self._end_ms < sent_ms - _LAST_WINDOW_MS:
                promise(not self.failures, f"sound audio does not fail: {self.failures!r}")
                await asyncio.sleep(0.002)

        await within(wait(), limit_s, "on_voice reports all audio sent")
        promise(self._end_ms <= sent_ms, "no result is later than the audio sent")

    @property
    def _end_ms(self) -> float:
        return self.results[-1][0] if self.results else 0.0


async def check_vad(
    provider: VadProvider, speech: bytes, sample_rate: int, *, limit_s: float = LIMIT_SECONDS
) -> list[tuple[float, float]]:
    """Every promise of :class:`~exobridge_providers.base.VadProvider`.

    Args:
        provider: Started.
        speech: A spoken sentence, PCM16.
        sample_rate: Its rate, one of the provider's, in hertz.
        limit_s: Longest wait for a result, in seconds.

    Returns:
        The results for the sentence: milliseconds and probability.

    Raises:
        AssertionError: A promise was broken.
    """
    promise(sample_rate in provider.sample_rates, "sample_rates names the rate tried")
    async with nothing_left_behind():
        spoken, silent = _Call(provider, sample_rate), _Call(provider, sample_rate)
        await asyncio.gather(spoken.hear(speech, limit_s), silent.hear(bytes(len(speech)), limit_s))
        for call in (spoken, silent):
            ends = [end_ms for end_ms, _ in call.results]
            promise(ends == sorted(set(ends)), "results come in order, one a window")
            promise(
                all(0 <= probability <= 1 for _, probability in call.results),
                "probabilities are 0 to 1",
            )
        promise(max(p for _, p in spoken.results) > 0.5, "speech is probably voice")
        promise(max(p for _, p in silent.results) < 0.5, "silence is probably none")
        await _is_silent_once_closed(spoken, speech)
        silent.session.close()
    return spoken.results


async def _is_silent_once_closed(call: _Call, speech: bytes) -> None:
    call.session.send(speech[: call.frame_bytes * 10])
    call.session.close()
    call.session.close()
    reported = len(call.results)
    call.session.send(speech[: call.frame_bytes])  # a frame that was on its way
    await asyncio.sleep(0.1)
    promise(len(call.results) == reported, "no result is reported after close returned")
    promise(not call.failures, "closing is no failure")
