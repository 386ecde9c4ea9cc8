"""``docs/how-to/test-without-a-phone.md``: each file and each command on it, as they stand there.

The bot on the page is no exobridge. The callers speak in letters, and the ports are free ones.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.process import ROOT
from tests.server import http_client
from tests.stories.curl import curl
from tests.stories.told import EARS, VOICE

PAGE = ROOT / "docs" / "how-to" / "test-without-a-phone.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LIMIT_SECONDS = 90.0
AT_ONCE = 4
START, LISTEN, ASK, FAULTS = "python bot.py", "--listen", "curl ", "--faults"


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended, and what it showed."""

    status: int
    shown: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who follows the page.

    Attributes:
        folder: Where they write its files and type its commands.
        bot: The bot's port, in place of the page's.
        api: That of the account.
    """

    folder: Path
    bot: int
    api: int

    def here(self, text: str) -> str:
        """What stands on the page, with the ports of this run."""
        return text.replace("9000", str(self.bot)).replace("9911", str(self.api))

    @asynccontextmanager
    async def typed(self, command: str) -> AsyncGenerator[Process]:
        """A command as it runs; it is killed at the end if it still does."""
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", f"exec {self.here(command)}"),
            cwd=self.folder,
            env=_environment(self.folder),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def run(self, command: str) -> Ran:
        """Type a command, and wait for its end."""
        async with self.typed(command) as process:
            return await _ended(process)

    async def place(self, listening: str, asking: str) -> Ran:
        """The account's two commands, in two terminals."""
        async with self.typed(listening) as process:
            await self._until(f"http://127.0.0.1:{self.api}/")
            answer = await curl(asking, self.here)
            assert answer.status_code == 200, answer.text
            return await _ended(process)

    @asynccontextmanager
    async def bot_running(self) -> AsyncGenerator[None]:
        """The page's bot, while the others are typed."""
        async with self.typed(START) as process:
            reading = asyncio.create_task(process.communicate())
            await self._until(f"http://127.0.0.1:{self.bot}/answer")
            yield
            process.kill()
            await reading

    async def _until(self, url: str) -> None:
        """Something answers there."""
        async with asyncio.timeout(LIMIT_SECONDS), http_client() as http:
            while True:
                with suppress(httpx.HTTPError):
                    await http.get(url)
                    return
                await asyncio.sleep(0.05)


async def _ended(process: Process) -> Ran:
    out, _ = await asyncio.wait_for(process.communicate(), LIMIT_SECONDS)
    assert process.returncode is not None
    return Ran(process.returncode, out.decode())


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    return {**kept, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}


def _install(folder: Path) -> None:
    """The commands that the page types: those of this Python."""
    (folder / "bin").mkdir()
    speech = f"--voice {VOICE} --ears {EARS}"
    simulate = f'if [ "$1" = simulate ]; then set -- "$@" {speech}; fi\n'
    for name, lines in {
        "python": f'exec {sys.executable} "$@"',
        "exobridge": f'{simulate}exec {sys.executable} -m exobridge "$@"',
    }.items():
        file = folder / "bin" / name
        file.write_text(f"#!/bin/sh\n{lines}\n")
        file.chmod(0o755)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def _followed(folder: Path) -> Mapping[str, Ran]:
    blocks = BLOCK.findall(PAGE.read_text("utf-8"))
    commands = [code.strip() for tag, code in blocks if tag == "sh"]
    reader = Reader(folder, _free_port(), _free_port())
    _install(folder)
    (folder / "flows").mkdir()
    for tag, code in blocks:
        if tag in ("python", "toml"):
            name = code.partition("\n")[0].removeprefix("# ")
            (folder / name).write_text(reader.here(code), "utf-8")
    [asking] = [each for each in commands if each.startswith(ASK)]
    places = asyncio.Semaphore(AT_ONCE)

    async def typed(command: str) -> Ran:
        async with places:
            if LISTEN in command:
                return await reader.place(command, asking)
            return await reader.run(command)

    alone = [each for each in commands if each not in (START, asking)]
    assert START in commands
    async with reader.bot_running():
        return dict(zip(alone, await asyncio.gather(*map(typed, alone)), strict=True))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, Ran]]:
    """The page followed to its end: where, and what came of each command."""
    folder = tmp_path_factory.mktemp("reader")
    return folder, asyncio.run(_followed(folder))


Page = tuple[Path, Mapping[str, Ran]]


def test_every_command_does_what_the_page_says(page: Page) -> None:
    """All calls pass, but those for which faults are drawn: they may fail, and say how to repeat
    them."""
    for command, ran in page[1].items():
        if FAULTS in command and ran.status == 1:
            assert "Once more: exobridge simulate flows/desk.toml --faults" in ran.shown, ran.shown
        else:
            assert ran.status == 0, f"{command}\n{ran.shown}"


def _of(page: Page, part: str) -> Ran:
    return next(ran for command, ran in page[1].items() if part in command)


def test_the_first_call_shows_both_sides_and_a_verdict(page: Page) -> None:
    """What the caller says comes back from the bot, and no rule is broken."""
    shown = _of(page, "simulate --url ws://").shown
    assert "caller: Hello, can you hear me?" in shown
    assert "bot: hello" in shown
    assert shown.splitlines()[-1].startswith("passed in ")
    assert "warning" not in shown


def test_the_bot_is_examined(page: Page) -> None:
    """The doctor finds that all of its stream and its webhooks are as documented."""
    shown = _of(page, "doctor --against").shown
    for looked_at in ("answer to a call", "audio and events of the bot", "status callback"):
        assert f"✓ {looked_at}" in shown, shown


def test_the_second_agent_talks(page: Page) -> None:
    """The reader's own flow goes where its expectations say, and the page shows it."""
    folder, _ = page
    assert "dialled +918041112244: completed" in _of(page, "desk.toml --url http").shown
    assert "<html" in (folder / "call.html").read_text("utf-8")


def test_the_report_is_written(page: Page) -> None:
    """The run in CI leaves its measurements."""
    [one] = json.loads((page[0] / "report.json").read_text("utf-8"))["runs"]
    assert one["flow"] == "flows/desk.toml"
    assert one["passed"]


def test_a_call_is_placed(page: Page) -> None:
    """The one that was asked for is the one that is walked."""
    shown = _of(page, LISTEN).shown
    assert "start_voice/926: flows/desk.toml" in shown
    assert "path: bot → desk → bye; ended: completed" in shown
