"""Counting, and facts of which the first stands: both in one transaction."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.call.events import CallEvent
from exobridge.store.access import writing
from exobridge.store.engine import insert_new
from exobridge.store.rows import read_event
from exobridge.store.tables import call_events, counters
from exobridge.store.transaction import Besides, write
from exobridge.store.unbroken import Unbroken, unbroken

MakeEvent = Callable[[int], CallEvent]
"""Makes the event of a count. Called at most once."""


class Counters(Unbroken):
    """Named counters. Part of :class:`~exobridge.store.store.Store`."""

    def __init__(self, writer_engine: AsyncEngine, besides: Besides) -> None:
        super().__init__()
        self._besides = besides
        self._engine = writer_engine

    @unbroken
    async def first(
        self, call_sid: str, key: str, make: MakeEvent, *, counter: str = ""
    ) -> tuple[CallEvent, bool]:
        """The call's event of this key. If there is none yet it is made and kept; whoever asks at
        the same time, in whatever process, is given the same one.

        Args:
            make: Given the counter's new value, 1 for its first; 0 without a counter.
            counter: Goes up by one with the event, and only with it.

        Returns:
            The event, and whether it is new.

        Raises:
            StoreError: It was not kept.
        """
        async with writing(self._engine) as connection:
            event, is_new, has_due = await connection.run_sync(
                _first, call_sid, key, make, counter, self._besides
            )
        if has_due:
            self._besides.wake_soon()
        return event, is_new


def _first(
    connection: Connection, call_sid: str, key: str, make: MakeEvent, counter: str, besides: Besides
) -> tuple[CallEvent, bool, bool]:
    """The event, whether it is new, and whether it has left jobs that can be done now."""
    value = _locked(connection, counter) + 1 if counter else 0
    known = _known(connection, call_sid, key)
    if known is not None:
        return known, False, False
    event = make(value)
    written = write(connection, [event], besides, event.at)
    if not written.is_new[0]:
        known = _known(connection, call_sid, key)
        assert known is not None, "what kept the event from being new"
        return known, False, False
    if counter:
        connection.execute(update(counters).where(counters.c.name == counter).values(value=value))
    return event, True, written.has_due


def _locked(connection: Connection, counter: str) -> int:
    """The counter's value, which nobody else changes before this transaction is over."""
    insert = insert_new(counters, connection.dialect.name)
    connection.execute(insert, {"name": counter, "value": 0})
    query = select(counters.c.value).where(counters.c.name == counter).with_for_update()
    return int(connection.execute(query).scalar_one())


def _known(connection: Connection, call_sid: str, key: str) -> CallEvent | None:
    table = call_events
    query = select(table).where(table.c.call_sid == call_sid, table.c.key == key)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else read_event(row)
