"""The line to a vendor is cut at each message of a call, in both directions, once in each call.

``make boundaries`` runs all of them; the tests a sample.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from exobridge.call.failover.circuits import provider_key
from exobridge.call.state import Outcome
from exobridge_providers.registry import Kind
from exobridge_providers.testing.fake_vendor import KEY_VARIABLE
from exobridge_providers.testing.faults import FaultKind
from tests.vendors.ground import (
    ANSWERS,
    KEY,
    LINES,
    SILENCE_LIMIT_MS,
    Called,
    Callers,
    Vendor,
    calling,
    heard,
    in_order,
    longest_silence_ms,
    template,
    vendor,
)

LANES = 8
"""Calls at once."""

PREFERRED = {Kind.STT: "sarvam", Kind.TTS: "elevenlabs"}
RESERVE = {Kind.STT: "deepgram", Kind.TTS: "sarvam"}


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where the line is cut.

    Attributes:
        kind: The line to the vendor of this.
        at: The number of the message, ``cut`` of the client's or of the vendor's.
        reserve: Another vendor could take over; else the line is opened anew.
    """

    kind: Kind
    cut: FaultKind
    at: int
    reserve: bool

    def __str__(self) -> str:
        way = "to" if self.cut is FaultKind.DROP_IN else "of"
        stands_in = "with a reserve" if self.reserve else "alone"
        return f"{self.kind}, {stands_in}: message {self.at} {way} the vendor"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it.

    Attributes:
        silence_ms: The longest that the caller waited.
        wrong: What was not as it is to be; empty: nothing.
        reached: The call came so far that the line was cut.
    """

    boundary: Boundary
    silence_ms: float
    wrong: tuple[str, ...]
    reached: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """A template with vendors of its own, which takes one call after the other."""

    name: str
    vendors: dict[Kind, tuple[Vendor, ...]]

    async def run(self, callers: Callers, boundary: Boundary) -> Result:
        """One call, in which the line is cut."""
        first = self.vendors[boundary.kind][0]
        first.break_next(boundary.cut, boundary.at)
        number = len(first.fake.connections)
        called = await callers.call(self.name, *LINES)
        first.fake.faults = []
        self._forgive(callers)
        asked = first.fake.connections[number : number + 1]
        is_in = boundary.cut is FaultKind.DROP_IN
        reached = any((each.received if is_in else each.sent) >= boundary.at for each in asked)
        wrong = (*_wrong(called), *self._violations())
        return Result(boundary, longest_silence_ms(called.report), wrong, reached)

    def _forgive(self, callers: Callers) -> None:
        """The next call shall ask the preferred vendor again, however often it has failed."""
        circuits = callers.server.bridge.services.pool.circuits
        for kind, vendors in self.vendors.items():
            for each in vendors:
                key = provider_key(kind, each.case.name, each.options)
                circuits.worked(key, asyncio.get_running_loop().time())

    def _violations(self) -> list[str]:
        fakes = [each.fake for vendors in self.vendors.values() for each in vendors]
        return [violation for fake in fakes for violation in fake.violations]


def _wrong(called: Called) -> Iterable[str]:
    if called.understood != " ".join(LINES).split():
        yield f"the record has {' '.join(called.understood)!r}"
    if not in_order(" ".join(ANSWERS).split(), letters := heard(called.report)):
        yield f"the caller heard {letters!r}"
    if (silence_ms := longest_silence_ms(called.report)) > SILENCE_LIMIT_MS:
        yield f"the caller waited {silence_ms:.0f} ms"
    if called.call.outcome is not Outcome.COMPLETED:
        yield f"the call ended as {called.call.outcome}"
    yield from called.report.problems


@asynccontextmanager
async def _lane(name: str, *, reserve: bool) -> AsyncGenerator[Lane]:
    async with AsyncExitStack() as stack:
        vendors = {
            kind: tuple(
                [
                    await stack.enter_async_context(vendor(kind, each[kind]))
                    for each in ((PREFERRED, RESERVE) if reserve else (PREFERRED,))
                ]
            )
            for kind in (Kind.STT, Kind.TTS)
        }
        yield Lane(name, vendors)


@asynccontextmanager
async def ground(
    folder: Path, lanes: int
) -> AsyncGenerator[tuple[Callers, dict[bool, list[Lane]]]]:
    """A server, and lanes of both kinds: without and with a reserve."""
    async with AsyncExitStack() as stack:
        found = {
            reserve: [
                await stack.enter_async_context(
                    _lane(f"lane_{number}_{'spared' if reserve else 'alone'}", reserve=reserve)
                )
                for number in range(lanes)
            ]
            for reserve in (False, True)
        }
        templates = {
            lane.name: template(lane.vendors[Kind.STT], lane.vendors[Kind.TTS])
            for group in found.values()
            for lane in group
        }
        yield await stack.enter_async_context(calling(folder, templates)), found


async def all_boundaries(callers: Callers, lane: Lane, *, reserve: bool) -> list[Boundary]:
    """Those of a call in which nothing goes wrong."""
    before = {kind: len(vendors[0].fake.connections) for kind, vendors in lane.vendors.items()}
    called = await callers.call(lane.name, *LINES)
    assert not list(_wrong(called)), list(_wrong(called))
    found: list[Boundary] = []
    for kind, vendors in lane.vendors.items():
        connection = vendors[0].fake.connections[before[kind]]
        for cut, count in (
            (FaultKind.DROP_IN, connection.received),
            (FaultKind.DROP_OUT, connection.sent),
        ):
            found += [Boundary(kind, cut, at, reserve) for at in range(1, count + 1)]
    return found


async def run(
    callers: Callers, lanes: Sequence[Lane], boundaries: Iterable[Boundary]
) -> list[Result]:
    """A call for each; as many at once as there are lanes."""
    rest = iter(boundaries)
    results: list[Result] = []

    async def along(lane: Lane) -> None:
        for boundary in rest:
            results.append(await lane.run(callers, boundary))

    await asyncio.gather(*map(along, lanes))
    return results


async def run_all(folder: Path) -> list[Result]:
    """Every one there is."""
    async with ground(folder, LANES) as (callers, lanes):
        results: list[Result] = []
        for reserve, group in lanes.items():
            boundaries = await all_boundaries(callers, group[0], reserve=reserve)
            random.Random(1).shuffle(boundaries)
            results += await run(callers, group, boundaries)
    return results


def table(results: Sequence[Result]) -> str:
    """What came of them, as text."""
    lines = [f"{'':34}{'calls':>6}{'reached':>9}{'wrong':>7}{'longest silence':>17}"]
    groups = sorted(
        {(each.boundary.kind, each.boundary.reserve, each.boundary.cut) for each in results}
    )
    for kind, reserve, cut in groups:
        of = [
            each
            for each in results
            if (each.boundary.kind, each.boundary.reserve, each.boundary.cut)
            == (kind, reserve, cut)
        ]
        what = f"{kind}, {'with a reserve' if reserve else 'alone'}, {cut}"
        reached = sum(each.reached for each in of)
        wrong = sum(bool(each.wrong) for each in of)
        longest = max(each.silence_ms for each in of)
        lines.append(f"{what:34}{len(of):6}{reached:9}{wrong:7}{longest:14.0f} ms")
    lines.append(f"The longest silence may be {SILENCE_LIMIT_MS} ms.")
    for each in results:
        lines += [f"{each.boundary}: {words}" for words in each.wrong]
    return "\n".join(lines)


def main() -> int:
    """Run all of them, and show what came of it."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, KEY)
        results = asyncio.run(run_all(Path(folder)))
    print(table(results))
    return int(any(each.wrong for each in results))


if __name__ == "__main__":
    sys.exit(main())
