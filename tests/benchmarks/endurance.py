"""The rows ``soak`` and ``short``: does a server that has worked for long use what a fresh one
uses?"""

from __future__ import annotations

import json
import math
import re
import sys
import time
from dataclasses import dataclass

from tests.benchmarks.errors import BenchmarkError
from tests.benchmarks.generator import Figures, Load
from tests.benchmarks.media import Row, bridge, run_generator
from tests.benchmarks.servers import Server, serving
from tests.benchmarks.sums import slope

SOAK_WARM_UP_S = 60.0
SAMPLE_S = 5.0
REST_S = 20.0
"""Longest wait for what the last calls held to be released."""

AT_ONCE = 10
BASE_CALLS = 100
"""Short calls before the base is taken."""

SHORT_S = 0.5


@dataclass(frozen=True, slots=True)
class AtRest:
    """What a server holds while there are no calls; ``tasks`` is NaN where it does not say."""

    rss_kb: int
    fds: int
    threads: int
    calls: int
    tasks: float

    @classmethod
    def of(cls, server: Server) -> AtRest:
        """What it holds now."""
        usage = server.usage()
        calls = int(json.loads(server.get("/health/live"))["calls"])
        return cls(usage.rss_kb, usage.fds, usage.threads, calls, _tasks(server))

    def left(self, base: AtRest) -> Figures:
        """What there is more of than before."""
        return {
            "fds_left": self.fds - base.fds,
            "threads_left": self.threads - base.threads,
            "calls_left": self.calls - base.calls,
            "tasks_left": self.tasks - base.tasks,
        }


def _tasks(server: Server) -> float:
    try:
        found = re.search(r"^exobridge_tasks (\S+)$", server.get("/metrics"), re.MULTILINE)
    except OSError:
        found = None
    return float(found[1]) if found else math.nan


def _come_to_rest(server: Server, base: AtRest) -> AtRest:
    """Wait until what the calls held is released, but not for ever."""
    limit = time.monotonic() + REST_S
    while True:
        now = AtRest.of(server)
        released = not any(value > 0 for value in now.left(base).values())
        if released or time.monotonic() > limit:
            return now
        time.sleep(0.5)


def soak(calls: int, minutes: float) -> Figures:
    """Calls that last, and how the memory grows under them: the slope of a straight line through
    all samples after the first minute.

    Raises:
        BenchmarkError: It was too short to tell.
    """
    row = Row("soak", "", bridge()).with_room_for(calls)
    load = Load(calls, minutes * 60, warm_up_s=SOAK_WARM_UP_S)
    samples: list[tuple[float, float]] = []
    windows: list[float] = []
    with serving(row.kind) as server:
        # As many calls for a moment: pools grow to what they need, which is no leak.
        run_generator(server, Load(calls, 1.0, warm_up_s=0.0))
        time.sleep(1.0)
        base = AtRest.of(server)

        def sample() -> None:
            now = time.monotonic()
            if len(windows) == 1 and (not samples or now - samples[-1][0] >= SAMPLE_S):
                samples.append((now, server.usage().rss_kb))

        figures = run_generator(server, load, lambda: windows.append(time.monotonic()), sample)
        rest = _come_to_rest(server, base)
    if len(samples) < 3:
        raise BenchmarkError("the soak was too short to tell a slope: give it more --minutes")
    kb_in_10_minutes = slope(samples, 600.0)
    return {
        **figures,
        "minutes": minutes,
        "loaded_mb": samples[-1][1] / 1024,
        "mb_per_10_min": kb_in_10_minutes / 1024,
        **rest.left(base),
    }


def short(calls: int) -> Figures:
    """Many short calls, ten at a time, and what is left of them: memory against that after the
    first hundred."""
    row = Row("short", "", bridge()).with_room_for(AT_ONCE)
    with serving(row.kind) as server:
        lost = _short_calls(server, row, BASE_CALLS)
        time.sleep(1.0)
        base = AtRest.of(server)
        lost += _short_calls(server, row, calls)
        rest = _come_to_rest(server, base)
    return {
        "calls": calls,
        "lost": lost,
        "base_mb": base.rss_kb / 1024,
        "rest_mb": rest.rss_kb / 1024,
        "growth": rest.rss_kb / base.rss_kb - 1,
        **rest.left(base),
    }


def _short_calls(server: Server, row: Row, calls: int) -> float:
    lost = 0.0
    load = Load(AT_ONCE, SHORT_S, warm_up_s=0.0, rush=True)
    for done in range(0, calls, AT_ONCE):
        if done % 100 == 0:
            print(f"  {done} of {calls} short calls", file=sys.stderr, flush=True)
        lost += run_generator(server, load)["lost"]
    return lost
