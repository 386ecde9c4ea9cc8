"""Plays a kept call through the call's own rules, in virtual time.

An hour takes less than a minute. The call is the real one, from the text frames to the record. In
place of the socket there is the recording, in place of the providers there are fakes
(:mod:`exobridge.replay.fakes`), in place of the database a list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from exobridge.call.events import CallEvent, EventKind, Role, Turn
from exobridge.call.plan import CallPlan, Services
from exobridge.call.prompts import Prompts
from exobridge.call.session import CallSession
from exobridge.call.wheel import Wheel
from exobridge.exotel.messages import Dtmf, Started
from exobridge.exotel.stream import ExotelStream
from exobridge.provider_pool import ProviderPool
from exobridge.replay.compare import TOLERANCE_MS, Comparison, Difference, compare_kinds
from exobridge.replay.fakes import as_then
from exobridge.replay.listening import Listening
from exobridge.replay.live import notes_of
from exobridge.replay.player import SILENCE_S
from exobridge.replay.report import Played, ReplayReport
from exobridge.replay.script import (
    SILENT_FRAME_MS,
    End,
    Names,
    ReplayError,
    Script,
    end_ms,
    script_of,
    started_of,
)
from exobridge.replay.seen import Seen, see
from exobridge.simulator.tap import ABNORMAL
from exobridge.simulator.virtual_time import START_S, VirtualTimeLoop
from exobridge.templates import Template
from exobridge.wire.reading import Recording, Stream
from exobridge.wire.records import Side

LAST_WORDS_S = 240.0
"""How much longer than its recording a call may take, in virtual seconds; it hangs beyond."""

NAME = "replayed"
"""Of the template."""


def replay_offline(recording: Recording, template_of: Callable[[str], Template]) -> ReplayReport:
    """Play each stream of a call.

    Args:
        template_of: The template whose rules are to hold, by the name that was kept.

    Raises:
        ReplayError: There is nothing in it that could be played.
    """
    streams = [stream for stream in recording.streams if started_of(stream) is not None]
    if not streams:
        raise ReplayError("the file holds no stream with a `start` event")
    played: list[Played] = []
    differences: list[Difference] = []
    for number, stream in enumerate(streams, start=1):
        then = see(stream)
        template = as_then(template_of(stream.template), then)
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            ran = runner.run(_run(stream, template))
        played.append(Played(then, ran.seen, tuple(ran.facts.items())))
        differences += _differences(f"stream {number}", stream, then, ran)
    return ReplayReport(
        offline=True,
        call_sid=recording.header.call_sid,
        tolerance_ms=TOLERANCE_MS,
        streams=tuple(played),
        differences=tuple(differences),
        notes=notes_of(recording),
    )


@dataclass(frozen=True, slots=True)
class _Ran:
    seen: Seen
    facts: dict[str, int | float | str]


class _Record:
    """Keeps the facts in memory."""

    def __init__(self) -> None:
        self.events: list[CallEvent] = []
        self.turns: list[Turn] = []

    async def append(self, event: CallEvent) -> None:
        self.events.append(event)

    def append_soon(self, event: CallEvent) -> None:
        self.events.append(event)

    def add_turn_soon(self, turn: Turn) -> None:
        self.turns.append(turn)

    def first(self, kind: EventKind, key: str) -> str:
        """What the first event of a kind says; empty without one."""
        found = (event.data.get(key) for event in self.events if event.kind is kind)
        return str(next(found, ""))


@dataclass(slots=True)
class _Line:
    """The recording, as a call's line."""

    script: Script
    loop: asyncio.AbstractEventLoop
    listening: Listening = field(init=False)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    _opened: float = field(init=False)
    _on_text: Callable[[bytes], None] | None = None
    _marks: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        self.listening = Listening(self.script.stream_sid, self.script.audio)
        self._opened = self.loop.time()

    def _now(self) -> float:
        return (self.loop.time() - self._opened) * 1000

    def send(self, text: str) -> None:
        """As :class:`~exobridge.call.plan.Line`."""
        if not self.closed.is_set():
            self.listening.take(self._now(), text)
            self._await_marks()

    def close(self, code: int) -> None:
        """As :class:`~exobridge.call.plan.Line`."""
        self.listening.close(self._now(), Side.SERVER, code)
        self.closed.set()
        if self._marks is not None:
            self._marks.cancel()

    async def listen(self, on_text: Callable[[bytes], None]) -> int:
        """As :class:`~exobridge.call.plan.Line`."""
        self._on_text = on_text
        for at_ms, text in self.script.frames:
            if not await self._hear(at_ms, text):
                return ABNORMAL
        if self.script.end is End.SERVER:
            for number in range(round(SILENCE_S * 1000 / SILENT_FRAME_MS)):
                at_ms = self.script.end_ms + number * SILENT_FRAME_MS
                if not await self._hear(at_ms, self.script.silence(number)):
                    return ABNORMAL
        await asyncio.sleep(max(0.0, (self.script.end_ms - self._now()) / 1000))
        self.listening.close(self._now(), Side.EXOTEL, ABNORMAL)
        return ABNORMAL

    async def _hear(self, at_ms: float, text: str) -> bool:
        wait_s = (at_ms - self._now()) / 1000
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        if self.closed.is_set() or self._on_text is None:
            return False
        self.listening.send(self._now(), text)
        self._on_text(text.encode())
        return True

    def _await_marks(self) -> None:
        if self._marks is not None:
            self._marks.cancel()
        due_ms = self.listening.next_mark_ms()
        if due_ms is not None:
            wait_s = max(0.0, (due_ms - self._now()) / 1000)
            self._marks = self.loop.call_later(wait_s, self._give_back_marks)

    def _give_back_marks(self) -> None:
        for name in self.listening.due_marks(self._now()):
            if self._on_text is not None and not self.closed.is_set():
                frame = self.script.mark(name)
                self.listening.send(self._now(), frame)
                self._on_text(frame.encode())
        self._await_marks()


