"""The row ``vendors``: what exobridge itself adds from voice to voice, over fake vendors."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from exobridge import demo_vendors
from exobridge.demo_server import DemoError
from exobridge.demo_share import Share, percentile
from exobridge.demo_vendors import VendorReport
from tests.benchmarks.errors import BenchmarkError
from tests.benchmarks.generator import Figures

PARTS: Mapping[str, Callable[[Share], float]] = {
    "total": lambda each: each.total,
    "silence": lambda each: each.silence,
    "stt": lambda each: each.delays.stt,
    "model": lambda each: each.delays.token,
    "words": lambda each: each.delays.words,
    "tts": lambda each: each.delays.tts,
    "own": lambda each: each.own,
}
"""What of an answer's time each figure is, in milliseconds; the first is all of it, and the others
add up to that."""


def answers() -> Figures:
    """Hold the demonstration of vendors once.

    Raises:
        BenchmarkError: It could not be held, or something in it was not as it is to be.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = _held(Path(folder))
    wrong = (*report.call.timeouts, *report.call.problems, *report.violations)
    if wrong:
        raise BenchmarkError("; ".join(wrong))
    return figures(report.shares)


def _held(folder: Path) -> VendorReport:
    try:
        return asyncio.run(
            demo_vendors.hold(folder, demo_vendors.TURNS, lambda _: None, lambda _: None)
        )
    except DemoError as error:
        raise BenchmarkError(str(error)) from error


def figures(shares: Sequence[Share]) -> Figures:
    """The half and the 95th of a hundred of each part, over the answers of a call."""
    found: Figures = {"answers": len(shares)}
    for name, part in PARTS.items():
        values = [part(each) for each in shares]
        found[f"{name}_p50_ms"] = percentile(values, 0.5)
        found[f"{name}_p95_ms"] = percentile(values, 0.95)
    return found
