"""A server of a demonstration's own: a process, as in production, on a free port."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from exobridge.call.events import Turn
from exobridge.errors import ExobridgeError
from exobridge.store import Store

NUMBER = "+918047112233"
"""The one that is called."""

READY_SECONDS = 90.0
"""Longest start of the server: models are read from a cold disk."""

_OURS = ("EXOTEL_", "EXOBRIDGE_", "DATABASE_URL", "MAX_CALLS", "STREAM_TOKEN", "UNUSED_SLOT")
_PROVIDERS = ("STT_PROVIDER", "TTS_PROVIDER", "DIALOGUE_PROVIDER", "VAD_PROVIDER")


class DemoError(ExobridgeError):
    """The demonstration cannot be held; the message says why."""


@asynccontextmanager
async def serving(folder: Path, variables: Mapping[str, str]) -> AsyncGenerator[str]:
    """Run the server, until the block ends; its URL.

    Args:
        folder: For its data and its log.
        variables: The environment's, over the user's own; of those that name providers or concern
            Exotel none is the user's.

    Raises:
        DemoError: It does not start.
    """
    port = _free_port()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OURS) and name not in _PROVIDERS
    }
    environment |= {"EXOBRIDGE_DATA_DIR": str(folder), **variables}
    with (folder / "server.log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "exobridge", "serve", "--port", str(port)),
            cwd=folder,  # no .env of the user's
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            await _until_ready(server, url, folder)
            yield url
        finally:
            with suppress(ProcessLookupError):
                server.terminate()
            await server.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


async def _until_ready(server: asyncio.subprocess.Process, url: str, folder: Path) -> None:
    why = "it did not answer"
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(int(READY_SECONDS / 0.2)):
            if server.returncode is not None:
                break
            with suppress(httpx.HTTPError, ValueError):
                answer = await client.get(f"{url}/health/ready")
                if answer.status_code == 200:
                    return
                why = "; ".join(answer.json()["problems"])
            await asyncio.sleep(0.2)
    log = folder / "server.log"
    last = log.read_text("utf-8", "replace").strip().splitlines()[-3:]
    raise DemoError(f"the server did not start ({why}). Its log ({log}) ends:\n" + "\n".join(last))


async def kept_turns(folder: Path, call_sid: str) -> list[Turn]:
    """What the server kept of a call, read from its store."""
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'exobridge.sqlite3'}")
    try:
        return await store.turns(call_sid)
    finally:
        await store.aclose()
