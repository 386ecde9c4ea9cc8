"""``/metrics`` of a server that has had calls: what it shows is what happened."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from tests.observe.exposed import Exposed, scrape
from tests.peer import stream
from tests.server import BOT, ECHO, LINE, QUICK, bot, serving, until

from exobridge.call.state import Call
from exobridge.observe.catalogue import METRICS
from exobridge.simulator import BargeIn, CallPlan, CallReport, Exotel, Say, Wait

LONG = "This is a long answer that goes on and on, until somebody has heard enough of it."

TEMPLATES = {
    "plain": bot(dialogue={"options": {"usage": {"input_tokens": 7, "output_tokens": 3}}}),
    "cut": bot(
        dialogue={"options": {"script": [[{"text": LONG}]]}},
        tts={"options": {"ms_per_char": 40}},
        stt={"options": {"script": ["one", "no, two"]}},
    ),
    "broken": bot(dialogue={"options": {"fault": "fail"}}),
    "dead": bot(stt={"provider": "faulty", "options": {"how": "crash-start"}}),
    "echo": ECHO,
}
BOOK = {name: f"+9180471{index:05}" for index, name in enumerate(TEMPLATES, start=10_000)}
NOBODYS = "+918047199999"
SCRIPTS = {
    "plain": (Say(LINE),),
    "cut": (Say(LINE), BargeIn(LINE, 1000)),
    "broken": (Say(LINE),),
    "dead": (Say(LINE),),
    "echo": (Say(LINE), Wait(300)),
    "nobody": (),
}


@dataclass(frozen=True, slots=True)
class Day:
    """What a server had, and what it says of it."""

    exposed: Exposed
    reports: dict[str, CallReport]
    calls: dict[str, Call]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """One call of each kind, at once; then the metrics."""
    folder = tmp_path_factory.mktemp("served")
    book = ",".join(f"{number}={name}" for name, number in BOOK.items())
    async with (
        serving(folder, {**TEMPLATES, "default": BOT}, EXOTEL_NUMBERS=book) as server,
        Exotel() as exotel,
    ):
        plans = {
            name: CallPlan(
                url=server.url, called=BOOK.get(name, NOBODYS), script=script, patience=QUICK
            )
            for name, script in SCRIPTS.items()
        }
        told = await asyncio.gather(*(exotel.call(plan) for plan in plans.values()))
        reports = dict(zip(plans, told, strict=True))
        calls = {name: await server.until_over(each.call_sid) for name, each in reports.items()}
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"{server.url}/exotel/answer")).status_code == 400
        async with stream(server.stream_url) as unasked:
            await unasked.send("garbage")
            await unasked.start()  # to a number that is nobody's
            assert await unasked.close_code() == 1008
        return Day(await scrape(server.url), reports, calls)


def test_every_metric_is_exposed_with_its_type_and_no_other(day: Day) -> None:
    """What the catalogue has is there, and what is there is in the catalogue."""
    assert day.exposed.types == {name: str(metric.kind) for name, metric in METRICS.items()}


def test_metrics_have_the_labels_of_the_catalogue(day: Day) -> None:
    """Wherever there is a sample."""
    for name, metric in METRICS.items():
        shown = day.exposed.labels(f"{name}_count" if metric.buckets else name)
        assert shown in (set(), set(metric.labels)), name


def test_calls_are_counted_by_how_they_ended(day: Day) -> None:
    """As the record says."""
    exposed = day.exposed
    for name in BOOK:
        outcome = day.calls[name].outcome
        assert outcome is not None
        assert exposed("exobridge_calls_ended_total", template=name, outcome=outcome) == 1
        assert exposed("exobridge_calls_started_total", template=name) == 1
        assert exposed("exobridge_call_duration_seconds_count", template=name) == 1
    assert exposed("exobridge_calls_ended_total", outcome="refused") == 1
    assert exposed("exobridge_calls_ended_total") == len(SCRIPTS)
    assert exposed("exobridge_calls_open") == exposed("exobridge_slots_used") == 0


def test_refusals_are_counted_by_reason(day: Day) -> None:
    """Of calls that were asked about, and of one that came unasked."""
    assert day.exposed("exobridge_calls_refused_total", reason="unknown-number") == 1
    assert day.exposed("exobridge_streams_refused_total", reason="unknown-number") == 1
    assert day.exposed("exobridge_calls_asked_total", decision="accept") == len(BOOK)


def test_webhooks_are_measured(day: Day) -> None:
    """By outcome."""
    name = "exobridge_webhook_duration_seconds_count"
    for outcome, count in (("accept", len(BOOK)), ("refuse", 1), ("bad-request", 1)):
        assert day.exposed(name, endpoint="/exotel/answer", outcome=outcome) == count


def test_turns_and_interruptions_are_counted(day: Day) -> None:
    """The caller's hanging up in the middle of a line is no interruption."""
    exposed = day.exposed
    assert exposed("exobridge_barge_ins_total") == 1
    assert exposed("exobridge_turns_total", role="caller") >= 4
    assert exposed("exobridge_voice_to_voice_seconds_count") == 3
    for stage in ("eot", "stt", "dialogue", "tts", "send"):
        assert exposed("exobridge_turn_stage_seconds_count", stage=stage) == 3
    assert (
        exposed("exobridge_turn_stage_seconds_sum", stage="eot") >= 3 * 0.19
    )  # the clock, and the audio by which the silence is measured, differ a little


