"""All that watches one process, put together and taken apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector

from exobridge.desk import BUSY, CLOSED, DRAINING, ROUTED, UNKNOWN
from exobridge.observe.exposition import Snapshot, snapshot
from exobridge.observe.loop_lag import LoopLag
from exobridge.observe.metrics import FactMetrics
from exobridge.observe.readings import Readings, Sources
from exobridge.observe.stream_reports import StreamReports
from exobridge.observe.tracing import open_traces
from exobridge.observe.watch import Watcher, Watchers


class Observer:
    """Watches one process. Made by :func:`open_observer`.

    Attributes:
        watchers: To be told what happens.
        lag: Of the event loop.
    """

    def __init__(self, registry: CollectorRegistry, watchers: Watchers, lag: LoopLag) -> None:
        self.watchers = watchers
        self.lag = lag
        self._registry = registry

    def read(self, sources: Sources) -> None:
        """Read these too, whenever the metrics are asked for."""
        self._registry.register(Readings(sources))

    def snapshot(self) -> Snapshot:
        """The metrics of this process, as they are now."""
        return snapshot(self._registry)


@asynccontextmanager
async def open_observer(templates: Iterable[str]) -> AsyncGenerator[Observer]:
    """Begin to watch.

    Args:
        templates: Names of those in use.

    Raises:
        ConfigError: Traces are wanted and cannot be made.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    facts = FactMetrics(registry, templates, (UNKNOWN, CLOSED, BUSY, DRAINING, ROUTED))
    async with open_traces() as traces:
        lag = LoopLag(asyncio.get_running_loop())
        counting: list[Watcher] = [facts, StreamReports(registry)]
        watchers = Watchers(counting if traces is None else [*counting, traces])
        try:
            yield Observer(registry, watchers, lag)
        finally:
            lag.close()
