"""The bots in the guides answer calls."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from exobridge_providers.base import (
    Action,
    CallContext,
    DialogueProvider,
    HangUp,
    Say,
    Transfer,
    UserTurn,
)
from exobridge_providers.errors import ProviderAuthError
from exobridge_providers.registry import Kind, create

GUIDES = Path(__file__).parents[3] / "docs" / "how-to"
SECRET = "a-secret-of-the-test"


def code(guide: str, name: str) -> str:
    """The block of a guide that begins with its file's name."""
    text = (GUIDES / guide).read_text("utf-8")
    found = re.search(rf"^```\w+\n((?:#|//) {re.escape(name)}\n.*?)^```$", text, re.M | re.S)
    assert found, f"{guide} has no {name}"
    return found[1]


async def talk(name: str, options: dict[str, Any], *turns: UserTurn) -> list[list[Action]]:
    """The answers of one call."""
    provider = create(Kind.DIALOGUE, name, options)
    assert isinstance(provider, DialogueProvider)
    await provider.start()
    try:
        session = await provider.open(CallContext("call-1", greeting="Hello."))
        answers = [[action async for action in session.respond(turn)] for turn in turns]
        await session.aclose()
    finally:
        await provider.aclose()
    return answers


@asynccontextmanager
async def application(folder: Path, name: str) -> AsyncGenerator[str]:
    """The guide's application as a process; where it listens."""
    program = sys.executable if name.endswith(".py") else shutil.which("node")
    if program is None:
        pytest.skip("node is not installed")
    (folder / name).write_text(code("webhook.md", name), "utf-8")
    process = await asyncio.create_subprocess_exec(
        *(program, name),
        cwd=folder,
        env={"WEBHOOK_SECRET": SECRET, "PORT": "0"},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=DEVNULL,
    )
    assert process.stdout is not None
    try:
        port = await asyncio.wait_for(process.stdout.readline(), 20)
        yield f"http://127.0.0.1:{int(port)}/turn"
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("app.py", [Say("You said: good morning.")]),
        ("app.mjs", [Say("One moment."), Say("You said: good morning.")]),
    ],
)
async def test_the_applications_answer(
    name: str, first: list[Action], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What exobridge signs, and nobody else."""
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    async with application(tmp_path, name) as url:
        turns = (UserTurn("good morning"), UserTurn("bye", heard="You said: good morning."))
        hello, bye = await talk("webhook", {"url": url}, *turns)
        assert hello == first
        assert bye[-1] == HangUp()
        forged = {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
        async with httpx.AsyncClient(trust_env=False) as client:
            for headers in (forged, {}):
                response = await client.post(url, json={"event": "check"}, headers=headers)
                assert response.status_code == 401
        monkeypatch.setenv("WEBHOOK_SECRET", "another-secret-of-the-test")
        with pytest.raises(ProviderAuthError, match="the same secret"):
            await talk("webhook", {"url": url})


async def test_the_function_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its turns."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    source = code("bring-your-own-model.md", "my_bot.py")
    (tmp_path / "my_bot.py").write_text(source, "utf-8")
    options = {"handler": "my_bot:answer", "path": str(tmp_path), "settings": {"company": "Acme"}}
    help_ = "You can ask for our opening hours."
    answers = await talk(
        "python",
        options,
        UserTurn("hm"),
        UserTurn("when do you open", heard=help_),
        UserTurn("I am angry", heard="We are open from nine to six."),
        UserTurn("bye"),
    )
    assert answers == [
        [Say(help_)],
        [Say("We are open from nine to six.")],
        [Say("I will get somebody for you."), Transfer(summary="Said before: when do you open")],
        [Say("Thank you for calling Acme. Goodbye."), HangUp()],
    ]
