"""What the checks share: promises with words, limits, and a reader of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from exobridge_providers.errors import ProviderError

T = TypeVar("T")

LIMIT_SECONDS = 20.0
"""How long a check waits for what is promised, unless told otherwise."""
_SETTLE_SECONDS = 0.05


def promise(kept: bool, words: str) -> None:
    """Raise ``AssertionError(words)`` unless it is kept."""
    if not kept:
        raise AssertionError(f"broken promise: {words}")


async def within(awaitable: Awaitable[T], seconds: float, words: str) -> T:
    """What the awaitable gives, or the broken promise ``words`` after ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            return await awaitable
    except TimeoutError:
        raise AssertionError(f"broken promise: {words} (within {seconds:g} s)") from None


@asynccontextmanager
async def nothing_left_behind() -> AsyncGenerator[None]:
    """Promise that no task begun inside is still there at the end."""
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(_SETTLE_SECONDS)
    left = asyncio.all_tasks() - before
    promise(not left, f"aclose leaves no task behind; left: {sorted(map(repr, left))}")


class Reader(Generic[T]):
    """Reads a session's events in a task, as the host does.

    Attributes:
        events: What came so far.
    """

    def __init__(self, events: AsyncIterator[T]) -> None:
        self.events: list[T] = []
        self._came = asyncio.Event()
        self._error: ProviderError | None = None
        self._task = asyncio.create_task(self._read(events))

    async def _read(self, events: AsyncIterator[T]) -> None:
        try:
            async for event in events:
                self.events.append(event)
                self._came.set()
        except ProviderError as error:
            self._error = error
        self._came.set()

    async def until(self, enough: Callable[[list[T]], bool], seconds: float, words: str) -> None:
        """Wait for events; ``words`` is what was promised."""

        async def wait() -> None:
            while not enough(self.events):
                self._came.clear()
                promise(self._error is None, f"{words}; the session died: {self._error!r}")
                promise(not self._task.done(), f"{words}; the events ended early")
                await self._came.wait()

        try:
            await within(wait(), seconds, words)
        except AssertionError:
            self.stop()
            raise

    async def settle(self) -> None:
        """Give events that must not come the time to."""
        await asyncio.sleep(_SETTLE_SECONDS)

    async def ended(self, seconds: float) -> None:
        """Promise that the events end, now that the session is closed."""
        try:
            await within(self._task, seconds, "events() ends when the session is closed")
        finally:
            self.stop()
        promise(self._error is None, f"closing a session is no error; raised: {self._error!r}")

    def stop(self) -> None:
        """Stop reading."""
        self._task.cancel()


async def close_twice(aclose: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Promise that a session can be closed, and closed again."""
    await within(aclose(), seconds, "aclose returns")
    await within(aclose(), seconds, "aclose may be called again")


async def refuses(opening: Awaitable[object], words: str) -> None:
    """Promise that opening a session with an impossible config raises ``ProviderError``."""
    try:
        await opening
    except ProviderError:
        return
    except Exception as error:
        raise AssertionError(f"broken promise: {words}; raised {error!r}") from error
    raise AssertionError(f"broken promise: {words}; nothing was raised")
