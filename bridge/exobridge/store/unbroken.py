"""Transactions that are not broken off.

A query cannot be stopped: it goes on in the database's thread. If who waits for it is cancelled in
the middle, nobody ends the transaction that it opened, and the database stays locked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

OwnerT = TypeVar("OwnerT", bound="Unbroken")
ParamsT = ParamSpec("ParamsT")
ResultT = TypeVar("ResultT")


class Unbroken:
    """Base of what has methods that are :func:`unbroken`."""

    def __init__(self) -> None:
        self.running: set[asyncio.Task[Any]] = set()

    async def finish(self) -> None:
        """Wait until what was begun has come to its end."""
        while self.running:
            await asyncio.wait(self.running)


def unbroken(
    method: Callable[Concatenate[OwnerT, ParamsT], Coroutine[Any, Any, ResultT]],
) -> Callable[Concatenate[OwnerT, ParamsT], Coroutine[Any, Any, ResultT]]:
    """A method that goes on to its end, also if who called it is cancelled. What it raises then is
    dropped: nobody is left who asks."""

    @wraps(method)
    async def begun(self: OwnerT, /, *args: ParamsT.args, **kwargs: ParamsT.kwargs) -> ResultT:
        task = asyncio.create_task(method(self, *args, **kwargs))
        self.running.add(task)
        task.add_done_callback(over)
        task.add_done_callback(self.running.discard)
        return await asyncio.shield(task)

    def over(task: asyncio.Task[ResultT]) -> None:
        if not task.cancelled():
            task.exception()  # asked for, so that it is not reported as forgotten

    return begun