def test_failures_of_providers_are_counted(day: Day) -> None:
    """In calls by kind and name, and at their start; those that never failed stand at 0. Each was
    asked twice, as it had nobody beside it."""
    exposed = day.exposed
    errors = "exobridge_provider_errors_total"
    assert exposed(errors, kind="dialogue", provider="fake", retryable="true") == 2
    assert exposed(errors, kind="stt", provider="faulty") == 2
    assert exposed(errors) == 4
    assert exposed.labels(errors) == {"kind", "provider", "retryable"}
    starts = "exobridge_provider_start_failures_total"
    assert exposed(starts, kind="stt", provider="faulty") >= 2  # at the start, and for the call
    assert exposed(starts) == exposed(starts, kind="stt", provider="faulty")


def test_what_providers_bill_is_counted_and_kept(day: Day) -> None:
    """The counters are the sums of what is kept with the calls."""
    exposed = day.exposed
    plain, echo = day.calls["plain"].usage, day.calls["echo"].usage
    assert (plain.input_tokens, plain.output_tokens) == (7, 3)
    assert plain.tts_characters == len("You said: one")
    line_s = len(LINE.pcm) / 2 / 8000
    assert line_s <= plain.stt_seconds < line_s + 1.5
    assert echo.heard_seconds == pytest.approx(echo.spoken_seconds, abs=0.1)
    assert line_s <= echo.heard_seconds < 5
    assert (echo.stt_seconds, echo.tts_characters) == (0, 0)
    kept = [call.usage for call in day.calls.values()]
    for name, wanted in (
        ("stt_audio_seconds", sum(usage.stt_seconds for usage in kept)),
        ("tts_characters", sum(usage.tts_characters for usage in kept)),
        ("dialogue_tokens", sum(usage.input_tokens + usage.output_tokens for usage in kept)),
        ("realtime_audio_seconds", echo.heard_seconds + echo.spoken_seconds),
    ):
        assert exposed(f"exobridge_{name}_total") == pytest.approx(wanted), name
    assert exposed("exobridge_prompt_characters_total", provider="fake") >= len("Hello there.")


def test_frames_are_counted_both_ways(day: Day) -> None:
    """As the callers' side counted them."""
    exposed, reports = day.exposed, day.reports.values()
    sent_to_callers = sum(report.chunks_received for report in reports)
    assert exposed("exobridge_media_frames_sent_total") == sent_to_callers
    bytes_to_callers = sum(report.bytes_received for report in reports)
    assert exposed("exobridge_media_bytes_sent_total") == bytes_to_callers
    received = exposed("exobridge_media_frames_received_total")
    assert 0 < received <= sum(report.frames_sent for report in reports)
    assert exposed("exobridge_media_bytes_received_total") == received * 320
    assert exposed("exobridge_frames_unused_total", why="bad") == 1


def test_the_process_is_measured(day: Day) -> None:
    """Its timers, its loop, its store."""
    exposed = day.exposed
    assert exposed("exobridge_timer_lateness_seconds_count") > 20
    assert exposed("exobridge_loop_lag_seconds_count") > 3
    assert 0 <= exposed("exobridge_loop_lag_max_seconds") < 10
    assert exposed("exobridge_store_transactions_total") > 0
    assert exposed("exobridge_store_dropped_total") == exposed("exobridge_store_pending") == 0
    assert exposed("exobridge_tasks") > 0
    assert exposed("exobridge_build_info") == exposed("exobridge_workers") == 1
    assert exposed("exobridge_ready") == 0  # as one provider cannot be started


async def test_an_open_call_is_seen_while_it_lasts(tmp_path: Path) -> None:
    """Its place, its stream and its frames; afterwards its frames stay, and the call is gone."""
    async with serving(tmp_path) as server:
        async with stream(server.stream_url) as peer:
            await peer.start()
            await peer.silence(100)
            await peer.next("media")
            exposed = await scrape(server.url)
            assert exposed("exobridge_calls_open") == exposed("exobridge_slots_used") == 1
            assert exposed("exobridge_media_frames_received_total") == 5
            assert exposed("exobridge_calls_ended_total") == 0
            assert exposed("exobridge_ready") == 1
        await until(lambda: not server.bridge.desk.sessions)
        exposed = await scrape(server.url)
        assert exposed("exobridge_calls_open") == exposed("exobridge_slots_used") == 0
        assert exposed("exobridge_media_frames_received_total") == 5
        assert exposed("exobridge_calls_ended_total", outcome="failed") == 1


async def test_calls_that_a_dead_process_held_are_counted_as_lost(tmp_path: Path) -> None:
    """By the process that finds them."""
    async with serving(tmp_path) as server, stream(server.stream_url) as peer:
        await peer.start()
        await peer.next("media")
        await server.bridge.store.flush()
        copy = tmp_path / "copy"
        copy.mkdir()
        where = tmp_path / "data" / "exobridge.sqlite3"
        with (
            closing(sqlite3.connect(where)) as old,
            closing(sqlite3.connect(copy / where.name)) as new,
        ):
            old.backup(new)
    (tmp_path / "data").rename(tmp_path / "before")
    copy.rename(tmp_path / "data")
    async with serving(tmp_path) as server:
        exposed = await scrape(server.url)
        assert exposed("exobridge_calls_ended_total", outcome="lost") == 1


async def test_a_process_that_stops_is_not_ready(tmp_path: Path) -> None:
    """As ``/health/ready`` says."""
    async with serving(tmp_path) as server:
        server.bridge.desk.drain()
        assert (await scrape(server.url))("exobridge_ready") == 0
