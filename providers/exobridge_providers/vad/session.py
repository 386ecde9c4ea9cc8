"""One call's end of the batched voice-activity detection: it cuts frames into windows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from exobridge_providers.base import OnVadFailure, OnVoice
from exobridge_providers.errors import ProviderError
from exobridge_providers.vad.lanes import Lane, Window


class SileroSession:
    """Appends frames; tells the batcher when a window is full.

    Args:
        lane: The streams of the same rate.
        backlog_bytes: Most audio that may wait; beyond it the oldest windows are dropped.
        on_voice: Given each window's result.
        on_failure: Told once when results stop.
        on_ready: Called when a window waits and no result of this session is awaited.
        on_close: Called once.
    """

    __slots__ = (
        "_audio",
        "_backlog_bytes",
        "_fresh",
        "_lane",
        "_on_close",
        "_on_failure",
        "_on_ready",
        "_on_voice",
        "_open",
        "_slot",
        "_taken_bytes",
        "_window_bytes",
        "awaited",
    )

    def __init__(
        self,
        lane: Lane,
        backlog_bytes: int,
        on_voice: OnVoice,
        on_failure: OnVadFailure,
        *,
        on_ready: Callable[[SileroSession], None],
        on_close: Callable[[SileroSession], None],
    ) -> None:
        self._lane = lane
        self._backlog_bytes = max(backlog_bytes, lane.window_bytes)
        self._on_voice = on_voice
        self._on_failure = on_failure
        self._on_ready = on_ready
        self._on_close = on_close
        self._slot = lane.take_slot()
        self._window_bytes = lane.window_bytes
        self._audio = bytearray()
        self._taken_bytes = 0
        self._fresh = True
        self._open = True
        self.awaited = False
        """It stands in the lane's line, or in the batch under way."""

    @property
    def lane(self) -> Lane:
        """The streams of the same rate."""
        return self._lane

    @property
    def has_window(self) -> bool:
        """Whether a whole window waits."""
        return self._open and len(self._audio) >= self._window_bytes

    def send(self, pcm: bytes) -> None:
        """As :meth:`exobridge_providers.base.VadSession.send`."""
        if not self._open:
            return
        self._audio += pcm
        waiting = len(self._audio)
        if waiting >= self._window_bytes:
            if waiting > self._backlog_bytes:
                self._drop_oldest(waiting - self._backlog_bytes)
            if not self.awaited:
                self._on_ready(self)

    def _drop_oldest(self, excess: int) -> None:
        dropped = -(-excess // self._window_bytes) * self._window_bytes
        del self._audio[:dropped]
        self._taken_bytes += dropped
        self._fresh = True

    def take(self) -> tuple[Window, float]:
        """The oldest window, and where it ends in the audio sent, in milliseconds."""
        window = Window(self._slot, bytes(self._audio[: self._window_bytes]), self._fresh)
        del self._audio[: self._window_bytes]
        self._taken_bytes += self._window_bytes
        self._fresh = False
        return window, self._taken_bytes * 500 / self._lane.sample_rate

    def deliver(self, end_ms: float, probability: float) -> None:
        """Report a result. What the receiver raises goes to the loop's handler: it must not cost
        the other calls of the batch theirs."""
        if not self._open:
            return
        try:
            self._on_voice(end_ms, probability)
        except Exception as error:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a receiver of voice activity failed", "exception": error}
            )

    def fail(self, error: ProviderError) -> None:
        """Tell the call that no more results will come, and end the session."""
        if self._open:
            self.close()
            self._on_failure(error)

    def close(self) -> None:
        """As :meth:`exobridge_providers.base.VadSession.close`."""
        if self._open:
            self._open = False
            self._audio.clear()
            self._lane.give_back(self._slot)
            self._on_close(self)
