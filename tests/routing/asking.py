"""Asks a server as Exotel's applets do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from exobridge_providers.testing.fake_http import Reply
from tests.server import BOT

CALLER, VIP, REGULAR = "09811122200", "09811122233", "09811122244"
EXOPHONE, HINDI_PHONE = "08047112233", "08047112244"


def replied(value: object, **how: Any) -> Reply:
    """An answer in JSON."""
    return Reply(parts=[json.dumps(value).encode()], **how)


async def asked(
    http: httpx.AsyncClient,
    path: str,
    call_sid: str,
    caller: str = CALLER,
    called: str = EXOPHONE,
    **more: str,
) -> httpx.Response:
    """One request of an applet."""
    given = {"CallSid": call_sid, "CallFrom": caller, "CallTo": called, "Direction": "incoming"}
    return await http.get(path, params={**given, **more})


def write(folder: Path, **files: str) -> None:
    """Lists beside the templates."""
    where = folder / "templates"
    where.mkdir(exist_ok=True)
    for name, text in files.items():
        (where / f"{name}.csv").write_text(text, "utf-8")


def routed(tables: str) -> str:
    """A template for the fakes, with these tables of TOML."""
    return f"{BOT}{tables}"
