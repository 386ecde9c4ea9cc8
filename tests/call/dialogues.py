"""A dialogue for tests that may be asked before a turn is certain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator
from typing import ClassVar

from exobridge_providers.base import (
    Action,
    CallContext,
    DialogueProvider,
    DialogueSession,
    Say,
    UserTurn,
)

asked: defaultdict[str, list[str]] = defaultdict(list)
"""The texts it was asked with, by the template's constant ``{name}``."""

acted: defaultdict[str, list[str]] = defaultdict(list)
"""Those for which it did something that cannot be taken back."""


class EagerSession:
    """One call's: it answers with what it was told, and acts."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def respond(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        """As :meth:`exobridge_providers.base.DialogueSession.respond`."""
        asked[self._name].append(turn.text)
        yield Say(f"You said: {turn.text}")
        await turn.certain()
        acted[self._name].append(turn.text)

    async def aclose(self) -> None:
        """As :meth:`exobridge_providers.base.DialogueSession.aclose`."""


class EagerDialogue(DialogueProvider):
    """It takes turns that are not certain yet.

    Unrealistic in that it takes no time.
    """

    speculative: ClassVar[bool] = True

    async def open(self, context: CallContext) -> DialogueSession:
        """As :meth:`exobridge_providers.base.DialogueProvider.open`."""
        return EagerSession(context.variables["name"])
