"""What one process must be told of the server it is a part of. By itself it is all of it."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Protocol

from exobridge.admission import Admission, HeldStream, OwnAdmission, ToldOfCall
from exobridge.observe.exposition import Snapshot
from exobridge.observe.workers import of_workers

MakeSnapshot = Callable[[], Snapshot]
"""Makes the metrics of this process, as they are now."""


class Whole(Protocol):
    """The server as one of its processes sees it."""

    @property
    def token_key(self) -> str | None:
        """Signs stream URLs where there is no secret, so that one worker reads what another has
        made; ``None``: any key will do."""
        ...

    @property
    def complete(self) -> bool:
        """Every worker serves, or has served since the start. Before, all calls would come to the
        first ones."""
        ...

    @property
    def lost(self) -> Set[HeldStream] | None:
        """Streams of a process that has died, to be closed in the record; ``None``: all that stand
        open there."""
        ...

    @property
    def is_first(self) -> bool:
        """Whether this process does what one is to do for all."""
        ...

    @property
    def alone(self) -> bool:
        """Whether this process is all of the server: no other holds calls."""
        ...

    def admission(self, on_unused: ToldOfCall, on_replaced: ToldOfCall) -> Admission:
        """Who gives out slots; see :data:`~exobridge.admission.MakeAdmission`."""
        ...

    def watch(self, make_snapshot: MakeSnapshot) -> None:
        """Learn how this process makes its metrics."""
        ...

    async def metrics(self) -> list[Snapshot] | None:
        """The metrics of all workers, to be merged.

        Returns:
            ``None`` if they cannot be had in time. This worker's alone are no substitute: totals
            would seem to go back, and to leap afterwards.
        """
        ...


class OneProcess:
    """A server of one process.

    Args:
        max_calls, unused_seconds: See :class:`~exobridge.admission.Slots`.
    """

    token_key: str | None = None
    complete = True
    lost: Set[HeldStream] | None = None
    is_first = True
    alone = True

    def __init__(self, max_calls: int, unused_seconds: float) -> None:
        self._max_calls = max_calls
        self._unused_seconds = unused_seconds
        self._make_snapshot: MakeSnapshot = list

    def admission(self, on_unused: ToldOfCall, on_replaced: ToldOfCall) -> Admission:
        """As :meth:`Whole.admission`. Nobody else can take a call over."""
        return OwnAdmission(self._max_calls, self._unused_seconds, on_unused)

    def watch(self, make_snapshot: MakeSnapshot) -> None:
        """As :meth:`Whole.watch`."""
        self._make_snapshot = make_snapshot

    async def metrics(self) -> list[Snapshot] | None:
        """As :meth:`Whole.metrics`."""
        own = self._make_snapshot()
        return [own, of_workers({0: own})]
