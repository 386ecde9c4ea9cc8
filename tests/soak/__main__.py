"""Seeded calls with faults: ``python -m tests.soak --seeds 0..999 --jobs 2``.

Every tenth seed is a flow over real sockets against a real server; the others are calls in virtual
time. A seed that fails is told with the command that repeats it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context

from tests.soak.runs import Found, run_sockets, run_virtual

EVERY = 10
"""One seed in so many goes over real sockets."""
_BATCH_VIRTUAL, _BATCH_SOCKETS = 20, 24


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them; 1 if anything does not hold."""
    options = _options(arguments)
    seeds = seeds_of(options.seeds)
    over_sockets = seeds if options.sockets else [each for each in seeds if each % EVERY == 0]
    if options.virtual:
        over_sockets = []
    others = sorted(set(seeds) - set(over_sockets))
    began = time.monotonic()
    failed = done = 0
    with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
        waiting: set[Future[Found]] = {
            pool.submit(run, batch)
            for run, batches in (
                (run_sockets, _batches(over_sockets, _BATCH_SOCKETS)),
                (run_virtual, _batches(others, _BATCH_VIRTUAL)),
            )
            for batch in batches
        }
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for found in (each.result() for each in finished):
                done += sum(seed >= 0 for seed in found)
                failed += tell(found, set(over_sockets))
            seconds = time.monotonic() - began
            print(f"{done}/{len(seeds)} calls, {failed} failed, {seconds:.0f} s", flush=True)
    return int(failed > 0)


def tell(found: Found, over_sockets: set[int]) -> int:
    """Print what does not hold; how many calls that are."""
    failed = 0
    for seed, problems in sorted(found.items()):
        if not problems:
            continue
        failed += 1
        print(f"\nseed {seed}" if seed >= 0 else f"\nthe server of seeds {_span(found)}")
        for problem in problems:
            print(f"  {problem}")
        how = "--sockets" if seed in over_sockets or seed < 0 else "--virtual"
        print(f"  again: python -m tests.soak --seeds {seed if seed >= 0 else _span(found)} {how}")
    return failed


def _span(found: Found) -> str:
    seeds = [seed for seed in found if seed >= 0]
    return ",".join(map(str, sorted(seeds)))


def _batches(seeds: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return [seeds[at : at + size] for at in range(0, len(seeds), size)]


def seeds_of(text: str) -> list[int]:
    """``0..99``, ``7``, ``1,5,9``, or several of these with commas between."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("..")
        found |= set(range(int(first), int(last or first) + 1))
    return sorted(found)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.soak", description=__doc__)
    parser.add_argument("--seeds", default="0..999", help="like 0..999, or 7, or 1,5,9")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--sockets", action="store_true", help="all of them over real sockets")
    where.add_argument("--virtual", action="store_true", help="all of them in virtual time")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
