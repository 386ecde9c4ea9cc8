"""The rows ``max`` and ``full``: the most calls that one core holds, and speech on a core that is
nearly full."""

from __future__ import annotations

import sys

from tests.benchmarks.errors import BenchmarkError
from tests.benchmarks.generator import Figures
from tests.benchmarks.media import FLOORS, LEAD, ROWS, Row, measure
from tests.benchmarks.sums import most

FIRST = 100
MOST = 20_000
P99_MS = 40.0
"""What the added latency may be."""

TRIES = 2
"""A step fails when it has failed so often: one moment in which the machine was busy elsewhere is
no limit of the server's."""

PAIRS_A_SECOND = 50
FULL, FULL_NEAR = 0.8, 0.03
"""How much of the core ``full`` uses, and how near is near enough."""

FULL_STEP = 3.0
"""A pair costs less the more calls there are, so that a large step is never too large."""

FULL_TRIES = 6


def most_calls(seconds: float) -> Figures:
    """The most calls of the row ``echo`` with nothing lost and p99 below 40 ms, and of the floor.

    Raises:
        BenchmarkError: Not even one call was held.
    """
    floor = _search(FLOORS[0], seconds)
    echo = _search(ROWS[0], seconds)
    return {**echo, "floor_calls": floor["calls"], "calls_ratio": echo["calls"] / floor["calls"]}


def full_core(seconds: float) -> Figures:
    """Speech in as many calls as use four fifths of a core, as near as a few tries come to it.

    Raises:
        BenchmarkError: It could not be measured.
    """
    calls, figures = FIRST, measure(LEAD, FIRST, seconds)
    for _ in range(FULL_TRIES):
        used = figures["core"] = figures["us_per_pair"] * calls * PAIRS_A_SECOND / 1e6
        print(f"  {calls} calls use {used:.0%} of the core", file=sys.stderr, flush=True)
        if abs(used - FULL) <= FULL_NEAR:
            break
        calls = max(1, round(calls * min(FULL / used, FULL_STEP)))
        figures = measure(LEAD, calls, seconds)
    figures["core"] = figures["us_per_pair"] * calls * PAIRS_A_SECOND / 1e6
    return figures


def _search(row: Row, seconds: float) -> Figures:
    held: dict[int, Figures] = {}

    def holds(calls: int) -> bool:
        figures = _step(row, calls, seconds)
        if figures is not None:
            held[calls] = figures
        return figures is not None

    calls = most(holds, FIRST, MOST)
    if not calls:
        raise BenchmarkError(f"{row.says}: not even one call was held")
    return held[calls]


def _step(row: Row, calls: int, seconds: float) -> Figures | None:
    """The figures, if so many calls were held."""
    for _ in range(TRIES):
        try:
            figures = measure(row, calls, seconds)
        except BenchmarkError as error:
            print(f"  {row.name}, {calls} calls: {error}", file=sys.stderr, flush=True)
            continue
        held = not figures["lost"] and figures["p99_ms"] < P99_MS
        print(
            f"  {row.name}, {calls} calls: {'held' if held else 'not held'}, "
            f"lost {figures['lost']:.0f}, p99 {figures['p99_ms']:.1f} ms, "
            f"{figures['us_per_pair']:.1f} µs/pair, generator {figures['busy']:.0%}",
            file=sys.stderr,
            flush=True,
        )
        if held:
            return figures
    return None
