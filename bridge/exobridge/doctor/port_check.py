"""The port to listen on."""

from __future__ import annotations

import errno

import httpx

from exobridge.doctor.answers import live_calls
from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, error, info, ok
from exobridge.errors import ConfigError
from exobridge.server.listening import listen
from exobridge.settings import Settings

ASK_SECONDS = 2.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where a server is asked that listens on all addresses."""


async def look(case: Case) -> list[Finding]:
    """Whether it can be bound, or what answers there already."""
    settings = case.settings
    where = f"{settings.host}, port {settings.port}"
    if settings.port == 0:
        return [info("port.listen", "EXOBRIDGE_PORT is 0: any free port is taken")]
    try:
        listen(settings.host, settings.port).close()
    except ConfigError as problem:
        code = getattr(problem.__cause__, "errno", None)
        if code == errno.EADDRINUSE and (calls := await running_calls(settings)) is not None:
            return [ok("port.listen", f"exobridge answers on {where}, with {calls} calls")]
        return [error("port.listen", f"{where}: {problem.problem}", _cure(code, settings))]
    return [ok("port.listen", f"{where} is free")]


def _cure(code: int | None, settings: Settings) -> str:
    match code:
        case errno.EADDRINUSE:
            return f"See what uses it: ss -ltnp 'sport = :{settings.port}'. Or set EXOBRIDGE_PORT."
        case errno.EACCES:
            return "Ports below 1024 are the system's: set EXOBRIDGE_PORT=8080, a proxy before it."
        case errno.EADDRNOTAVAIL:
            return "This machine has no such address: set EXOBRIDGE_HOST=127.0.0.1 or 0.0.0.0."
        case _:
            return "Set EXOBRIDGE_HOST to an address of this machine, and EXOBRIDGE_PORT."


async def running_calls(settings: Settings) -> int | None:
    """How many calls the exobridge has that answers on the port; ``None``: none answers."""
    host = EVERYWHERE.get(settings.host, settings.host)
    host = f"[{host}]" if ":" in host else host
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=ASK_SECONDS) as http:
            response = await http.get(f"http://{host}:{settings.port}/health/live")
            return live_calls(response)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
