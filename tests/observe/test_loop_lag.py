"""The lag of the event loop, on a loop whose clock jumps."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from tests.virtual_time import VirtualTimeLoop, virtual_time

from exobridge.call.lateness import BOUNDS_S
from exobridge.observe.loop_lag import PERIOD_S, WINDOW_S, LoopLag


def loop() -> VirtualTimeLoop:
    return cast(VirtualTimeLoop, asyncio.get_running_loop())


@virtual_time
async def test_a_loop_that_is_free_has_no_lag() -> None:
    """It is looked at four times a second, until the end."""
    lag = LoopLag(loop())
    await asyncio.sleep(10.1)
    assert lag.lateness.cumulative()[-1] == round(10 / PERIOD_S)
    assert lag.lateness.total_s == pytest.approx(0, abs=1e-6)
    assert lag.most_s == pytest.approx(0, abs=1e-6)
    lag.close()
    await asyncio.sleep(10)
    assert lag.lateness.cumulative()[-1] == round(10 / PERIOD_S)


@virtual_time
async def test_what_blocks_the_loop_is_lag() -> None:
    """It is noted, is the most for a while, also before the loop has come round, and is forgotten
    after two windows."""
    lag = LoopLag(loop())
    await asyncio.sleep(0.9 * PERIOD_S)
    loop().block(0.3)
    late_s = 0.3 - 0.1 * PERIOD_S
    assert lag.most_s == pytest.approx(late_s)
    await asyncio.sleep(PERIOD_S)
    at_most = dict(zip(BOUNDS_S, lag.lateness.cumulative(), strict=False))
    assert (at_most[0.2], at_most[0.5]) == (1, 2)
    assert lag.most_s == pytest.approx(late_s)
    await asyncio.sleep(WINDOW_S)
    assert lag.most_s == pytest.approx(late_s)
    await asyncio.sleep(WINDOW_S)
    assert lag.most_s == pytest.approx(0, abs=1e-6)
    lag.close()
