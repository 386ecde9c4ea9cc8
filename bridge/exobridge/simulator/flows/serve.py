"""The server of this installation as a process beside a flow: ``exobridge simulate --serve``.

It has a folder for this run's data, listens on a free port of this machine alone, and asks the
stand-in account in place of Exotel. It is ended with the block that it was started for, whatever
happens in it.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import httpx

from exobridge.errors import ExobridgeError
from exobridge.simulator.flows.model import ServeTable

READY_SECONDS = 180.0
"""How long it may take to become ready; local speech is loaded meanwhile."""
ASKED = 3
"""How often it is asked to end before it is made to: the second time it waits for no call, the
third time for nothing."""
STOP_SECONDS = 3.0
"""How long it may take each time."""
LOOK_SECONDS = 0.05
TAIL_LINES = 25
"""How much of its log is shown where it does not start."""
PIECE_BYTES = 65_536
"""How much of its log is taken at a time; a longer line is cut."""

SECRET = "EXOBRIDGE_SECRET"
"""Names what webhooks are asked with."""
RUNS_OWN = (
    "DATABASE_URL",
    "RECORDINGS_URL",
    "EXOBRIDGE_DATA_DIR",
    "EXOBRIDGE_HOST",
    "EXOBRIDGE_PORT",
    "EXOBRIDGE_PUBLIC_URL",
    "EXOBRIDGE_TEMPLATES_DIR",
    "EXOBRIDGE_WIRE_DIR",
    "EXOTEL_API_KEY",
    "EXOTEL_API_TOKEN",
    "EXOTEL_API_URL",
    "EXOTEL_NUMBERS",
    "EXOTEL_SID",
    "ALLOWED_NETWORKS",
    "RECORDING_HOSTS",
    "TRUSTED_PROXIES",
)
"""Variables that are never taken from the process's own environment: with them a run would write
where real calls are kept, or ask the real Exotel."""

_URL = re.compile(r"(http://\S+?)/exotel/answer")

Tell = Callable[[str], None]


class ServeError(ExobridgeError):
    """The server could not be started; the message ends with the last lines of its log."""


def environment(
    table: ServeTable, folder: Path, variables: Mapping[str, str], own: Mapping[str, str]
) -> dict[str, str]:
    """The server's environment.

    Args:
        table: ``[serve]`` of the flow.
        folder: Where the flow's file is.
        variables: What names the stand-in account; they win over all others.
        own: The process's own environment; it wins over the file's, but for :data:`RUNS_OWN`.
    """
    told = {**table.environment}
    told |= {name: value for name, value in own.items() if name not in RUNS_OWN}
    if table.templates is not None:
        told["EXOBRIDGE_TEMPLATES_DIR"] = str((folder / table.templates).resolve())
    return {**told, **variables}


class Served:
    """A server that runs. Made by :func:`served`.

    Attributes:
        url: ``http://`` and where it listens; the same after :meth:`again`.
    """

    def __init__(self, variables: Mapping[str, str], data: Path, tell: Tell) -> None:
        self.url = ""
        self._variables = {**variables, "EXOBRIDGE_DATA_DIR": str(data)}
        self._data = data
        self._tell = tell
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)

    async def start(self) -> None:
        """Start it, and wait until it is ready.

        Raises:
            ServeError: It ended, or is not ready in time.
        """
        port = self.url.rpartition(":")[2] or "0"
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "exobridge", "serve"),
            *("--host", "127.0.0.1", "--port", port),
            cwd=self._data,  # a .env of the user's is not this server's
            env=self._variables,
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            start_new_session=True,  # Ctrl-C ends the calls first; and workers are killed with it
        )
        self._reading = asyncio.create_task(self._read(self._process))
        await self._until_ready(self._process)

    async def again(self) -> None:
        """Kill it as a crash does, and start it again with the same data.

        Raises:
            ServeError: It did not start again.
        """
        await self._end(signal.SIGKILL)
        await self.start()

    async def stop(self) -> None:
        """End it: asked to at first, and then made to."""
        await self._end(signal.SIGTERM)

    @property
    def secret(self) -> str:
        """What its webhooks are asked with; empty: it has none."""
        return self._variables.get(SECRET, "")

    @property
    def tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self._tail)

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            for _ in range(ASKED) if number == signal.SIGTERM else ():
                with suppress(ProcessLookupError):
                    process.terminate()
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), STOP_SECONDS)
                    break
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            if self._reading is not None:
                self._reading.cancel()
                await asyncio.wait([self._reading])

    async def _read(self, process: Process) -> None:
        """Take what it writes, so that it never waits for us."""
        assert process.stderr is not None
        rest = b""
        while piece := await process.stderr.read(PIECE_BYTES):
            *lines, rest = (rest + piece).split(b"\n")
            rest = rest[-PIECE_BYTES:]
            for line in lines:
                self._take(line.decode("utf-8", "replace").rstrip())

    def _take(self, line: str) -> None:
        self._tail.append(line)
        if not self.url and (found := _URL.search(line)):
            self.url = found[1]

    async def _until_ready(self, process: Process) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=2) as http:
            while process.returncode is None:
                self._tell(f"waiting for the server, {clock() - began:.0f} s")
                with suppress(httpx.HTTPError):
                    if self.url and (await http.get(f"{self.url}/health/ready")).is_success:
                        return
                if clock() - began > READY_SECONDS:
                    raise self._failed(f"is not ready after {READY_SECONDS:.0f} s")
                await asyncio.sleep(LOOK_SECONDS)
        if self._reading is not None:
            await asyncio.wait([self._reading], timeout=1)
        raise self._failed(f"ended with status {process.returncode}")

    def _failed(self, why: str) -> ServeError:
        return ServeError(f"exobridge serve {why}. The end of its log:\n{self.tail}")


@contextmanager
def _data(kept: Path | None) -> Generator[Path]:
    """The folder itself, absolute as the server starts in it; or one for this block."""
    if kept is not None:
        yield kept.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="exobridge-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@asynccontextmanager
async def served(
    table: ServeTable,
    folder: Path,
    variables: Mapping[str, str],
    tell: Tell,
    data: Path | None = None,
) -> AsyncGenerator[Served]:
    """Run the server for as long as the block lasts.

    Args:
        table: ``[serve]`` of the flow.
        folder: Where the flow's file is.
        variables: What names the stand-in account.
        tell: Told what takes its time.
        data: Folder for what it keeps; ``None``: one that is gone after the block.

    Raises:
        ServeError: It did not start.
    """
    with _data(data) as where:
        server = Served(environment(table, folder, variables, os.environ), where, tell)
        try:
            await server.start()
            yield server
        finally:
            await asyncio.shield(server.stop())
