"""The row ``workers``: the same calls on one worker, and dealt out to several."""

from __future__ import annotations

from dataclasses import replace

from tests.benchmarks.generator import Figures
from tests.benchmarks.media import UVICORN, Row, bridge, under_load, warm_up
from tests.benchmarks.processes import connections, cores, tree
from tests.benchmarks.servers import Kind, serving


def compare(calls: int, seconds: float, workers: int) -> Figures:
    """What a pair costs on ``workers`` workers, as a ratio to one, and how even the spread is.

    A process with fewer calls finds fewer frames each time it wakes, and processes that share a
    core cool each other's caches: plain uvicorn pays for that too, so the same is asked of it, and
    ``to_floor`` is our ratio as a ratio to its own. Both servers may use every core but the
    generator's. The share of a worker is that of the connections it holds at the end of the window.
    """
    floor_alone, _ = _measure(UVICORN, calls, seconds, 1)
    floor_together, _ = _measure(
        replace(UVICORN, arguments=(str(workers),), cores=_cores()), calls, seconds, workers
    )
    alone, _ = _measure(bridge(), calls, seconds, 1)
    together, held = _measure(
        replace(bridge(), arguments=("--workers", str(workers)), cores=_cores()),
        calls,
        seconds,
        workers,
    )
    ratio = together["us_per_pair"] / alone["us_per_pair"]
    floor_ratio = floor_together["us_per_pair"] / floor_alone["us_per_pair"]
    return {
        "workers": workers,
        "lost": alone["lost"] + together["lost"],
        "us_alone": alone["us_per_pair"],
        "us_per_pair": together["us_per_pair"],
        "workers_ratio": ratio,
        "floor_ratio": floor_ratio,
        "to_floor": ratio / floor_ratio,
        "p99_alone_ms": alone["p99_ms"],
        "p99_ms": together["p99_ms"],
        "least_share": min(held) / max(1, sum(held)),
        "largest_share": max(held) / max(1, sum(held)),
    }


def _cores() -> int:
    return max(1, len(cores()) - 1)


def _measure(kind: Kind, calls: int, seconds: float, workers: int) -> tuple[Figures, list[int]]:
    row = Row("workers", "", kind).with_room_for(calls)
    held: list[int] = []

    with serving(row.kind) as server:

        def look() -> None:
            found = connections(tree(server.process.pid), server.port)
            held[:] = sorted(found.values(), reverse=True)[:workers]

        warm_up(server, row)
        figures = under_load(server, row.load(calls, seconds), look)
    return figures, held
