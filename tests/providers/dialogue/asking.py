"""Asks a language model as a call does."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from exobridge_providers.base import (
    Action,
    CallContext,
    DialogueSession,
    Say,
    Usage,
    UserTurn,
)
from exobridge_providers.dialogue.openai import OpenAiDialogue
from exobridge_providers.registry import Kind, create
from exobridge_providers.testing.fake_chat import (
    FakeChat,
)

KEY = "sk-of-the-test-0123456789"
WORDS = "my secret is 4711"


@asynccontextmanager
async def dialogue(fake: FakeChat, **options: Any) -> AsyncGenerator[OpenAiDialogue]:
    """The provider, started."""
    provider = create(Kind.DIALOGUE, "openai", {**fake.options, **options})
    assert isinstance(provider, OpenAiDialogue)
    await provider.start()
    try:
        yield provider
    finally:
        await provider.aclose()


@asynccontextmanager
async def session(
    fake: FakeChat, context: CallContext | None = None, **options: Any
) -> AsyncGenerator[DialogueSession]:
    """A call."""
    async with dialogue(fake, **options) as provider:
        session = await provider.open(context or CallContext("call-1"))
        try:
            yield session
        finally:
            await session.aclose()


async def actions(session: DialogueSession, turn: UserTurn) -> list[Action]:
    """The whole answer, without what it cost."""
    return [each async for each in session.respond(turn) if not isinstance(each, Usage)]


async def said(session: DialogueSession, turn: UserTurn) -> str:
    """The words of the whole answer."""
    return "".join(each.text for each in await actions(session, turn) if isinstance(each, Say))


def body(fake: FakeChat, number: int = -1) -> dict[str, Any]:
    """A question's JSON."""
    return msgspec.json.decode(fake.asked[number].body, type=dict[str, Any])
