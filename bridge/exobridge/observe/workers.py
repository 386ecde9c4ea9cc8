"""Metrics of the workers as such, made of what each of them tells."""

from __future__ import annotations

from collections.abc import Mapping

from exobridge.observe.catalogue import SLOTS_USED, WORKER_CALLS, WORKERS, Metric
from exobridge.observe.exposition import Family, Sample, Snapshot


def of_workers(snapshots: Mapping[int, Snapshot]) -> Snapshot:
    """How many there are, and how the calls are spread over them.

    Args:
        snapshots: Of each worker, by its index.
    """
    counted: list[Sample] = [(WORKERS.name, {}, float(len(snapshots)))]
    spread: list[Sample] = [
        (WORKER_CALLS.name, {"worker": str(index)}, value)
        for index, snapshot in snapshots.items()
        for family in snapshot
        if family["name"] == SLOTS_USED.name
        for _, _, value in family["samples"]
    ]
    return [_family(WORKERS, counted), _family(WORKER_CALLS, spread)]


def _family(metric: Metric, samples: list[Sample]) -> Family:
    return Family(name=metric.name, type=metric.kind, help=metric.meaning, samples=samples)
