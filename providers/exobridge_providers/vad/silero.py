"""Silero voice activity for all calls of the process, in batches on one thread.

Alone a window of 32 ms costs about 95 µs, in a batch about 31 µs; a larger batch than 64 saves no
more. So sessions only append their frames, and every ``interval_ms`` one timer, which runs only
while audio waits, takes one window of each session through the network together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from pydantic import Field

from exobridge_providers.base import OnVadFailure, OnVoice, Options, VadProvider, VadSession
from exobridge_providers.errors import ProviderConfigError, as_provider_error
from exobridge_providers.vad.lanes import Lane, Window
from exobridge_providers.vad.session import SileroSession
from exobridge_providers.vad.silero_model import SAMPLE_RATES, SileroModel


class SileroOptions(Options):
    """The ``[vad.options]`` table.

    Attributes:
        interval_ms: How long windows are collected, in milliseconds, 1 to 200.
        max_batch: Most windows of one inference, 1 to 1024: 128 hold the thread for about 4 ms.
        backlog_ms: Audio of one call that may wait, in milliseconds, 100 to 10,000; beyond it the
            oldest is skipped.
        threads: Cores that one inference may use, 1 to 8.
    """

    interval_ms: float = Field(default=20, ge=1, le=200)
    max_batch: int = Field(default=128, ge=1, le=1024)
    backlog_ms: int = Field(default=1000, ge=100, le=10_000)
    threads: int = Field(default=1, ge=1, le=8)


class Infer(Protocol):
    """One inference, on the inference thread; may raise."""

    def __call__(self, lane: Lane, windows: Sequence[Window], /) -> list[float]: ...


class Batcher:
    """Collects the sessions' windows and runs them together. Lives on the event loop.

    Args:
        infer: Called on the inference thread.
        options: The provider's.
    """

    def __init__(self, infer: Infer, options: SileroOptions) -> None:
        self._infer = infer
        self._options = options
        self._lanes = {rate: Lane(rate) for rate in SAMPLE_RATES}
        self._sessions: set[SileroSession] = set()
        self._thread = ThreadPoolExecutor(1, "exobridge-silero")
        self._timer: asyncio.TimerHandle | None = None
        self._batch: asyncio.Future[list[float]] | None = None
        self._due = 0
        """Sessions that are to be served before the timer is waited for again."""

    def open(self, sample_rate: int, on_voice: OnVoice, on_failure: OnVadFailure) -> SileroSession:
        """A session, which is this batcher's until it is closed."""
        session = SileroSession(
            self._lanes[sample_rate],
            self._options.backlog_ms * sample_rate * 2 // 1000,
            on_voice,
            on_failure,
            on_ready=self._line_up,
            on_close=self._sessions.discard,
        )
        self._sessions.add(session)
        return session

    def _line_up(self, session: SileroSession) -> None:
        session.awaited = True
        session.lane.ready.append(session)
        if self._timer is None and self._batch is None:
            self._arm()

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._options.interval_ms / 1000, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._due = sum(len(lane.ready) for lane in self._lanes.values())
        self._next_batch()

    def _next_batch(self) -> None:
        lane = max(self._lanes.values(), key=lambda lane: len(lane.ready))
        sessions = [
            lane.ready.popleft() for _ in range(min(len(lane.ready), self._options.max_batch))
        ]
        self._due -= len(sessions)
        served = [session for session in sessions if session.has_window]
        if not served:
            self._go_on()
            return
        taken = [session.take() for session in served]
        self._batch = asyncio.get_running_loop().run_in_executor(
            self._thread, self._infer, lane, [window for window, _ in taken]
        )
        ends = [end_ms for _, end_ms in taken]
        self._batch.add_done_callback(lambda batch: self._done(batch, served, ends))

    def _done(
        self, batch: asyncio.Future[list[float]], served: list[SileroSession], ends: list[float]
    ) -> None:
        self._batch = None
        if batch.cancelled():
            return
        if error := batch.exception():
            self._fail(error)
            return
        for session, end_ms, probability in zip(served, ends, batch.result(), strict=True):
            session.deliver(end_ms, probability)
            session.awaited = session.has_window
            if session.awaited:
                session.lane.ready.append(session)
                self._due += 1
        self._go_on()

    def _go_on(self) -> None:
        if not any(lane.ready for lane in self._lanes.values()):
            return
        if self._due > 0:
            self._next_batch()
        elif self._timer is None:
            self._arm()

    def _fail(self, cause: BaseException) -> None:
        error = as_provider_error(cause, "inference", "silero")
        self._due = 0
        for lane in self._lanes.values():
            lane.ready.clear()
        for session in list(self._sessions):
            session.fail(error)

    async def aclose(self) -> None:
        """Stop; no result is reported any more."""
        for session in list(self._sessions):
            session.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch is not None:
            await asyncio.wait([self._batch])
        self._thread.shutdown(wait=True)


class SileroVad(VadProvider):
    """Silero, offline, any language; 8 kHz or 16 kHz."""

    options_type = SileroOptions
    offline = True
    sample_rates = SAMPLE_RATES

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, SileroOptions)
        self._options = options
        self._batcher: Batcher | None = None

    async def start(self) -> None:
        """Load the network (about 30 ms).

        Raises:
            ProviderConfigError: The package with the file is missing.
        """
        model = await asyncio.to_thread(SileroModel, self._options.threads)
        self._batcher = Batcher(lambda lane, windows: lane.infer(model, windows), self._options)

    async def aclose(self) -> None:
        """Wait for the batch under way and end the thread."""
        if self._batcher is not None:
            batcher, self._batcher = self._batcher, None
            await batcher.aclose()

    def open(self, sample_rate: int, on_voice: OnVoice, on_failure: OnVadFailure) -> VadSession:
        """As :meth:`exobridge_providers.base.VadProvider.open`.

        Raises:
            ProviderConfigError: Another rate, or the provider was not started.
        """
        if sample_rate not in self.sample_rates:
            raise ProviderConfigError(
                f"silero takes 8000 or 16000 Hz, not {sample_rate}", provider="silero"
            )
        if self._batcher is None:
            raise ProviderConfigError("silero was not started", provider="silero")
        return self._batcher.open(sample_rate, on_voice, on_failure)
