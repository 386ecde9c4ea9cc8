"""Many callers at once: a flow is walked by all of them, and the figures of all are put together.

Of each call only its figures are kept, so that a crowd of any size needs little memory.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from exobridge.simulator.flows.model import Flow
from exobridge.simulator.flows.report import FlowReport, What

FIGURES = (
    "answer",
    "handshake",
    "greeting",
    "voice-to-voice",
    "passthru",
    "dial-up",
    "callback",
)
"""What is measured, in ms, in the order in which it is shown."""
PERCENTILES = (50, 90, 95, 99)
MAX_PROBLEMS = 1000
"""How many different problems are told apart; the rest are put together."""
OTHER = "other problems"
_MEASURED = re.compile(r"(?<!\d)\d++(?:\.\d++)?(?= (?:ms|s|bytes)\b)")
"""A value that differs from call to call, in a problem that does not."""
_REQUESTS = {
    What.ANSWER: "answer",
    What.PASSTHRU: "passthru",
    What.DIAL_UP: "dial-up",
    What.CALLBACK: "callback",
}


@dataclass(frozen=True, slots=True)
class Load:
    """How many callers there are.

    Attributes:
        calls: In all, 1 or more.
        rate: So many begin each second, above 0.
    """

    calls: int
    rate: float


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of one figure over all calls, in ms.

    Attributes:
        count: How many were measured.
        at: For each of :data:`PERCENTILES` the value that so many percent do not exceed.
        most: The greatest.
    """

    count: int
    at: tuple[float, ...]
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Percentiles | None:
        """By the nearest rank: each is a value that was measured; ``None`` without any."""
        ordered = sorted(values)
        if not ordered:
            return None
        ranks = [max(1, math.ceil(percent / 100 * len(ordered))) for percent in PERCENTILES]
        return cls(len(ordered), tuple(ordered[rank - 1] for rank in ranks), ordered[-1])

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        named = {
            f"p{percent}": round(at, 1) for percent, at in zip(PERCENTILES, self.at, strict=True)
        }
        return {"count": self.count, **named, "max": round(self.most, 1)}


@dataclass(frozen=True, slots=True)
class Failure:
    """One problem, and how many calls had it.

    Attributes:
        problem: As a sentence, without what was measured.
        calls: How many.
        example: The CallSid of the first.
        seed: What its faults were drawn from, if any were.
    """

    problem: str
    calls: int
    example: str
    seed: int | None = None


@dataclass(slots=True)
class Crowd:
    """What came of the calls so far.

    Attributes:
        wanted: How many calls there are to be.
        begun: How many have begun.
        done: How many are over.
        well: How many of them went well.
        most_at_once: The greatest number that was under way at one time.
        seconds: From the first one's beginning to the last one's end.
        endings: How many ended how.
        violations: How often each rule was broken.
        interrupted: The rest was not placed.
    """

    wanted: int
    begun: int = 0
    done: int = 0
    well: int = 0
    most_at_once: int = 0
    seconds: float = 0.0
    endings: dict[str, int] = field(default_factory=dict[str, int])
    violations: dict[str, int] = field(default_factory=dict[str, int])
    interrupted: bool = False
    _failures: dict[str, Failure] = field(default_factory=dict[str, Failure])
    _values: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    @property
    def went_well(self) -> bool:
        """Whether every call was placed and went well."""
        return self.well == self.wanted

    @property
    def failures(self) -> list[Failure]:
        """The problems, those of most calls first."""
        return sorted(self._failures.values(), key=lambda failure: -failure.calls)

    @property
    def figures(self) -> dict[str, Percentiles]:
        """Those that were measured at all."""
        found = {name: Percentiles.of(self._values.get(name, ())) for name in FIGURES}
        return {name: figure for name, figure in found.items() if figure is not None}

    def begin(self) -> None:
        """A call begins."""
        self.begun += 1
        self.most_at_once = max(self.most_at_once, self.begun - self.done)

    def add(self, report: FlowReport) -> None:
        """A call is over."""
        self.done += 1
        self.well += report.went_well
        _count(self.endings, str(report.ending))
        for violation in report.violations:
            _count(self.violations, str(violation.rule))
        for problem in dict.fromkeys(_MEASURED.sub("…", each) for each in report.problems):
            self._fail(problem, report)
        for name, value in figures(report):
            self._values.setdefault(name, []).append(value)

    def _fail(self, problem: str, report: FlowReport) -> None:
        if problem not in self._failures and len(self._failures) >= MAX_PROBLEMS:
            problem = OTHER
        known = self._failures.get(problem)
        first = known or Failure(problem, 0, report.call_sid, report.seed)
        self._failures[problem] = Failure(problem, first.calls + 1, first.example, first.seed)

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values. Keys are only ever added; times are ms with one decimal."""
        return {
            "passed": self.went_well,
            "interrupted": self.interrupted,
            "calls": self.wanted,
            "begun": self.begun,
            "done": self.done,
            "well": self.well,
            "most_at_once": self.most_at_once,
            "seconds": round(self.seconds, 1),
            "endings": self.endings,
            "figures_ms": {name: each.to_json() for name, each in self.figures.items()},
            "violations": self.violations,
            "failures": [
                {
                    "problem": each.problem,
                    "calls": each.calls,
                    "example": each.example,
                    "seed": each.seed,
                }
                for each in self.failures
            ],
        }


def figures(report: FlowReport) -> list[tuple[str, float]]:
    """What was measured in one call: the names of :data:`FIGURES`, each as often as it was."""
    found: list[tuple[str, float]] = []
    for stream in report.streams:
        if stream.handshake_ms is not None:
            found.append(("handshake", stream.handshake_ms))
        if stream.greeting_ms is not None:
            found.append(("greeting", stream.greeting_ms))
        found += [("voice-to-voice", ms) for ms in stream.voice_to_voice_ms if ms is not None]
    found += [
        (_REQUESTS[each.what], each.ms)
        for each in report.asked
        if each.what in _REQUESTS and each.ms is not None
    ]
    return found


def caller(flow: Flow, number: int) -> Flow:
    """The flow with the caller's number ``number`` higher, so that each caller is another."""
    whole = flow.call.caller
    sign, digits = ("+", whole[1:]) if whole.startswith("+") else ("", whole)
    end = digits[-5:]
    changed = f"{sign}{digits[:-5]}{(int(end) + number) % 10 ** len(end):0{len(end)}}"
    return flow.model_copy(update={"call": flow.call.model_copy(update={"caller": changed})})


async def run(
    crowd: Crowd,
    rate: float,
    place: Callable[[int], Awaitable[FlowReport]],
    tell: Callable[[Crowd], None],
    leave: asyncio.Event,
) -> None:
    """Place all the calls, each at its time, whatever becomes of the others.

    Args:
        crowd: Takes what comes of them, while it does.
        rate: So many begin each second, above 0.
        place: Places the call of this number, from 0, and plays it to its end.
        tell: Told after each change.
        leave: Once it is set no more calls begin.

    Raises:
        ExceptionGroup: What ``place`` raised; the other calls are given up.
    """
    clock = asyncio.get_running_loop().time
    began = clock()

    async def one(number: int) -> None:
        crowd.begin()
        tell(crowd)
        crowd.add(await place(number))
        crowd.seconds = clock() - began
        tell(crowd)

    async with asyncio.TaskGroup() as tasks:
        for number in range(crowd.wanted):
            with suppress(TimeoutError):
                async with asyncio.timeout_at(began + number / rate):
                    await leave.wait()
            if leave.is_set():
                crowd.interrupted = True
                break
            tasks.create_task(one(number))


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1
