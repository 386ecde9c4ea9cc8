"""Builds and runs what makes the load: ``generator.c``, and any other command that speaks as it
does.

Such a command writes ``begin`` and ``end`` when its measured window begins and ends, so that what
the server uses can be read at both, and then its figures as one line of JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.errors import BenchmarkError
from tests.benchmarks.processes import generator_cores, pinned

Figures = dict[str, float]
"""What was measured, by name."""

SOURCE = Path(__file__).with_name("generator.c")
BUILT = Path(__file__).parents[2] / "build" / "benchmarks"
"""Ignored by git, removed by ``make clean``."""

GRACE_S = 60.0
"""For calls to be opened, and the last answers to come, beside the time that is measured."""

MOST_SAID = 4000
"""Characters of a load's complaints that are shown: the last."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the generator does.

    Attributes:
        calls: At once.
        warm_up_s, seconds: Before the measured window, and the window.
        mulaw: Sends mu-law in place of PCM16.
        talk: Measures the lateness of the server's own speech, whose utterances have this many
            frames, in place of an echo's latency; 0: the echo.
        rush: All calls start and talk at once, in place of one after another.
    """

    calls: int
    seconds: float
    warm_up_s: float = 2.0
    mulaw: bool = False
    talk: int = 0
    rush: bool = False

    def arguments(self, port: int) -> list[str]:
        """Of the generator's command line."""
        return [
            *("--port", str(port), "--calls", str(self.calls)),
            *("--seconds", str(self.seconds), "--warm-up", str(self.warm_up_s)),
            *(("--talk", str(self.talk)) if self.talk else ()),
            *(("--mulaw",) if self.mulaw else ()),
            *(("--rush",) if self.rush else ()),
        ]


def compiler() -> str | None:
    """The C compiler of this machine: ``$CC``, or ``cc``."""
    return shutil.which(os.environ.get("CC") or "cc")


def build(folder: Path = BUILT) -> Path:
    """The generator's program, compiled anew when its source has changed.

    Args:
        folder: Where it is kept.

    Raises:
        BenchmarkError: There is no compiler, or it does not take the source.
    """
    source = SOURCE.read_bytes()
    program = folder / f"generator-{hashlib.sha256(source).hexdigest()[:16]}"
    if program.exists():
        return program
    cc = compiler()
    if cc is None:
        raise BenchmarkError(
            "the load generator is written in C and there is no compiler: install one "
            "(Debian, Ubuntu: apt install gcc libc6-dev), or name yours in CC"
        )
    folder.mkdir(parents=True, exist_ok=True)
    fresh = program.with_suffix(f".{os.getpid()}")
    command = [cc, "-O2", "-std=gnu11", "-Wall", "-Wextra", "-o", str(fresh), str(SOURCE)]
    made = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if made.returncode:
        raise BenchmarkError(f"{' '.join(command)} failed:\n{made.stderr}")
    fresh.replace(program)
    return program


def run(
    command: list[str],
    seconds: float,
    on_window: Callable[[], None] = lambda: None,
    on_wait: Callable[[], None] = lambda: None,
) -> Figures:
    """Run a load to its end.

    Args:
        command: Runs on the generator's core.
        seconds: How long it should take, but for its ``GRACE_S``.
        on_window: Called when the measured window begins, and when it ends.
        on_wait: Called every second while it runs.

    Raises:
        BenchmarkError: It failed, or took too long.
    """
    with tempfile.TemporaryFile() as complaints:  # a pipe that nobody reads would hold it up
        process = subprocess.Popen(
            pinned(generator_cores(), command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env={**os.environ, "PYTHONPATH": str(SOURCE.parents[2])},
        )
        figures: Figures | None = None
        try:
            for line in _lines(process, time.monotonic() + seconds + GRACE_S, on_wait):
                if line in ("begin", "end"):
                    on_window()
                else:
                    figures = json.loads(line)
        finally:
            process.kill()
            process.communicate()
        complaints.seek(0)
        said = complaints.read().decode("utf-8", "replace").strip()
    if figures is None:
        raise BenchmarkError(
            said[-MOST_SAID:] or "the load came to no end in time, and said nothing"
        )
    if said:
        print(said[-MOST_SAID:], file=sys.stderr)
    return figures


def _lines(
    process: subprocess.Popen[bytes], limit: float, on_wait: Callable[[], None]
) -> Iterator[str]:
    """The lines of its standard output, until it closes that, or the limit."""
    assert process.stdout is not None
    output, rest = process.stdout.fileno(), b""
    while time.monotonic() < limit:
        if not select.select([output], [], [], 1.0)[0]:
            on_wait()
            continue
        some = os.read(output, 65536)
        if not some:
            return
        *whole, rest = (rest + some).split(b"\n")
        yield from (line.decode() for line in whole)
