"""Traces, as a collector gets them after real calls."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio
from tests.observe.collector import Collector, Seen, collecting
from tests.server import BOT, LINE, QUICK, bot, serving

from exobridge.call import events
from exobridge.call.events import Decision
from exobridge.numbers import mask
from exobridge.observe.traces import Traces
from exobridge.observe.watch import Webhook
from exobridge.simulator import CallPlan, CallReport, Exotel, Say

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SAID = "a sentence that is nobody's business"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Generator[Collector]:
    """A collector that the environment names."""
    with collecting() as running:
        monkeypatch.setenv(ENDPOINT, running.url)
        yield running


async def calls(folder: Path, *numbers: str, templates: dict[str, str]) -> list[CallReport]:
    """Calls to these numbers, one after the other."""
    book = "+918047112233=shop,+918047112244=broken"
    async with serving(folder, templates, EXOTEL_NUMBERS=book) as server, Exotel() as exotel:
        reports: list[CallReport] = []
        for number in numbers:
            plan = CallPlan(url=server.url, called=number, script=(Say(LINE),), patience=QUICK)
            reports.append(await exotel.call(plan))
            await server.until_over(reports[-1].call_sid)
        return reports


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Collector, list[CallReport]]:
    """A call that goes well, one whose dialogue fails, and one to a number that is nobody's."""
    templates = {
        "default": BOT,
        "shop": bot(
            dialogue={"options": {"usage": {"input_tokens": 7, "output_tokens": 3}}},
            stt={"options": {"script": [SAID]}},
        ),
        "broken": bot(dialogue={"options": {"fault": "fail"}}),
    }
    numbers = ("+918047112233", "+918047112244", "+918047112255")
    with pytest.MonkeyPatch.context() as patch, collecting() as running:
        patch.setenv(ENDPOINT, running.url)
        reports = await calls(tmp_path_factory.mktemp("traced"), *numbers, templates=templates)
    return running, reports


def root(collector: Collector, report: CallReport) -> Seen:
    """A call's own span."""
    (found,) = (
        span
        for span in collector.spans
        if span.name == "call" and span.attributes["exobridge.call_sid"] == report.call_sid
    )
    assert not found.parent_id
    return found


Day = tuple[Collector, list[CallReport]]


def test_a_call_is_one_tree(day: Day) -> None:
    """The webhook and the stream below the call, the turns below the stream, and below an answer
    where its time went."""
    collector, (report, *_) = day
    call = root(collector, report)
    assert [span.name for span in collector.under(call)] == ["GET /exotel/answer", "stream"]
    webhook, stream = collector.under(call)
    turns = collector.under(stream)
    assert [span.name for span in turns] == ["bot turn", "caller turn", "bot turn"]
    stages = collector.under(turns[2])
    assert [span.name for span in stages] == ["eot", "stt", "dialogue", "tts", "send"]
    of_call = [span for span in collector.spans if span.trace_id == call.trace_id]
    assert len(of_call) == len({span.span_id for span in of_call})
    assert not any(span.is_error for span in of_call)
    assert (webhook.kind, stream.kind) == (2, 1)  # SERVER, INTERNAL


def test_spans_have_the_times_of_what_they_tell(day: Day) -> None:
    """Children lie within the call; stages follow on each other, from the caller's last voice to
    the answer's first audio."""
    collector, (report, *_) = day
    call = root(collector, report)
    webhook, stream = collector.under(call)
    assert call.start_ms == webhook.start_ms < webhook.end_ms <= stream.start_ms
    assert call.end_ms == stream.end_ms
    assert stream.end_ms - stream.start_ms == pytest.approx(report.duration_ms, abs=1000)
    for turn in (turns := collector.under(stream)):
        assert stream.start_ms - 1 <= turn.start_ms <= turn.end_ms
    stages = collector.under(turns[2])
    assert stages[0].start_ms == pytest.approx(turns[2].start_ms, abs=0.01)
    for earlier, later in pairwise(stages):
        assert earlier.end_ms == pytest.approx(later.start_ms, abs=0.01)
    assert stages[0].end_ms - stages[0].start_ms >= 190  # `end_silence_ms`, but for the clock
    assert turns[2].end_ms > stages[-1].end_ms


