"""What a speech-to-speech provider promises."""

from __future__ import annotations

import asyncio
import threading

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import CallContext, RealtimeProvider
from exobridge_providers.testing.contract.promises import (
    LIMIT_SECONDS,
    close_twice,
    nothing_left_behind,
    promise,
    within,
)


async def check_realtime(
    provider: RealtimeProvider,
    speech: bytes,
    sample_rate: int,
    *,
    limit_s: float = LIMIT_SECONDS,
) -> bytes:
    """Every promise of :class:`~exobridge_providers.base.RealtimeProvider`.

    Args:
        provider: Started.
        speech: Something that it answers, PCM16; silence follows until it does.
        sample_rate: Its rate, in hertz.
        limit_s: Longest wait for audio, in seconds.

    Returns:
        What it had said when ``speech`` was over and it had begun to speak.

    Raises:
        AssertionError: A promise was broken.
    """
    rates = provider.sample_rates
    promise(not rates or sample_rate in rates, "sample_rates names the rate tried")
    spoken: list[bytes] = []
    thread = threading.get_ident()

    def speak(pcm: bytes) -> None:
        promise(threading.get_ident() == thread, "speak is called on the event loop")
        promise(len(pcm) % 2 == 0, "audio comes in whole samples")
        spoken.append(pcm)

    frame_bytes = pcm16(sample_rate).frame_bytes
    async with nothing_left_behind():
        session = await provider.open(CallContext("contract"), sample_rate, speak)
        for start in range(0, len(speech) - frame_bytes + 1, frame_bytes):
            session.hear(speech[start : start + frame_bytes])
            await asyncio.sleep(0)

        async def wait() -> None:
            while not any(spoken):
                session.hear(bytes(frame_bytes))
                await asyncio.sleep(0.002)

        await within(wait(), limit_s, "what is heard is answered with audio")
        await close_twice(session.aclose, limit_s)
        said = len(spoken)
        session.hear(speech[:frame_bytes])  # a frame that was on its way
        await asyncio.sleep(0.05)
        promise(len(spoken) == said, "nothing is spoken after aclose")
    return b"".join(spoken)
