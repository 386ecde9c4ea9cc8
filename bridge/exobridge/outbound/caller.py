"""Asks Exotel for one call, and has the ledger know what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog

from exobridge.exotel.api import CallOrder, ExotelError, PlacedAnswer
from exobridge.outbound.asking import Meaning, Meanings
from exobridge.outbound.models import Dial, PlacedCall
from exobridge.outbound.orders import Orders
from exobridge.outbound.service import Outbound
from exobridge.store import Store, StoreError

KEEP_SECONDS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Pauses before what came of a request is written again, if the database did not take it."""

_log = structlog.stdlib.get_logger("exobridge.outbound")

Connect = Callable[[CallOrder], Awaitable[PlacedAnswer]]
"""Has Exotel place a call; raises :class:`ExotelError`."""

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of a request.

    Attributes:
        words: Why there is no call, fit for a log.
    """

    meaning: Meaning
    words: str = ""


class Caller:
    """Asks for calls, one at a time or many.

    Args:
        orders: Says what to ask for.
        clock: The time of day, aware.
    """

    def __init__(
        self,
        store: Store,
        outbound: Outbound,
        orders: Orders,
        connect: Connect,
        clock: Callable[[], datetime],
    ) -> None:
        self._steps = store.dial_steps
        self._outbound = outbound
        self._orders = orders
        self._connect = connect
        self._clock = clock
        self._meanings = Meanings()

    async def ask(self, dial: Dial, attempt: int) -> Asked:
        """Ask for the call of a dial that is being placed.

        Raises:
            StoreError: What came of it could not be kept; then it counts as not known.
        """
        try:
            order = self._orders.order(dial.number, dial.request, dial.id, attempt)
        except ValueError as error:
            words = str(error)
            await _insist(lambda: self._steps.refused(dial, self._clock(), words))
            return Asked(Meaning("refused"), words)
        began = time.perf_counter()
        try:
            answer = await self._connect(order)
        except ExotelError as error:
            return await self._not_placed(dial, error)
        except BaseException:
            await self._steps.unsure(dial, self._clock(), "the request was broken off")
            raise
        await self._placed(dial, attempt, answer.call_sid, time.perf_counter() - began)
        return Asked(self._meanings.placed())

    async def _placed(self, dial: Dial, attempt: int, call_sid: str, seconds: float) -> None:
        now = self._clock()
        _log.info(
            "call placed",
            dial=dial.id,
            batch=dial.batch_id or "",
            attempt=attempt,
            call_sid=call_sid,
            ms=round(seconds * 1000),
        )
        placed = PlacedCall(dial.id, attempt, dial.number, dial.request)
        # The ledger first: a call whose record knows its dial is not adopted by it any more.
        await _insist(lambda: self._steps.placed(dial.id, attempt, call_sid, now))
        await self._outbound.record(call_sid, now, placed)

    async def _not_placed(self, dial: Dial, error: ExotelError) -> Asked:
        meaning, words = self._meanings.of(error), _without_numbers(str(error), dial)
        now = self._clock()
        match meaning.what:
            case "again":
                await _insist(lambda: self._steps.not_placed(dial, now, now, words))
            case "refused":
                await _insist(lambda: self._steps.refused(dial, now, words))
                _log.warning("call refused", dial=dial.id, error=words)
            case _:
                await _insist(lambda: self._steps.unsure(dial, now, words))
                _log.warning("call unsure", dial=dial.id, error=words)
        return Asked(meaning, words)


def _without_numbers(words: str, dial: Dial) -> str:
    """Exotel's words may repeat a number that it was told."""
    for number in (dial.number, dial.request.caller_id):
        if local := number[-10:]:
            words = words.replace(number, "***").replace(local, "***")
    return words


async def _insist(write: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Have it written, even if the database does not answer for a while."""
    for pause in KEEP_SECONDS:
        try:
            return await write()
        except StoreError:
            await asyncio.sleep(pause)
    return await write()