def test_spans_say_what_happened_and_not_what_was_said(day: Day) -> None:
    """By OpenTelemetry's names where there are any; numbers are masked, words are left out."""
    collector, (report, *_) = day
    call = root(collector, report)
    webhook, stream = collector.under(call)
    assert call.attributes == {
        "exobridge.call_sid": report.call_sid,
        "exobridge.template": "shop",
        "exobridge.direction": "incoming",
        "exobridge.caller": mask("+919811122233"),
        "exobridge.called": mask("+918047112233"),
        "exobridge.outcome": "completed",
        "exobridge.end_reason": "callended",
    }
    assert webhook.attributes == {
        "http.request.method": "GET",
        "http.route": "/exotel/answer",
        "http.response.status_code": 200,
        "exobridge.outcome": "accept",
    }
    assert stream.attributes["exobridge.stream_sid"] == report.stream_sid
    assert stream.attributes["gen_ai.usage.input_tokens"] == 7
    assert stream.attributes["gen_ai.usage.output_tokens"] == 3
    for hidden in (SAID, "You said", "9811122233", "8047112233"):
        assert hidden.encode() not in collector.raw
    assert {each["service.name"] for each in collector.resources} == {"exobridge"}


def test_what_went_wrong_is_marked(day: Day) -> None:
    """The call and the stream bear the reason."""
    collector, (_, report, _) = day
    call = root(collector, report)
    _, stream = collector.under(call)
    for span in (call, stream):
        assert span.is_error
        assert span.attributes["error.type"] == "dialogue failed"
    assert call.attributes["exobridge.outcome"] == "failed"


def test_a_refused_call_has_a_trace_too(day: Day) -> None:
    """Of its webhook."""
    collector, (*_, report) = day
    call = root(collector, report)
    assert [span.name for span in collector.under(call)] == ["GET /exotel/answer"]
    assert call.attributes["exobridge.outcome"] == "refused"
    assert call.end_ms > call.start_ms
    assert not call.is_error


async def test_processes_that_share_a_call_share_its_trace(collector: Collector) -> None:
    """One answered the webhook, another has the stream: one trace, one span of the call."""
    now = datetime.now(UTC)
    one, other = Traces(), Traces()
    try:
        one.event(events.answer("c", now, decision=Decision.ACCEPT, template="shop"))
        one.webhook(Webhook("/exotel/answer", "GET", "c", "accept", 200, now, 0.01))
        other.event(events.stream_started("c", now, stream_sid="s", template="shop"))
        ended = events.stream_ended("c", now, stream_sid="s", ended_by=events.EndedBy.CALLER)
        other.event(ended)
    finally:
        await one.aclose()
        await other.aclose()
    (call,) = (span for span in collector.spans if span.name == "call")
    assert {span.name for span in collector.under(call)} == {"GET /exotel/answer", "stream"}
    assert call.attributes["exobridge.template"] == "shop"


async def test_a_call_that_comes_back_has_its_span_once(collector: Collector) -> None:
    """The further stream is in the same trace."""
    now = datetime.now(UTC)
    watching = Traces()
    for stream_sid in ("s", "t"):
        watching.event(events.stream_started("c", now, stream_sid=stream_sid))
        ended = events.stream_ended("c", now, stream_sid=stream_sid, ended_by=events.EndedBy.BOT)
        watching.event(ended)
    await watching.aclose()
    assert sorted(span.name for span in collector.spans) == ["call", "stream", "stream"]
    assert len({span.trace_id for span in collector.spans}) == 1


async def test_a_sampler_takes_a_call_whole_or_not_at_all(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the trace's id, so that every process decides alike."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    now = datetime.now(UTC)
    watching = Traces()
    for number in range(200):
        call_sid = f"c{number}"
        watching.webhook(Webhook("/exotel/answer", "GET", call_sid, "accept", 200, now, 0.01))
        watching.event(events.no_stream(call_sid, now))
    await watching.aclose()
    by_trace: dict[bytes, int] = {}
    for span in collector.spans:
        by_trace[span.trace_id] = by_trace.get(span.trace_id, 0) + 1
    assert set(by_trace.values()) == {2}
    assert 50 < len(by_trace) < 150


async def test_a_collector_that_is_down_is_not_felt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens there: calls go on, and the record is whole."""
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    templates = {"default": BOT, "shop": BOT, "broken": BOT}
    (report,) = await calls(tmp_path, "+918047112233", templates=templates)
    assert report.problems == ()


async def test_a_collector_that_hangs_does_not_hold_the_end(collector: Collector) -> None:
    """The process ends all the same, after a limit."""
    collector.hold.clear()
    watching = Traces(flush_seconds=0.2)
    watching.event(events.no_stream("c", datetime.now(UTC)))
    async with asyncio.timeout(5):
        await watching.aclose()
    assert collector.posts == 0
