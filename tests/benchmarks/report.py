"""What a run came to, as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.benchmarks.catalogue import BENCHES, FLOORS, Bench, Options, Table
from tests.benchmarks.generator import Figures
from tests.benchmarks.sums import BUSY, VOID_MS, is_void, medians, with_ratio
from tests.benchmarks.tables import Column, Line, plain

VOID = f"The floor's own p99 is above {VOID_MS:.0f} ms: this run is void."


@dataclass(frozen=True, slots=True)
class Results:
    """The figures of every round, by row."""

    options: Options
    rounds: dict[str, list[Figures]] = field(default_factory=dict[str, list[Figures]])

    @property
    def void(self) -> bool:
        """Whether the machine was not fit to measure on."""
        floors = self.rounds.get(FLOORS[0].name)
        return floors is not None and is_void(floors)

    def lines(self, table: Table) -> list[Line]:
        """The rows of a table that were run, with the medians of their rounds."""
        found: list[Line] = []
        for bench in (*FLOORS, *BENCHES):
            rounds = self.rounds.get(bench.name)
            if rounds and bench.table is table:
                found.append((bench.says, medians(self._compared(bench, rounds))))
        return found

    def _compared(self, bench: Bench, rounds: Sequence[Figures]) -> Sequence[Figures]:
        floors = self.rounds.get(FLOORS[0].name)
        if not bench.compared or floors is None:
            return rounds
        return with_ratio(rounds, floors, bench.compared)

    def tables(
        self, write: Callable[[str, Sequence[Column], Sequence[Line]], str]
    ) -> Iterator[str]:
        """Every table that has a row, written by ``write``."""
        for table in dict.fromkeys(bench.table for bench in (*FLOORS, *BENCHES)):
            if lines := self.lines(table):
                yield write(table.title, table.columns, lines)


def warnings(results: Results) -> list[str]:
    """What a reader of the figures has to know."""
    busy = [
        bench.says
        for bench in (*FLOORS, *BENCHES)
        if (rounds := results.rounds.get(bench.name)) and medians(rounds).get("busy", 0.0) > BUSY
    ]
    limited = f"The generator used more than {BUSY:.0%} of its core: {'; '.join(busy)}."
    return [*([VOID] if results.void else []), *([limited] if busy else [])]


def plain_report(results: Results) -> str:
    """For a terminal."""
    return "\n\n".join([*results.tables(plain), *warnings(results)])
