"""``make bench``: calls at once through the echo path, as a ratio to the floor of the same run.

The server has one core to itself and the generator another, where the machine has two. Ratios can
be compared between runs; absolute numbers cannot.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

TEMPLATE = """
[dialogue]
provider = "echo"
[vad]
provider = "none"
[stream]
chunk_ms = {chunk_ms}
lead_ms = {lead_ms}
"""

WARM_UP_S = 2.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of server.

    Attributes:
        chunk_ms, lead_ms: The template's; ``None`` is the floor.
    """

    name: str
    chunk_ms: int | None = None
    lead_ms: int | None = None


ROWS = (
    Row("floor: uvicorn + Starlette echo"),
    Row("exobridge, 20 ms chunks, lead 0", 20, 0),
    Row("exobridge, 100 ms chunks, lead 200 ms", 100, 200),
)


def main() -> None:
    """Run the rows, interleaved, and print medians."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--calls", type=int, default=200, help="calls at once")
    parser.add_argument("--seconds", type=float, default=8.0, help="measured window of each round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, interleaved")
    parser.add_argument("--rush", action="store_true", help="all calls start and talk at once")
    parser.add_argument("--json", action="store_true", help="the rounds as JSON")
    options = parser.parse_args()
    rounds: dict[str, list[dict[str, Any]]] = {row.name: [] for row in ROWS}
    for number in range(options.rounds):
        for row in ROWS:
            print(f"round {number + 1}: {row.name}", file=sys.stderr)
            rounds[row.name].append(_measure(row, options))
    if options.json:
        print(json.dumps(rounds, indent=2))
    else:
        _print(rounds, options.calls)


def _print(rounds: dict[str, list[dict[str, Any]]], calls: int) -> None:
    model = platform.processor() or platform.machine()
    print(f"\n{calls} calls at once, Python {platform.python_version()}, {model}, medians")
    print(
        f"{'':40}{'lost':>6}{'p50 ms':>8}{'p99 ms':>8}{'p99.9':>8}{'µs/pair':>9}{'× floor':>9}"
        f"{'KB/call':>9}{'generator':>11}"
    )
    floor = median(r["us_per_pair"] for r in rounds[ROWS[0].name])
    for name, results in rounds.items():
        value = {key: median(result[key] for result in results) for key in results[0]}
        print(
            f"{name:40}{value['lost']:6.0f}{value['p50_ms']:8.1f}{value['p99_ms']:8.1f}"
            f"{value['p999_ms']:8.1f}{value['us_per_pair']:9.1f}"
            f"{value['us_per_pair'] / floor:9.2f}{value['kb_per_call']:9.0f}"
            f"{value['busy']:10.0%}"
        )
    if median(r["p99_ms"] for r in rounds[ROWS[0].name]) > 10:
        print("The floor's own p99 is above 10 ms: this run is void.")


def _measure(row: Row, options: argparse.Namespace) -> dict[str, Any]:
    calls, seconds = options.calls, options.seconds
    with _server(row, calls) as (process, url):
        base_kb = _rss_kb(process.pid)
        manner = "rush" if options.rush else "paced"
        command = [sys.executable, "-m", "tests.benchmarks.generator", url]
        generator = subprocess.Popen(
            _pinned(1, [*command, str(calls), str(WARM_UP_S), str(seconds), manner]),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert generator.stdout is not None
        generator.stdout.readline()  # "ready": all calls are up
        time.sleep(WARM_UP_S)
        began, cpu_began = time.monotonic(), _cpu_s(process.pid)
        time.sleep(seconds * 0.8)
        cpu_s, elapsed_s = _cpu_s(process.pid) - cpu_began, time.monotonic() - began
        loaded_kb = _rss_kb(process.pid)
        printed, _ = generator.communicate(timeout=120)
    load: dict[str, Any] = json.loads(printed)
    return {
        **load,
        "lost": load["sent"] - load["received"],
        "us_per_pair": cpu_s * 1e6 / (elapsed_s * calls / 0.02),
        "kb_per_call": (loaded_kb - base_kb) / calls,
    }


@contextmanager
def _server(row: Row, calls: int) -> Generator[tuple[subprocess.Popen[bytes], str]]:
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        command, environment = _command(row, calls, port, Path(folder))
        process = subprocess.Popen(
            _pinned(0, command), env={**os.environ, **environment}, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(port, health=row.chunk_ms is not None)
            yield process, f"ws://127.0.0.1:{port}/exotel/stream"
        finally:
            process.terminate()
            process.wait()


def _command(row: Row, calls: int, port: int, folder: Path) -> tuple[list[str], dict[str, str]]:
    if row.chunk_ms is None:
        return [sys.executable, "-m", "tests.benchmarks.floor", str(port)], {}
    text = TEMPLATE.format(chunk_ms=row.chunk_ms, lead_ms=row.lead_ms)
    (folder / "default.toml").write_text(text, "utf-8")
    environment = {
        "EXOBRIDGE_TEMPLATES_DIR": str(folder),
        "EXOBRIDGE_DATA_DIR": str(folder / "data"),
        "MAX_CALLS": str(calls + 1),
        "LOG_LEVEL": "WARNING",
    }
    return [sys.executable, "-m", "exobridge", "serve", "--port", str(port)], environment


def _pinned(core: int, command: list[str]) -> list[str]:
    taskset = shutil.which("taskset")
    if taskset is None or (os.cpu_count() or 1) < 2:
        return command
    return [taskset, "-c", str(core), *command]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(port: int, *, health: bool) -> None:
    for _ in range(300):
        try:
            if not health:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def _cpu_s(pid: int) -> float:
    """User and system time of a process, from Linux's /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _rss_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    main()
