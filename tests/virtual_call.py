"""One call in virtual time, between a caller who follows a script and providers by a template.

The call is the real one, from the text frames to the record; only the socket and the database are
not there, which cannot share a clock that jumps.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, cast

from structlog.testing import capture_logs

from exobridge.call.events import CallEvent, EventKind, Turn
from exobridge.call.plan import CallPlan, Line, Services, Waits, is_realtime
from exobridge.call.prompts import Prompts
from exobridge.call.session import CallSession
from exobridge.call.state import Call, replay
from exobridge.call.wheel import Wheel
from exobridge.exotel.messages import Started
from exobridge.provider_pool import ProviderPool
from exobridge.simulator.wire import Dialect, FrameWriter, Identity
from exobridge.templates import Template
from exobridge_codecs.formats import pcm16
from exobridge_codecs.tones import tone
from exobridge_providers.errors import ProviderError
from tests.server import SHORT
from tests.virtual_time import START_S, VirtualTimeLoop

RATE = 8000
FRAME_MS = 100
"""Audio in a frame of the caller's."""
LONGEST_S = 300.0
"""A call that is not over by then hangs."""
MAX_MS = 3_600_000
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sound:
    """The caller makes a sound, in ms since the stream began."""

    at_ms: int
    length_ms: int


@dataclass(frozen=True, slots=True)
class Caller:
    """What the caller's side does.

    Attributes:
        hangs_up_ms: When the caller has had enough.
        starts: ``start`` is sent.
        dead_ms: From when on nothing comes, not even silence.
    """

    sounds: Sequence[Sound] = ()
    hangs_up_ms: int = 10_000
    starts: bool = True
    dead_ms: int = MAX_MS


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a call.

    Attributes:
        events, turns: What was recorded.
        code: The close code; 0: the caller hung up, and it was not closed by us.
        seconds: How long the session ran, until all of it was closed.
        log: All entries.
        unhandled: What the loop was told of exceptions that nobody took.
        tasks: Names of tasks that were left when the call's process had closed all.
    """

    events: Sequence[CallEvent]
    turns: Sequence[Turn]
    code: int
    seconds: float
    log: Sequence[Mapping[str, Any]]
    unhandled: Sequence[Mapping[str, Any]]
    tasks: Sequence[str]

    @property
    def call(self) -> Call:
        """What the record makes of it."""
        call = replay(self.events)
        assert call is not None
        return call

    @property
    def said(self) -> list[str]:
        """Both sides' words, in order."""
        return [turn.text for turn in self.turns]

    def entries(self, event: str) -> list[Mapping[str, Any]]:
        """The log's entries of this name."""
        return [entry for entry in self.log if entry["event"] == event]

    def count(self, kind: EventKind) -> int:
        """How often something happened."""
        return sum(event.kind is kind for event in self.events)


Keeping = Callable[[CallEvent], Awaitable[None]]
"""What is done before an event is kept that somebody waits for."""


async def kept_at_once(event: CallEvent) -> None:
    """The database is quick."""


