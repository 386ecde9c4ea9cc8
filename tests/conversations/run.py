"""Plays many variants, on as many processes as there are cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.conversations.catalogue import SCENARIOS
from tests.conversations.judge import judge
from tests.conversations.play import play
from tests.conversations.verdict import Verdict

VARIANTS = 50
SEED = 1

Job = tuple[str, int, int]
"""Scenario, variant, seed."""


def judged(job: Job) -> Verdict:
    """Play one variant, and judge it."""
    name, number, seed = job
    return judge(play(SCENARIOS[name], number, seed))


def jobs(names: Iterable[str], variants: int, seed: int) -> list[Job]:
    """All variants of these scenarios."""
    return [(name, number, seed) for name in names for number in range(variants)]


def run(todo: Sequence[Job], processes: int, tell: Callable[[int], None]) -> list[Verdict]:
    """Play them all; ``tell`` is told how many are done."""
    verdicts: list[Verdict] = []
    if processes <= 1:
        for job in todo:
            verdicts.append(judged(job))
            tell(len(verdicts))
        return verdicts
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for verdict in pool.map(judged, todo, chunksize=10):
            verdicts.append(verdict)
            tell(len(verdicts))
    return verdicts
