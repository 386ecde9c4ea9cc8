"""The row ``answer``: ``/exotel/answer`` at a fixed rate."""

from __future__ import annotations

import sys

from tests.benchmarks.errors import BenchmarkError
from tests.benchmarks.generator import Figures, run
from tests.benchmarks.media import bridge
from tests.benchmarks.processes import Usage
from tests.benchmarks.servers import serving

UNUSED_S = 1
"""How long a slot waits for a stream that never comes."""


def answer(rate: float, seconds: float) -> Figures:
    """Ask ``rate`` times a second, each time about another call.

    Raises:
        BenchmarkError: It could not be made, or nothing was answered.
    """
    kind = bridge(
        MAX_CALLS=str(int(rate * UNUSED_S * 10) + 10),
        UNUSED_SLOT_SECONDS=str(UNUSED_S),
        LOG_LEVEL="ERROR",  # a stream that never comes is a warning, which calls do not cause
    )
    window: list[Usage] = []
    with serving(kind) as server:
        command = [sys.executable, "-m", "tests.benchmarks.asking"]
        figures = run(
            [*command, str(server.port), str(rate), str(seconds)],
            seconds,
            lambda: window.append(server.usage()),
        )
        if not figures["received"]:
            raise BenchmarkError("nothing was answered: there is nothing to measure")
    before, after = window
    return {**figures, "us_per_answer": (after.cpu_s - before.cpu_s) * 1e6 / figures["sent"]}
