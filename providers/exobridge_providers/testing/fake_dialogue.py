"""A dialogue that says what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Literal

from pydantic import Field

from exobridge_providers.base import (
    Action,
    CallContext,
    DialogueProvider,
    DialogueSession,
    Options,
    Say,
    Usage,
    UserTurn,
)
from exobridge_providers.errors import ProviderUnavailableError


class FakeDialogueOptions(Options):
    """What it answers, and what goes wrong.

    Attributes:
        script: The actions of each turn, in order; after them it says what it was told.
        usage: Reported ahead of each turn's actions.
        delay_ms: Before each action.
        fault: ``open`` raises; ``fail`` raises in place of an answer; ``break`` raises after its
            first action; ``hang`` never answers; ``mute`` answers with no action.
        fault_at: The turn from which on it goes wrong; the first is 1.
    """

    script: tuple[tuple[Action, ...], ...] = ()
    usage: Usage | None = None
    delay_ms: float = Field(default=0, ge=0)
    fault: Literal["none", "open", "fail", "break", "hang", "mute"] = "none"
    fault_at: int = Field(default=1, ge=1)


class FakeDialogueSession:
    """One call's script.

    Attributes:
        context: As it was opened with.
        turns: What it was told.
        closed: Whether ``aclose`` was called.
    """

    def __init__(self, options: FakeDialogueOptions, context: CallContext) -> None:
        self.context = context
        self.turns: list[UserTurn] = []
        self.closed = False
        self._options = options

    async def respond(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        """As :meth:`exobridge_providers.base.DialogueSession.respond`."""
        self.turns.append(turn)
        number = len(self.turns)
        fault = self._options.fault if number >= self._options.fault_at else "none"
        if fault == "hang":
            await asyncio.Event().wait()
        if fault == "fail":
            raise ProviderUnavailableError("no answer", provider="fake")
        if fault == "mute":
            return
        script = self._options.script
        if self._options.usage is not None:
            yield self._options.usage
        told = Say(f"You said: {turn.text or turn.digits}")
        for action in script[number - 1] if number <= len(script) else (told,):
            await asyncio.sleep(self._options.delay_ms / 1000)
            yield action
            if fault == "break":
                raise ProviderUnavailableError("the line broke", provider="fake")

    async def aclose(self) -> None:
        """As :meth:`exobridge_providers.base.DialogueSession.aclose`."""
        self.closed = True


class FakeDialogue(DialogueProvider):
    """A dialogue by script.

    Unrealistic in that it does not understand anything: a turn's place in the call decides the
    answer, and a pause comes before each action, never within one.

    Attributes:
        sessions: All that were opened, for tests to look at.
    """

    options_type = FakeDialogueOptions
    offline = True

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, FakeDialogueOptions)
        self._options = options
        self.sessions: list[FakeDialogueSession] = []

    async def open(self, context: CallContext) -> DialogueSession:
        """As :meth:`exobridge_providers.base.DialogueProvider.open`."""
        if self._options.fault == "open":
            raise ProviderUnavailableError("nobody there", provider="fake")
        session = FakeDialogueSession(self._options, context)
        self.sessions.append(session)
        return session
