"""One call while it is walked: its clock, its end, and the book of what happened."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from exobridge.simulator.call import new_sid
from exobridge.simulator.flows.agents import Phones
from exobridge.simulator.flows.around import Around
from exobridge.simulator.flows.facts import CallFacts
from exobridge.simulator.flows.model import Flow
from exobridge.simulator.flows.report import Asked, Dialled, Ending
from exobridge.simulator.flows.talks import Held, Talks
from exobridge.simulator.line_faults import NO_FAULTS, LineFaults
from exobridge.simulator.report import CallReport
from exobridge.simulator.rules import Breach, Rule, ViolationLog
from exobridge.simulator.scripts.judge import Finding
from exobridge.simulator.timeline import Entry, Kind, Party, Timeline
from exobridge.simulator.told import violation

SECONDS_A_WORD = 0.3
"""How long a text-to-speech of Exotel's takes for a word: about 200 words a minute."""

FRAME_MS = 20
MAX_WORDS_CHARS = 2000
"""Of what a voice says, so much stands in the timeline."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where the flow goes on after an applet.

    Attributes:
        key: Which of the applet's paths, by its key in the file.
        to: The applet; empty: the path is not connected.
    """

    key: str
    to: str


@dataclass(slots=True)
class Book:
    """What is written down for the report; as :class:`FlowReport` has it."""

    path: list[str] = field(default_factory=list[str])
    streams: list[CallReport] = field(default_factory=list[CallReport])
    findings: list[tuple[Finding, ...]] = field(default_factory=list[tuple[Finding, ...]])
    dialled: list[Dialled] = field(default_factory=list[Dialled])
    asked: list[Asked] = field(default_factory=list[Asked])
    notes: list[str] = field(default_factory=list[str])
    timeline: Timeline = field(default_factory=Timeline)
    violations: ViolationLog = field(default_factory=ViolationLog)

    @property
    def told(self) -> tuple[str, ...]:
        """The notes, with what the timeline had no room for."""
        left_out = self.timeline.left_out
        more = f"{left_out} more entries had no room in the timeline"
        return (*self.notes, more) if left_out else tuple(self.notes)

    def note(self, sentence: str) -> None:
        """What the reader should know, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)


class OneCall:
    """The call.

    Args:
        flow: What it goes through.
        around: What it needs.
        call_sid: Exotel's id of it; empty: a new one.
        talks: What the caller will do in its streams.
        line: What goes wrong on its first stream.
        tasks: Run what goes on beside the flow; all of it ends with the walk.

    Attributes:
        facts: What its webhooks are told.
        book: What its report will tell.
        over: Set once the caller is gone: nothing more reaches them.
        ending: How the call ended; ``None``: it has not.
        phones: The agents'.
        talks: What the caller will do in the streams to come.
        silent: What they do in the others.
        one_way: Ends the one-way stream that is open, and is it.
        abandoned: Set if the whole run is to end: nothing is waited for any more.
        ended_ms: When the call was over.
    """

    def __init__(
        self,
        flow: Flow,
        around: Around,
        *,
        call_sid: str,
        talks: Talks,
        line: LineFaults = NO_FAULTS,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.flow = flow
        self.around = around
        self.call_sid = call_sid or new_sid()
        self._line = line
        self.facts = CallFacts.of(flow, self.call_sid, around.now)
        self.book = Book()
        self.over = asyncio.Event()
        self.ending: Ending | None = None
        self.phones = Phones(flow.agent)
        self.talks: deque[Held] = deque(talks.held)
        self.silent = talks.silent
        self.one_way: tuple[asyncio.Event, asyncio.Task[None]] | None = None
        self.abandoned = asyncio.Event()
        self._began = around.clock()
        self._tasks = tasks
        self._beside: set[asyncio.Task[None]] = set()
        self.ended_ms = 0.0

    # -------------------------------------------------------------- time

    @property
    def now_ms(self) -> float:
        """Milliseconds since the run began."""
        return (self.around.clock() - self._began) * 1000

    @property
    def seconds_left(self) -> float:
        """Until the call's limit."""
        return max(0.0, self.flow.call.timeout_seconds - self.now_ms / 1000)

    @property
    def over_for_s(self) -> float:
        """Since the call's end; 0 before it."""
        return (self.now_ms - self.ended_ms) / 1000 if self.over.is_set() else 0.0

    async def wait(self, seconds: float) -> bool:
        """Let time pass on the line; ``False`` if the caller is gone, or went in it."""
        return await _passes(seconds, self.over)

    async def patiently(self, seconds: float) -> bool:
        """Let time pass after the call; ``False`` if the run was abandoned."""
        return await _passes(seconds, self.abandoned)

    def watch(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Wait for something beside the flow; whoever lets it wait cancels it."""
        return self._tasks.create_task(work)

    def beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something beside the flow; it is done when the walk is over."""
        task = self._tasks.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        return task

    async def beside_done(self, seconds: float) -> None:
        """Wait until what is done beside the flow has been, for so long at most."""
        if self._beside:
            await asyncio.wait(self._beside, timeout=seconds)

    # -------------------------------------------------------------- the end

    def end(self, how: Ending) -> None:
        """The call is over; only the first word counts."""
        if self.ending is None:
            self.ending, self.ended_ms = how, self.now_ms
            self.over.set()
            if how in (Ending.CALLER, Ending.TIMEOUT):
                label = "hangs up" if how is Ending.CALLER else "the call reached its limit"
                self.tell(Kind.PHONE, Party.CALLER, Party.EXOTEL, label)

    # -------------------------------------------------------------- the book

    def tell(
        self,
        kind: Kind,
        source: Party,
        target: Party,
        label: str,
        detail: str = "",
        *,
        since_ms: float | None = None,
    ) -> None:
        """Write an entry of the timeline.

        Args:
            kind: What sort of act.
            source: Who acts.
            target: On whom.
            label: In a few words.
            detail: More of it.
            since_ms: It began then and is over now; ``None``: it takes no time.
        """
        now = self.now_ms
        began, until = (now, None) if since_ms is None else (since_ms, now)
        self.write(Entry(began, source, target, kind, label, detail, until))

    def write(self, entry: Entry) -> None:
        """Write an entry, and tell it."""
        self.book.timeline.add(entry)
        self.around.tell(entry)

    def broken(self, rule: Rule, detail: str = "", at_ms: float | None = None) -> None:
        """The server broke a rule."""
        at = self.now_ms if at_ms is None else at_ms
        broken = self.book.violations.add(Breach(rule, detail), at)
        if broken is not None:
            self.write(violation(broken))

    def hears_music(self, since_ms: float, music: str) -> None:
        """The caller was on hold until now, or until they went; less than a frame is not heard."""
        until_ms = self.ended_ms if self.over.is_set() else self.now_ms
        if until_ms - since_ms >= FRAME_MS:
            label = "hold music"
            self.write(
                Entry(since_ms, Party.EXOTEL, Party.CALLER, Kind.PHONE, label, music, until_ms)
            )

    async def speak(self, text: str, to: Party = Party.CALLER) -> bool:
        """Exotel's voice says a text; ``False`` if the caller went while it did."""
        began = self.now_ms
        stayed = await self.wait(seconds_of(text))
        self.tell(Kind.SPEECH, Party.EXOTEL, to, text[:MAX_WORDS_CHARS], since_ms=began)
        return stayed

    # -------------------------------------------------------------- streams

    def room_for_stream(self) -> AbstractContextManager[bool]:
        """For as long as a stream is open: whether the account has room for it."""
        account = self.around.account
        return nullcontext(True) if account is None else account.streaming()

    def take_line(self) -> LineFaults:
        """What goes wrong on the stream that is opened now; on those after it nothing does."""
        line, self._line = self._line, NO_FAULTS
        return line

    def at_server(self, url: str) -> str:
        """The whole of a URL of the flow: absolute, or a path on the server under test.

        Raises:
            ValueError: It is none.
        """
        return urljoin(self.flow.server.url, url)


async def _passes(seconds: float, cut: asyncio.Event) -> bool:
    """Whether the time passed without being cut short."""
    if cut.is_set():
        return False
    try:
        async with asyncio.timeout(seconds):
            await cut.wait()
    except TimeoutError:
        return True
    return False


def seconds_of(text: str) -> float:
    """How long it takes to say."""
    return len(text.split()) * SECONDS_A_WORD
