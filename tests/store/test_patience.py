"""Waits for the database of somebody who has a caller on the line."""

from __future__ import annotations

import asyncio

import pytest

from exobridge.store import StoreUnavailableError
from exobridge.store.patience import Patience
from tests.virtual_time import virtual_time


async def answer(seconds: float, text: str) -> str:
    """A query's, after a while; an empty one is a failure."""
    await asyncio.sleep(seconds)
    if not text:
        raise StoreUnavailableError("the disk is full")
    return text


@virtual_time
async def test_an_answer_in_time_is_had() -> None:
    """So is an error."""
    patience = Patience(1.5)
    assert await patience.wait(answer(1.4, "a call")) == "a call"
    with pytest.raises(StoreUnavailableError, match="the disk is full"):
        await patience.wait(answer(1.4, ""))


@virtual_time
async def test_a_late_answer_is_not_waited_for() -> None:
    """The query goes on by itself, and nobody is told of its end, good or bad."""
    loop, unhandled = asyncio.get_running_loop(), list[object]()
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    patience, began = Patience(1.5), loop.time()
    for text in ("a call", ""):
        with pytest.raises(StoreUnavailableError, match="no answer in time"):
            await patience.wait(answer(10, text))
    assert loop.time() - began == pytest.approx(3.0)
    await asyncio.sleep(10)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert unhandled == []
