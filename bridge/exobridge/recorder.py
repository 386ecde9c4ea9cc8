"""Keeps a call's facts, and tells them to all who watch, without getting in the call's way."""

from __future__ import annotations

from dataclasses import replace

import structlog

from exobridge.call.events import CallEvent, Turn
from exobridge.observe.watch import Watchers
from exobridge.store import Store, StoreError

_log = structlog.stdlib.get_logger("exobridge.store")


class StoreRecorder:
    """The store, as a call's :class:`~exobridge.call.plan.Recorder`: what it cannot take is logged,
    and the call goes on.

    Args:
        watchers: Told each fact, kept or not.
        keeps_words: What was said is kept; else only when.
    """

    def __init__(
        self, store: Store, watchers: Watchers | None = None, *, keeps_words: bool = True
    ) -> None:
        self._store = store
        self._keeps_words = keeps_words
        self._watchers = watchers or Watchers()

    async def append(self, event: CallEvent) -> None:
        """Keep an event, and wait until it is kept.

        Raises:
            StoreError: It is not.
        """
        is_new = True  # for all that is known, if the store cannot tell
        try:
            is_new = await self._store.append(event)
        finally:
            if is_new:
                self._watchers.event(event)

    def append_soon(self, event: CallEvent) -> None:
        """Keep an event."""
        try:
            self._store.append_soon(event)
        except StoreError as error:
            _log.error("event not recorded", kind=str(event.kind), error=str(error))
        self._watchers.event(event)

    def add_turn_soon(self, turn: Turn) -> None:
        """Keep a turn."""
        if not self._keeps_words:
            turn = replace(turn, text="")
        try:
            self._store.add_turn_soon(turn)
        except StoreError as error:
            _log.error("turn not recorded", number=turn.number, error=str(error))
        self._watchers.turn(turn)
