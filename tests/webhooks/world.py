"""Calls, a receiver, and a clock that the test turns."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from exobridge.call import events as s
from exobridge.call.events import CallEvent, Decision, EndedBy, Role, Turn
from exobridge.jobs import JobRunner, RunnerOptions
from exobridge.settings import Settings
from exobridge.store import Store
from exobridge.store.jobs import JobState
from exobridge.webhooks.delivery import Delivery
from exobridge.webhooks.messages import KIND, Messages
from exobridge.webhooks.sender import Receiver, Sender
from exobridge.webhooks.types import WEBHOOK_EVENTS
from exobridge_providers.testing.fake_http import FakeHttp, Received
from tests.database import migrated
from tests.server import until

SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, or so").decode()
CALLER, EXOPHONE, AGENT = "+919811122200", "+918047112233", "+919811100011"
QUICK = RunnerOptions(poll=0.5, gather=0.01, drain=0.05, lease=60.0)
"""Looks when it is told to, as the clock is turned by hand."""


class Clock:
    """The time of day, which stands still unless it is turned."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def turn(self, seconds: float) -> None:
        """On by so much."""
        self.now += timedelta(seconds=seconds)


def settings(url: str, **more: Any) -> Settings:
    """With a receiver."""
    return Settings.read({"WEBHOOK_URL": url, "WEBHOOK_SIGNING_SECRET": SECRET, **more})


def sender(url: str) -> Sender:
    """One that sends there."""
    receiver = Receiver.of(settings(url))
    assert receiver is not None
    return Sender(receiver)


def verified(request: Received) -> Any:
    """What a request says, once its signature was found to be right, by the specification."""
    headers = request.headers
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert headers["content-type"] == "application/json"
    told = json.loads(request.body)
    assert told["id"] == headers["webhook-id"]
    return told


def story(call_sid: str, at: datetime, turns: int = 3) -> list[CallEvent | Turn]:
    """A call that is handed to a human, who takes it, with what was said."""
    key = f"transfer-requested:s-{call_sid}:u1"
    stream = f"s-{call_sid}"
    return [
        s.answer(
            call_sid,
            at,
            decision=Decision.ACCEPT,
            template="shop",
            caller=CALLER,
            called=EXOPHONE,
            direction="incoming",
        ),
        s.stream_started(call_sid, at, stream_sid=stream),
        *(turn(call_sid, number + 1) for number in range(turns)),
        s.transfer_requested(
            call_sid, at, stream_sid=stream, utterance="u1", target="sales", summary="An order."
        ),
        s.stream_ended(call_sid, at, stream_sid=stream, ended_by=EndedBy.BOT, reason="transfer"),
        s.dial_asked(call_sid, at, transfer=key, attempt=1, numbers=[AGENT], contract="json"),
        s.dial(call_sid, at, event_type="Answered", number=AGENT, status="busy"),
        s.recording(call_sid, at, source="own", name=stream, duration_ms=9000, size=72_044),
    ]


TOLD = (
    "call.started",
    *("call.turn",) * 3,
    "call.transfer",
    "call.ended",
    *("call.transfer",) * 2,
    "recording.ready",
)
"""What is told of such a call."""


def turn(call_sid: str, number: int) -> Turn:
    """The caller's and the bot's by turns."""
    role = Role.BOT if number % 2 else Role.CALLER
    begin = number * 1000
    return Turn(call_sid, f"s-{call_sid}", number, role, "नमस्ते, one order", begin, begin + 900)


def put(store: Store, facts: Sequence[CallEvent | Turn]) -> None:
    """Tell the store of facts."""
    for fact in facts:
        if isinstance(fact, Turn):
            store.add_turn_soon(fact)
        else:
            store.append_soon(fact)


@asynccontextmanager
async def opened(folder: Path, wanted: Sequence[str] = WEBHOOK_EVENTS) -> AsyncGenerator[Store]:
    """A store that leaves webhooks beside facts."""
    database = folder / "calls.sqlite3"
    migrated(database)
    store = await Store.open(f"sqlite+aiosqlite:///{database}")
    store.leave_all_beside(Messages(wanted))
    try:
        yield store
    finally:
        await store.aclose()


class Process:
    """What sends webhooks, and may die at any moment.

    Args:
        orphans: Leases of those that died before.
    """

    def __init__(self, store: Store, url: str, clock: Clock, orphans: Collection[str] = ()) -> None:
        self._orphans = set(orphans)
        self._store = store
        self._clock = clock
        self._others = asyncio.all_tasks()
        self.sender = sender(url)
        self.delivery = Delivery(self.sender, clock)
        self.runner = JobRunner(store.jobs, QUICK, clock)
        self.delivery.register(self.runner, 7)
        self.runner.start()

    async def kill(self) -> set[str]:
        """Stop everything where it is, but for what the database is at, as a process that is killed
        does: nothing is given back or settled. What it held is held by leases that run out."""
        jobs = self._store.jobs
        tasks = {task for task in asyncio.all_tasks() if task.get_name() == "exobridge-jobs"}
        tasks |= set(self._of_runner())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await jobs.finish()
        await self.sender.aclose()
        running = await jobs.found(KIND, states=[JobState.RUNNING], limit=1000)
        return {job.lease for job in running}

    def _of_runner(self) -> list[asyncio.Task[Any]]:
        """The tasks in which jobs are being done."""
        new = asyncio.all_tasks() - self._others - self._store.jobs.running
        return [task for task in new if "JobRunner._do" in repr(task.get_coro())]

    async def aclose(self) -> None:
        """Stop in good order."""
        await self.runner.aclose()
        await self.sender.aclose()

    async def rest(self) -> None:
        """Wait until there is nothing to do at this time."""
        self._store.jobs.added.set()
        await until(self._rests)

    async def _rests(self) -> bool:
        jobs = self._store.jobs
        running = await jobs.found(KIND, states=[JobState.RUNNING], limit=1000)
        if any(job.lease not in self._orphans for job in running):
            return False
        due = (await jobs.next_due([KIND])).get(KIND)
        return due is None or due > self._clock.now or not self.delivery.room()


def accepted(crm: FakeHttp, since: int = 0) -> list[Any]:
    """What the receiver was told from its n-th request on, signatures checked."""
    return [verified(request) for request in crm.received[since:]]
