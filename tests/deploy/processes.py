"""Programs that a check starts and ends, each with a limit."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LIMIT = 30.0
"""Seconds for whatever is quick; a build has its own limit."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a program did.

    Attributes:
        text: Its standard output and error.
        out: Its standard output alone.
    """

    status: int
    text: str
    out: str


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    limit: float = LIMIT,
) -> Ended:
    """Run a program to its end.

    Raises:
        subprocess.TimeoutExpired: It took longer; it is killed.
    """
    done = subprocess.run(
        command,
        env=env,
        cwd=cwd,
        timeout=limit,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    return Ended(done.returncode, done.stdout + done.stderr, done.stdout)


@contextmanager
def running(
    command: Sequence[str], log: Path, *, env: Mapping[str, str], cwd: Path
) -> Generator[subprocess.Popen[bytes]]:
    """A program for the length of the block; it is asked to end, then killed.

    Args:
        log: Where its output goes.
    """
    with log.open("ab") as written:
        process = subprocess.Popen(
            command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=written, stderr=written
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def until(happened: Callable[[], bool], why: Callable[[], str], limit: float = LIMIT) -> None:
    """Wait for something; ``why`` is what to look at if it does not come about."""
    end = time.monotonic() + limit
    while not happened():
        assert time.monotonic() < end, why()
        time.sleep(0.05)


def free_port() -> int:
    """A port of the loopback address that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether something does."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def plain_environment(**more: str) -> dict[str, str]:
    """The machine's, without settings of the user's and without a proxy."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("EXO", "CADDY", "XDG_", "PYTHON"))
        and not name.lower().endswith("_proxy")
    }
    return {**kept, **more}