async def _run(stream: Stream, template: Template) -> _Ran:
    loop = asyncio.get_running_loop()
    line = _Line(script_of(stream, Names()), loop)
    record = _Record()
    pool = ProviderPool()
    prompts = Prompts(pool)
    epoch = datetime.fromtimestamp(stream.opened_at, UTC)
    services = Services(
        pool=pool,
        prompts=prompts,
        wheel=Wheel(loop),
        recorder=record,
        wall_clock=lambda: epoch + timedelta(seconds=loop.time() - START_S),
    )

    async def plan(started: Started) -> CallPlan:
        return CallPlan(
            started.call_sid or NAME,
            stream.template or NAME,
            template,
            parameters=started.custom_parameters,
        )

    try:
        async with asyncio.timeout(line.script.end_ms / 1000 + LAST_WORDS_S):
            await CallSession(line, plan, services).run()
    except TimeoutError:
        raise ReplayError("the call did not end, long after its recording did") from None
    finally:
        await prompts.aclose()
        await pool.aclose()
    return _Ran(see(line.listening.stream()), _facts(stream, record))


def _facts(stream: Stream, record: _Record) -> dict[str, int | float | str]:
    """What the call made of it, beside what is heard."""
    protocol = ExotelStream()
    keys = 0
    for frame in stream.by(Side.EXOTEL):
        keys += sum(isinstance(event, Dtmf) for event in protocol.receive(frame.text))
    counters = protocol.counters
    ended = EventKind.STREAM_ENDED
    turns = record.turns
    return {
        "format": record.first(EventKind.STREAM_FORMAT, "encoding"),
        "sample_rate": record.first(EventKind.STREAM_FORMAT, "sample_rate"),
        "format_reason": record.first(EventKind.STREAM_FORMAT, "why"),
        "frames": counters.received,
        "frames_with_audio": counters.media_received,
        "frames_unreadable": counters.bad,
        "frames_ignored": counters.ignored,
        "frames_misplaced": counters.misplaced,
        "keys": keys,
        "caller_turns": sum(turn.role is Role.CALLER for turn in turns),
        "bot_turns": sum(turn.role is Role.BOT for turn in turns),
        "interruptions": sum(turn.role is Role.BOT and turn.interrupted for turn in turns),
        "ended_by": record.first(ended, "ended_by"),
        "end_reason": record.first(ended, "reason"),
        "virtual_ms": round(end_ms(stream), 1),
    }


def _differences(where: str, stream: Stream, then: Seen, ran: _Ran) -> list[Difference]:
    more = Comparison(where)
    more.same("unreadable frames", 0, ran.facts["frames_unreadable"])
    more.same("misplaced frames", 0, ran.facts["frames_misplaced"])
    return compare_kinds(where, then, ran.seen) + more.found
