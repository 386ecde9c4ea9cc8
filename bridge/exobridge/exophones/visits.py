"""When each of our URLs was asked last, per ExoPhone: a wrong applet drops calls silently, and this
shows it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from exobridge.call.events import CallEvent, EventKind, Turn
from exobridge.exophones.book import LiveBook
from exobridge.exotel.given import Given, read_given
from exobridge.exotel.words import read_direction
from exobridge.numbers import normalise
from exobridge.observe.watch import Webhook
from exobridge.store import StoreError
from exobridge.store.visits import Visit, VisitRows

FLUSH_SECONDS = 3.0
"""How often what was counted is written."""

MAX_WAITING = 2000
"""Visits that are remembered until then; of more the latest."""

MAX_NUMBERS = 100
"""Numbers that are told apart while no number is listed: whoever knows the secret can name any."""

REFUSED = range(400, 500)

STREAM = "/exotel/stream"
STATED = "PhoneNumberSid"
"""The parameter that is always the ExoPhone."""

SWITCHING = 101
"""The status of a WebSocket's opening."""

_log = structlog.stdlib.get_logger("exobridge")


class Visits:
    """Counts webhooks, and writes the counts beside the serving.

    Args:
        period_seconds: Between two writings.
    """

    def __init__(
        self,
        rows: VisitRows,
        book: LiveBook,
        clock: Callable[[], datetime],
        period_seconds: float = FLUSH_SECONDS,
    ) -> None:
        self._rows = rows
        self._book = book
        self._clock = clock
        self._period = period_seconds
        self._waiting: deque[Webhook] = deque(maxlen=MAX_WAITING)
        self._counted: dict[tuple[str, str], Visit] = {}
        self._named: set[str] = set()
        self._writing: asyncio.Task[None] | None = None

    def webhook(self, webhook: Webhook) -> None:
        """One was answered. What it says of numbers is read later: nobody waits for that."""
        self._waiting.append(webhook)

    def event(self, event: CallEvent) -> None:
        """A stream began: its URL was asked."""
        if event.kind is EventKind.STREAM_STARTED:
            pairs = [(STATED, str(event.data.get("called", "")))]
            self.webhook(Webhook(STREAM, "GET", "", "", SWITCHING, event.at, 0.0, pairs))

    def stream_refused(self, status: int) -> None:
        """A WebSocket was not let in; whose call it was is not known."""
        now = self._clock()
        self.webhook(Webhook(STREAM, "GET", "", "", status, now, 0.0))

    def turn(self, turn: Turn) -> None:
        """Asks nothing of us."""

    def start(self) -> None:
        """Write from time to time, beside the serving."""
        self._writing = asyncio.create_task(self._write_on())

    async def aclose(self) -> None:
        """Write what waits, and no more."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait([self._writing])
        await self.flush()

    async def flush(self) -> None:
        """Write what waits. What cannot be written waits on."""
        for webhook in self._waiting:
            self._count(webhook)
        self._waiting.clear()
        counted, self._counted = self._counted, {}
        if not counted:
            return
        try:
            await self._rows.add(counted.values())
        except StoreError as error:
            _log.warning("visits not kept", error=str(error))
            for visit in counted.values():
                self._lay_over(visit)

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(self._period)
            await self.flush()

    def _count(self, webhook: Webhook) -> None:
        number = self._number(webhook)
        at, status = webhook.ended_at, webhook.status
        self._lay_over(Visit(webhook.endpoint, number, at, status, 1))

    def _lay_over(self, visit: Visit) -> None:
        key = visit.endpoint, visit.number
        before = self._counted.get(key)
        if before is not None:
            latest = max(before, visit, key=lambda each: each.last_at)
            visit = replace(latest, count=before.count + visit.count)
        self._counted[key] = visit

    def _number(self, webhook: Webhook) -> str:
        """The ExoPhone that it was about; empty: none of ours, or not told."""
        entries, given = self._book.entries, read_given(webhook.pairs)
        if entries is not None:
            return next((number for number in exophones_in(given) if number in entries), "")
        number = "" if webhook.status in REFUSED else stated_exophone(given)
        if number and len(self._named) < MAX_NUMBERS:
            self._named.add(number)
        return number if number in self._named else ""


def exophones_in(given: Given) -> Sequence[str]:
    """Numbers of which one is ours, the likelier first. Pure."""
    called, calling = given.text("CallTo", "To"), given.text("CallFrom", "From")
    pair = (called, calling)
    if read_direction(given.text("Direction")) == "outgoing":
        pair = (calling, called)
    written = (given.text(STATED), *pair)
    return [number for number in map(normalise, written) if number]


def stated_exophone(given: Given) -> str:
    """The ExoPhone where there is no doubt which number that is, so that no caller's number is
    kept for one of ours; empty: there is. Pure."""
    of_direction = {"incoming": "CallTo", "outgoing": "CallFrom"}
    name = of_direction.get(read_direction(given.text("Direction")), "")
    written = given.text(STATED) or (given.text(name) if name else "")
    return normalise(written) or ""
