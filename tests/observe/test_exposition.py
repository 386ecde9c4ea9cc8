"""Metrics as data, of several processes as of one."""

from __future__ import annotations

import json

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from tests.observe.exposed import Exposed

from exobridge.observe import catalogue
from exobridge.observe.exposition import Snapshot, fold, merge, remains, snapshot


def worker(calls: int, lag_s: float, ready: int, seconds: tuple[float, ...] = ()) -> Snapshot:
    """A process that has had so many calls, and holds as many slots."""
    registry = CollectorRegistry()
    ended = Counter("exobridge_calls_ended_total", "Ended.", ["outcome"], registry=registry)
    ended.labels("completed").inc(calls)
    ended.labels(f"only-{calls}").inc()
    Gauge("exobridge_slots_used", "Used.", registry=registry).set(calls)
    Gauge("exobridge_loop_lag_max_seconds", "Lag.", registry=registry).set(lag_s)
    Gauge("exobridge_ready", "Ready.", registry=registry).set(ready)
    took = Histogram("exobridge_took_seconds", "Took.", buckets=(0.1, 1), registry=registry)
    for each in seconds:
        took.observe(each)
    return snapshot(registry)


def read(*snapshots: Snapshot) -> Exposed:
    """What is exposed of these."""
    return Exposed(merge(snapshots).decode())


def test_one_process_is_exposed_as_it_is() -> None:
    """Values, types and labels; without the times at which counters were made."""
    text = merge([worker(2, 0.5, 1, (0.05, 0.5, 5))]).decode()
    exposed = Exposed(text)
    assert exposed("exobridge_calls_ended_total", outcome="completed") == 2
    assert exposed("exobridge_took_seconds_bucket", le="0.1") == 1
    assert exposed("exobridge_took_seconds_bucket", le="+Inf") == 3
    assert exposed("exobridge_took_seconds_sum") == 5.55
    assert exposed.types == {
        "exobridge_calls_ended_total": "counter",
        "exobridge_slots_used": "gauge",
        "exobridge_loop_lag_max_seconds": "gauge",
        "exobridge_ready": "gauge",
        "exobridge_took_seconds": "histogram",
    }
    assert "_created" not in text


def test_several_processes_are_summed_unless_the_catalogue_says_otherwise() -> None:
    """Counters, histograms and most gauges add up; of lag the most counts, of readiness the
    least."""
    exposed = read(worker(2, 0.5, 1, (0.05,)), worker(3, 0.2, 0, (0.5,)))
    assert exposed("exobridge_calls_ended_total", outcome="completed") == 5
    assert exposed("exobridge_calls_ended_total", outcome="only-2") == 1
    assert exposed("exobridge_calls_ended_total", outcome="only-3") == 1
    assert exposed("exobridge_slots_used") == 5
    assert exposed("exobridge_loop_lag_max_seconds") == 0.5
    assert exposed("exobridge_ready") == 0
    assert exposed("exobridge_took_seconds_bucket", le="0.1") == 1
    assert exposed("exobridge_took_seconds_count") == 2


def test_a_snapshot_survives_json() -> None:
    """By any JSON library: labels, numbers and order stay."""
    before = worker(2, 0.5, 1, (0.05,))
    assert merge([json.loads(json.dumps(before))]) == merge([before])
    assert msgspec.json.decode(msgspec.json.encode(before), type=Snapshot) == before


def test_what_a_dead_process_had_counted_stays() -> None:
    """Its counters and histograms go on in the sums, its gauges do not; however many died."""
    base: Snapshot = []
    for _ in range(3):
        base = fold([base, remains(worker(2, 9.0, 0, (0.05,)))])
    exposed = read(base, worker(1, 0.1, 1))
    assert exposed("exobridge_calls_ended_total", outcome="completed") == 7
    assert exposed("exobridge_took_seconds_count") == 3
    assert exposed("exobridge_slots_used") == 1
    assert exposed("exobridge_loop_lag_max_seconds") == 0.1
    assert exposed("exobridge_ready") == 1
    assert len(base) == 2


def test_folding_leaves_what_it_was_given() -> None:
    """The same snapshot can be folded again."""
    one = worker(2, 0.5, 1)
    before = json.dumps(one)
    fold([one, one])
    assert json.dumps(one) == before


def test_the_catalogue_keeps_to_prometheus_conventions() -> None:
    """Counters, and they alone, end in ``_total``; times are in seconds; counters are summed."""
    for metric in catalogue.METRICS.values():
        is_counter = metric.kind is catalogue.Kind.COUNTER
        assert metric.name.endswith("_total") is is_counter, metric.name
        assert metric.meaning.endswith("."), metric.name
        is_histogram = metric.kind is catalogue.Kind.HISTOGRAM
        assert bool(metric.buckets) is is_histogram, metric.name
        assert metric.buckets == tuple(sorted(metric.buckets))
        if is_histogram:
            assert metric.name.endswith("_seconds")
        if is_counter or is_histogram:
            assert metric.merge is catalogue.Merge.SUM
