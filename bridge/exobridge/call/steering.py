"""An operator's orders, done in the call they are for.

A line waits for the bot's turn, and is said as a turn of the bot: the caller may interrupt it. One
that was dropped before the caller heard anything of it, as they spoke, waits again, so that none is
lost while the call goes on. Whether it is time is looked at with every tick of the call: nothing
has to be told when it is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from exobridge.call.answering import Answering
from exobridge.call.events import EndedBy, transfer_requested
from exobridge.call.floor import Floor
from exobridge.call.handing_over import REASON as TRANSFER
from exobridge.call.handing_over import refusal
from exobridge.call.orders import (
    MAX_WAITING,
    REASON,
    HandOver,
    HangUp,
    Order,
    Result,
    SayLine,
)
from exobridge.call.stage import Stage
from exobridge.call.turns import TurnPolicy
from exobridge.errors import ExobridgeError
from exobridge_providers.base import TransferFailure

_REFUSED: dict[TransferFailure, Result] = {
    "unknown": Result.UNKNOWN_TARGET,
    "closed": Result.TARGET_CLOSED,
}


class OperatorLines:
    """Lines that an operator has the bot say in one call, in the order in which they came.

    Args:
        hush: Falls silent, and drops the answer that is being made.
    """

    def __init__(
        self,
        stage: Stage,
        policy: TurnPolicy,
        floor: Floor,
        answering: Answering,
        hush: Callable[[], None],
    ) -> None:
        self._stage = stage
        self._policy = policy
        self._floor = floor
        self._answering = answering
        self._hush = hush
        self._waiting: deque[SayLine] = deque()
        self._unheard: SayLine | None = None

    def add(self, line: SayLine, now: float, *, ready: bool) -> Result:
        """One more. ``ready``: what opens the call is being said, or has been."""
        if len(self._waiting) >= MAX_WAITING:
            return Result.TOO_MANY
        self._waiting.append(line)
        if ready:
            self.tick(now)
        waits = any(each is line for each in self._waiting)
        return Result.WAITING if waits else Result.SPEAKING

    def tick(self, now: float) -> None:
        """Say the next one if it is time."""
        if not self._waiting or not self._answering.is_open:
            return
        line = self._waiting[0]
        if line.interrupt and self._unheard is None and self._policy.may_be_cut(now):
            self._policy.is_cut(now)
            self._hush()
        elif not self._policy.is_free or self._floor.busy or self._answering.busy:
            return
        self._unheard = self._waiting.popleft()
        self._policy.bot_begins()
        self._answering.say_line(line.text, operator=True)

    @property
    def unheard(self) -> bool:
        """A line is being made of which the caller has heard nothing yet."""
        return self._unheard is not None

    def heard(self) -> None:
        """The caller begins to hear the bot, or the bot's turn is over."""
        self._unheard = None

    def cut(self) -> None:
        """What was being said is dropped."""
        if self._unheard is not None:
            self._waiting.appendleft(self._unheard)
            self._unheard = None

    def finish(self) -> None:
        """The line is gone."""
        self.cut()
        if self._waiting:
            self._stage.log.warning("operator's lines not said", lines=len(self._waiting))
            self._waiting.clear()


class RealtimeSteering:
    """Orders to a call that a speech-to-speech session holds: it can be led away and ended."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._leaving = False

    def obey(self, order: Order) -> Result:
        """Do it, or say why not."""
        if self._leaving:
            return Result.CLOSING
        if order.text:
            return Result.NO_VOICE
        match order:
            case SayLine():
                return Result.NO_VOICE
            case HandOver():
                if problem := transfer_problem(self._stage, order):
                    return problem
                self._leaving = True
                self._stage.spawn(self._hand_over(order))
            case HangUp():
                self._leaving = True
                self._stage.end(EndedBy.BOT, REASON)
        return Result.LEAVING

    async def _hand_over(self, order: HandOver) -> None:
        stage = self._stage
        event = transfer_requested(
            stage.plan.call_sid,
            stage.services.wall_clock(),
            stream_sid=stage.stream_sid,
            utterance=REASON,
            target=order.target,
            summary=order.summary,
        )
        try:
            async with asyncio.timeout(stage.services.waits.transfer):
                await stage.services.recorder.append(event)
        except TimeoutError:
            stage.log.error("transfer not recorded", error="not kept in time")
        except ExobridgeError as error:
            stage.log.error("transfer not recorded", error=str(error))
        stage.end(EndedBy.BOT, TRANSFER)


def transfer_problem(stage: Stage, order: HandOver) -> Result | None:
    """Why nobody can be had; ``None``: somebody may."""
    table = stage.plan.template.transfer
    why = refusal(table, order.target, stage.services.wall_clock())
    return _REFUSED[why] if why else None
