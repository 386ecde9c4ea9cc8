"""A server that calls people, with the account's stand-in as Exotel."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from exobridge.simulator.account import Account, serve_account
from exobridge.simulator.customers import Customers, Doing, customers
from tests.deploy.processes import free_port
from tests.server import Server, bot, http_client, serving, until

EXOPHONE = "+918047112233"
ASHA = "+919811122233"
SECRET = "a-secret-of-the-webhooks"
KEY = "the-key-of-the-api-0123456789"
AUTHORIZED = {"authorization": f"Bearer {KEY}"}


@asynccontextmanager
async def calling(
    folder: Path, does: Callable[[str, int], Doing], **outbound: Any
) -> AsyncGenerator[tuple[Server, Customers, httpx.AsyncClient]]:
    """A server that may call, people who are called, and a client of its API."""
    template = bot(
        greeting="Hello {name}.",
        variables={"name": "whoever you are"},
        outbound={"purpose": "transactional", "retry_minutes": 1} | outbound,
    )
    port = free_port()
    async with serve_account(Account()) as account:
        variables: dict[str, Any] = {
            **account.variables,
            "EXOTEL_NUMBERS": f"{EXOPHONE}=default",
            "EXOTEL_TEMPLATE_APPLET_APP_ID": "4711",
            "EXOBRIDGE_SECRET": SECRET,
            "EXOBRIDGE_API_KEY": KEY,
            "EXOBRIDGE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        }
        async with (
            serving(folder, {"default": template}, port=port, **variables) as server,
            customers(
                account, does, answer_url=f"{server.url}/exotel/answer?auth_token={SECRET}"
            ) as people,
            http_client(server.url) as api,
        ):
            api.headers.update(AUTHORIZED)
            yield server, people, api


async def called(api: httpx.AsyncClient, **wish: Any) -> dict[str, Any]:
    """Ask for a call; the dial."""
    answer = await api.post("/api/v1/calls", json={"number": ASHA, **wish})
    assert answer.status_code in (200, 201), answer.text
    dial: dict[str, Any] = answer.json()
    return dial


async def done(api: httpx.AsyncClient, dial: dict[str, Any]) -> dict[str, Any]:
    """The dial once it is done."""
    told: dict[str, Any] = {}

    async def is_done() -> bool:
        answer = await api.get(f"/api/v1/dials/{dial['id']}")
        told.update(answer.json())
        return bool(told["state"] == "done")

    await until(is_done)
    return told
