"""How long somebody who has a caller on the line waits for the database."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from exobridge.store.errors import StoreUnavailableError

ResultT = TypeVar("ResultT")

CLOSE_SECONDS = 6.0
"""A little longer than a transaction waits for another's."""


class Patience:
    """Waits for answers of the store, each within a limit.

    A query cannot be broken off: one that is late goes on by itself, and what becomes of it is
    dropped.

    Args:
        seconds: The limit.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._asked: set[asyncio.Task[Any]] = set()

    async def wait(self, answer: Coroutine[Any, Any, ResultT]) -> ResultT:
        """The answer.

        Raises:
            StoreError: As the store raises it, or there is no answer in time.
        """
        task = asyncio.create_task(answer)
        self._asked.add(task)
        task.add_done_callback(self._over)
        done, _ = await asyncio.wait({task}, timeout=self._seconds)
        if not done:
            raise StoreUnavailableError("no answer in time")
        return task.result()

    async def aclose(self) -> None:
        """Let what is late come to its end, before the database is closed; it has limits of its
        own, and is not waited for beyond ``CLOSE_SECONDS``."""
        if self._asked:
            await asyncio.wait(self._asked, timeout=CLOSE_SECONDS)

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._asked.discard(task)
        if not task.cancelled():
            task.exception()  # asked for: nobody may be left who does
