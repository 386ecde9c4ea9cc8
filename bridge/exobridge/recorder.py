"""Keeps a call's facts without ever getting in the call's way."""

from __future__ import annotations

import structlog

from exobridge.call.events import CallEvent, Turn
from exobridge.store import Store, StoreError

_log = structlog.stdlib.get_logger("exobridge.store")


class StoreRecorder:
    """The store, as a call's :class:`~exobridge.call.plan.Recorder`: what it cannot take is logged,
    and the call goes on."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def append_soon(self, event: CallEvent) -> None:
        """Keep an event."""
        try:
            self._store.append_soon(event)
        except StoreError as error:
            _log.error("event not recorded", kind=str(event.kind), error=str(error))

    def add_turn_soon(self, turn: Turn) -> None:
        """Keep a turn."""
        try:
            self._store.add_turn_soon(turn)
        except StoreError as error:
            _log.error("turn not recorded", number=turn.number, error=str(error))
