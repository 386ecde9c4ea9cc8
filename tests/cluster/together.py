"""``exobridge serve`` with two workers, as processes, for a test."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from exobridge.store import Store
from tests.process import Serving, server
from tests.server import until

TWO = 2


@asynccontextmanager
async def together(folder: Path, **variables: str) -> AsyncGenerator[Serving]:
    """The server, once it is ready: both workers serve, and the log says so."""
    async with server(folder, EXOBRIDGE_WORKERS=str(TWO), **variables) as serving:
        await until(lambda: set(pids(serving)) == set(range(TWO)))
        yield serving


def entries(serving: Serving, event: str, **fields: object) -> list[dict[str, Any]]:
    """The lines of the log so far: those of this name that have these values."""
    known = [json.loads(line) for line in serving.lines if line.startswith("{")]
    return [
        entry
        for entry in known
        if entry["event"] == event and all(entry.get(key) == fields[key] for key in fields)
    ]


def pids(serving: Serving) -> dict[int, int]:
    """The workers that began to serve, by index."""
    return {entry["worker"]: entry["pid"] for entry in entries(serving, "worker serves")}


def worker_of(serving: Serving, event: str, call_sid: str) -> int:
    """Which worker wrote this of a call, the last time."""
    return int(entries(serving, event, call_sid=call_sid)[-1]["worker"])


def children(pid: int) -> list[int]:
    """The processes that this one has started."""
    return [int(found) for found in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    """Whether the process is there, and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@asynccontextmanager
async def record(folder: Path) -> AsyncGenerator[Store]:
    """The server's store, which another process may read, too."""
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'data' / 'exobridge.sqlite3'}")
    try:
        yield store
    finally:
        await store.aclose()
