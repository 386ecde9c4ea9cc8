"""Hands what is written of calls to whoever follows it, as it is written, by any process.

One task reads for all who follow, and only while somebody does: at once when this process writes,
and each second for what the others do. Whoever joins reads by himself what lies between his place
and the task's, so that nothing is left out and nothing told twice. Who does not keep up is dropped,
and may come again with the last place that he saw.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
from weakref import WeakSet

import structlog

from exobridge.call.events import CallEvent, Turn
from exobridge.observe.watch import Webhook
from exobridge.store import Store, StoreError
from exobridge.store.feed import Cursor, FeedItem

MAX_READERS = 100
"""Who may follow at once, in one process."""

LOOK_SECONDS = 1.0
"""How often it is looked for what other processes wrote, in seconds."""

TOGETHER_SECONDS = 0.05
"""What is written so shortly after other things is read with what follows, in seconds."""

SILENCE_SECONDS = 15.0
"""Longest time in which a reader is told nothing, not even that there is nothing, in seconds."""

PAGE = 200
"""Events, and turns, that are read at once."""

MAX_BEHIND = 1000
"""Items that may wait for one reader; one more, and he is dropped."""

TURN = "turn"
"""Stands for turns where events have their kind."""

_log = structlog.stdlib.get_logger("exobridge.live")


class FeedFullError(Exception):
    """So many follow already."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody follows; what is empty does not matter.

    Attributes:
        kinds: Of events, and ``turn``.
    """

    call_sid: str = ""
    template: str = ""
    kinds: frozenset[str] = frozenset()

    def holds(self, item: FeedItem) -> bool:
        """Whether this is a part of it."""
        if self.call_sid not in ("", item.what.call_sid):
            return False
        if self.template not in ("", item.template):
            return False
        return not self.kinds or kind_of(item) in self.kinds


def kind_of(item: FeedItem) -> str:
    """An event's kind, or ``turn``."""
    return TURN if isinstance(item.what, Turn) else item.what.kind.value


class Reader:
    """Somebody who follows. Made by :meth:`Feed.reader`; gives its place back at its end."""

    def __init__(self, feed: Feed, wanted: Wanted, start: Cursor | None) -> None:
        self.joined = False
        self._feed = feed
        self._wanted = wanted
        self._start = start
        self._waiting: deque[FeedItem] = deque()
        self._told = asyncio.Event()
        self._over = False

    def tell(self, items: list[FeedItem]) -> None:
        """More was written."""
        wanted = [item for item in items if self._wanted.holds(item)]
        if not wanted:
            return  # what is for others does not break his silence
        self._waiting.extend(wanted)
        self._told.set()
        if len(self._waiting) > MAX_BEHIND:
            _log.warning("reader dropped", behind=len(self._waiting))
            self._waiting.clear()
            self.end()
            self._feed.drop(self)  # it may be in the middle of sending, for as long as it likes

    def end(self) -> None:
        """There will be no more."""
        self._over = True
        self._told.set()

    async def items(self) -> AsyncGenerator[FeedItem | Cursor]:
        """What follows its place, as it comes. A place alone comes where there is nothing to tell
        up to it: on the way through what was written before and at its end, and after each
        silence.

        Raises:
            StoreError: What was written before cannot be read.
        """
        try:
            until = await self._feed.join(self)
            place = self._start
            while place is not None and not self._over:
                page = await self._feed.rows.read(
                    place, PAGE, until=until, call_sid=self._wanted.call_sid
                )
                place = page[-1].cursor if page else None
                for item in page:
                    if self._wanted.holds(item):
                        yield item
                if page and not self._wanted.holds(page[-1]):
                    yield page[-1].cursor  # there may be much that is not for this one
            if not self._over:
                yield until
            while not self._over:
                while self._waiting:
                    yield self._waiting.popleft()
                self._told.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(SILENCE_SECONDS):
                        await self._told.wait()
                if not self._waiting and not self._over:
                    yield self._feed.place
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Follow no more."""
        self.end()
        await self._feed.leave(self)


class Feed:
    """The feed of one process; a :class:`~exobridge.observe.watch.Watcher`.

    Args:
        is_over: Whether nobody shall follow any more, as the process stops.

    Attributes:
        place: Up to which all was read, and told to who follows.
    """

    def __init__(self, store: Store, is_over: Callable[[], bool]) -> None:
        self.rows = store.feed
        self._store = store
        self._is_over = is_over
        self._readers = WeakSet[Reader]()  # an answer that came too late is nobody's
        self._joining = asyncio.Lock()
        self._written = asyncio.Event()
        self.place = Cursor()
        self._task: asyncio.Task[None] | None = None

    # -------------------------------------------------------------- who follows

    def reader(self, wanted: Wanted, start: Cursor | None = None) -> Reader:
        """Somebody who follows from a place on; ``None``: from now on.

        Raises:
            FeedFullError: ``MAX_READERS`` follow already, or the process stops.
        """
        if len(self._readers) >= MAX_READERS or self._is_over():
            raise FeedFullError
        reader = Reader(self, wanted, start)
        self._readers.add(reader)
        return reader

    async def join(self, reader: Reader) -> Cursor:
        """Tell a reader all that is read from now on; from which place on that is."""
        async with self._joining:
            if self._task is None:
                await self._store.flush()
                self.place = await self.rows.end()
                self._task = asyncio.create_task(self._run())
            reader.joined = True  # nothing is read between this and the place
            return self.place

    def drop(self, reader: Reader) -> None:
        """It is told no more, and its place is another's."""
        self._readers.discard(reader)

    async def leave(self, reader: Reader) -> None:
        """It follows no more."""
        self.drop(reader)
        if not self._readers:
            await self.aclose()

    async def aclose(self) -> None:
        """End all who follow."""
        for reader in self._readers:
            reader.end()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    # -------------------------------------------------------------- what is written

    def event(self, event: CallEvent) -> None:
        """As of a watcher."""
        self._written.set()

    def turn(self, turn: Turn) -> None:
        """As of a watcher."""
        self._written.set()

    def webhook(self, webhook: Webhook) -> None:
        """As of a watcher."""

    async def _run(self) -> None:
        failing = False
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._written.wait()
            if self._is_over():
                for reader in self._readers:
                    reader.end()
            await asyncio.sleep(TOGETHER_SECONDS)
            try:
                await self._read()
                failing = False
            except StoreError as error:
                if not failing:  # told once
                    _log.warning("feed not read", error=str(error))
                failing = True
            except Exception:  # else nobody would be told anything any more
                _log.exception("feed crashed")

    async def _read(self) -> None:
        """Tell what was written."""
        if self._written.is_set():
            self._written.clear()
            await self._store.flush()
        while items := await self.rows.read(self.place, PAGE):
            self.place = items[-1].cursor
            for reader in [each for each in self._readers if each.joined]:
                reader.tell(items)
        end = await self.rows.end()
        # What was erased last gives its rows' numbers free.
        self.place = Cursor(min(self.place.event, end.event), min(self.place.turn, end.turn))
