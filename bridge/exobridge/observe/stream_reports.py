"""What Exotel reports of streams, counted; one that failed there is told the operator."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import structlog
from prometheus_client import CollectorRegistry, Counter

from exobridge.call.events import JSON, CallEvent, EventKind, Turn
from exobridge.observe import catalogue
from exobridge.observe.watch import Webhook

REMEMBERED = 10_000
"""Streams that have been counted: several applets of one flow may report on the same."""

RESULTS = ("completed", "canceled", "failed", "throttled", "other")

_log = structlog.stdlib.get_logger("exobridge.passthru")


class StreamReports:
    """A :class:`~exobridge.observe.watch.Watcher` for what Passthru applets tell of streams.

    Args:
        registry: What it counts in.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        metric = catalogue.STREAM_REPORTS
        self._reports = Counter(metric.name, metric.meaning, metric.labels, registry=registry)
        for result in RESULTS:
            self._reports.labels(result)  # so that the first shows as an increase
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()

    def event(self, event: CallEvent) -> None:
        """As :meth:`exobridge.observe.watch.Watcher.event`."""
        stream = event.data.get("stream")
        if event.kind is not EventKind.PASSTHRU or not isinstance(stream, Mapping):
            return
        stream_sid = str(event.data.get("stream_sid", ""))
        if self._is_new(event.call_sid, stream_sid or event.key):
            self._count(event.call_sid, stream_sid, stream)

    def turn(self, turn: Turn) -> None:
        """Of no concern."""

    def webhook(self, webhook: Webhook) -> None:
        """Of no concern."""

    def _is_new(self, call_sid: str, which: str) -> bool:
        if (call_sid, which) in self._seen:
            return False
        self._seen[call_sid, which] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def _count(self, call_sid: str, stream_sid: str, stream: Mapping[str, JSON]) -> None:
        status, error, detail = (
            str(stream.get(name) or "") for name in ("status", "error", "detailed_status")
        )
        result = _result(status, error, detail)
        self._reports.labels(result).inc()
        if result in ("failed", "throttled"):
            _log.warning(
                "stream failed at Exotel",
                call_sid=call_sid,
                stream_sid=stream_sid,
                status=status,
                error=error,
                detailed_status=detail,
            )


def _result(status: str, error: str, detail: str) -> str:
    if "throttl" in detail.lower() or "throttl" in error.lower():
        return "throttled"
    if error:
        return "failed"
    return status if status in RESULTS else "other"
