"""``exobridge`` as processes of their own, with the fakes as an installed package."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests import leaks
from tests.database import migrated
from tests.server import BOT, http_client, write_fakes, write_templates

ROOT = Path(__file__).parent.parent


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """A process's: data, templates and providers of the test, and nothing of the user's."""
    leaks.plant(variables)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(write_fakes(folder)), str(ROOT)]),
        "PYTHONWARNINGS": "ignore",
        "EXOBRIDGE_DATA_DIR": str(folder / "data"),
        "EXOBRIDGE_TEMPLATES_DIR": str(write_templates(folder, {"default": BOT})),
        "STT_PROVIDER": "fake",
        "TTS_PROVIDER": "fake",
        "VAD_PROVIDER": "fake",
        "DIALOGUE_PROVIDER": "fake",
        "LOG_FORMAT": "json",
        "COLUMNS": "200",
        **variables,
    }


async def spawn(folder: Path, arguments: tuple[str, ...], variables: dict[str, str]) -> Process:
    """Start a command."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "exobridge", *arguments),
        cwd=folder,  # no .env of the user's
        env=environment(folder, **variables),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )


async def run(folder: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """Run a command to its end: exit status, standard output, standard error."""
    process = await spawn(folder, arguments, variables)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@dataclass(slots=True)
class Serving:
    """``exobridge serve`` as it runs.

    Attributes:
        url: ``http://`` and where it listens, as it says itself.
        lines: What it wrote to its standard error so far.
    """

    process: Process
    url: str = ""
    lines: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        """All that it wrote."""
        return "\n".join(self.lines)

    async def read(self) -> None:
        """Take what it writes, until it ends."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.lines.append(line.decode().rstrip())
            found = re.search(r"(http://\S+)/exotel/answer", self.lines[-1])
            self.url = found[1] if found else self.url


@asynccontextmanager
async def server(
    folder: Path, new_database: bool = False, /, **variables: str
) -> AsyncGenerator[Serving]:
    """``exobridge serve`` on a free port, once it is ready; killed at the end if it still runs.

    Args:
        new_database: Leave it to the server to make the database.
    """
    if not new_database:
        migrated(folder / "data" / "exobridge.sqlite3")
    serving = Serving(await spawn(folder, ("serve", "--port", "0"), variables))
    reading = asyncio.create_task(serving.read())
    try:
        await _until_ready(serving)
        yield serving
    finally:
        with suppress(ProcessLookupError):
            serving.process.kill()
        await serving.process.wait()
        await reading


async def _until_ready(serving: Serving) -> None:
    async with http_client() as http:
        for _ in range(600):
            assert serving.process.returncode is None, serving.text
            with suppress(httpx.HTTPError):
                if serving.url and (await http.get(f"{serving.url}/health/ready")).is_success:
                    return
            await asyncio.sleep(0.05)
    raise AssertionError(f"it did not become ready:\n{serving.text}")
