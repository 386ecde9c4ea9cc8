"""A registry as plain data, the data of several processes as one, and all of it as text.

::

    one process:      merge([snapshot(registry)])
    several workers:  each sends snapshot(registry) to whoever answers ``/metrics``;
                      merge([snapshot, snapshot, ...])
    a worker died:    base = fold([base, remains(its_last_snapshot)]); merge([base, ...])

How the values of one metric become one is declared with the metric, in
:mod:`exobridge.observe.catalogue`: counters and histograms are summed, and so are gauges that count
something; some gauges take the largest or the smallest. A metric that is not in the catalogue is
summed. Samples with different labels stay apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from prometheus_client import Metric as PrometheusMetric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from exobridge.observe.catalogue import METRICS, Merge

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of what :func:`merge` makes."""

Sample = tuple[str, dict[str, str], float]
"""A sample's name, its labels, and its value. JSON makes a list of it, which is as good."""


class Family(TypedDict):
    """One metric as plain data, which JSON takes as it is.

    ``name`` is without a counter's ``_total``; the names of the samples are whole.
    """

    name: str
    type: str
    help: str
    samples: list[Sample]


Snapshot = list[Family]
"""All metrics of a process."""


def snapshot(registry: Collector) -> Snapshot:
    """What a registry holds now. Reads plain integers and /proc; takes about a millisecond."""
    return [
        Family(
            name=metric.name,
            type=metric.type,
            help=metric.documentation,
            samples=[
                (sample.name, dict(sample.labels), float(sample.value))
                for sample in metric.samples
                if not sample.name.endswith("_created")  # noise that nobody draws
            ],
        )
        for metric in registry.collect()
    ]


def remains(snapshot: Snapshot) -> Snapshot:
    """What stays true of a process that is gone: its counters and histograms."""
    return [family for family in snapshot if family["type"] in ("counter", "histogram")]


def fold(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Several snapshots as one."""
    folded: dict[str, Family] = {}
    values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for family in (family for snapshot in snapshots for family in snapshot):
        name = family["name"]
        folded.setdefault(name, family)
        known = values.setdefault(name, {})
        rule = _rule(family)
        for sample, labels, value in family["samples"]:
            key = (sample, tuple(labels.items()))
            known[key] = _merged(rule, known[key], value) if key in known else value
    return [
        Family(
            name=name,
            type=family["type"],
            help=family["help"],
            samples=[(s, dict(labels), value) for (s, labels), value in values[name].items()],
        )
        for name, family in folded.items()
    ]


def _rule(family: Family) -> Merge:
    metric = METRICS.get(family["name"])
    return Merge.SUM if metric is None else metric.merge


def _merged(rule: Merge, one: float, other: float) -> float:
    match rule:
        case Merge.SUM:
            return one + other
        case Merge.MAX:
            return max(one, other)
        case Merge.MIN:
            return min(one, other)


class _Families(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterable[PrometheusMetric]:
        for family in self._snapshot:
            metric = PrometheusMetric(family["name"], family["help"], family["type"])
            for name, labels, value in family["samples"]:
                metric.add_sample(name, labels, value)
            yield metric


def merge(snapshots: Iterable[Snapshot]) -> bytes:
    """The text that Prometheus reads, of one process or of several."""
    return generate_latest(_Families(fold(snapshots)))
