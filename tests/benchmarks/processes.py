"""Processes of a run: pinned to cores, and what they use, from Linux's ``/proc``."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_ESTABLISHED = "01"


@dataclass(frozen=True, slots=True)
class Usage:
    """What some processes use together.

    Attributes:
        cpu_s: User and system time so far, in seconds.
        rss_kb: Resident memory. Pages shared between processes count once for each.
        fds, threads: How many are open, and run.
    """

    cpu_s: float
    rss_kb: int
    fds: int
    threads: int


def usage(pids: Iterable[int]) -> Usage:
    """What these use now. One that has ended in the meantime uses nothing."""
    cpu_s, rss_kb, fds, threads = 0.0, 0, 0, 0
    for pid in pids:
        with suppress(OSError):
            fields = _stat(pid)
            status = (PROC / str(pid) / "status").read_text()
            found = re.search(r"VmRSS:\s+(\d+) kB", status)
            cpu_s += (int(fields[11]) + int(fields[12])) / _TICKS
            rss_kb += int(found[1]) if found else 0
            threads += int(fields[17])
            fds += len(os.listdir(PROC / str(pid) / "fd"))
    return Usage(cpu_s, rss_kb, fds, threads)


def _stat(pid: int) -> list[str]:
    """The fields of ``stat`` after the command's name, which may hold anything."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def tree(root: int) -> list[int]:
    """A process and all that descend from it, parents first."""
    parents: dict[int, int] = {}
    for name in os.listdir(PROC):
        if name.isdigit():
            with suppress(OSError):
                parents[int(name)] = int(_stat(int(name))[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def connections(pids: Iterable[int], port: int) -> dict[int, int]:
    """How many connections to ``port`` each process has accepted and holds."""
    inodes = set[str]()
    for line in (PROC / "net" / "tcp").read_text().splitlines()[1:]:
        _, local, _, state, *rest = line.split()
        if state == _ESTABLISHED and int(local.rpartition(":")[2], 16) == port:
            inodes.add(f"socket:[{rest[5]}]")
    return {pid: sum(target in inodes for target in _targets(pid)) for pid in pids}


def _targets(pid: int) -> Iterable[str]:
    folder = PROC / str(pid) / "fd"
    for name in os.listdir(folder):
        with suppress(OSError):
            yield os.readlink(folder / name)


def cores() -> list[int]:
    """Those that may be used."""
    return sorted(os.sched_getaffinity(0))


def server_cores(count: int = 1) -> list[int]:
    """Where a server runs: the first ``count`` cores, but never the generator's if there are
    others."""
    return cores()[:-1][:count] or cores()


def generator_cores() -> list[int]:
    """Where a load comes from."""
    return cores()[-1:]


def pinned(where: list[int], command: list[str]) -> list[str]:
    """The command, on these cores where ``taskset`` is installed."""
    if shutil.which("taskset") is None:
        return command
    return ["taskset", "-c", ",".join(map(str, where)), *command]
