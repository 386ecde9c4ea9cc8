"""The machine: what Python brings, and whether MAX_CALLS fits."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import resource
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, error, info, ok, warning
from exobridge.doctor.model_checks import LOCAL_STT
from exobridge.setting_checks import CALLS_PER_WORKER, cores

FILES_PER_CALL = 4
"""The call's socket, and one for each of STT, dialogue and TTS on the network."""
FILES_BESIDE = 200
"""Of a worker: the database, modules, and webhooks that come at once."""
KB_PER_CALL = 60
MB_PER_WORKER = 80
MB_LOCAL_SPEECH = 300
"""One recogniser and one voice at work, and their common code."""
LOCAL_CALLS_PER_CORE = 10
"""To begin with, as ``docs/reference/settings.md`` says."""
MEMORY_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Of a container: cgroup version 2, version 1."""
MEMORY = Path("/proc/meminfo")
BACKLOG = Path("/proc/sys/net/core/somaxconn")
MIN_BACKLOG, BACKLOG_WANTED = 128, 1024


def look(case: Case) -> list[Finding]:
    """Everything about the machine."""
    return [*_python(), *_cores(case), *_memory(case), *_files(case), *_backlog(case)]


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    yield ok("machine.python", f"{version} on {platform.system()} {platform.machine()}")
    missing = [name for name in ("uvloop", "httptools") if importlib.util.find_spec(name) is None]
    if missing:
        found = f"{' and '.join(missing)} missing: a core bears half the calls"
        yield warning("machine.fast", found, f"pip install {' '.join(missing)}")
    else:
        yield ok("machine.fast", "uvloop and httptools are there")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.11 and 3.12 say it will go
        try:
            importlib.import_module("audioop")
        except ImportError:
            yield error("machine.audioop", "audioop is missing", "pip install audioop-lts")
        else:
            yield ok("machine.audioop", "audioop is there")


def _cores(case: Case) -> Iterator[Finding]:
    settings, there = case.settings, cores()
    if settings.workers > there:
        found = f"{settings.workers} workers share {there} cores"
        yield warning("machine.cores", found, "EXOBRIDGE_WORKERS=auto")
        return
    local = _hears_locally(case)
    each = LOCAL_CALLS_PER_CORE if local else CALLS_PER_WORKER
    # With local speech the models' threads use the other cores too.
    bears = each * (there if local else settings.workers)
    workers = "1 worker" if settings.workers == 1 else f"{settings.workers} workers"
    found = f"MAX_CALLS is {settings.max_calls}: {workers}, {there} cores"
    if settings.max_calls <= bears:
        yield ok("machine.cores", found)
        return
    found += " and local speech-to-text" if local else ""
    yield warning("machine.cores", f"{found} bear about {bears}", f"MAX_CALLS={bears}")


def _hears_locally(case: Case) -> bool:
    return any(set(template.stt.names) & set(LOCAL_STT) for template in case.in_use.values())


def _memory(case: Case) -> Iterator[Finding]:
    settings = case.settings
    local = _hears_locally(case)
    need = settings.workers * (MB_PER_WORKER + (MB_LOCAL_SPEECH if local else 0)) * 1e6
    need += settings.max_calls * KB_PER_CALL * 1e3
    there, whose = memory()
    if there is None:
        yield info("machine.memory", f"about {need / 1e6:.0f} MB are needed")
        return
    found = f"about {need / 1e6:.0f} MB are needed; {whose} {there / 1e6:.0f} MB"
    if need > there:
        cure = "Give it more, or lower MAX_CALLS and EXOBRIDGE_WORKERS."
        yield warning("machine.memory", found, cure)
    else:
        yield ok("machine.memory", found)


def memory() -> tuple[float | None, str]:
    """Bytes that may be used, and whose limit that is; ``None`` where the system does not tell."""
    physical: float | None = None
    with suppress(OSError, ValueError, IndexError):
        physical = int(MEMORY.read_text("utf-8").split()[1]) * 1024.0  # the first line: MemTotal
    for path in MEMORY_LIMITS:
        try:
            limit = float(path.read_text("utf-8").strip())
        except (OSError, ValueError):  # "max": there is none
            continue
        if physical is None or limit < physical:
            return limit, "the container has"
    return physical, "the machine has"


def _files(case: Case) -> Iterator[Finding]:
    settings = case.settings
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = FILES_BESIDE + FILES_PER_CALL * -(-settings.max_calls // settings.workers)
    if soft == resource.RLIM_INFINITY or soft >= need:
        yield ok("machine.files", f"{need} of {_limit(soft)} that may be open")
        return
    found = f"{need} files may be open at once with MAX_CALLS, and {soft} are allowed"
    raised = "" if hard != resource.RLIM_INFINITY and hard < need else f"ulimit -n {need}; "
    cure = f"{raised}systemd: LimitNOFILE={need}; docker: --ulimit nofile={need}"
    yield error("machine.files", found, cure)


def _limit(files: int) -> str:
    return "any number" if files == resource.RLIM_INFINITY else str(files)


def _backlog(case: Case) -> Iterator[Finding]:
    try:
        backlog = int(BACKLOG.read_text("utf-8"))
    except (OSError, ValueError):
        yield info("machine.backlog", f"not told by {sys.platform}")
        return
    found = f"{backlog} connections may wait to be taken"
    if backlog < max(MIN_BACKLOG, min(case.settings.max_calls, BACKLOG_WANTED)):
        cure = f"sysctl -w net.core.somaxconn={BACKLOG_WANTED}"
        yield warning("machine.backlog", found, cure)
    else:
        yield ok("machine.backlog", found)
