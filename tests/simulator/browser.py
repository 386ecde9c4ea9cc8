"""A real browser, where one is installed: Chromium without a window, by its debugging protocol."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")

needs_browser = pytest.mark.skipif(
    PROGRAM is None, reason="no browser is installed: apt install chromium"
)


class Tab:
    """A page that is open."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._session = ""
        self.events: list[dict[str, Any]] = []

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have something done; events that come meanwhile are kept."""
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        message = {"id": number, "method": method, "params": parameters, **session}
        await self._socket.send(json.dumps(message))
        while True:
            heard: dict[str, Any] = json.loads(await self._socket.recv())
            if heard.get("id") == number:
                assert "error" not in heard, heard
                result: dict[str, Any] = heard["result"]
                return result
            self.events.append(heard)

    async def open(self, page: Path | str, width: int) -> None:
        """Show a file, or what is at a URL, in a window so wide, once it has been laid out."""
        target = await self.command("Target.createTarget", url="about:blank")
        ids = {"targetId": target["targetId"], "flatten": True}
        self._session = (await self.command("Target.attachToTarget", **ids))["sessionId"]
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        await self.command("Emulation.setDeviceMetricsOverride", **size)
        for domain in ("Log", "Network", "Page"):
            await self.command(f"{domain}.enable")
        url = page if isinstance(page, str) else page.as_uri()
        await self.command("Page.navigate", url=url)
        ready = "new Promise(done => document.readyState == 'complete' ? done() : onload = done)"
        await self.value(ready)

    async def value(self, expression: str) -> Any:
        """What a JavaScript expression comes to."""
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        result = await self.command("Runtime.evaluate", **asked)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def heard(self, method: str) -> list[dict[str, Any]]:
        """The events of one kind, so far."""
        return [event["params"] for event in self.events if event.get("method") == method]


@asynccontextmanager
async def browser(folder: Path) -> AsyncGenerator[Tab]:
    """A browser with nothing of the user's; it has ended afterwards."""
    assert PROGRAM is not None
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(60):
            async with connect(await _address(process), max_size=None, proxy=None) as socket:
                tab = Tab(socket)
                yield tab
                with suppress(Exception):
                    await Tab(socket).command("Browser.close")
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def _address(process: Process) -> str:
    assert process.stderr is not None
    async for line in process.stderr:
        found = re.search(rb"DevTools listening on (ws://\S+)", line)
        if found:
            return found[1].decode()
    raise AssertionError("the browser does not say where it listens")
