"""A small server whose every answer is set by the test, and calls that are walked against it."""

from __future__ import annotations

import asyncio
import json
import socket
import tomllib
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exobridge.simulator import Exotel
from exobridge.simulator.client import http_client
from exobridge.simulator.flows.model import Flow
from exobridge.simulator.flows.report import FlowReport
from exobridge.simulator.flows.walk import Around, walk
from exobridge.simulator.timeline import Entry, Kind, labels

HANGUP = '[applet.end]\ntype = "hangup"\n'


@dataclass(frozen=True, slots=True)
class Given:
    """One answer.

    Attributes:
        body: Text, bytes, or what becomes JSON.
        kind: Its content type; empty: by the body.
        delay_s: Before it.
    """

    body: Any = b""
    status: int = 200
    kind: str = ""
    delay_s: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def response(self) -> Response:
        """As Starlette sends it."""
        if isinstance(self.body, bytes | str):
            body, kind = self.body, "text/plain"
        else:
            body, kind = json.dumps(self.body), "application/json"
        headers = {"content-type": self.kind or kind, **self.headers}
        return Response(body, self.status, headers)


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came; ``told`` is its query, or its form, or its JSON."""

    method: str
    path: str
    query: dict[str, str]
    told: dict[str, Any]
    headers: Mapping[str, str]


class Ground:
    """The server. What is not set is answered 404.

    Attributes:
        url: Where it is.
        seen: Every request, in order.
    """

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[Seen] = []
        self._answers: dict[str, list[Given]] = {}

    def set(self, path: str, *answers: Given) -> None:
        """What this path answers: each the next of these, and the last ever after."""
        self._answers[path] = list(answers)

    def at(self, path: str) -> list[Seen]:
        """What this path was asked."""
        return [seen for seen in self.seen if seen.path == path]

    async def answer(self, request: Request) -> Response:
        """The server's only endpoint."""
        query = dict(request.query_params)
        told: dict[str, Any] = query
        if request.method == "POST":
            if request.headers["content-type"] == "application/json":
                told = await request.json()
            else:
                told = {name: str(value) for name, value in (await request.form()).items()}
        path = request.url.path
        self.seen.append(Seen(request.method, path, query, told, request.headers))
        answers = self._answers.get(path, [Given(status=404)])
        given = answers.pop(0) if len(answers) > 1 else answers[0]
        await asyncio.sleep(given.delay_s)
        return given.response()


class _Server(uvicorn.Server):
    """Exits at once, whatever it is still to answer."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up, self.leaving = asyncio.Event(), asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's."""
        await super().startup(sockets)
        self.up.set()

    async def main_loop(self) -> None:
        """Wait for the end."""
        await self.leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, without its pause."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for task in list(self.server_state.tasks):
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)


@asynccontextmanager
async def ground(**paths: Given) -> AsyncGenerator[Ground]:
    """The server, running. ``paths`` are what it answers from the beginning."""
    here = Ground()
    for name, given in paths.items():
        here.set(f"/{name}", given)
    app = Starlette(routes=[Route("/{path:path}", here.answer, methods=["GET", "POST"])])
    config = uvicorn.Config(app, "127.0.0.1", 0, log_config=None, access_log=False, lifespan="off")
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    try:
        await asyncio.wait_for(server.up.wait(), 10)
        here.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield here
    finally:
        server.leaving.set()
        await running


def flow_of(text: str, url: str = "http://127.0.0.1:9", **tables: Any) -> Flow:
    """A flow from TOML; it begins at ``first``, and ``end`` hangs up."""
    values: dict[str, Any] = {
        "flow": {"start": "first"},
        "server": {"url": url},
        **tomllib.loads(HANGUP + text),
        **tables,
    }
    return Flow.model_validate(values)


async def walked(
    flow: Flow,
    *,
    tell: Callable[[Entry], None] = lambda entry: None,
    folder: Path = Path(),
    leave: asyncio.Event | None = None,
    **around: Any,
) -> FlowReport:
    """One call through it."""
    async with Exotel() as exotel, http_client() as http:
        return await asyncio.wait_for(
            walk(flow, folder, Around(exotel, http, tell=tell, **around), leave=leave), 30
        )


def rules(report: FlowReport) -> list[str]:
    """The rules that were broken, in order."""
    return [str(violation.rule) for violation in report.violations]


def told(report: FlowReport, kind: Kind) -> list[str]:
    """The timeline's labels of one kind."""
    return labels(report.timeline, kind)
