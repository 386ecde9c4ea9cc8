"""A process that places calls dies between any two of its steps; another one goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exobridge.exotel.api import CallOrder, PlacedAnswer
from exobridge.outbound.caller import Caller
from exobridge.outbound.dialler import Dialler
from exobridge.outbound.models import DialOutcome, DialState
from exobridge.outbound.orders import Orders
from exobridge.store.dial_pace import Limits
from tests.outbound.ground import (
    LIMITS,
    NOON,
    Clock,
    Ledger,
    ground,
    ledger,
    over,
    talked,
    template,
)
from tests.server import until

STEPS = ("claim", "begin", "connect", "placed", "record", "settle")
"""What a dialler does for a call, in order; it may die before each, and after."""


DEATHS = [
    *((step, when, True) for step in STEPS for when in ("before", "after")),
    ("connect", "after", False),
    ("placed", "before", False),
]


class Dead(asyncio.CancelledError):
    """The process is no more, and its tasks with it."""


class Exotel:
    """Places what it is asked to. Unrealistic: it is asked without a network."""

    def __init__(self) -> None:
        self.placed: list[tuple[str, str]] = []

    async def connect(self, order: CallOrder) -> PlacedAnswer:
        """The call's id."""
        self.placed.append((f"c{len(self.placed) + 1}", order.custom_field))
        return PlacedAnswer(self.placed[-1][0])


class Process:
    """A dialler that dies at a step.

    Args:
        step: Which, and whether ``before`` it or ``after``; empty: it lives on.
    """

    def __init__(self, book: Ledger, exotel: Exotel, step: str = "", when: str = "") -> None:
        self.book, self.dead = book, asyncio.Event()
        self._dies = (step, when)
        steps: Any = book.steps
        for name in ("claim", "begin", "placed", "settle", "unsure"):
            setattr(steps, name, self._mortal(name, getattr(steps, name)))
        upkeep: Any = book.upkeep
        upkeep.lapse = self._mortal("lapse", upkeep.lapse)
        outbound: Any = book.outbound
        outbound.record = self._mortal("record", outbound.record)
        caller = Caller(
            book.store,
            book.outbound,
            Orders("https://bot.example.com", None, lambda name: "token"),
            self._mortal("connect", exotel.connect),
            book.clock,
        )
        self.dialler = Dialler(
            book.store,
            book.outbound,
            caller,
            limits=_limits,
            may_call=lambda: True,
            clock=book.clock,
        )

    def _mortal(self, name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        async def taken(*args: Any, **kwargs: Any) -> Any:
            if self.dead.is_set() or self._dies == (name, "before"):
                self.dead.set()
                raise Dead
            told = await step(*args, **kwargs)
            if self._dies == (name, "after"):
                self.dead.set()
                raise Dead
            return told

        return taken

    async def look(self) -> None:
        """Do what there is to do, as far as it lives."""
        try:
            await self.dialler.look()
        except Dead:
            return
        await until(lambda: not self.dialler.is_asking)


async def _limits() -> Limits:
    return LIMITS


@pytest.mark.parametrize(("step", "when", "is_told"), DEATHS)
async def test_nobody_is_called_twice_wherever_a_process_dies(
    tmp_path: Path, step: str, when: str, is_told: bool
) -> None:
    """One call at most. What became of it is known if anybody has told of it."""
    path, clock, exotel = tmp_path / "calls.sqlite3", Clock(), Exotel()
    on = ground({"default": template(attempts=3)})
    async with ledger(path, clock, on) as book:
        dial = await book.want(1)
        mortal = Process(book, exotel, step, when)
        await mortal.look()
        if step == "settle":
            await book.store.append(over("c1", clock(), "completed"))
            await mortal.look()
        assert mortal.dead.is_set()
    async with ledger(path, clock, on) as book:
        heir = Process(book, exotel)
        for _ in range(4):
            await heir.look()
            for call_sid, field in exotel.placed if is_told else ():
                assert await book.outbound.adopt(call_sid, field, clock()) is not None
                for event in talked(call_sid, NOON):
                    await book.store.append(event)
            clock.pass_by(91)
        clock.pass_by(20_000)
        await heir.look()
        known = await book.again(dial)
    was_asked = (step, when) not in {("begin", "after"), ("connect", "before")}
    is_known = was_asked and (is_told or step == "settle")
    assert len(exotel.placed) == was_asked
    assert known.state is DialState.DONE
    assert known.outcome is (DialOutcome.ANSWERED if is_known else DialOutcome.UNKNOWN)
