"""The row ``workers``: the same calls on one worker, and dealt out to several."""

from __future__ import annotations

from dataclasses import replace

from tests.benchmarks.generator import Figures
from tests.benchmarks.media import Row, bridge, under_load, warm_up
from tests.benchmarks.processes import connections, cores, tree
from tests.benchmarks.servers import serving


def compare(calls: int, seconds: float, workers: int) -> Figures:
    """What a pair costs on ``workers`` workers, as a ratio to one, and how even the spread is.

    Both servers may use every core but the generator's. The share of a worker is that of the
    connections it holds at the end of the window.
    """
    alone, _ = _measure(calls, seconds, 1)
    together, held = _measure(calls, seconds, workers)
    return {
        "workers": workers,
        "lost": alone["lost"] + together["lost"],
        "us_alone": alone["us_per_pair"],
        "us_per_pair": together["us_per_pair"],
        "workers_ratio": together["us_per_pair"] / alone["us_per_pair"],
        "p99_alone_ms": alone["p99_ms"],
        "p99_ms": together["p99_ms"],
        "least_share": min(held) / max(1, sum(held)),
        "largest_share": max(held) / max(1, sum(held)),
    }


def _measure(calls: int, seconds: float, workers: int) -> tuple[Figures, list[int]]:
    kind = bridge()
    kind = replace(kind, arguments=("--workers", str(workers)), cores=max(1, len(cores()) - 1))
    row = Row("workers", "", kind).with_room_for(calls)
    held: list[int] = []

    with serving(row.kind) as server:

        def look() -> None:
            found = connections(tree(server.process.pid), server.port)
            held[:] = sorted(found.values(), reverse=True)[:workers]

        warm_up(server, row)
        figures = under_load(server, row.load(calls, seconds), look)
    return figures, held
