"""A dialogue that answers with the scenario's replies, and keeps what it was asked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator

from exobridge_providers.base import (
    Action,
    CallContext,
    DialogueProvider,
    DialogueSession,
    Options,
    Say,
    SetLanguage,
    UserTurn,
)
from tests.conversations.options import InWorld, world_of
from tests.conversations.world import Asked, World

_SENTENCE = re.compile(r"(?<=[.?]) ")
_WORD = re.compile(r"\S+\s*")

TOOL_S = 0.15


class ScriptedDialogueSession:
    """One call's replies."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._dice = world.variant.chance("dialogue")

    async def respond(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        """Answer one turn."""
        asked = self._world.ask(turn.text, turn.digits)
        asked.interrupted, asked.heard = turn.interrupted, turn.heard
        self._world.note("dialogue", f"is given {turn.text!r} {turn.digits}".rstrip())
        try:
            await asyncio.sleep(self._dice.uniform(*self._world.variant.dialogue_ms) / 1000)
            if asked.reply.tool:
                await self._use_tool(turn, asked)
            if asked.reply.language:
                yield SetLanguage(asked.reply.language)
            for action in self._pieces(asked):
                asked.yielded += action.text
                yield action
                await asyncio.sleep(0.01)
            if asked.reply.collect is not None:
                yield asked.reply.collect
            asked.complete = True
        finally:
            if not asked.complete:
                self._world.note("dialogue", f"is stopped: {turn.text!r}")

    async def _use_tool(self, turn: UserTurn, asked: Asked) -> None:
        await turn.certain()
        asked.tools += 1
        self._world.note("dialogue", f"uses its tool for {turn.text!r}")
        await asyncio.sleep(TOOL_S)

    def _pieces(self, asked: Asked) -> list[Say]:
        text, interruptible = asked.reply.text, asked.reply.interruptible
        match self._world.variant.pieces:
            case 0:
                return [Say(text, interruptible=interruptible)]
            case 1:
                return [
                    Say(sentence, interruptible=interruptible) for sentence in _SENTENCE.split(text)
                ]
            case _:
                *before, last = _WORD.findall(text)
                return [
                    *(Say(word, more=True, interruptible=interruptible) for word in before),
                    Say(last, interruptible=interruptible),
                ]

    async def aclose(self) -> None:
        """End it."""


class ScriptedDialogue(DialogueProvider):
    """See the module."""

    options_type = InWorld

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._world = world_of(options)

    async def open(self, context: CallContext) -> DialogueSession:
        """As :meth:`exobridge_providers.base.DialogueProvider.open`."""
        del context
        return ScriptedDialogueSession(self._world)


class EagerDialogue(ScriptedDialogue):
    """One that takes turns which are not certain yet."""

    speculative = True
