"""A provider's key may stand in ``.env``."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from exobridge_providers.testing.fake_chat import MODELS, FakeChat
from exobridge_providers.testing.fake_http import Reply
from tests.process import run, server
from tests.server import bot, write_templates

KEY = "sk-of-the-test-0123456789"


@pytest.fixture
async def chat() -> AsyncGenerator[FakeChat]:
    """The provider's endpoint."""
    async with FakeChat().listening() as chat:
        yield chat


@pytest.fixture
def folder(chat: FakeChat, tmp_path: Path) -> Path:
    """A working directory with a ``.env`` and a template that needs its key."""
    options = {"model": "fake", "base_url": f"{chat.url}/v1", "api_key_env": "ACME_KEY"}
    template = bot(dialogue={"provider": "openai", "options": options})
    (tmp_path / "own").mkdir()
    write_templates(tmp_path / "own", {"default": template})
    (tmp_path / ".env").write_text(f"ACME_KEY={KEY}\n")
    (tmp_path / ".env").chmod(0o600)
    return tmp_path


def given(folder: Path) -> dict[str, str]:
    """What the process has beside ``.env``."""
    return {"EXOBRIDGE_TEMPLATES_DIR": str(folder / "own" / "templates"), "DIALOGUE_PROVIDER": ""}


async def test_a_server_passes_it_on(folder: Path, chat: FakeChat) -> None:
    """To the provider, which asks with it; it stands in no line of the log."""
    async with server(folder, **given(folder)) as serving:
        assert KEY not in serving.text
    assert [each.headers["authorization"] for each in chat.of(MODELS)] == [f"Bearer {KEY}"]


async def test_the_doctor_passes_it_on(folder: Path, chat: FakeChat) -> None:
    """So that it tells what the server would meet, and how to mend it."""
    chat.replies[MODELS] = [Reply(401)]
    _, out, _ = await run(folder, "doctor", "--json", "--offline", **given(folder))
    assert KEY not in out
    started = [each for each in json.loads(out)["findings"] if each["id"] == "providers.start"]
    [told] = [each for each in started if "openai" in each["found"]]
    assert told["level"] == "error"
    assert "Look at the key in ACME_KEY" in told["found"]
