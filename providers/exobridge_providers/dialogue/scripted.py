"""A dialogue written in the template: intents found by phrases or keys, questions, replies.

    [dialogue]
    provider = "scripted"
    [[dialogue.options.intents]]
    name = "order"
    phrases = ["order status", "where is my order"]
    reply = "Order {order_id} was shipped yesterday."
    [[dialogue.options.intents.slots]]
    name = "order_id"
    kind = "digits"
    length = 4
    ask = "Please tell me or key in your four digit order number."

The options are in :mod:`exobridge_providers.dialogue.script`, the rules in
:mod:`exobridge_providers.dialogue.machine`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from exobridge_providers.base import (
    Action,
    CallContext,
    DialogueProvider,
    DialogueSession,
    Options,
    UserTurn,
)
from exobridge_providers.dialogue.machine import Conversation, menu_keys
from exobridge_providers.dialogue.script import ScriptedOptions


class ScriptedSession:
    """The conversation of one call."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    async def respond(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        """As :meth:`exobridge_providers.base.DialogueSession.respond`. Being interrupted changes
        nothing: the turn counts in full, and an open question stays open."""
        for action in self._conversation.answer(turn):
            yield action

    async def aclose(self) -> None:
        """Nothing is held."""


class ScriptedDialogue(DialogueProvider):
    """Answers from the template's own script, in any language."""

    options_type = ScriptedOptions
    offline = True

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, ScriptedOptions)
        self._script = options
        self.greeting_keys = menu_keys(options)

    async def open(self, context: CallContext) -> DialogueSession:
        """As :meth:`exobridge_providers.base.DialogueProvider.open`."""
        variables = {
            "caller": context.caller,
            "called": context.called,
            "language": context.language,
            **context.variables,
        }
        return ScriptedSession(Conversation(self._script, variables, context.greeting))