class _Record:
    """Keeps the facts in memory."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self.events: list[CallEvent] = []
        self.turns: list[Turn] = []

    async def append(self, event: CallEvent) -> None:
        await self._keeping(event)
        self.events.append(event)

    def append_soon(self, event: CallEvent) -> None:
        self.events.append(event)

    def add_turn_soon(self, turn: Turn) -> None:
        self.turns.append(turn)


class Phone(Line, Protocol):
    """The caller's side, as a line of a call.

    Attributes:
        code: The close code; 0: it was not closed by us.
    """

    code: int


class _Phone:
    """The line of one call (``exobridge.call.plan.Line``). Marks do not come back."""

    def __init__(self, caller: Caller) -> None:
        self.code = 0
        self._caller = caller
        identity = Identity("c" * 32, "s" * 32, "acme", "leg", "09811122233", "08047112233")
        self._writer = FrameWriter(pcm16(RATE), identity, Dialect())
        self._closed = asyncio.Event()
        self._beep = tone(330, FRAME_MS, RATE)

    def send(self, text: str) -> None:
        """Take a frame of the bot's."""
        assert json.loads(text)["event"] in ("media", "mark", "clear")

    def close(self, code: int) -> None:
        """The call closes the line."""
        if not self._closed.is_set():
            self.code = code
        self._closed.set()

    async def listen(self, on_text: Callable[[bytes], None]) -> int:
        """Speak, until the line is closed or it is time to hang up."""

        def tell(text: str) -> None:
            on_text(text.encode())

        tell(self._writer.connected())
        if self._caller.starts:
            tell(self._writer.start({}))
        for at_ms in range(0, self._caller.hangs_up_ms, FRAME_MS):
            await asyncio.sleep(FRAME_MS / 1000)
            if self._closed.is_set():
                return 1006
            if self._caller.starts and at_ms < self._caller.dead_ms:
                tell(self._writer.media(self._audio(at_ms), at_ms))
        tell(self._writer.stop("callended"))
        return 1006

    def _audio(self, at_ms: int) -> str:
        sounds = self._caller.sounds
        loud = any(each.at_ms <= at_ms < each.at_ms + each.length_ms for each in sounds)
        return base64.b64encode(self._beep if loud else bytes(len(self._beep))).decode()


PlanCall = Callable[[CallPlan], Awaitable[CallPlan]]
"""What is done before a call is held by this plan."""


async def planned_at_once(plan: CallPlan) -> CallPlan:
    """The call is taken."""
    return plan


Beside = Callable[[CallSession], None]
"""What is begun beside a call, before it runs."""


def nothing_beside(session: CallSession) -> None:
    """Nobody steers the call."""


def run(
    template: Template,
    caller: Caller,
    waits: Waits = SHORT,
    planned: PlanCall = planned_at_once,
    keeping: Keeping = kept_at_once,
    beside: Beside = nothing_beside,
) -> Ran:
    """Hold one call to its end, in a process of its own as far as providers see.

    Args:
        planned: Decides what to do with it.
        keeping: Is told each event that is awaited to be kept, before it is.
    """
    return run_phone(template, _Phone(caller), waits, planned, keeping, beside)


def run_phone(
    template: Template,
    phone: Phone,
    waits: Waits = SHORT,
    planned: PlanCall = planned_at_once,
    keeping: Keeping = kept_at_once,
    beside: Beside = nothing_beside,
) -> Ran:
    """The same with another caller's side."""
    with capture_logs() as log, asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        entries = cast("list[dict[str, Any]]", log)
        record = _Record(keeping)
        return runner.run(_run(template, phone, waits, planned, record, entries, beside))


async def _run(
    template: Template,
    phone: Phone,
    waits: Waits,
    planned: PlanCall,
    record: _Record,
    log: list[dict[str, Any]],
    beside: Beside,
) -> Ran:
    loop = asyncio.get_running_loop()
    unhandled: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    pool = ProviderPool()
    prompts = Prompts(pool)
    services = Services(
        pool=pool,
        prompts=prompts,
        wheel=Wheel(loop),
        recorder=record,
        wall_clock=lambda: EPOCH + timedelta(seconds=loop.time() - START_S),
        waits=waits,
    )

    async def plan(started: Started) -> CallPlan:
        return await planned(CallPlan(started.call_sid, "default", template))

    await _render_ahead(prompts, template)
    began = loop.time()
    async with asyncio.timeout(LONGEST_S):
        session = CallSession(phone, plan, services)
        beside(session)
        await session.run()
    seconds = loop.time() - began
    await prompts.aclose()
    await pool.aclose()
    await asyncio.sleep(0)
    left = [task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}]
    return Ran(record.events, record.turns, phone.code, seconds, tuple(log), unhandled, left)


async def _render_ahead(prompts: Prompts, template: Template) -> None:
    """The fixed lines, as a server does when it starts; it serves all the same where one fails."""
    if is_realtime(template.dialogue.provider):
        return
    texts = template.texts
    for text in (template.greeting, texts.goodbye, texts.idle, texts.sorry):
        try:
            await prompts.render(template, text, RATE)
        except ProviderError:
            return
