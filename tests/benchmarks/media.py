"""The rows that hold calls: what is served, what load it gets, what is measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.benchmarks.errors import BenchmarkError
from tests.benchmarks.generator import Figures, Load, build, run
from tests.benchmarks.processes import Usage
from tests.benchmarks.servers import Kind, Server, serving

UTTERANCE_FRAMES = 250
"""Of the talker: 5 s."""

PAUSE_FRAMES = 25
"""Of the talker, after each utterance: 0.5 s."""

FRAME_S = 0.02

UVICORN = Kind("uvicorn_floor")
PICOWS = Kind("picows_floor")

ECHO = """
[dialogue]
provider = "echo"
[vad]
provider = "{vad}"
[limits]
idle_seconds = 600
max_call_seconds = 3600
{stream}
"""
DIRECT = "[stream]\nchunk_ms = 20\nlead_ms = 0"

TALK = f"""
[dialogue]
provider = "tests.benchmarks.talker:Talker"
options = {{ frames = {UTTERANCE_FRAMES}, pause_frames = {PAUSE_FRAMES} }}
[vad]
provider = "none"
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of server under one kind of load.

    Attributes:
        says: What it is, for ``--list`` and the tables.
    """

    name: str
    says: str
    kind: Kind
    mulaw: bool = False
    talk: int = 0

    def load(self, calls: int, seconds: float, *, rush: bool = False) -> Load:
        """What the generator shall do."""
        return Load(calls, seconds, mulaw=self.mulaw, talk=self.talk, rush=rush)

    def with_room_for(self, calls: int) -> Row:
        """The row on a server that takes as many calls, and some for the warm-up."""
        environment = {**self.kind.environment, "MAX_CALLS": str(calls + 10)}
        return replace(self, kind=replace(self.kind, environment=environment))


def bridge(vad: str = "none", stream: str = DIRECT, **environment: str) -> Kind:
    """``exobridge serve`` with an echo on every line.

    Args:
        stream: The template's ``[stream]`` table.
        environment: Settings.
    """
    return Kind(template=ECHO.format(vad=vad, stream=stream), environment=environment)


FLOORS = (
    Row("uvicorn", "floor: uvicorn and Starlette echo", UVICORN),
    Row("picows", "floor: picows echo (C)", PICOWS),
)

LEAD = Row("lead", "speech, default chunk and lead", Kind(template=TALK), talk=UTTERANCE_FRAMES)

ROWS = (
    Row("echo", "echo, PCM16, 20 ms chunks, no lead", bridge()),
    Row("mulaw", "echo, mu-law, shortest chunks (40 ms), no lead", bridge(), mulaw=True),
    Row("echo-lead", "echo, PCM16, default chunk and lead", bridge(stream="")),
    Row("vad", "echo, PCM16, 20 ms chunks, no lead, silero", bridge("silero")),
    LEAD,
)


def measure(row: Row, calls: int, seconds: float, *, rush: bool = False) -> Figures:
    """One round of a row, on a server of its own.

    Returns:
        The generator's figures, ``us_per_pair`` and ``kb_per_call``.

    Raises:
        BenchmarkError: It could not be made, or nothing came back.
    """
    row = row.with_room_for(calls)
    with serving(row.kind) as server:
        warm_up(server, row)
        return under_load(server, row.load(calls, seconds, rush=rush))


def warm_up(server: Server, row: Row) -> None:
    """Two short calls: what the first call loads belongs to the base."""
    run_generator(server, replace(row.load(2, 0.4), warm_up_s=0.2))
    time.sleep(0.3)


def under_load(server: Server, load: Load, on_window: Callable[[], None] = lambda: None) -> Figures:
    """What the generator says of the server, and what the server used.

    Args:
        on_window: Called when the measured window begins, and when it ends.
    """
    window: list[tuple[float, Usage]] = []

    def look() -> None:
        window.append((time.monotonic(), server.usage()))
        on_window()

    base = server.usage()
    figures = run_generator(server, load, look)
    (began, before), (ended, after) = window
    pairs = (ended - began) * load.calls / FRAME_S
    return {
        **figures,
        "us_per_pair": (after.cpu_s - before.cpu_s) * 1e6 / pairs,
        "kb_per_call": (after.rss_kb - base.rss_kb) / load.calls,
    }


def run_generator(
    server: Server,
    load: Load,
    on_window: Callable[[], None] = lambda: None,
    on_wait: Callable[[], None] = lambda: None,
) -> Figures:
    """Put a load on a server.

    Raises:
        BenchmarkError: It could not be made, nothing came back, or what nobody had sent.
    """
    command = [str(build()), *load.arguments(server.port)]
    figures = run(command, load.warm_up_s + load.seconds, on_window, on_wait)
    if not figures["received"]:
        raise BenchmarkError("nothing came back: there is nothing to measure")
    if figures["strays"]:
        raise BenchmarkError(f"{figures['strays']:.0f} frames came twice, or to another's call")
    return figures
