"""Brings an operator's order to the process that holds the call, and its result back.

A call's socket lives in one process. If it is this one the order is done at once; else it is laid
down in the database, where that process finds it. An order that nobody takes in time is taken back,
so that nothing happens late.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import structlog

from exobridge.call.orders import Order, Result, kind_of, order_data, read_order
from exobridge.call.state import Call, State
from exobridge.call.transfer_state import TransferStatus
from exobridge.store import Store, StoreError
from exobridge.store.orders import GivenOrder

ORDER_SECONDS = 4.0
"""How long the process that holds a call has to do an order, in seconds."""

LOOK_SECONDS = 0.25
"""How often a process with calls looks for orders, and who gave one for its result, in seconds."""

LOOKS = round(2 * ORDER_SECONDS / LOOK_SECONDS) + 4
"""How often it is looked for a result: a little longer than there is time for the order."""

LEFT = timedelta(minutes=5)
"""An order that expired so long ago was left by a process that died."""

_log = structlog.stdlib.get_logger("exobridge.live")


class Session(Protocol):
    """A call that this process holds."""

    def obey(self, order: Order) -> Result:
        """Do what an operator wants, or say why not."""
        ...


class Refusal(StrEnum):
    """Why an order reached no call."""

    UNKNOWN_CALL = "unknown-call"
    CALL_OVER = "call-over"
    HANDED_OVER = "handed-over"
    """A human has the caller, or is being called for them."""
    NO_ANSWER = "no-answer"
    """No process took it in time, and none will."""
    UNCERTAIN = "uncertain"
    """A process took it, and did not tell what came of it."""


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of one process.

    Args:
        sessions: The calls that it holds, by CallSid.
        alone: Whether it is all of the server.
        clock: The time of day, aware.
    """

    sessions: Mapping[str, Session]
    store: Store
    alone: bool
    clock: Callable[[], datetime]

    async def give(self, call_sid: str, order: Order) -> Result | Refusal:
        """Have an order done; what came of it. Waits ``ORDER_SECONDS`` and a little at most.

        Raises:
            StoreError: The database cannot be used; nothing was done, or nobody knows.
        """
        session = self.sessions.get(call_sid)
        if session is not None:
            return session.obey(order)
        call = await self.store.call(call_sid)
        if call is None and not self.alone:  # its first fact may be on its way to the database
            await asyncio.sleep(2 * LOOK_SECONDS)
            call = await self.store.call(call_sid)
        refusal = standing(call)
        if refusal is None and self.alone:  # the end of its stream may be on its way there
            await self.store.flush()
            refusal = standing(await self.store.call(call_sid)) or Refusal.NO_ANSWER
        return refusal or await self._sent(call_sid, order)

    async def _sent(self, call_sid: str, order: Order) -> Result | Refusal:
        rows, now = self.store.orders, self.clock()
        expires_at = now + timedelta(seconds=ORDER_SECONDS)
        kind, data = kind_of(order), order_data(order)
        order_id = await rows.give(call_sid, kind, data, now, expires_at)
        result: str | None = None
        try:
            for _ in range(LOOKS):
                await asyncio.sleep(LOOK_SECONDS / 2)
                if (result := await rows.result(order_id)) is not None:
                    break
        finally:
            taken = await rows.take_back(order_id)
        if result:
            return Result(result) if result in set(Result) else Refusal.UNCERTAIN
        return Refusal.UNCERTAIN if taken else Refusal.NO_ANSWER

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[None]:
        """Do what other processes lay down for the calls of this one."""
        task = None if self.alone else asyncio.create_task(self._watch())
        try:
            yield
        finally:
            if task is not None:
                task.cancel()
                await asyncio.wait([task])

    async def _watch(self) -> None:
        me, clean_at, failing = uuid.uuid4().hex, self.clock(), False
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                if (now := self.clock()) >= clean_at:
                    clean_at = now + LEFT
                    await self.store.orders.clean(now - LEFT)
                if self.sessions:
                    await self._look(me)
                failing = False
            except StoreError as error:
                if not failing:  # told once
                    _log.warning("orders not looked for", error=str(error))
                failing = True
            except Exception:  # else no order would be done any more
                _log.exception("order crashed")

    async def _look(self, me: str) -> None:
        """Do what others have laid down."""
        for given in await self.store.orders.take(self.sessions.keys(), me, self.clock()):
            await self.store.orders.answer(given.id, self._obeyed(given))

    def _obeyed(self, given: GivenOrder) -> Result:
        session = self.sessions.get(given.call_sid)
        if session is None:  # it was over in this very moment
            return Result.CLOSING
        return session.obey(read_order(given.kind, given.data))


def standing(call: Call | None) -> Refusal | Result | None:
    """Why a call that this process does not hold takes no order, as it stands in the record;
    ``None``: another process holds it."""
    if call is None:
        return Refusal.UNKNOWN_CALL
    transfer = call.transfer
    under_way = (TransferStatus.PENDING, TransferStatus.DIALLING, TransferStatus.ANSWERED)
    if call.state is State.STREAMING:
        return None
    over = call.exotel is not None and call.exotel.is_final
    if transfer is not None and transfer.status in under_way and not over:
        return Refusal.HANDED_OVER
    return Refusal.CALL_OVER if call.state is State.ENDED else Result.NOT_OPEN
