"""What calls cost, as a ratio to the floor of the same run.

The server has one core to itself and the load generator another, where the machine has two. The
rounds of all rows are interleaved, and medians are printed. Ratios can be compared between runs;
absolute numbers cannot. Needs Linux and a C compiler, and a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.catalogue import BENCHES, DEFAULT, FLOORS, Bench, Options
from tests.benchmarks.errors import BenchmarkError
from tests.benchmarks.generator import build
from tests.benchmarks.page import page
from tests.benchmarks.report import Results, plain_report

ALL = "all"


def main() -> None:
    """Run the rows, and say what they came to."""
    chosen = _parser().parse_args()
    if chosen.list:
        for bench in BENCHES:
            print(f"{bench.name:12}{bench.says}{'' if bench.name in DEFAULT else '  (by name)'}")
        return
    names = [bench.name for bench in BENCHES] if ALL in chosen.row else chosen.row or DEFAULT
    options = Options(
        calls=chosen.calls,
        seconds=chosen.seconds,
        rush=chosen.rush,
        rate=chosen.rate,
        minutes=chosen.minutes,
        workers=chosen.workers,
    )
    try:
        results = run([b for b in BENCHES if b.name in names], options, chosen.rounds)
        print(json.dumps(results.rounds, indent=2) if chosen.json else plain_report(results))
        if chosen.report:
            chosen.report.write_text(page(results), "utf-8")
    except BenchmarkError as error:
        raise SystemExit(f"benchmarks: {error}") from None


def run(benches: Sequence[Bench], options: Options, rounds: int) -> Results:
    """Measure these rows, and the floors they are compared with.

    Raises:
        BenchmarkError: A row could not be measured.
    """
    build()
    if any(bench.compared for bench in benches):
        benches = [*FLOORS, *benches]
    results = Results(options, {bench.name: [] for bench in benches})
    for number in range(rounds):
        for bench in benches:
            if number and bench.once:
                continue
            which = "once" if bench.once else f"round {number + 1} of {rounds}"
            print(f"{which}: {bench.says}", file=sys.stderr, flush=True)
            results.rounds[bench.name].append(bench.run(options))
    return results


def _parser() -> argparse.ArgumentParser:
    names = [bench.name for bench in BENCHES]
    usual = Options()
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    add = parser.add_argument
    rows = f"{ALL}, or some of {', '.join(names)}; by default {', '.join(DEFAULT)}"
    add("row", nargs="*", type=_row, metavar="ROW", help=rows)
    add("--list", action="store_true", help="say what each row is, and end")
    add(
        "--calls",
        type=_number,
        default=usual.calls,
        help="calls at once, where the row does not find them",
    )
    add("--seconds", type=float, default=usual.seconds, help="measured in each round")
    add("--rounds", type=_number, default=3, help="rounds; max, full, short and soak are run once")
    add("--rush", action="store_true", help="all calls start and talk at once")
    add("--rate", type=float, default=usual.rate, help="webhooks a second, of answer")
    add("--minutes", type=float, default=usual.minutes, help="length of soak")
    add("--workers", type=_number, default=usual.workers, help="worker processes, of workers")
    add("--json", action="store_true", help="the figures of every round, as JSON")
    add("--report", type=Path, metavar="PAGE", help="write a page of it too, in Markdown")
    return parser


def _row(name: str) -> str:
    """The name of a row that there is."""
    if name != ALL and name not in [bench.name for bench in BENCHES]:
        raise argparse.ArgumentTypeError(f"there is no row {name!r}: see --list")
    return name


def _number(text: str) -> int:
    """A number of things, at least one."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    main()
