"""The control API's door by itself: operations of a test behind a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import httpx
import uvicorn
from pydantic import Field, SecretStr
from starlette.applications import Starlette

from exobridge.api_keys import ApiKey, Role
from exobridge.server import server_config
from exobridge.web.control.control import control_routes
from exobridge.web.control.keys import KeyGuard
from exobridge.web.control.operation import Model, Operation
from exobridge.web.proxies import Proxies
from exobridge.web.rate import AddressRate
from tests.server import http_client, until

KEYS = tuple(
    ApiKey(role.name.lower(), role, SecretStr(f"the-key-of-the-{role.name.lower()}"))
    for role in Role
)


class Thing(Model):
    """Something to send and to get."""

    name: str = Field(description="What it is called.", max_length=20)
    size: int = Field(3, description="How large it is.", ge=1, le=9)
    parts: list[Thing] = Field([], description="What it is made of.", max_length=3)


def as_(role: str) -> dict[str, str]:
    """The header of a key."""
    return {"authorization": f"Bearer the-key-of-the-{role}"}


@asynccontextmanager
async def behind_the_door(
    operations: Sequence[Operation], keys: Sequence[ApiKey] = KEYS
) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of a server that has these operations and nothing else."""
    guard = KeyGuard(keys, Proxies(), AddressRate(0), lambda: 0.0)
    async with control_routes(operations, guard) as routes:
        server = uvicorn.Server(server_config(Starlette(routes=routes), "127.0.0.1", 0))
        running = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            async with http_client(f"http://127.0.0.1:{port}") as client:
                yield client
        finally:
            server.should_exit = True
            await running
