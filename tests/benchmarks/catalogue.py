"""Every row there is: what it runs, and how its figures are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks import media
from tests.benchmarks.capacity import P99_MS, full_core, most_calls
from tests.benchmarks.endurance import AT_ONCE, short, soak
from tests.benchmarks.generator import Figures
from tests.benchmarks.tables import Column
from tests.benchmarks.vendors import PARTS, answers
from tests.benchmarks.webhooks import answer
from tests.benchmarks.workers import compare

SHORT_CALLS = 1000


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked for.

    Attributes:
        calls: At once.
        seconds: Measured in each round.
        rush: All calls start and talk at once.
        rate: Webhooks a second, of ``answer``.
        minutes: Of ``soak``.
        workers: Of ``workers``.
    """

    calls: int = 200
    seconds: float = 8.0
    rush: bool = False
    rate: float = 50.0
    minutes: float = 10.0
    workers: int = 2


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with the same figures."""

    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Bench:
    """One row of a table.

    Attributes:
        says: What it is.
        run: Measures one round.
        compared: The figure that is divided by the floor's of the same round; empty: none is.
        once: It takes long, and is not repeated.
    """

    name: str
    says: str
    table: Table
    run: Callable[[Options], Figures]
    compared: str = ""
    once: bool = False


_COST = (
    Column("us_per_pair", "µs/pair"),
    Column("ratio", "× floor", ".2f"),
    Column("kb_per_call", "KB/call", ".0f"),
    Column("busy", "generator", ".0%"),
)

CALLS = Table(
    "latency of an echo",
    (
        Column("lost", "lost", ".0f"),
        Column("p50_ms", "p50 ms"),
        Column("p99_ms", "p99 ms"),
        Column("p999_ms", "p99.9 ms"),
        Column("max_ms", "max ms"),
        *_COST,
    ),
)
SPEECH = Table(
    "lateness of speech",
    (
        Column("lost", "lost", ".0f"),
        Column("gaps", "gaps", ".0f"),
        Column("p99_ms", "p99 ms"),
        Column("max_ms", "max ms"),
        Column("slack_p1_ms", "p1 lead left ms"),
        Column("slack_min_ms", "least"),
        *_COST,
    ),
)
FULL = Table(
    "speech on a core that is nearly full",
    (
        Column("calls", "calls", ".0f"),
        Column("core", "of the core", ".0%"),
        Column("lost", "lost", ".0f"),
        Column("gaps", "gaps", ".0f"),
        Column("p99_ms", "p99 ms"),
        Column("max_ms", "max ms"),
        Column("slack_p1_ms", "p1 lead left ms"),
        Column("us_per_pair", "µs/pair"),
        Column("kb_per_call", "KB/call", ".0f"),
        Column("busy", "generator", ".0%"),
    ),
)
ANSWERS = Table(
    "webhooks",
    (
        Column("rate", "a second", ".0f"),
        Column("lost", "lost", ".0f"),
        Column("refused", "refused", ".0f"),
        Column("p50_ms", "p50 ms"),
        Column("p99_ms", "p99 ms"),
        Column("max_ms", "max ms"),
        Column("us_per_answer", "µs each", ".0f"),
        Column("busy", "generator", ".0%"),
    ),
)
VENDORS = Table(
    "from voice to voice over vendors",
    (
        Column("answers", "answers", ".0f"),
        *(
            column
            for part in PARTS
            for column in (
                Column(f"{part}_p50_ms", f"{part} p50 ms", ".0f"),
                Column(f"{part}_p95_ms", "p95", ".0f"),
            )
        ),
    ),
)
WORKERS = Table(
    "more workers than one",
    (
        Column("workers", "workers", ".0f"),
        Column("lost", "lost", ".0f"),
        Column("us_alone", "µs/pair on one"),
        Column("us_per_pair", "on all"),
        Column("workers_ratio", "ratio", ".2f"),
        Column("floor_ratio", "the floor's", ".2f"),
        Column("to_floor", "× floor's", ".2f"),
        Column("p99_alone_ms", "p99 ms on one"),
        Column("p99_ms", "on all"),
        Column("least_share", "least share", ".0%"),
        Column("largest_share", "largest", ".0%"),
    ),
)
_LEFT = (
    Column("fds_left", "fds left", ".0f"),
    Column("threads_left", "threads left", ".0f"),
    Column("tasks_left", "tasks left", ".0f"),
    Column("calls_left", "calls left", ".0f"),
)
SOAK = Table(
    "endurance",
    (
        Column("calls", "calls", ".0f"),
        Column("minutes", "minutes", ".0f"),
        Column("lost", "lost", ".0f"),
        Column("p99_ms", "p99 ms"),
        Column("loaded_mb", "MB"),
        Column("mb_per_10_min", "MB more in 10 min", ".2f"),
        *_LEFT,
    ),
)
SHORT = Table(
    "many short calls",
    (
        Column("calls", "calls", ".0f"),
        Column("lost", "lost", ".0f"),
        Column("base_mb", "MB before"),
        Column("rest_mb", "after"),
        Column("growth", "growth", ".1%"),
        *_LEFT,
    ),
)
MOST = Table(
    "the most calls on one core",
    (
        Column("calls", "calls", ".0f"),
        Column("floor_calls", "the floor's", ".0f"),
        Column("calls_ratio", "ratio", ".2f"),
        Column("p99_ms", "p99 ms"),
        Column("us_per_pair", "µs/pair"),
        Column("kb_per_call", "KB/call", ".0f"),
        Column("busy", "generator", ".0%"),
    ),
)


def _media(row: media.Row) -> Bench:
    def run(options: Options) -> Figures:
        return media.measure(row, options.calls, options.seconds, rush=options.rush)

    return Bench(row.name, row.says, SPEECH if row.talk else CALLS, run, "us_per_pair")


FLOORS = tuple(_media(row) for row in media.FLOORS)
"""The first is what all others are compared with."""

BENCHES = (
    *(_media(row) for row in media.ROWS),
    Bench(
        "answer",
        "`/exotel/answer`, a new call each",
        ANSWERS,
        lambda options: answer(options.rate, options.seconds),
    ),
    Bench(
        "vendors",
        "questions to a bot of fake vendors",
        VENDORS,
        lambda options: answers(),
    ),
    Bench(
        "workers",
        "echo, the calls of one worker on several",
        WORKERS,
        lambda options: compare(options.calls, options.seconds, options.workers),
    ),
    Bench(
        "max",
        f"echo, nothing lost and p99 below {P99_MS:.0f} ms",
        MOST,
        lambda options: most_calls(options.seconds),
        once=True,
    ),
    Bench(
        "full",
        "speech, default chunk and lead, four fifths of the core",
        FULL,
        lambda options: full_core(options.seconds),
        once=True,
    ),
    Bench(
        "short",
        f"echo, {AT_ONCE} calls of half a second at a time",
        SHORT,
        lambda options: short(SHORT_CALLS),
        once=True,
    ),
    Bench(
        "soak",
        "echo, for long",
        SOAK,
        lambda options: soak(options.calls, options.minutes),
        once=True,
    ),
)

DEFAULT = ("echo", "mulaw", "lead", "vad", "answer")
"""Those that are run when none is named."""
