"""A ledger of calls to be placed on a real file, and a clock that goes on when it is told to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from exobridge.call import events
from exobridge.call.events import CallEvent, Decision, EndedBy
from exobridge.numbers import NumberBook
from exobridge.outbound.checks import Ground
from exobridge.outbound.models import Dial, NewDial, Wish
from exobridge.outbound.service import Outbound
from exobridge.recorder import StoreRecorder
from exobridge.store import Store
from exobridge.store.batches import Batch, BatchState, ListRow
from exobridge.store.dial_claims import Claims
from exobridge.store.dial_pace import Limits
from exobridge.templates import Template
from tests.database import migrated

NOON = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
"""12:00 in India, on a Friday."""

OURS = "+918047112233"

LIMITS = Limits(per_minute=200, places=50)


def number(n: int) -> str:
    """Somebody to call, E.164."""
    return f"+9198111{n:05}"


class Clock:
    """The time of day."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Now."""
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Let time go on."""
        self.now += timedelta(seconds=seconds)


def template(**outbound: Any) -> Template:
    """One whose calls are placed so."""
    table = {"purpose": "transactional", **outbound}
    return Template.model_validate({"outbound": table, "telephony_config": {"applet_app_id": "77"}})


def ground(templates: Mapping[str, Template] | None = None, **changes: Any) -> Ground:
    """What checks go by: one number of ours, one template."""
    numbers = NumberBook.parse(f"{OURS}=default")
    known = {"default": template()} if templates is None else dict(templates)
    return replace(Ground(known, numbers, public_url="https://bot.example.com"), **changes)


class Ledger:
    """One process's view of a database."""

    def __init__(self, store: Store, clock: Clock, on: Ground) -> None:
        self.store = store
        self.clock = clock
        self.outbound = Outbound(store, lambda: on, StoreRecorder(store), clock)
        self.rows = store.dials
        self.steps = store.dial_steps
        self.upkeep = store.dial_upkeep

    async def want(self, n: int, **wish: Any) -> Dial:
        """Have somebody called."""
        return (await self.outbound.dial(Wish(number(n), **wish)))[0]

    async def claim(self, limits: Limits = LIMITS) -> Claims:
        """Take who may be called now."""
        until = self.clock() + timedelta(seconds=30)
        out = self.outbound
        return await self.steps.claim(self.clock(), until, limits, out.opening, out.lacks)

    async def begin(self, dial: Dial) -> int | None:
        """Exotel is about to be asked."""
        until = self.clock() + timedelta(seconds=90)
        return await self.steps.begin(dial, self.clock(), until, per_minute=LIMITS.per_minute)

    async def place(self, dial: Dial, call_sid: str) -> int:
        """Exotel was asked, and has placed the call."""
        attempt = await self.begin(dial)
        assert attempt is not None
        assert await self.steps.placed(dial.id, attempt, call_sid, self.clock()) is not None
        return attempt

    async def again(self, dial: Dial) -> Dial:
        """The dial as it stands."""
        found = await self.rows.find(dial.id)
        assert found is not None
        return found

    async def batch(
        self, name: str, numbers: range, *, at_once: int = 10, per_minute: int = 60
    ) -> Batch:
        """Have many called."""
        wishes = [self.outbound.judge(Wish(number(n))) for n in numbers]
        batch = Batch(
            id=name,
            key=None,
            fingerprint="",
            name=name,
            state=BatchState.RUNNING,
            calls_at_once=at_once,
            calls_per_minute=per_minute,
            rows=len(wishes),
            columns=("number",),
            created_at=self.clock(),
        )
        rows = [_listed(wish, row) for row, wish in enumerate(wishes, 1)]
        assert await self.store.batches.add(batch, rows)
        return batch


def _listed(new: NewDial, row: int) -> ListRow:
    return ListRow(replace(new, row=row), (new.number,))


@asynccontextmanager
async def ledger(
    path: Path, clock: Clock | None = None, on: Ground | None = None
) -> AsyncGenerator[Ledger]:
    """A process that has this database open."""
    migrated(path)
    store = await Store.open(f"sqlite+aiosqlite:///{path}")
    try:
        yield Ledger(store, clock or Clock(), on or ground())
    finally:
        await store.aclose()


def over(call_sid: str, at: datetime, status: str) -> CallEvent:
    """Exotel tells the end of a call."""
    return events.status(call_sid, at, status=status, event_type="terminal", data={})


def talked(call_sid: str, at: datetime, reason: str = "") -> list[CallEvent]:
    """Somebody answered, talked for a minute and hung up."""
    return [
        events.answer(call_sid, at, decision=Decision.ACCEPT, template="default"),
        events.stream_started(call_sid, at, stream_sid="s1"),
        events.stream_ended(
            call_sid,
            at + timedelta(seconds=60),
            stream_sid="s1",
            ended_by=EndedBy.CALLER,
            reason=reason,
        ),
    ]
