"""Who is told what happens. The recorder tells every fact, and the webhooks are told beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog

from exobridge.call.events import CallEvent, Turn

_log = structlog.stdlib.get_logger("exobridge.observe")


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that was answered.

    Attributes:
        endpoint: Its path, without a secret.
        call_sid: Empty if the request named none, or was not let in.
        outcome: What the log says: ``accept``, ``refuse busy``, ``bad request``.
        status: Of HTTP.
        ended_at: When it was answered, aware; ``seconds`` before, it came.
        pairs: Its parameters; of one that was not let in, those of its URL.
    """

    endpoint: str
    method: str
    call_sid: str
    outcome: str
    status: int
    ended_at: datetime
    seconds: float
    pairs: Sequence[tuple[str, str]] = field(default=(), repr=False)


class Watcher(Protocol):
    """Looks on. None of its methods waits."""

    def event(self, event: CallEvent) -> None:
        """A fact of a call; each is told once."""
        ...

    def turn(self, turn: Turn) -> None:
        """A turn that is over."""
        ...

    def webhook(self, webhook: Webhook) -> None:
        """A webhook that was answered."""
        ...


class Watchers:
    """All of them as one; what goes wrong in one is logged and touches nothing else."""

    def __init__(self, watchers: Sequence[Watcher] = ()) -> None:
        self._watchers = list(watchers)

    def add(self, watcher: Watcher) -> None:
        """One more, told of what happens from now on."""
        self._watchers.append(watcher)

    def event(self, event: CallEvent) -> None:
        """As :meth:`Watcher.event`."""
        for watcher in self._watchers:
            try:
                watcher.event(event)
            except Exception:
                _log.exception("watcher crashed", watcher=type(watcher).__name__)

    def turn(self, turn: Turn) -> None:
        """As :meth:`Watcher.turn`."""
        for watcher in self._watchers:
            try:
                watcher.turn(turn)
            except Exception:
                _log.exception("watcher crashed", watcher=type(watcher).__name__)

    def webhook(self, webhook: Webhook) -> None:
        """As :meth:`Watcher.webhook`."""
        for watcher in self._watchers:
            try:
                watcher.webhook(webhook)
            except Exception:
                _log.exception("watcher crashed", watcher=type(watcher).__name__)
