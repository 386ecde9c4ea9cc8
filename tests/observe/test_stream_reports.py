"""What Exotel reports of streams, in metrics and in the log."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs
from tests.observe.exposed import Exposed

from exobridge.exotel.passthru import PassthruParams
from exobridge.exotel.stream_report import StreamReport
from exobridge.observe.exposition import merge, snapshot
from exobridge.observe.stream_reports import REMEMBERED, RESULTS, StreamReports
from exobridge.passthrus import passthru_event

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


class Reported:
    """Reports that were told."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._reports = StreamReports(self._registry)

    def tell(self, report: StreamReport | None, **more: str) -> None:
        """A Passthru of the call ``c`` that brings it."""
        params = PassthruParams("c", stream=report, given=more)
        self._reports.event(passthru_event(params, AT))

    @property
    def counts(self) -> dict[str, float]:
        """How many streams went how, where any did."""
        exposed = Exposed(merge([snapshot(self._registry)]).decode())
        counts = {name: exposed("exobridge_stream_reports_total", result=name) for name in RESULTS}
        return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize(
    ("report", "result"),
    [
        (StreamReport("s", "completed"), "completed"),
        (StreamReport("s", "canceled"), "canceled"),
        (StreamReport("s", "failed"), "failed"),
        (StreamReport("s", "completed", error="3009 failed to establish ws conn"), "failed"),
        (StreamReport("s", "failed", detailed_status="Streaming_call_throttled"), "throttled"),
        (StreamReport("s", "failed", error="throttled"), "throttled"),
        (StreamReport("s", "something-new"), "other"),
        (StreamReport("s", seconds=3), "other"),
    ],
)
def test_how_a_stream_went(report: StreamReport, result: str) -> None:
    """An error is a failure, whatever the status says; a word that is not known makes no label.
    The operator is told of what failed."""
    reported = Reported()
    with capture_logs() as lines:
        reported.tell(report)
    assert reported.counts == {result: 1}
    assert [line["log_level"] for line in lines] == (
        ["warning"] if result in ("failed", "throttled") else []
    )


def test_each_stream_counts_once() -> None:
    """Several applets of a flow may tell of it; so many that memory is filled by them do not."""
    reported = Reported()
    with capture_logs() as lines:
        for number in range(3):
            reported.tell(StreamReport("s", "failed"), digits=str(number))
    assert reported.counts == {"failed": 1}
    assert len(lines) == 1
    for number in range(REMEMBERED):
        reported.tell(StreamReport(f"s{number}", "completed"))
    reported.tell(StreamReport("s1", "completed"))
    assert reported.counts == {"failed": 1, "completed": REMEMBERED}
    reported.tell(StreamReport("s", "canceled"))  # forgotten by now
    assert reported.counts["canceled"] == 1


def test_streams_that_have_no_id_are_told_apart_by_the_rest() -> None:
    """One that never came about has none; a repeated delivery is the same."""
    reported = Reported()
    report = StreamReport(status="failed")
    reported.tell(report, digits="1")
    reported.tell(report, digits="1", CurrentTime="later")
    assert reported.counts == {"failed": 1}
    reported.tell(report, digits="2")
    assert reported.counts == {"failed": 2}


def test_other_requests_are_no_report() -> None:
    """A Passthru before the bot has nothing to tell of it."""
    reported = Reported()
    reported.tell(None)
    assert reported.counts == {}
