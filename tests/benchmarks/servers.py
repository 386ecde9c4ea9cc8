"""The servers under load: the two floors, and ``exobridge serve``."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.errors import BenchmarkError
from tests.benchmarks.processes import Usage, pinned, server_cores, tree, usage

ROOT = Path(__file__).parents[2]
CODE = (ROOT, ROOT / "bridge", ROOT / "codecs", ROOT / "providers")
"""What is served is the code beside these benchmarks, whatever is installed."""

START_S, STOP_S = 60.0, 30.0
TAIL_LINES = 30


@dataclass(frozen=True, slots=True)
class Kind:
    """A server to start.

    Attributes:
        module: Run with its port as argument; empty: ``exobridge serve``.
        template: TOML of the template of all numbers.
        environment: Variables beside the usual ones.
        arguments: Of ``exobridge serve``, or of the module after its port.
        cores: How many of the machine's it may use.
    """

    module: str = ""
    template: str = ""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    arguments: tuple[str, ...] = ()
    cores: int = 1


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def usage(self) -> Usage:
        """What it uses now, with its workers."""
        return usage(tree(self.process.pid))

    def get(self, path: str) -> str:
        """The body of an answer.

        Raises:
            OSError: There is none, or it is an error.
        """
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            body: bytes = answer.read()
            return body.decode()

    def tail(self) -> str:
        """The end of what it wrote to its standard error."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-TAIL_LINES:])


@contextmanager
def serving(kind: Kind) -> Generator[Server]:
    """A server on a free port, once it is ready, until the end of the block.

    Raises:
        BenchmarkError: It did not start, or the block raised one; the server's standard error is
            added to it, and what it wrote is left to be looked at.
    """
    folder = Path(tempfile.mkdtemp(prefix="exobridge-bench-"))
    server = _start(kind, folder)
    wrote = ""
    try:
        _wait(server, "/health/ready" if not kind.module else "")
        yield server
        if server.process.poll() is not None:
            raise BenchmarkError(f"the server ended with status {server.process.returncode}")
    except BenchmarkError as error:
        if wrote := server.tail():
            raise BenchmarkError(f"{error}\nThe server wrote ({server.log}):\n{wrote}") from error
        raise
    finally:
        _stop(server)
        if not wrote:
            shutil.rmtree(folder)


def _start(kind: Kind, folder: Path) -> Server:
    port = free_port()
    if kind.module:
        command = ["-m", f"tests.benchmarks.{kind.module}", str(port), *kind.arguments]
    else:
        command = ["-m", "exobridge", "serve", "--port", str(port), *kind.arguments]
    (folder / "templates").mkdir()
    (folder / "templates" / "default.toml").write_text(kind.template, "utf-8")
    log = folder / "stderr.txt"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            pinned(server_cores(kind.cores), [sys.executable, *command]),
            cwd=folder,  # no .env of the user's
            env=_environment(kind, folder),
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
        )
    return Server(process, port, log)


def _environment(kind: Kind, folder: Path) -> dict[str, str]:
    """Nothing of the user's that could change what is measured."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(map(str, CODE)),
        "EXOBRIDGE_TEMPLATES_DIR": str(folder / "templates"),
        "EXOBRIDGE_DATA_DIR": str(folder / "data"),
        "DRAIN_SECONDS": "0",
        "LOG_LEVEL": "WARNING",
        "LOG_FORMAT": "json",
        **kind.environment,
    }


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait(server: Server, health: str) -> None:
    limit = time.monotonic() + START_S
    while time.monotonic() < limit:
        if server.process.poll() is not None:
            raise BenchmarkError(f"the server ended with status {server.process.returncode}")
        try:
            if health:
                server.get(health)
            else:
                socket.create_connection(("127.0.0.1", server.port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise BenchmarkError(f"the server was not ready after {START_S:.0f} s")


def _stop(server: Server) -> None:
    """With its workers, which a floor's own end leaves behind."""
    pids = tree(server.process.pid)
    server.process.terminate()
    with suppress(subprocess.TimeoutExpired):
        server.process.wait(STOP_S)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.process.wait()
